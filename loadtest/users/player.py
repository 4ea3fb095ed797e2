"""A virtual user: plays its journey again and again over one connection after another, until it leaves."""

import errno
import time
from collections.abc import Callable

from conformance.language.values import InconclusiveError, ScenarioError
from conformance.transport.troubles import own_trouble
from contract.findings import Phrase, phrase
from loadtest.users.connection import Connection
from loadtest.users.journey_compiler import Journey
from loadtest.users.journey_steps import EARLY_SECONDS, JourneySteps
from loadtest.users.load_context import LoadContext
from loadtest.users.observer import UNANSWERED
from loadtest.users.task import NO_LIMIT, StepError, Task, Waiting

_monotonic = time.monotonic


class Player:
    """One virtual user. When it has left, `done` is True and `gone` has been called."""

    __slots__ = (
        *("_connection", "_context", "_gone", "_steps"),
        *("done", "journey", "leaving", "on_leaving", "task"),
    )

    def __init__(
        self, context: LoadContext, journey: Journey, number: int, token: str, gone: Callable[["Player"], None]
    ) -> None:
        self._context = context
        self._gone = gone
        self.journey = journey
        self.done = False
        self.on_leaving: Callable[[], None] | None = None
        self.leaving = False
        self.task = Task(context.reactor)
        self._connection = Connection(context, str(number), token, self.task, self._lost)
        self._steps = JourneySteps(context, number, self.task, self._connection)

    # The life of a user

    def begin(self, due: float | None = None) -> None:
        """Start to play; `due`: when that was meant to be, in seconds, monotonic. Latencies are measured from then."""
        self.task.start(self._life(due))

    def _life(self, due: float | None) -> Waiting:
        steps, task = self._steps, self.task
        if due is not None:
            steps.arrive(due)
        while True:
            began = _monotonic()
            try:
                for op in self.journey.ops:
                    waiting = steps.play(op)
                    if waiting is not None:
                        yield from waiting
                yield from steps.close(1000)
                steps.failures = 0
            except (StepError, ScenarioError, InconclusiveError, OSError) as error:
                self._context.recorder.failed(_problem(error))
                steps.failures += 1
                self._connection.drop()
            if steps.failures:
                yield from steps.back_off()
            elif _monotonic() - began < EARLY_SECONDS:
                # A journey without waits must not block all others.
                yield from task.sleep(self._context.schedule.period)

    def _lost(self, reason: Phrase) -> None:
        """The connection is over, or none came about."""
        if self.leaving:
            self._finish()
        else:
            self.task.throw(StepError(reason))

    def expire(self) -> None:
        """The task's deadline has passed."""
        self.task.deadline = NO_LIMIT
        if self.leaving:
            self.part()
        else:
            self.task.go_on(False)

    # Leaving

    def leave(self, *, with_all: bool = False) -> None:
        """Stop posting, and leave once own posts are back, or `with_all` others at the end of the run. Idempotent."""
        if self.done or self.leaving:
            return
        self.leaving = True
        self.task.stop()
        connection = self._connection
        connection.expect_nothing()
        link = connection.up
        if link is None or not link.accepted:
            connection.drop()
            self._finish()
        elif connection.closing is not None:
            self.task.deadline = _monotonic() + self._context.closing_seconds
        elif not with_all:
            # Own posts that are on their way are waited for; `Population.sweep` looks.
            self.task.deadline = _monotonic() + self._context.profile.response_timeout

    @property
    def can_go(self) -> bool:
        """Whether the connection is open, every own post has come back, and every request is answered."""
        connection = self._connection
        return connection.closing is None and connection.account.all_back and connection.requests.are_answered

    def stay_to_the_end(self) -> None:
        """All deliveries had their time: on an open connection, what is missing is lost."""
        if self._connection.up is not None and self._connection.closing is None:
            self._connection.account.stay_to_the_end()

    def part(self) -> None:
        """Close the connection and leave; a second call drops it."""
        connection = self._connection
        link = connection.up
        if link is not None and connection.closing is None:
            connection.close(link, 1000)
            self.task.deadline = _monotonic() + self._context.closing_seconds
            return
        if link is not None:
            connection.never_ended()
            self._context.recorder.failed(UNANSWERED)
        connection.drop()
        self._finish()

    def _finish(self) -> None:
        self.task.cancel()
        self.done = True
        self._gone(self)
        on_leaving, self.on_leaving = self.on_leaving, None
        # No cycle is left behind that only the collector would find.
        self._connection.retire()
        if on_leaving is not None:
            on_leaving()

    def abandon(self) -> None:
        """Leave at once, without a close frame. Idempotent."""
        if not self.done:
            self.leave()
            self._connection.drop()
            if not self.done:
                self._finish()


def _problem(error: StepError | ScenarioError | InconclusiveError | OSError) -> Phrase:
    if isinstance(error, InconclusiveError):
        return error.reason
    if isinstance(error, StepError):
        return error.problem
    if isinstance(error, OSError):
        return own_trouble(error) or phrase("socket", error=errno.errorcode.get(error.errno or 0, type(error).__name__))
    return phrase("said", en=str(error), ja=str(error))
