"""The geometry of the capacity curve."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.load.capacity import Capacity, build
from reports.shared import plots
from tests.reports import builder, loads


def _built(**members: Any) -> Capacity:
    found = build(loads.full(capacity=loads.capacity()["capacity"] | members))
    assert found is not None
    return found


def test_none_where_none_was_looked_for() -> None:
    assert build(builder.load()) is None
    assert build(loads.full()) is None


def test_loads_stand_in_their_order_whatever_the_order_of_the_search() -> None:
    found = _built()
    loads_tried = [row.source["users"] for row in found.rows]
    assert loads_tried == sorted(loads_tried)
    assert [row.at for row in found.rows if row.at] == ["knee", "breached"]


def test_what_breached_is_a_cross_and_no_dot() -> None:
    for panel in _built().panels:
        for series in panel.series:
            assert len(series.dots) == 6
            assert len(series.crosses) == 3


def test_the_knee_is_marked_where_it_stands() -> None:
    found = _built()
    knee, broke = found.panels[0].poles
    assert (knee.label, broke.label) == ("knee 1,100", "breached 1,150")
    assert knee.x == pytest.approx(100 * 1100 / (1.03 * 1600), abs=0.01)
    assert knee.x in [x for x, _ in found.panels[0].series[0].dots]


def test_a_search_over_the_rate() -> None:
    curve = [loads.trial(50, 5.0, rate=1.0), loads.trial(50, 300.0, passed=False, rate=2.5)]
    found = _built(unit="rate", knee=1.0, broke=2.5, curve=curve)
    assert found.unit == "posts per second per user"
    assert [row.load for row in found.rows] == ["1.00", "2.50"]
    assert found.columns[1].title.startswith("2.50 posts per second per user: p50 50.0 ms")


def test_a_load_that_held_and_did_not_is_the_knee_only_where_it_held() -> None:
    curve = [loads.trial(50, 5.0), loads.trial(50, 300.0, passed=False)]
    assert [row.at for row in _built(knee=50, broke=50, curve=curve).rows] == ["knee", "breached"]


measurement = st.none() | st.floats(0, 1e15)
trials = st.builds(
    lambda users, rate, p50, p95, p99, throughput, passed: loads.trial(
        users, 1.0, passed, **{"rate": rate, "p50": p50, "p95": p95, "p99": p99, "throughput": throughput}
    ),
    st.integers(0, 2**53), measurement, measurement, measurement, measurement, measurement, st.booleans(),
)  # fmt: skip


@given(st.lists(trials, min_size=1, max_size=9), st.sampled_from(["users", "rate"]), measurement, measurement)
def test_everything_lies_inside_the_plot(
    curve: list[builder.Json], unit: str, knee: float | None, broke: float | None
) -> None:
    found = _built(unit=unit, knee=knee, broke=broke, curve=curve)
    assert len(found.ticks) <= 7
    for panel in found.panels:
        assert all(0 <= pole.x <= 100 for pole in panel.poles)
        for series in panel.series:
            for x, y in (*series.dots, *series.crosses):
                assert 0 <= x <= 100
                assert plots.TOP - 0.01 <= y <= plots.TOP + plots.HEIGHT + 0.01
