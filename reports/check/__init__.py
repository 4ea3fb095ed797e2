"""The compliance page."""
