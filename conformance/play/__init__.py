"""Runs one scenario: its steps, what they await, and the record of what happened. Sans-I/O."""
