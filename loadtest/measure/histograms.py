"""Latencies as histograms of high dynamic range, and what the load document says of them.

A recorder hands latencies over with their leading bits alone (`recorder.counted`): that is such a histogram already,
exact to a thousandth, and here counts are only added up. HdrHistogram for Python does the same with a walk over all of
its 23,000 buckets for each figure, a tenth of a second; a run has some thirty of them. The tests hold both against each
other.
"""

import math
from collections import Counter
from collections.abc import Iterable
from itertools import accumulate
from typing import Any

from loadtest.measure.recorder import EXACT_BITS, Counts

MAX_POINTS = 200
"""Points of a distribution."""

PERCENTILES = {"p50": 50.0, "p75": 75.0, "p90": 90.0, "p95": 95.0, "p99": 99.0, "p999": 99.9, "p9999": 99.99}


def rank(count: int, percent: float) -> int:
    """The nearest rank, from 1: so many of `count` values lie within `percent` per cent."""
    # The rounding takes back what binary fractions add: 99.9 % of 1000 is 999 and not a little more.
    return max(math.ceil(round(count * percent / 100, 6)), 1)


def highest(value: int) -> int:
    """The highest latency, in microseconds, that has the leading bits of this one."""
    return value | ((1 << max(value.bit_length() - EXACT_BITS, 0)) - 1)


def figures(counts: Counts) -> dict[str, float]:
    """Count, mean, percentiles by the nearest rank and maximum of counts that are not empty, in milliseconds."""
    ordered = sorted(counts.items())
    sums = list(accumulate(count for _, count in ordered))
    total = sums[-1]
    found: dict[str, float] = {}
    at = 0
    for name, percent in PERCENTILES.items():
        wanted = rank(total, percent)
        while sums[at] < wanted:
            at += 1
        found[name] = round(highest(ordered[at][0]) / 1000, 3)
    middles = sum((value + highest(value)) / 2 * count for value, count in ordered)
    maximum = round(highest(ordered[-1][0]) / 1000, 3)
    return {"count": total, "mean": round(middles / total / 1000, 3), **found, "max": maximum}


def summary(counts: Counts) -> dict[str, Any]:
    """The figures, and the distribution."""
    return {**figures(counts), "unit": "ms", "histogram": distribution(counts)}


def distribution(counts: Counts) -> list[list[float]]:
    """Points `[milliseconds, cumulative count]`, the denser the nearer to the maximum."""
    total = sum(counts.values())
    points: list[list[float]] = []
    cumulative, due = 0, 1
    step = max(math.log(total + 1) / MAX_POINTS, 1e-9)
    for value, count in sorted(counts.items()):
        cumulative += count
        if cumulative >= due or cumulative == total:
            points.append([round(highest(value) / 1000, 3), cumulative])
            # What is left shrinks by the same factor from point to point.
            due = max(cumulative + 1, math.ceil(total - (total - cumulative) * math.exp(-step)))
    return points


class Latencies:
    """One metric: what was measured while the generator was punctual, and what it may have delayed."""

    def __init__(self) -> None:
        self._decided: Counter[int] = Counter()
        self._undecided: Counter[int] = Counter()

    def add(self, counts: Counts, decided: Counts) -> None:
        """Add measurements, of which some are `decided`."""
        self._decided.update(decided)
        if len(decided) != len(counts):
            self._undecided.update({value: counts[value] for value in counts.keys() - decided.keys()})

    @classmethod
    def sum(cls, parts: Iterable["Latencies"]) -> "Latencies":
        """All of them together."""
        whole = cls()
        for part in parts:
            whole._decided.update(part._decided)
            whole._undecided.update(part._undecided)
        return whole

    @property
    def count(self) -> int:
        """How many were measured."""
        return self._decided.total() + self._undecided.total()

    def punctual(self) -> dict[str, float] | None:
        """The figures so far of what is decided; None where nothing is."""
        return figures(self._decided) if self._decided else None

    def summary(self) -> dict[str, Any]:
        """All of it; and `punctual`, the figures of what is decided, where that is not the same."""
        undecided = self._undecided.total()
        punctual = self.punctual() if undecided else None
        return {**summary(self._decided + self._undecided), "undecided": undecided, "punctual": punctual}
