"""The delivery ledger: who posted what, who received it, and what is owed."""
