"""Runs many scenarios: replays, outages, limits, results, and the pytest plugin."""
