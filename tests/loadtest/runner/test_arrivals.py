"""Users begin evenly, whatever the batches in which they are started."""

import heapq
import itertools
from collections.abc import Callable
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.runner.arrivals import BATCH_SECONDS, EARLY_SECONDS, TURN_SECONDS, Arrivals


class Timer:
    def stop(self) -> None:
        raise NotImplementedError


class Clock:
    """A reactor with timers only, and a time that passes where a timer is waited for."""

    def __init__(self) -> None:
        self.now = 100.0
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()

    def later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        heapq.heappush(self._timers, (self.now + seconds, next(self._numbers), callback))
        return Timer()

    def reader(self, descriptor: int, callback: Callable[[], None]) -> Timer:
        raise NotImplementedError

    def writer(self, descriptor: int, callback: Callable[[], None]) -> Timer:
        raise NotImplementedError

    def run(self, until: float) -> None:
        while self._timers and self._timers[0][0] <= until:
            due, _, callback = heapq.heappop(self._timers)
            self.now = max(self.now, due)
            callback()
        self.now = max(self.now, until)


class Crowd:
    """Starts batches in one process, and notes who begins when: `due`, and when it really was."""

    def __init__(self, share: float = 0.0) -> None:
        self.clock = Clock()
        self.arrivals = Arrivals(self.clock, Random(7), share, lambda: self.clock.now)
        self.begun: list[tuple[int, float, float]] = []
        self.takes = 0.0
        self._made = itertools.count()

    def start(self, count: int) -> None:
        for _ in range(count):
            self.arrivals.add(self._user(next(self._made)))

    def _user(self, number: int) -> Callable[[float], None]:
        def begin(due: float) -> None:
            self.begun.append((number, due, self.clock.now))
            self.clock.now += self.takes

        return begin

    def batches(self, *counts: int, every: float = 1.0) -> list[float]:
        """When who was started in batches was due, in seconds since the first."""
        for number, count in enumerate(counts):
            self.clock.run(100.0 + number * every)
            self.start(count)
        self.clock.run(100.0 + len(counts) * every + 5)
        return [due - 100.0 for _, due, _ in self.begun]


@given(st.integers(1, 400))
def test_a_batch_is_spread_over_a_second_and_everybody_begins_once_and_never_early(count: int) -> None:
    crowd = Crowd()
    dues = crowd.batches(count)
    assert sorted(number for number, _, _ in crowd.begun) == list(range(count))
    assert dues == pytest.approx([number / count for number in range(count)])
    assert all(due - EARLY_SECONDS <= now for _, due, now in crowd.begun)


@given(st.integers(1, 5), st.integers(1, 60))
def test_processes_take_turns(processes: int, count: int) -> None:
    dues = sorted(due for one in range(processes) for due in Crowd(one / processes).batches(count))
    assert dues == pytest.approx([number / count / processes for number in range(count * processes)])


@given(st.floats(5.0, 500.0))
def test_batches_follow_each_other_without_a_gap_or_a_growing_queue(rate: float) -> None:
    # As Locust does it: whole users, and the time that these take at the rate.
    size = int(rate)
    every = size / rate
    dues = Crowd().batches(*[size] * 20, every=every)
    later = dues[2 * size :]
    assert all(after - before < 1.3 / rate for before, after in pairwise(later))
    assert all(due - number // size * every <= BATCH_SECONDS + 1e-6 for number, due in enumerate(dues))


def test_the_last_of_a_ramp_come_as_fast_as_the_others() -> None:
    dues = Crowd().batches(100, 100, 30)
    assert dues == pytest.approx([number / 100 for number in range(230)])


def test_after_a_pause_a_batch_has_its_second_again() -> None:
    dues = Crowd().batches(100, 0, 0, 0, 4)
    assert dues[100:] == pytest.approx([4.0, 4.25, 4.5, 4.75])


def test_others_have_their_turn_between_users_who_are_all_due() -> None:
    crowd = Crowd()
    crowd.takes = 0.003
    turns: list[int] = []

    def turn() -> None:
        turns.append(len(crowd.begun))
        if len(crowd.begun) < 1000:
            crowd.clock.later(0, turn)

    crowd.start(1000)
    crowd.clock.later(0, turn)
    crowd.clock.run(110.0)
    assert len(crowd.begun) == 1000
    assert all(after - before <= TURN_SECONDS / crowd.takes + 1 for before, after in pairwise(turns))
    # What is late is late by the clock of who was due, and nobody loses its time.
    assert [due - 100.0 for _, due, _ in crowd.begun] == pytest.approx([number / 1000 for number in range(1000)])
