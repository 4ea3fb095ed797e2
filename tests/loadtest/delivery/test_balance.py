"""When things happened, by phases of the run."""

import math

import pytest

from loadtest.delivery.balance import COUNTED
from loadtest.delivery.course import MAX_WINDOWS, Course
from loadtest.delivery.ledger import Ledger
from loadtest.delivery.parts import part_of
from loadtest.delivery.reconciliation import Settlement

RUN = b"12345678"
GRACE = 2.0


def test_phases_say_when_what_was_lost_was_posted() -> None:
    ledger = Ledger(RUN, grace=GRACE)
    ledger.begin(1000.0)
    seat, stream = ledger.seat("red", "somebody"), ledger.stream("red", "somebody")
    ledger.enforce(seat, 1000.0)
    for second in range(1, 31):
        number = stream.post(1000.0 + second, 1000.0 + second)
        if second not in (3, 12, 13, 29):
            text = (b"%b%08d" % (stream.prefix, number)).decode()
            ledger.receive({"red": seat}, "somebody", "red", text, "author", 1000.5 + second)
        ledger.mark(1001.0 + second)
    seat.until, stream.end = 1030.5, "orderly"
    settlement = Settlement(GRACE, 1000.0)
    settlement.tell("it", part_of(ledger))
    found = settlement.balance()
    assert [one["lost"] for one in found.phases((0, 10, 20, 40))] == [1, 2, 1]
    assert [one["expected"] for one in found.phases((0, 10, 20, 40))] == [9, 10, 11]
    assert found.times("lost") == (3.0, 29.0)
    assert found.times("duplicated") is None
    assert {kind: found.counts[kind] for kind in COUNTED} == {kind: found.phase(0, 99)[kind] for kind in COUNTED}


@pytest.mark.parametrize("seconds", [7_000, 100_000])
def test_a_course_of_days_has_wider_windows_and_all_of_the_counts(seconds: int) -> None:
    course = Course()
    for second in range(seconds):
        course.add("lost", second + 0.5)
    assert len(course.windows["lost"]) <= MAX_WINDOWS
    assert course.within("lost", 0, math.inf) == seconds
    assert course.spans["lost"] == (0.5, seconds - 0.5)
