"""Feeds Locust's own statistics, and with them its web page, a second's slice at a time."""

import time
from typing import Any

from locust.stats import StatsError, bucket_response_time

from loadtest.recorder import METRICS, Counts, Slice

METHOD = "WS"


def feed(stats: Any, taken: Slice) -> None:
    """Add a slice to Locust's `RequestStats`."""
    now = time.time()
    for metric in METRICS:
        counts = taken.latencies.get(metric)
        if counts:
            for entry in (stats.total, stats.entries[metric, METHOD]):
                _add(entry, counts, now)
    for kind, count in taken.errors.items():
        for entry in (stats.total, stats.entries["error", METHOD]):
            entry.num_failures += count
            entry.num_fail_per_sec[int(now)] += count
        key = StatsError.create_key(METHOD, "error", kind)
        error = stats.errors.setdefault(key, StatsError(METHOD, "error", kind))
        error.occurrences += count


def _add(entry: Any, counts: Counts, now: float) -> None:
    count = sum(counts.values())
    slowest, fastest = max(counts) / 1000, min(counts) / 1000
    entry.num_requests += count
    entry.num_reqs_per_sec[int(now)] += count
    entry.last_request_timestamp = now
    entry.total_response_time += sum(value * number for value, number in counts.items()) / 1000
    entry.min_response_time = fastest if entry.min_response_time is None else min(entry.min_response_time, fastest)
    entry.max_response_time = max(entry.max_response_time, slowest)
    for value, number in counts.items():
        entry.response_times[bucket_response_time(value / 1000)] += number
    if entry.use_response_times_cache:
        entry._cache_response_times(int(now) - 1)
