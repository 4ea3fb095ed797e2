"""Scenario files to steps: loading, variants, values, matching, selection."""
