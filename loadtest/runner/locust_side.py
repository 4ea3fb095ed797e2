"""Locust's side of a run: its statistics and web page, and its options where it was started by hand."""

import json
import math
import time
from pathlib import Path
from typing import Any

from locust import runners
from locust.env import Environment
from locust.stats import RequestStats, StatsError, bucket_response_time

from contract.findings import message_of
from contract.folder import DEFAULT, find_contract
from contract.metrics import in_order
from contract.model import load_contract
from loadtest.measure.recorder import GENERATORS, Counts, Slice
from loadtest.runner.user import JourneyUser
from loadtest.settings.plan import new_run
from loadtest.settings.settings import LoadSettings, parse_journeys

METHOD = "WS"

KEPT_SECONDS = 60
"""Of Locust's counts by the second; it looks at the last twelve."""

MAX_HISTORY = 2_000
"""Points of the charts on Locust's page, one in five seconds at first; when there are more, every other one goes."""


def keep_no_history(environment: Environment) -> None:
    """Where nobody looks at Locust's statistics, it keeps none for its charts."""
    environment.stats = RequestStats(use_response_times_cache=False)


def stop_at_once() -> None:
    """Locust looks up who stops a run, for a line of its debug log, and takes it well if that cannot be found out.

    It reads source files for it: the loop stood still for 30 ms and more while the last posts were on their way, and
    the last second of every run was late.
    """
    vars(runners)["inspect"] = None


def feed(stats: Any, taken: Slice) -> None:
    """Add a slice to Locust's `RequestStats`."""
    now = time.time()
    for metric in in_order(taken.latencies, GENERATORS):
        counts = taken.latencies.get(metric)
        if counts:
            for entry in (stats.total, stats.entries[metric, METHOD]):
                _add(entry, counts, now)
    for kind, count in taken.errors.items():
        for entry in (stats.total, stats.entries["error", METHOD]):
            entry.num_failures += count
            entry.num_fail_per_sec[int(now)] += count
        message = str(message_of(json.loads(kind)))
        key = StatsError.create_key(METHOD, "error", message)
        error = stats.errors.setdefault(key, StatsError(METHOD, "error", message))
        error.occurrences += count


def trim(stats: RequestStats) -> None:
    """What Locust keeps as long as it runs, it keeps no longer than somebody looks at it."""
    for entry in (stats.total, *stats.entries.values()):
        for counts in (entry.num_reqs_per_sec, entry.num_fail_per_sec):
            while len(counts) > KEPT_SECONDS:
                del counts[min(counts)]
    if len(stats.history) > MAX_HISTORY:
        del stats.history[1::2]


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


def add_options(parser: Any) -> None:
    """Options that Locust's command line and page have beside its own where it was started by hand."""
    group = parser.add_argument_group("wsproof")
    group.add_argument("--rate", type=float, default=1.0, help="Posts per second of each user")
    group.add_argument("--channels", type=int, default=1, help="Channels that the users share")


def choose_default(environment: Environment) -> None:
    """Play what `wsproof load` plays by default, unless somebody chose users' classes: not every journey at once."""
    options: Any = environment.parsed_options
    if not options.user_classes:
        defaults = parse_journeys(load_contract(find_contract(DEFAULT)), ())
        environment.user_classes = [one for one in _played(environment) if one.journey in defaults]


def settings_of_locust(environment: Environment) -> LoadSettings:
    """Settings where Locust was started by hand: its options, its page, and `wsproof.yaml` where there is one."""
    options: Any = environment.parsed_options
    runner: Any = environment.runner
    profile = Path("wsproof.yaml")
    return LoadSettings(
        endpoint=environment.host or "ws://127.0.0.1:8765/v1/socket",
        users=max(runner.target_user_count, 1),
        spawn_rate=float(options.spawn_rate or 1.0),
        # The page may change its mind about the time, and stops the run itself.
        duration=float((options.headless and options.run_time) or math.inf),
        document=str(Path("load.json").absolute()),
        journeys={one.journey: float(one.weight) for one in _played(environment)},
        channels=options.channels,
        rate=options.rate,
        profile=str(profile.absolute()) if profile.is_file() else None,
        run=new_run(),
    )


def _played(environment: Environment) -> list[type[JourneyUser]]:
    return [one for one in environment.user_classes if issubclass(one, JourneyUser)]
