"""Latencies as HDR histograms, and what the load document says of them."""

import math
from collections.abc import Iterable
from typing import Any

from hdrh.histogram import HdrHistogram

from loadtest.recorder import HIGHEST_US, Counts

LOWEST_US, DIGITS = 1, 3

MAX_POINTS = 200
"""Points of a distribution."""

PERCENTILES = {"p50": 50.0, "p75": 75.0, "p90": 90.0, "p95": 95.0, "p99": 99.0, "p999": 99.9, "p9999": 99.99}


def rank(count: int, percent: float) -> int:
    """The nearest rank, from 1: so many of `count` values lie within `percent` per cent."""
    # The rounding takes back what binary fractions add: 99.9 % of 1000 is 999 and not a little more.
    return max(math.ceil(round(count * percent / 100, 6)), 1)


def new_histogram() -> HdrHistogram:
    """A histogram of microseconds, up to an hour, with three significant digits."""
    return HdrHistogram(LOWEST_US, HIGHEST_US, DIGITS)


def summary(histogram: HdrHistogram) -> dict[str, Any]:
    """The figures of a histogram that is not empty, in milliseconds."""
    count = histogram.get_total_count()
    # The library rounds ranks to the nearest, and so leaves the tail out of a few values: it is asked for whole ranks.
    at = {name: 100 * rank(count, percent) / count for name, percent in PERCENTILES.items()}
    # One pass for all of them: each look-up alone would walk the whole histogram.
    found = histogram.get_percentile_to_value_dict(sorted(set(at.values())))
    return {
        "count": count,
        "mean": round(histogram.get_mean_value() / 1000, 3),
        **{name: round(found[percent] / 1000, 3) for name, percent in at.items()},
        "max": round(histogram.get_max_value() / 1000, 3),
        "unit": "ms",
        "histogram": distribution(histogram),
    }


def figures(histogram: HdrHistogram, total_us: int) -> dict[str, float]:
    """The same figures without the distribution, quickly: a run that goes on must not stand still for them.

    `total_us` is the sum of all values: the library walks the whole histogram for the mean.
    """
    count = histogram.get_total_count()
    found = {
        name: round(histogram.get_value_at_percentile(100 * rank(count, percent) / count) / 1000, 3)
        for name, percent in PERCENTILES.items()
    }
    maximum = round(histogram.get_max_value() / 1000, 3)
    return {"count": count, "mean": round(total_us / count / 1000, 3), **found, "max": maximum}


def distribution(histogram: HdrHistogram) -> list[list[float]]:
    """Points `[milliseconds, cumulative count]`, the denser the nearer to the maximum."""
    count = histogram.get_total_count()
    points: list[list[float]] = []
    cumulative, due = 0, 1
    step = max(math.log(count + 1) / MAX_POINTS, 1e-9)
    for item in histogram.get_recorded_iterator():
        cumulative += item.count_added_in_this_iter_step
        if cumulative >= due or cumulative == count:
            points.append([round(item.value_iterated_to / 1000, 3), cumulative])
            # What is left shrinks by the same factor from point to point.
            due = max(cumulative + 1, math.ceil(count - (count - cumulative) * math.exp(-step)))
    return points


class Latencies:
    """One metric: what was measured while the generator was punctual, and what it may have delayed."""

    def __init__(self) -> None:
        self._decided = new_histogram()
        self._undecided: HdrHistogram | None = None
        self._total_us = 0

    def add(self, counts: Counts, decided: Counts) -> None:
        """Add measurements, of which some are `decided`."""
        for value, count in decided.items():
            self._decided.record_value(value, count)
            self._total_us += value * count
        if len(decided) == len(counts):
            return
        if self._undecided is None:
            self._undecided = new_histogram()
        for value in counts.keys() - decided.keys():
            self._undecided.record_value(value, counts[value])

    @classmethod
    def sum(cls, parts: Iterable["Latencies"]) -> "Latencies":
        """All of them together."""
        whole = cls()
        for part in parts:
            whole._decided.add(part._decided)
            whole._total_us += part._total_us
            if part._undecided is not None:
                whole._undecided = whole._undecided or new_histogram()
                whole._undecided.add(part._undecided)
        return whole

    @property
    def count(self) -> int:
        """How many were measured."""
        undecided = self._undecided.get_total_count() if self._undecided is not None else 0
        return int(self._decided.get_total_count() + undecided)

    def punctual(self) -> dict[str, float] | None:
        """The figures so far of what is decided; None where nothing is."""
        return figures(self._decided, self._total_us) if self._decided.get_total_count() else None

    def summary(self) -> dict[str, Any]:
        """All of it; and `punctual`, the figures of what is decided, where that is not the same."""
        if self._undecided is None:
            return {**summary(self._decided), "undecided": 0, "punctual": None}
        everything = new_histogram()
        everything.add(self._decided)
        everything.add(self._undecided)
        punctual = summary(self._decided) if self._decided.get_total_count() else None
        if punctual is not None:
            del punctual["histogram"], punctual["unit"]
        return {**summary(everything), "undecided": self._undecided.get_total_count(), "punctual": punctual}
