"""How long the generator's loop was stalled, and since when."""

from hypothesis import given
from hypothesis import strategies as st

from loadtest.measure.punctuality import GRAIN, REMEMBERED, Punctuality

LATE = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 60)), max_size=40)
"""Timers that ring in order of time: hundredths of a second since the one before, and how late they are."""


def told(timers: list[tuple[int, int]]) -> tuple[Punctuality, set[int]]:
    """What was told of the timers, and the hundredths of a second that were stalled."""
    punctuality, stalled, now = Punctuality(), set(), 0
    for gap, late in timers:
        now += gap
        punctuality.woke((now - late) / 100, now / 100)
        stalled |= set(range(now - late, now))
    return punctuality, stalled


@given(LATE)
def test_time_counts_once_however_many_timers_were_late_in_it(timers: list[tuple[int, int]]) -> None:
    punctuality, _ = told(timers)
    # A timer that was due before an earlier stall began says nothing new of the time in between.
    now, covered, until = 0, 0, None
    for gap, late in timers:
        now += gap
        since = now - late if until is None else max(now - late, until)
        if late and now > since:
            covered, until = covered + now - since, now
    assert abs(punctuality.stalled - covered / 100) < 1e-6


@given(LATE, st.floats(0, 30))
def test_what_was_stalled_since_a_time_is_told(timers: list[tuple[int, int]], began: float) -> None:
    punctuality, stalled = told(timers)
    exact = sum(max(0.0, min(1.0, one + 1 - 100 * began)) / 100 for one in stalled if one >= 0)
    found = punctuality.stalled_since(began)
    assert 0.0 <= found <= punctuality.stalled + 1e-9
    assert found <= exact + 1e-6


@given(LATE)
def test_stalls_that_do_not_overlap_are_told_exactly(timers: list[tuple[int, int]]) -> None:
    apart = [(late + gap + 1, late) for gap, late in timers]
    punctuality, stalled = told(apart)
    for began in range(0, sum(gap for gap, _ in apart), 37):
        assert abs(punctuality.stalled_since(began / 100) - sum(one >= began for one in stalled) / 100) < 1e-6


def test_what_timers_are_coarse_by_is_no_stall() -> None:
    punctuality = Punctuality()
    punctuality.woke(1.0, 1.0 + 0.9 * GRAIN)
    assert (punctuality.stalled, punctuality.stalled_since(0.0)) == (0.0, 0.0)


def test_its_memory_is_bounded_and_what_is_forgotten_accuses_nobody() -> None:
    punctuality = Punctuality()
    for number in range(5 * REMEMBERED):
        punctuality.woke(float(number), number + 0.5)
    assert len(punctuality._moments) <= 4 * REMEMBERED
    assert punctuality.stalled_since(0.0) == punctuality.stalled
    last = 5 * REMEMBERED - 1
    assert abs(punctuality.stalled_since(last - 99) - 50.0) < 1e-6
    assert abs(punctuality.stalled_since(last + 0.25) - 0.25) < 1e-6
