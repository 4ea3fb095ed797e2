"""When the generator was late, whoever of its processes it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.delivery.ledger import Ledger
from loadtest.measure.lateness import MAX_STRETCHES, Lateness
from loadtest.measure.punctuality import Punctuality
from loadtest.measure.recorder import LAG, LATE, Recorder, Slice


def second(number: float, *, late: bool = True, stalled: float = 0.5, lasted: float = 1.0) -> Slice:
    return Slice(began=number, ended=number + lasted, late=late, stalled=stalled)


@given(st.sets(st.integers(0, 60)), st.integers(1, 3))
def test_stretches_cover_the_late_seconds_and_no_other(late: set[int], workers: int) -> None:
    lateness = Lateness(1)
    for number in range(61):
        for worker in range(workers):
            # Whichever of them was late.
            lateness.add(str(worker), second(number, late=number in late and worker == number % workers))
    covered = {at for began, ended in lateness.told() for at in range(int(began), int(ended))}
    assert covered == late == {number for number in range(61) if lateness.at(number)}
    assert all(one[1] < other[0] for one, other in zip(lateness.told(), lateness.told()[1:], strict=False))


def test_a_second_that_took_four_is_four_late_ones() -> None:
    lateness = Lateness(1)
    lateness.add("a", second(2, lasted=4.02, stalled=3.9))
    (stretch,) = lateness.stretches()
    assert (stretch.began, stretch.ended, stretch.grave) == (2, 6, True)
    assert stretch.stalled == pytest.approx(3.9, abs=0.1)


def test_many_stretches_are_joined_to_few() -> None:
    lateness = Lateness(1)
    for number in range(0, 3_000, 3):
        lateness.add("a", second(number))
    assert len(lateness.told()) == MAX_STRETCHES
    assert (lateness.told()[0][0], lateness.told()[-1][1]) == (0, 2998)


def test_a_hiccup_is_marked_and_no_limit() -> None:
    lateness = Lateness(1)
    lateness.add("a", second(3, stalled=0.03))
    lateness.add("a", second(9, stalled=0.3))
    assert [(one.began, one.grave) for one in lateness.stretches()] == [(3, False), (9, True)]


def test_a_latency_is_decided_if_it_certainly_began_and_ended_in_punctual_seconds() -> None:
    lateness = Lateness(1)
    counts = {500: 1, 400_000: 1, 1_200_000: 1, 2_500_000: 1}
    assert lateness.decided("a", second(0, late=False), counts) == counts
    assert lateness.decided("a", second(1), counts) == {}
    lateness.add("a", second(1))
    # Who ends in the third second with 0.4 s may have begun in the late one.
    assert lateness.decided("a", second(2, late=False), counts) == {}
    assert set(lateness.decided("a", second(3, late=False), counts)) == {500, 400_000}
    assert set(lateness.decided("a", second(4, late=False), counts)) == {500, 400_000, 1_200_000}
    assert lateness.decided("b", second(2, late=False), counts) == counts


def taken(lag: float = 0.0, sends: tuple[float, ...] = (), stalled: float = 0.0, t: float = 1.0) -> Slice:
    punctuality = Punctuality()
    recorder = Recorder(0.0, Ledger(b"12345678"), punctuality)
    recorder.measured(LAG, lag)
    recorder.samples[LATE] += sends
    punctuality.woke(0.5, 0.5 + stalled)
    return recorder.take(t)


def test_a_second_is_late_by_its_timers_or_by_its_sends() -> None:
    assert not taken(0.0019, (0.001,) * 100).late
    assert taken(0.021).late
    assert taken(0.0, (0.0,) * 90 + (0.03,) * 10).late
    assert not taken(0.0, (0.0,) * 99 + (0.03,)).late
    assert taken(stalled=0.25).stalled == pytest.approx(0.25)


def test_a_busy_core_with_timers_that_are_late_is_late() -> None:
    # The processor time of this test is far more than 90 % of a hundredth of a microsecond.
    assert taken(0.006, t=1e-8).late
    assert not taken(0.004, t=1e-8).late
