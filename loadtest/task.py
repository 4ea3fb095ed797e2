"""What a virtual user does, as a generator that stops wherever it has to wait: no thread, and no greenlet."""

import math
import time
from collections.abc import Generator

from contract.findings import Phrase
from loadtest.link import Reactor, Watch

NO_LIMIT = math.inf

Waiting = Generator[None, bool, None]
"""Stops with `yield`; it is told whether what it waits for came (True) or its time was over (False)."""

_monotonic = time.monotonic


class StepError(Exception):
    """A step failed; the journey is begun anew."""

    def __init__(self, problem: Phrase) -> None:
        super().__init__(problem)
        self.problem = problem


class Task:
    """One running generator. Whoever looks at `deadline` ends its waiting when that time has come."""

    __slots__ = ("_reactor", "_timer", "_waiting", "deadline")

    def __init__(self, reactor: Reactor) -> None:
        self._reactor = reactor
        self._waiting: Waiting | None = None
        self._timer: Watch | None = None
        self.deadline = NO_LIMIT

    def start(self, waiting: Waiting) -> None:
        """Run to where it waits first."""
        self._waiting = waiting
        next(waiting)

    def go_on(self, came: bool) -> None:
        """Run on to where it waits next."""
        if self._waiting is not None:
            self._waiting.send(came)

    def throw(self, error: StepError) -> None:
        """Whatever it waits for, it fails with this error."""
        self.cancel()
        if self._waiting is not None:
            self._waiting.throw(error)

    def stop(self) -> None:
        """End it where it is."""
        self.cancel()
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.close()

    def cancel(self) -> None:
        """Neither a timer nor the deadline makes it go on."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self.deadline = NO_LIMIT

    # For the generator itself

    def wake_in(self, seconds: float) -> None:
        """Go on after so many seconds."""
        self._timer = self._reactor.later(seconds, self._ring)

    def _ring(self) -> None:
        self._timer = None
        self.go_on(True)

    def sleep(self, seconds: float) -> Waiting:
        """Wait for so many seconds, and lose the connection in the meantime or not."""
        until = _monotonic() + seconds
        while (left := until - _monotonic()) > 0:
            self.wake_in(left)
            yield

    def wait(self, within: float) -> Generator[None, bool, bool]:
        """Wait for what the connection tells; whether it came in time."""
        self.deadline = _monotonic() + within
        came = yield
        self.deadline = NO_LIMIT
        return came
