"""The recorder: percentiles, the timeline, and what is counted; in bounded memory."""

import math
import statistics
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtest.recorder import MAX_ENTRIES, MAX_KINDS, Recorder

RESOLUTION = 0.001
"""Three significant digits."""

latencies = st.lists(st.floats(0.000_001, 100), min_size=1, max_size=200)


@settings(deadline=None, max_examples=30)
@given(latencies)
def test_figures_are_right_to_three_digits(seconds: list[float]) -> None:
    recorder = Recorder(0.0)
    for one in seconds:
        recorder.measured("close", one, 0.5)
    metric = recorder.document(1.0)["metrics"]["close"]
    ordered = sorted(one * 1000 for one in seconds)
    assert metric["count"] == len(seconds)
    assert metric["unit"] == "ms"
    for name, percent in (("p50", 50), ("p90", 90), ("p95", 95), ("p99", 99), ("p999", 99.9), ("max", 100)):
        exact = ordered[math.ceil(len(ordered) * Fraction(str(percent)) / 100) - 1]
        # Half a microsecond is lost where the measurement is rounded.
        assert metric[name] == pytest.approx(exact, rel=2 * RESOLUTION, abs=0.002)
    assert metric["mean"] == pytest.approx(statistics.fmean(ordered), rel=2 * RESOLUTION, abs=0.002)
    assert metric["p50"] <= metric["p90"] <= metric["p95"] <= metric["p99"] <= metric["p999"] <= metric["max"]


@pytest.mark.parametrize("seconds", [-1.0, 0.0, 5_000.0])
def test_what_no_histogram_holds_is_counted_at_its_edge(seconds: float) -> None:
    recorder = Recorder(0.0)
    recorder.measured("ack", seconds, 0.1)
    assert recorder.document(1.0)["metrics"]["ack"]["count"] == 1


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.floats(0, 20), st.floats(0.001, 1)), max_size=100))
def test_the_timeline_has_every_round_trip_once(trips: list[tuple[float, float]]) -> None:
    recorder = Recorder(0.0)
    for offset, seconds in sorted(trips):
        recorder.measured("post_to_own", seconds, offset)
    timeline = recorder.document(21.0)["timeline"]
    assert [one["t"] for one in timeline] == list(range(21))
    assert sum(one["rate"] for one in timeline) == len(trips)
    for one in timeline:
        inside = [seconds * 1000 for offset, seconds in trips if one["t"] <= offset < one["t"] + 1]
        assert one["rate"] == len(inside)
        assert (one["p50"] is None) == (not inside)
        if inside:
            assert one["p99"] == pytest.approx(max(inside), abs=0.001)


def test_only_round_trips_make_the_rate() -> None:
    recorder = Recorder(0.0)
    for metric in ("connect", "ack", "join", "post_to_receive", "close"):
        recorder.measured(metric, 0.01, 0.5)
    assert recorder.document(1.0)["timeline"][0]["rate"] == 0


def test_a_stretch_without_any_event_is_on_the_timeline() -> None:
    recorder = Recorder(0.0)
    recorder.opened(0.5)
    recorder.failed("lost", 4.5)
    timeline = recorder.document(5.0)["timeline"]
    assert [one["errors"] for one in timeline] == [0, 0, 0, 0, 1]
    assert [one["users"] for one in timeline] == [1] * 5
    assert {one["p50"] for one in timeline} == {None}


def test_the_last_window_fakes_no_peak() -> None:
    recorder = Recorder(0.0)
    recorder.measured("post_to_own", 0.01, 2.001)
    assert [one["rate"] for one in recorder.document(2.002)["timeline"]] == [0, 0, 1]
    assert len(Recorder(0.0).document(2.002)["timeline"]) == 2


def test_users_are_those_connected_at_the_peak_of_the_window() -> None:
    recorder = Recorder(0.0)
    for t in (0.1, 0.2, 0.3):
        recorder.opened(t)
    recorder.closed(1000, 0.4)
    recorder.closed(1000, 1.5)
    timeline = recorder.document(3.0)["timeline"]
    assert [one["users"] for one in timeline] == [3, 2, 1]


def test_closes_are_counted_by_code() -> None:
    recorder = Recorder(0.0)
    for code in (1000, 4408, 1000, None):
        recorder.opened(0.1)
        recorder.closed(code, 0.2)
    assert recorder.document(1.0)["closes"] == {"1000": 2, "1006": 1, "4408": 1}


def test_kinds_of_errors_and_their_length_are_bounded() -> None:
    recorder = Recorder(0.0)
    for number in range(3 * MAX_KINDS):
        recorder.failed(f"{number} " + "x" * 10_000, 0.1)
    recorder.failed("0 " + "x" * 10_000, 0.1)
    errors = recorder.document(1.0)["errors"]
    assert len(errors) == MAX_KINDS + 1
    assert sum(errors.values()) == 3 * MAX_KINDS + 1
    assert errors["(other errors)"] == 2 * MAX_KINDS
    assert max(map(len, errors)) <= 300


@settings(deadline=None)
@given(st.floats(1, 10**7))
def test_a_long_run_has_no_more_entries_than_a_page_can_show(duration: float) -> None:
    recorder = Recorder(0.0, duration)
    recorder.tick(duration)
    assert len(recorder.timeline) <= MAX_ENTRIES
    assert duration / recorder.width >= min(duration, MAX_ENTRIES / 2) - 1


def test_the_rate_is_per_second_in_longer_windows_too() -> None:
    recorder = Recorder(0.0, 4 * MAX_ENTRIES)
    for number in range(80):
        recorder.measured("post_to_own", 0.01, number / 20)
    recorder.tick(4.0)
    assert [(one["t"], one["rate"]) for one in recorder.timeline] == [(0, 20)]


def test_what_came_before_the_start_is_no_part_of_the_timeline() -> None:
    recorder = Recorder(0.0)
    recorder.tick(50.0)
    recorder.begin(60.0)
    recorder.measured("post_to_own", 0.01, 60.5)
    assert [(one["t"], one["rate"]) for one in recorder.document(61.0)["timeline"]] == [(0, 1)]


def test_the_generator_is_judged_by_its_worst() -> None:
    recorder = Recorder(0.0)
    assert recorder.document(1.0)["generator"] is None
    for cpu, late in ((10.0, 3.0), (90.04, 1.0), (20.0, 7.5)):
        recorder.watched(cpu, late)
    assert recorder.document(1.0)["generator"] == {"cpu_percent": 90.0, "late_ms_max": 7.5}


def test_who_listens_hears_of_everything() -> None:
    heard: list[tuple[str, float, str | None]] = []
    recorder = Recorder(0.0, 0.0, lambda *what: heard.append(what))
    recorder.measured("ack", 0.25, 0.1)
    recorder.failed("lost", 0.2)
    assert heard == [("ack", 0.25, None), ("error", 0.0, "lost")]
