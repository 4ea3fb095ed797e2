"""The phases of a run: which there are, and that every measurement and delivery belongs to exactly one."""

import gc
import math
from dataclasses import replace

import pytest

from loadtest.delivery.balance import Balance
from loadtest.delivery.course import Course
from loadtest.measure.histograms import Latencies
from loadtest.measure.phases import phases_of, reached, settled
from loadtest.measure.recorder import Slice
from loadtest.measure.tally import Tally
from loadtest.measure.thresholds import parse_threshold
from loadtest.processes.checking import check_settings
from loadtest.settings.settings import LoadError, LoadSettings, Stage

SETTINGS = LoadSettings("ws://127.0.0.1:9/v1/socket", users=30, spawn_rate=10, duration=20, document="load.json")


def bounds(settings: LoadSettings) -> list[tuple[str, float, float, int, int]]:
    return [(one.name, one.began, one.ended, one.users_before, one.users) for one in phases_of(settings)]


def test_a_run_ramps_until_all_users_are_there_and_holds() -> None:
    assert bounds(SETTINGS) == [("ramp", 0, 3, 0, 30), ("hold", 3, 20, 30, 30)]
    assert bounds(replace(SETTINGS, spawn_rate=12)) == [("ramp", 0, 3, 0, 30), ("hold", 3, 20, 30, 30)]
    assert bounds(replace(SETTINGS, duration=3)) == [("ramp", 0, 3, 0, 30)]
    assert bounds(replace(SETTINGS, duration=math.inf))[1] == ("hold", 3, math.inf, 30, 30)


def test_each_stage_is_a_phase() -> None:
    settings = replace(SETTINGS, stages=(Stage(9, 1.5), Stage(9, 2.0), Stage(0, 1.0)))
    assert bounds(settings) == [("stage 1", 0, 1.5, 0, 9), ("stage 2", 1.5, 3.5, 9, 9), ("stage 3", 3.5, 4.5, 9, 0)]


def test_every_second_belongs_to_one_phase() -> None:
    tally = Tally(20.0, phases_of(SETTINGS))
    for second in range(25):
        # Slices begin and end a little late.
        taken = Slice(
            second + 0.02, second + 1.03, {"ack": {(second + 1) * 1000: 1}}, {'{"code": "ended", "params": {}}': 1}
        )
        tally.add("this process", taken)
    ramp, hold = tally.document()["phases"]
    assert (ramp["metrics"]["ack"]["count"], ramp["errors"]) == (3, 3)
    assert (hold["metrics"]["ack"]["count"], hold["errors"]) == (22, 22)
    assert (ramp["metrics"]["ack"]["max"], hold["metrics"]["ack"]["max"]) == pytest.approx((3, 25), rel=0.001)


def test_a_delivery_belongs_to_the_phase_of_its_second() -> None:
    course = Course()
    for t in (0.5, 2.9, 3.0, 24.0):
        course.add("delivered", t)
    course.add("lost", 3.5)
    ramp, hold = settled(Tally(20.0, phases_of(SETTINGS)).document()["phases"], Balance(course=course))
    assert (ramp["delivery"]["expected"], ramp["delivery"]["delivered"], ramp["delivery"]["lost"]) == (2, 2, 0)
    assert (hold["delivery"]["expected"], hold["delivery"]["delivered"], hold["delivery"]["lost"]) == (3, 2, 1)


def test_a_run_that_was_cut_off_has_the_phases_that_it_came_to() -> None:
    entries = Tally(20.0, phases_of(SETTINGS)).document()["phases"]
    assert [(one["name"], one["to_s"]) for one in reached(entries, 2.5)] == [("ramp", 2.5)]
    assert [(one["name"], one["to_s"]) for one in reached(entries, 21.0)] == [("ramp", 3.0), ("hold", 20.0)]


def test_a_threshold_may_be_about_one_phase() -> None:
    phase = {"name": "hold", "from_s": 1, "to_s": 3, "metrics": {"ack": {"count": 8, "p99": 5.0}}, "errors": 2}
    document = {
        "metrics": {"ack": {"count": 9, "p99": 50.0}},
        "duration_s": 3,
        "errors": [{"count": 3}],
        "delivery": None,
        "phases": [{**phase, "delivery": {"expected": 4, "lost": 1}}],
    }

    def judged(text: str) -> tuple[str, float | None, bool | None]:
        found = parse_threshold(text).judge_run(document)
        return found["metric"], found["value"], found["passed"]

    assert judged("p99(ack) < 10ms") == ("p99(ack)", 50.0, False)
    assert judged("p99(ack{phase:hold}) < 10ms") == ("p99(ack{phase:hold})", 5.0, True)
    assert judged("rate(ack{ phase: hold }) > 3") == ("rate(ack{phase:hold})", 4.0, True)
    assert judged("lost{phase:hold} == 0") == ("lost{phase:hold}", 1.0, False)
    assert judged("errors{phase:hold} < 50%") == ("errors{phase:hold}", 20.0, True)
    assert judged("p99(ack{phase:ramp}) < 1ms") == ("p99(ack{phase:ramp})", None, False)


def test_a_phase_that_the_run_has_not_is_refused() -> None:
    with pytest.raises(LoadError, match=r"the phases of this run are ramp, hold; got 'stage 1'"):
        check_settings(replace(SETTINGS, thresholds=("p99(ack{phase:stage 1}) < 1ms",)))


def histograms() -> int:
    return sum(isinstance(one, Latencies) for one in gc.get_objects())


def test_a_second_more_takes_no_histogram_more() -> None:
    tally = Tally(20.0, phases_of(SETTINGS))
    tally.add("w", Slice(began=5.0, ended=6.0, latencies={"connect": {100: 1}, "close": {100: 1}}))
    gc.disable()
    try:
        before = histograms()
        for second in range(6, 16):
            tally.add("w", Slice(began=second, ended=second + 1.0, latencies={"connect": {100: 1}, "close": {100: 1}}))
        assert histograms() == before
    finally:
        gc.enable()
