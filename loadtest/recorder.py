"""What a load test measures: HDR histograms, a timeline by the second, errors and close codes."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from hdrh.histogram import HdrHistogram

LOWEST_US, HIGHEST_US, DIGITS = 1, 3_600_000_000, 3
"""Microseconds that a histogram resolves, and its significant digits."""

MAX_KINDS = 100
"""Kinds of errors that are told apart; what goes beyond is counted as one."""

METRICS = ("connect", "ack", "join", "post_to_own", "post_to_receive", "close")
ROUND_TRIP = "post_to_own"


def summary(histogram: HdrHistogram) -> dict[str, Any]:
    """A histogram's figures in milliseconds."""
    figures = {"p50": 50, "p90": 90, "p95": 95, "p99": 99, "p999": 99.9}
    milliseconds = {name: histogram.get_value_at_percentile(at) / 1000 for name, at in figures.items()}
    return {
        "count": histogram.get_total_count(),
        "mean": round(histogram.get_mean_value() / 1000, 3),
        **{name: round(value, 3) for name, value in milliseconds.items()},
        "max": round(histogram.get_max_value() / 1000, 3),
        "unit": "ms",
    }


class Window:
    """One second of the timeline."""

    def __init__(self) -> None:
        self.histogram: HdrHistogram | None = None
        self.errors = 0
        self.users = 0

    def entry(self, second: int) -> dict[str, Any]:
        """The timeline's entry; percentiles are None where nothing was measured."""
        if self.histogram is None:
            figures: dict[str, Any] = {"p50": None, "p95": None, "p99": None}
            rate = 0
        else:
            whole = summary(self.histogram)
            figures = {name: whole[name] for name in ("p50", "p95", "p99")}
            rate = whole["count"]
        return {"t": second, "users": self.users, "rate": rate, **figures, "errors": self.errors}


class Recorder:
    """Collects from all users of one process. Times are in seconds of one monotonic clock."""

    def __init__(self, started: float, fired: Callable[[str, float, str | None], None] | None = None) -> None:
        self.started = started
        self.histograms: dict[str, HdrHistogram] = {}
        self.errors: Counter[str] = Counter()
        self.closes: Counter[str] = Counter()
        self.windows: dict[int, Window] = {}
        self._fired = fired

    def _window(self, t: float) -> Window:
        return self.windows.setdefault(max(int(t - self.started), 0), Window())

    def measured(self, metric: str, seconds: float, t: float) -> None:
        """A latency, measured at time `t`."""
        microseconds = min(max(int(seconds * 1_000_000), LOWEST_US), HIGHEST_US)
        if metric not in self.histograms:
            self.histograms[metric] = HdrHistogram(LOWEST_US, HIGHEST_US, DIGITS)
        self.histograms[metric].record_value(microseconds)
        if metric == ROUND_TRIP:
            window = self._window(t)
            if window.histogram is None:
                window.histogram = HdrHistogram(LOWEST_US, HIGHEST_US, DIGITS)
            window.histogram.record_value(microseconds)
        if self._fired is not None:
            self._fired(metric, seconds, None)

    def failed(self, message: str, t: float) -> None:
        """Something that went wrong for a user."""
        kind = message if message in self.errors or len(self.errors) < MAX_KINDS else "(other errors)"
        self.errors[kind] += 1
        self._window(t).errors += 1
        if self._fired is not None:
            self._fired("error", 0.0, kind)

    def closed(self, code: int | None, t: float) -> None:
        """A connection ended with this close code; None: without a close frame."""
        self.closes[str(code) if code is not None else "none"] += 1
        self._window(t)

    def sample(self, users: int, t: float) -> None:
        """How many users there are at time `t`."""
        self._window(t).users = users

    def document(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """The measured part of the load document, behind `facts`."""
        last = max(self.windows, default=-1)
        return {
            **facts,
            "metrics": {name: summary(self.histograms[name]) for name in METRICS if name in self.histograms},
            "delivery": None,
            "timeline": [self.windows.get(second, Window()).entry(second) for second in range(last + 1)],
            "closes": dict(sorted(self.closes.items())),
            "errors": dict(self.errors.most_common()),
        }
