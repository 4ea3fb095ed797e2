"""What a load test measures: HDR histograms, a timeline, errors, close codes, and the generator's own health.

Its memory does not grow with the number of measurements: a window keeps its latencies only until it is over.
"""

import math
from array import array
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from hdrh.histogram import HdrHistogram

LOWEST_US, HIGHEST_US, DIGITS = 1, 3_600_000_000, 3
"""Microseconds that a histogram resolves, and its significant digits."""

MAX_KINDS = 100
"""Kinds of errors that are told apart; what goes beyond is counted as one."""

MAX_KIND_CHARACTERS = 300

MAX_ENTRIES = 3_600
"""Entries of the timeline: a longer run has longer windows than a second."""

PERCENTILES = {"p50": 50.0, "p90": 90.0, "p95": 95.0, "p99": 99.0, "p999": 99.9}
METRICS = ("connect", "ack", "join", "post_to_own", "post_to_receive", "close")
ROUND_TRIP = "post_to_own"
NO_CLOSE_FRAME = 1006
"""Stands for an end without a close frame (RFC 6455 §7.1.5)."""

Fired = Callable[[str, float, str | None], None]


def rank(count: int, percent: float) -> int:
    """The nearest rank, from 1: so many of `count` values lie within `percent` per cent."""
    # The rounding takes back what binary fractions add: 99.9 % of 1000 is 999 and not a little more.
    return max(math.ceil(round(count * percent / 100, 6)), 1)


def summary(histogram: HdrHistogram) -> dict[str, Any]:
    """The figures of a histogram that is not empty, in milliseconds."""
    count = histogram.get_total_count()
    # The library rounds ranks to the nearest, and so leaves the tail out of a few values: it is asked for whole ranks.
    at = {name: 100 * rank(count, percent) / count for name, percent in PERCENTILES.items()}
    # One pass for all of them: each look-up alone would walk the whole histogram.
    found = histogram.get_percentile_to_value_dict(list(at.values()))
    return {
        "count": count,
        "mean": round(histogram.get_mean_value() / 1000, 3),
        **{name: round(found[percent] / 1000, 3) for name, percent in at.items()},
        "max": round(histogram.get_max_value() / 1000, 3),
        "unit": "ms",
    }


class Window:
    """A stretch of the timeline; latencies in milliseconds."""

    def __init__(self, users: int) -> None:
        self.latencies = array("d")
        self.errors = 0
        self.users = users

    def entry(self, t: float, width: float) -> dict[str, Any]:
        """The timeline's entry, `width` seconds wide; percentiles are None where nothing was measured."""
        ordered = sorted(self.latencies)
        figures = {
            name: round(ordered[rank(len(ordered), PERCENTILES[name]) - 1], 3) if ordered else None
            for name in ("p50", "p95", "p99")
        }
        rate = round(len(ordered) / width, 3)
        return {"t": t, "users": self.users, "rate": rate, **figures, "errors": self.errors}


class Recorder:
    """Collects from all users of one process. Times are in seconds of one monotonic clock.

    `fired` hears of every measurement and error as well: metric, seconds, and the error's message or None.
    """

    def __init__(self, started: float, duration: float = 0.0, fired: Fired | None = None) -> None:
        self.width = max(1, math.ceil(duration / MAX_ENTRIES))
        self.histograms: dict[str, HdrHistogram] = {}
        self.errors: Counter[str] = Counter()
        self.closes: Counter[str] = Counter()
        self.connected = 0
        self.cpu_percent: float | None = None
        self.late_ms: float | None = None
        self._fired = fired
        self.begin(started)

    def begin(self, t: float) -> None:
        """Start the clock, and the timeline with it."""
        self.started = t
        self.timeline: list[dict[str, Any]] = []
        self._window = Window(self.connected)

    def tick(self, t: float) -> None:
        """It is `t`: windows that are over by then enter the timeline."""
        while t >= self.started + (len(self.timeline) + 1) * self.width:
            self.timeline.append(self._window.entry(len(self.timeline) * self.width, self.width))
            self._window = Window(self.connected)

    def measured(self, metric: str, seconds: float, t: float) -> None:
        """A latency, measured at time `t`."""
        self.tick(t)
        microseconds = min(max(round(seconds * 1_000_000), LOWEST_US), HIGHEST_US)
        if metric not in self.histograms:
            self.histograms[metric] = HdrHistogram(LOWEST_US, HIGHEST_US, DIGITS)
        self.histograms[metric].record_value(microseconds)
        if metric == ROUND_TRIP:
            self._window.latencies.append(microseconds / 1000)
        if self._fired is not None:
            self._fired(metric, seconds, None)

    def failed(self, message: str, t: float) -> None:
        """Something that went wrong for a user."""
        self.tick(t)
        cut = message if len(message) <= MAX_KIND_CHARACTERS else message[: MAX_KIND_CHARACTERS - 1] + "…"
        kind = cut if cut in self.errors or len(self.errors) < MAX_KINDS else "(other errors)"
        self.errors[kind] += 1
        self._window.errors += 1
        if self._fired is not None:
            self._fired("error", 0.0, kind)

    def opened(self, t: float) -> None:
        """A connection was accepted."""
        self.tick(t)
        self.connected += 1
        self._window.users = max(self._window.users, self.connected)

    def closed(self, code: int | None, t: float) -> None:
        """An accepted connection ended with this close code; None: without a close frame."""
        self.tick(t)
        self.connected -= 1
        self.closes[str(code if code is not None else NO_CLOSE_FRAME)] += 1

    def watched(self, cpu_percent: float, late_ms: float) -> None:
        """How the generator fares: processor use of late, and how late a timer ran."""
        self.cpu_percent = max(self.cpu_percent or 0.0, cpu_percent)
        self.late_ms = max(self.late_ms or 0.0, late_ms)

    def document(self, t: float) -> dict[str, Any]:
        """The measured part of the load document, at time `t`."""
        self.tick(t)
        # The last window is cut short. Its rate is still by the whole width: a peak must not come of that.
        last = self._window.entry(len(self.timeline) * self.width, self.width)
        lasted = t - self.started - last["t"]
        rest = [last] if last["rate"] or last["errors"] or lasted > self.width / 2 else []
        health: Mapping[str, float] | None = None
        if self.cpu_percent is not None and self.late_ms is not None:
            health = {"cpu_percent": round(self.cpu_percent, 1), "late_ms_max": round(self.late_ms, 3)}
        return {
            "metrics": {name: summary(self.histograms[name]) for name in METRICS if name in self.histograms},
            "delivery": None,
            "timeline": [*self.timeline, *rest],
            "closes": dict(sorted(self.closes.items())),
            "errors": dict(self.errors.most_common()),
            "generator": health,
        }
