"""The geometry of the load charts."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.load.charts import MAX_POINTS, Chart, build
from reports.load.generator import Marks
from reports.shared.limits import Limit
from reports.shared.plots import HEIGHT, TOP, Band
from tests.reports import loads
from tests.reports.builder import Json, point


def _chart(points: list[Json], duration: float = 10) -> Chart:
    chart = build(points, duration)
    assert chart is not None
    return chart


def test_nothing_to_draw() -> None:
    assert build([], 10) is None


def test_all_panels_share_one_time_axis() -> None:
    chart = _chart([point(0), point(5), point(10)])
    assert [panel.name for panel in chart.panels] == ["users", "rate", "latency", "errors"]
    assert [series.name for series in chart.panels[2].series] == ["p50", "p95", "p99"]
    assert chart.panels[0].series[0].path.startswith("M0.0,")
    assert [tick.label for tick in chart.time_ticks] == ["0", "2 s", "4 s", "6 s", "8 s", "10 s"]


def test_the_columns_cover_the_plot_without_gaps() -> None:
    columns = _chart([point(1), point(2), point(7)]).columns
    assert columns[0].x == 0
    assert columns[-1].x + columns[-1].width == 100
    for left, right in pairwise(columns):
        assert left.x + left.width == pytest.approx(right.x)


def test_a_gap_where_nothing_was_measured() -> None:
    nothing = {"p50": None, "p95": None, "p99": None}
    points = [point(1), point(2), point(3, **nothing), point(4), point(5, **nothing), point(6)]
    series = _chart(points).panels[2].series[0]
    assert series.path.count("M") == 3
    assert len(series.dots) == 4


def test_a_lone_point_between_gaps_stays_visible_in_a_long_run() -> None:
    points = [point(second, p50=None) for second in range(1, 100)]
    points[50]["p50"] = 3.0
    series = _chart(points, 100).panels[2].series[0]
    assert len(series.dots) == 1


def test_points_are_joined_without_losing_a_peak_or_an_error() -> None:
    points = [point(second / 10, p99=5.0, errors=1) for second in range(3600)]
    points[1777]["p99"] = 900.0
    chart = _chart(points, 360)
    assert len(chart.points) <= MAX_POINTS
    assert chart.joined == 15
    assert max(p["p99"] for p in chart.points) == 900.0
    assert sum(p["errors"] for p in chart.points) == 3600


def test_what_newer_timelines_hold_is_joined_as_well() -> None:
    points = loads.timeline(3600, 400)
    chart = _chart(points, 3600)
    assert sum(p["closes"] for p in chart.points) == sum(p["closes"] for p in points)
    assert max(p["max"] for p in chart.points) == max(p["max"] for p in points)
    assert max(p["posts"] for p in chart.points) <= max(p["posts"] for p in points)
    assert [panel.name for panel in chart.panels] == ["users", "rate", "received", "latency", "errors", "closes"]


def test_a_stall_is_shown_on_a_logarithmic_axis() -> None:
    quiet, stalled = (_chart(loads.timeline(60, 400, stalled=span), 60).panels[3] for span in ((-1, -1), (31, 33)))
    assert quiet.unit == "ms"
    assert stalled.unit == "ms, logarithmic axis"
    assert [tick.label for tick in stalled.ticks] == ["1", "10", "100", "1,000", "10,000"]


def test_a_loss_is_a_pole_in_each_panel_with_one_label() -> None:
    chart = build([point(1), point(9)], 10, Marks(((4.0, "worker 1 lost"), (20.0, "worker 2 lost"))))
    assert chart is not None
    assert [[(pole.x, pole.label) for pole in panel.poles] for panel in chart.panels[:2]] == [
        [(40.0, "worker 1 lost"), (100.0, "worker 2 lost")],
        [(40.0, ""), (100.0, "")],
    ]


def test_late_seconds_are_set_off_in_each_panel_and_named() -> None:
    late = [point(1), point(3) | {"generator_late": True}, point(9) | {"generator_late": False}]
    chart = build(late, 10, Marks(late=((2.0, 4.0), (9.5, 12.0))))
    assert chart is not None
    assert {panel.bands for panel in chart.panels} == {(Band(20.0, 20.0), Band(95.0, 5.0))}
    assert [column.title.endswith("the load generator was late") for column in chart.columns] == [False, True, False]


def test_a_limit_of_round_trips_is_a_line_across_the_latencies() -> None:
    limits = [Limit("post_to_own", 20.0, "p99 < 20 ms", True), Limit("ack", 5.0, "max < 5 ms", True)]
    chart = build([point(1), point(9)], 10, limited=limits)
    assert chart is not None
    (line,) = chart.panels[2].limits
    assert line.label == "p99 < 20 ms"
    assert line.y == TOP
    assert [panel.limits for panel in chart.panels if panel.name != "latency"] == [()] * 3


def test_a_timeline_out_of_order_is_sorted() -> None:
    assert [p["t"] for p in _chart([point(3), point(1), point(2)]).points] == [1, 2, 3]


@pytest.mark.parametrize(
    ("highest", "labels"),
    [
        (0, ["0", "1"]),
        (1, ["0", "1"]),
        (7, ["0", "2", "4", "6", "8"]),
        (20, ["0", "5", "10", "15", "20"]),
        (2000, ["0", "500", "1,000", "1,500", "2,000"]),
        (5_000_000, ["0", "2M", "4M", "6M"]),
    ],
)
def test_grid_lines_at_round_numbers(highest: int, labels: list[str]) -> None:
    ticks = _chart([point(1, users=highest)]).panels[0].ticks
    assert [tick.label for tick in ticks] == labels


@pytest.mark.parametrize(
    ("duration", "last"),
    [(0.5, "0.5 s"), (59, "50 s"), (130, "120 s"), (4000, "60 min"), (90_000, "24 h")],
)
def test_time_labels(duration: float, last: str) -> None:
    ticks = _chart([point(0)], duration).time_ticks
    assert ticks[-1].label == last
    assert 2 <= len(ticks) <= 7


measurement = st.none() | st.floats(0, 1e15)
entries = st.builds(
    lambda t, users, rate, p50, p95, p99, errors: {
        "t": t, "users": users, "rate": rate, "p50": p50, "p95": p95, "p99": p99, "errors": errors,
    },
    st.floats(0, 1e9), st.integers(0, 2**53), measurement, measurement, measurement, measurement,
    st.integers(0, 2**53),
)  # fmt: skip


@given(st.lists(entries, min_size=1, max_size=20), st.floats(0, 1e9))
def test_everything_lies_inside_the_plot(points: list[Json], duration: float) -> None:
    chart = _chart(points, duration)
    bottom = TOP + HEIGHT
    for panel in chart.panels:
        assert 1 <= len(panel.ticks) <= 7
        for series in panel.series:
            for x, y in series.dots:
                assert 0 <= x <= 100
                assert TOP - 0.01 <= y <= bottom + 0.01
        for bar in panel.bars:
            assert TOP - 0.01 <= bar.y <= bottom
            assert bar.height >= 0
    assert all(math.isfinite(column.width) for column in chart.columns)
