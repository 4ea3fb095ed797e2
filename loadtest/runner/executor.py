"""Runs the virtual users of this process in gevent's loop."""

import gc
import time
from collections.abc import Callable
from typing import Any

import gevent
from gevent.hub import get_hub

from conformance.transport.troubles import fault
from loadtest.delivery.ledger import Ledger
from loadtest.measure.punctuality import GRAIN
from loadtest.measure.recorder import LAG, Slice
from loadtest.runner.arrivals import Arrivals, Begin
from loadtest.runner.gevent_reactor import GeventReactor, in_turn
from loadtest.settings.settings import LoadSettings
from loadtest.users.load_context import LoadContext
from loadtest.users.player import Player
from loadtest.users.population import SWEEP_SECONDS, Population

READING_SECONDS = 0.001
"""A timer of so many seconds rings only after the loop has looked what there is to read."""


COLLECTED_OBJECTS = 10_000
"""New objects after which cycles are looked for among them; users make few."""

OLDER_AFTER = 50
"""So many times, until cycles are looked for among those as well that outlived it: users leave none behind."""


def _keep_collections_short() -> None:
    """The interpreter looks for cycles among users only: whatever was there before them stays until the end anyway."""
    gc.freeze()
    gc.set_threshold(COLLECTED_OBJECTS, OLDER_AFTER)


class Executor:
    """Starts at once, and calls `report` with a slice of measurements every second until it is `over`.

    Raises as `LoadContext` does.
    """

    def __init__(self, settings: LoadSettings, worker: int, report: Callable[[Slice], None]) -> None:
        self._context = LoadContext(settings, GeventReactor(), worker)
        self._population = Population(self._context, worker, settings.players)
        self._arrivals = Arrivals(self._context.reactor, self._context.random, worker / max(settings.players, 1))
        self._report = report
        self._leaving: gevent.Greenlet | None = None
        self.over = False
        self._due = time.monotonic()
        """When the next sweep is due."""
        self._watch_for_faults()
        _keep_collections_short()
        self._population.begin()
        for loop in (self._sweep, self._report_slices):
            gevent.spawn(loop)

    def _watch_for_faults(self) -> None:
        """A fault of ours in a callback or a greenlet ends that one alone, and gevent would only print it."""
        hub: Any = get_hub()
        tell = hub.handle_error

        def handle(context: Any, kind: Any, error: Any, trace: Any) -> None:
            if isinstance(error, Exception) and not self.over:
                self._context.recorder.failed(fault(error))
            tell(context, kind, error, trace)

        hub.handle_error = handle

    @property
    def ledger(self) -> Ledger:
        """The delivery ledger of this process."""
        return self._context.ledger

    @property
    def run(self) -> str:
        """The run's digits."""
        return self._context.settings.run

    @property
    def response_timeout(self) -> float:
        """The profile's, in seconds."""
        return self._context.profile.response_timeout

    @property
    def leaving(self) -> bool:
        """Whether posting has ended."""
        return self._leaving is not None

    def player(self, journey: str) -> Player | None:
        """A new player; None if posting has ended."""
        return self._population.player(journey) if self._leaving is None else None

    def arrive(self, begin: Begin) -> None:
        """Let a user begin in its turn."""
        self._arrivals.add(begin)

    def stop_posting(self) -> None:
        """End all journeys; users leave once all deliveries have come."""
        self._population.stop_posting()
        self._leaving = gevent.spawn(self._drain_and_part)

    def _drain_and_part(self) -> None:
        context, population = self._context, self._population
        in_turn(population.drained().over, 2 * context.profile.response_timeout + 2)
        population.stay_to_the_end()
        population.part()
        in_turn(lambda: not population.players, context.closing_seconds + 1)

    def wait_until_left(self) -> None:
        """Once posting has ended: wait until all users have left."""
        if self._leaving is not None:
            self._leaving.join()

    def finish(self) -> Slice:
        """Wait until all users have left, and end the loops. Returns the last slice."""
        self.wait_until_left()
        self.over = True
        self._woke(min(self._due, time.monotonic()))
        return self._context.recorder.take(time.monotonic())

    # While it goes on

    def _sweep(self) -> None:
        """Expire deadlines, and be the timer that shows how late all timers are."""
        while not self.over:
            if self._woke(self._due):
                # What came meanwhile is still unread: the loop reads it before any deadline is judged.
                gevent.sleep(READING_SECONDS)
            self._due = self._context.punctuality.due = time.monotonic() + SWEEP_SECONDS
            self._population.sweep()
            gevent.sleep(max(self._due - time.monotonic(), 0.0))

    def _woke(self, due: float) -> bool:
        """Tell that a timer rang; whether it was late."""
        context, now = self._context, time.monotonic()
        context.punctuality.woke(due, now)
        context.recorder.measured(LAG, max(now - due, 0.0))
        return now - due >= GRAIN

    def _report_slices(self) -> None:
        """At every full second, but for those that have passed already."""
        begin = self._context.schedule.begin
        while not self.over:
            due = begin + round(time.monotonic() - begin) + 1
            gevent.sleep(due - time.monotonic())
            if not self.over:
                self._woke(due)
                self._report(self._context.recorder.take(time.monotonic()))
