"""The timeline of a run, however long it takes."""

import math

import pytest

from loadtest.measure.recorder import Slice
from loadtest.measure.timeline import MAX_ENTRIES, OPEN_WINDOWS, Timeline


def second(number: float, ms: int = 5, users: int = 1, *, late: bool = False, errors: int = 0) -> Slice:
    return Slice(
        began=number,
        ended=number + 1,
        latencies={"post_to_own": {ms * 1000: 2}},
        posts=2,
        received=4,
        closes={"1000": 1},
        errors={"kind": errors},
        connected=users,
        most=users,
        late=late,
        stalled=0.5 if late else 0.0,
    )


def test_a_day_has_no_more_entries_than_an_hour() -> None:
    timeline = Timeline(86_400.0)
    for number in range(0, 86_400, 600):
        timeline.add("a", second(number))
    assert len(timeline.entries()) <= MAX_ENTRIES
    assert len(timeline._windows) < 20


@pytest.mark.parametrize("seconds", [2 * MAX_ENTRIES, 2 * MAX_ENTRIES + 1, 10 * MAX_ENTRIES])
def test_a_run_without_an_end_keeps_a_bounded_number_of_wider_windows_and_all_counts(seconds: int) -> None:
    timeline, workers = Timeline(math.inf), ("a", "b")
    most = 0
    for number in range(seconds):
        for worker in workers:
            timeline.add(worker, second(number, errors=number % 3 == 0))
        most = max(most, len(timeline._entries) + len(timeline._windows))
    found = timeline.entries()
    assert most <= 2 * MAX_ENTRIES
    assert len(found) <= 2 * MAX_ENTRIES
    assert timeline.width == (1 if seconds <= 2 * MAX_ENTRIES else 8 if seconds == 10 * MAX_ENTRIES else 2)
    assert [one["t"] for one in found] == [number * timeline.width for number in range(len(found))]
    assert sum(one["closes"] for one in found) == 2 * seconds
    assert sum(one["errors"] for one in found) == 2 * math.ceil(seconds / 3)
    whole = found[:-1]
    assert {(one["users"], one["rate"], one["posts"], one["received"]) for one in whole} == {(2, 4.0, 4.0, 8.0)}


def test_of_two_windows_the_higher_percentiles_and_the_most_users_are_kept() -> None:
    timeline = Timeline(math.inf)
    timeline.add("a", second(0, ms=3, users=7))
    timeline.add("a", second(1, ms=9, users=2))
    timeline.add("a", second(4, ms=1, users=2))
    timeline.add("a", second(100))  # those are over
    timeline.add("a", second(2 * MAX_ENTRIES))
    first, quiet, third, *_ = timeline.entries()
    assert (first["t"], first["p50"], first["max"], first["users"], first["rate"]) == (0, 9.0, 9.0, 7, 2.0)
    assert (quiet["t"], quiet["p50"], quiet["rate"]) == (2, None, 0.0)
    assert (third["t"], third["p50"], third["rate"], third["posts"]) == (4, 1.0, 1.0, 1.0)


def test_windows_that_still_take_slices_take_them_after_they_were_joined() -> None:
    timeline = Timeline(math.inf)
    last = 2 * MAX_ENTRIES - 1
    for number in range(last - 2 * OPEN_WINDOWS, last + 2):
        timeline.add("a", second(number))
    timeline.add("b", second(last))
    found = timeline.entries()
    assert timeline.width == 2
    assert found[last // 2]["closes"] == 3
    assert sum(one["closes"] for one in found) == 2 * OPEN_WINDOWS + 3


def test_seconds_in_which_the_generator_was_late_stay_marked_and_are_as_long_as_they_were() -> None:
    timeline = Timeline(math.inf)
    for number in (100, 101, 7):
        timeline.add("a", second(number, late=True))
    before = sum(one.stalled for one in timeline.lateness.stretches())
    timeline.add("a", second(2 * MAX_ENTRIES))
    assert [one["t"] for one in timeline.entries() if one["generator_late"]] == [6, 100]
    assert [(one.began, one.ended) for one in timeline.lateness.stretches()] == [(6, 8), (100, 102)]
    assert sum(one.stalled for one in timeline.lateness.stretches()) == pytest.approx(before)
