"""The geometry of the latency distributions."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.load.distribution import HEIGHT, MAX_METRICS, Distribution, Distributions, build, percent
from reports.shared import plots
from tests.reports import builder, loads


def _metric(histogram: list[list[float]]) -> dict[str, Any]:
    return {"unit": "ms", "histogram": histogram}


def _built(**histograms: list[list[float]]) -> Distributions:
    found = build({name: _metric(histogram) for name, histogram in histograms.items()})
    assert found is not None
    return found


def test_without_a_histogram_there_is_nothing() -> None:
    assert build({}) is None
    assert build({"ack": builder.metric(1.0)}) is None
    assert build({"ack": _metric([])}) is None


@pytest.mark.parametrize(
    ("tail", "text"),
    [
        (1, "0"),
        (0.5, "50"),
        (0.25, "75"),
        (0.1, "90"),
        (0.075, "92.5"),
        (0.01, "99"),
        (1e-3, "99.9"),
        (1.5e-5, "99.9985"),
        (1e-6, "99.9999"),
    ],
)
def test_percentiles_have_as_many_digits_as_they_need(tail: float, text: str) -> None:
    assert percent(tail) == text


def test_each_tenth_that_is_left_takes_the_same_room() -> None:
    ticks = _built(ack=[[1, 50_000], [2, 400_000]]).choices[0].ticks
    assert [tick.label for tick in ticks] == ["", "50", "90", "99", "99.9", "99.99", "99.999"]
    steps = [right.position - left.position for left, right in pairwise(ticks[2:])]
    assert steps == pytest.approx([ticks[2].position] * 4, abs=0.02)


def test_values_are_read_at_their_rank() -> None:
    one = Distribution("ack", "ms", [(1.0, 500), (2.0, 900), (3.0, 990), (9.0, 1000)], 0)
    assert [one.at(tail) for tail in (0.75, 0.5, 0.1, 0.01, 0.001)] == [1.0, 1.0, 2.0, 3.0, 9.0]
    # Of a thousand measurements none is the slowest of ten thousand.
    assert one.at(0.0001) is None


def test_a_line_ends_at_its_slowest_measurement() -> None:
    few, many = _built(few=[[1, 5], [4, 10]], many=[[1, 5_000], [8, 100_000]]).choices[0].panel.series
    ends = [float(series.path.rpartition("L")[2].split(",")[0]) for series in (few, many)]
    assert ends[0] < 300
    assert ends[1] == 1000


def test_a_period_is_not_laid_over_latencies() -> None:
    found = _built(ack=[[1, 5]], close=[[1, 5]], ping_period=[[20_000, 5]])
    assert [choice.label for choice in found.choices] == ["2 steps, overlaid", "ack", "close", "ping_period"]
    assert [series.label for series in found.choices[0].panel.series] == ["ack", "close"]


def test_one_metric_is_drawn_once_and_on_a_linear_axis() -> None:
    (choice,) = _built(ack=[[1, 5], [1000, 10]]).choices
    assert choice.label == "ack"
    assert choice.panel.unit == "ms"


def test_only_so_many_are_drawn() -> None:
    found = build({f"m{number}": _metric([[1, 5]]) for number in range(MAX_METRICS + 3)})
    assert found is not None
    assert len(found.choices) == MAX_METRICS + 1
    assert found.left_out == 3


def test_a_stall_is_in_the_table() -> None:
    document = loads.faulty()
    found = build(document["metrics"])
    assert found is not None
    row = next(row for row in found.rows if row[0] == "99.9 %")
    at = found.headings.index("post_to_own (ms)") + 1
    assert row[at] == "1,942"
    assert found.rows[-1][0] == "slowest"


histograms = st.lists(st.lists(st.tuples(st.floats(0, 1e15), st.integers(0, 2**53)), max_size=20), min_size=1)


@given(histograms)
def test_everything_lies_inside_the_plot(found: list[list[tuple[float, int]]]) -> None:
    built = build({str(n): _metric([list(point) for point in points]) for n, points in enumerate(found)})
    for choice in built.choices if built else ():
        assert 1 <= len(choice.panel.ticks) <= 8
        assert len(choice.ticks) <= 9
        assert all(0 <= tick.position <= 100 for tick in choice.ticks)
        assert sum(column.width for column in choice.columns) == pytest.approx(100, abs=1)
        for series in choice.panel.series:
            for place in series.path.replace("M", "").replace("L", "").split():
                x, y = map(float, place.split(","))
                assert 0 <= x <= 1000
                assert plots.TOP - 0.01 <= y <= plots.TOP + HEIGHT + 0.01
