"""Ends a journey when the run is over, and waits for the end of every connection, so that no close code is missed."""

from collections.abc import Generator
from typing import TypeVar

from conformance.actions import Action, Close, Drop, Happening, Open, Received, Tick, Wait
from loadtest.observer import Observer
from loadtest.world import Clock

Result = TypeVar("Result")
Script = Generator[Action, Happening, Result]

SLICE_SECONDS = 1.0
"""How often a waiting user looks whether the run was stopped before its time."""

UNANSWERED = "CLOSE-01: the connection was not ended after the close frame"


class Leaving:
    """Stands between one play of a journey and the transport. `patience`: seconds to wait for a connection's end.

    With `own_only`, deliveries of other users' posts are measured and kept from the journey, which would look through
    them again and again for its own.
    """

    def __init__(self, observer: Observer, clock: Clock, patience: float, *, own_only: bool = False) -> None:
        self.observer = observer
        self.clock = clock
        self.patience = patience
        self.own_only = own_only
        self.now = 0.0
        self._closed: dict[str, float] = {}

    def escort(self, script: Script[Result]) -> Script[Result | None]:
        """Play a script until the run is over. Gives back its result; None where it did not come to its end."""
        result: Result | None = None
        try:
            action = next(script)
            while True:
                happening = (
                    (yield from self._wait(action)) if isinstance(action, Wait) else (yield from self._act(action))
                )
                if happening is None:
                    script.close()
                    break
                action = script.send(happening)
        except StopIteration as stop:
            result = stop.value
        yield from self._leave()
        return result

    def _perform(self, action: Action) -> Generator[Action, Happening, Happening | None]:
        """What an action leads to; None: the run is over."""
        return (yield from (self._wait(action) if isinstance(action, Wait) else self._act(action)))

    def _act(self, action: Action) -> Generator[Action, Happening, Happening]:
        match action:
            case Open(actor=actor):
                # Whoever connects anew gives up the connection before.
                self.observer.ended(actor, self.now)
                self._closed.pop(actor, None)
            case Close(actor=actor):
                self._closed[actor] = self.now
                self.observer.leaving(self.now)
            case Drop(actor=actor):
                self.observer.ended(actor, self.now)
            case _:
                pass
        happening = yield action
        self.now = happening.t
        return happening

    def _wait(self, wait: Wait) -> Generator[Action, Happening, Happening | None]:
        """The next happening; None: the run is over."""
        while not self.clock.over(self.now):
            due = min(wait.deadline, self.clock.end, self.now + SLICE_SECONDS)
            happening = yield Wait(due, wait.waiting_for)
            self.now = max(happening.t, self.now)
            if self.own_only and isinstance(happening, Received) and self.observer.overheard(happening):
                continue
            if not isinstance(happening, Tick) or happening.t >= wait.deadline:
                return happening
        return None

    def _leave(self) -> Script[None]:
        """Close what is open, and wait for the end of it."""
        observer = self.observer
        for actor in tuple(observer.opened):
            if actor not in self._closed:
                yield from self._act(Close(actor, 1000))
        # A close step of the journey has waited, and failed, already.
        told = {actor for actor in observer.opened if self._closed[actor] + self.patience <= self.now}
        while observer.opened:
            due = max(self._closed[actor] for actor in observer.opened) + self.patience
            happening = yield Wait(due, "the connection's end")
            self.now = max(happening.t, self.now)
            if isinstance(happening, Tick):
                if self.now >= due:
                    break
            elif not isinstance(happening, Received):
                observer.happened(happening)
        for actor in tuple(observer.opened):
            if actor not in told:
                observer.recorder.failed(UNANSWERED, self.now)
            observer.ended(actor, self.now)
