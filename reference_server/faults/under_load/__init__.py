"""Faults that show only now and then, or among many connections: a load test is for these."""

from reference_server.faults.under_load import connections, contents, deliveries, errors, liveness, messages

SUBJECTS = (deliveries, contents, messages, connections, liveness, errors)
"""The modules that register their faults by being imported."""
