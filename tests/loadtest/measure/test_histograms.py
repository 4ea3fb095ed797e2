"""Latencies as histograms: exact to a thousandth, and short."""

import math
from collections.abc import Iterable

from hdrh.histogram import HdrHistogram
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtest.measure.histograms import MAX_POINTS, PERCENTILES, Latencies, distribution, figures, rank, summary
from loadtest.measure.recorder import EXACT_BITS, HIGHEST_US, Counts, counted

SECONDS = st.floats(0.0, 4000.0)


def kept(values: Iterable[int]) -> Counts:
    """Microseconds as a recorder counts them."""
    return counted([(value + 0.5) / 1_000_000 for value in values])


@given(st.lists(SECONDS, max_size=50))
def test_counts_keep_every_latency_to_a_thousandth(seconds: list[float]) -> None:
    counts = counted(seconds)
    assert sum(counts.values()) == len(seconds)
    exact = sorted(min(max(int(one * 1_000_000), 1), HIGHEST_US) for one in seconds)
    kept = sorted(value for value, count in counts.items() for _ in range(count))
    assert all(a - (a >> (EXACT_BITS - 1)) <= b <= a for a, b in zip(exact, kept, strict=True))


@given(st.lists(st.integers(1, HIGHEST_US), min_size=1, max_size=300))
def test_percentiles_are_those_of_the_nearest_rank(values: list[int]) -> None:
    found, ordered = summary(kept(values)), sorted(values)
    for name, percent in (("p50", 50.0), ("p90", 90.0), ("p99", 99.0), ("p999", 99.9), ("max", 100.0)):
        exact = ordered[rank(len(values), percent) - 1] / 1000
        assert math.isclose(found[name], exact, rel_tol=0.0011, abs_tol=0.0011)
    assert found["count"] == len(values)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 10_000_000), min_size=1, max_size=300))
def test_figures_are_those_of_hdr_histogram(values: list[int]) -> None:
    found, histogram = figures(kept(values)), HdrHistogram(1, HIGHEST_US, 3)
    for value in values:
        histogram.record_value(value)
    for name, percent in PERCENTILES.items():
        exact = histogram.get_value_at_percentile(100 * rank(len(values), percent) / len(values)) / 1000
        assert math.isclose(found[name], exact, rel_tol=0.002, abs_tol=0.0011)
    assert math.isclose(found["mean"], histogram.get_mean_value() / 1000, rel_tol=0.002, abs_tol=0.0011)
    assert math.isclose(found["max"], histogram.get_max_value() / 1000, rel_tol=0.002, abs_tol=0.0011)


@given(st.lists(st.integers(1, HIGHEST_US), min_size=1, max_size=500))
def test_a_distribution_rises_to_the_maximum(values: list[int]) -> None:
    points = distribution(kept(values))
    assert len(points) <= MAX_POINTS + 2
    assert points == sorted(points)
    assert points[-1][1] == len(values)
    assert math.isclose(points[-1][0], max(values) / 1000, rel_tol=0.0011, abs_tol=0.0011)


def test_a_long_distribution_has_few_points_most_of_them_at_the_end() -> None:
    points = distribution(kept(value * 7 for value in range(1, 50_000)))
    assert len(points) <= MAX_POINTS
    assert sum(count > 0.99 * 49_999 for _, count in points) > 10


@settings(max_examples=25, deadline=None)
@given(st.dictionaries(st.integers(1, 10_000_000), st.tuples(st.integers(1, 9), st.booleans()), min_size=1))
def test_what_is_decided_and_what_is_not_are_all_of_it(measured: dict[int, tuple[int, bool]]) -> None:
    apart, together = Latencies(), Latencies()
    counts = {us: count for us, (count, _) in measured.items()}
    decided = {us: count for us, (count, sure) in measured.items() if sure}
    apart.add(counts, decided)
    together.add(counts, counts)
    found, all_of_it = apart.summary(), together.summary()
    assert found["undecided"] == sum(counts.values()) - sum(decided.values())
    assert {**found, "undecided": 0, "punctual": None} == all_of_it
    if decided and found["undecided"]:
        alone = Latencies()
        alone.add(decided, decided)
        assert found["punctual"].items() <= alone.summary().items()
    else:
        assert found["punctual"] is None
