"""Runs a virtual user as a generator that yields when it has to wait, so that it needs no thread and no greenlet."""

import math
import time
from collections.abc import Generator

from contract.findings import Phrase
from loadtest.users.reactor import Reactor, Watch

NO_LIMIT = math.inf

Waiting = Generator[None, bool, None]
"""Waits with `yield`, which returns whether what it waits for came (True) or timed out (False)."""

_monotonic = time.monotonic


class StepError(Exception):
    """A step failed; the journey starts again."""

    def __init__(self, problem: Phrase) -> None:
        super().__init__(problem)
        self.problem = problem


class Task:
    """One running generator. It has no timer for `deadline`: its owner checks that and ends the wait."""

    __slots__ = ("_reactor", "_timer", "_waiting", "deadline")

    def __init__(self, reactor: Reactor) -> None:
        self._reactor = reactor
        self._waiting: Waiting | None = None
        self._timer: Watch | None = None
        self.deadline = NO_LIMIT

    def start(self, waiting: Waiting) -> None:
        """Run until it waits for the first time."""
        self._waiting = waiting
        next(waiting)

    def go_on(self, came: bool) -> None:
        """Resume, without a deadline; `came` is what the wait returns."""
        if self._waiting is not None:
            self.deadline = NO_LIMIT
            self._waiting.send(came)

    def throw(self, error: StepError) -> None:
        """Cancel the wait, and raise this error in the generator."""
        self.cancel()
        if self._waiting is not None:
            self._waiting.throw(error)

    def stop(self) -> None:
        """Cancel the wait, and close the generator."""
        self.cancel()
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.close()

    def cancel(self) -> None:
        """Cancel the timer and the deadline."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self.deadline = NO_LIMIT

    # For the generator itself

    def wake_in(self, seconds: float) -> None:
        """Resume after so many seconds."""
        self._timer = self._reactor.later(seconds, self._ring)

    def _ring(self) -> None:
        self._timer = None
        self.go_on(True)

    def sleep(self, seconds: float) -> Waiting:
        """Wait for so many seconds."""
        until = _monotonic() + seconds
        while (left := until - _monotonic()) > 0:
            self.wake_in(left)
            yield

    def wait(self, within: float) -> Generator[None, bool, bool]:
        """Wait until the connection resumes the task; False if that takes longer than `within` seconds."""
        self.deadline = _monotonic() + within
        return (yield)
