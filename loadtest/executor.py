"""Runs the virtual users of this process in gevent's loop."""

import time
from collections.abc import Callable
from typing import Any

import gevent
from gevent.hub import get_hub

from conformance.troubles import fault
from loadtest.gevent_reactor import GeventReactor, in_turn
from loadtest.ledger import Ledger
from loadtest.load_context import LoadContext
from loadtest.player import Player
from loadtest.population import SWEEP_SECONDS, Population
from loadtest.recorder import LAG, Slice
from loadtest.settings import LoadSettings


class Executor:
    """Starts at once, and calls `report` with a slice of measurements every second until it is `over`.

    Raises as `LoadContext` does.
    """

    def __init__(self, settings: LoadSettings, worker: int, report: Callable[[Slice], None]) -> None:
        self._context = LoadContext(settings, GeventReactor(), worker)
        self._population = Population(self._context, worker, settings.players)
        self._report = report
        self._leaving: gevent.Greenlet | None = None
        self.over = False
        self._watch_for_faults()
        self._population.begin()
        for loop in (self._sweep, self._measure_lag, self._report_slices):
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
    def response_timeout(self) -> float:
        """The profile's, in seconds."""
        return self._context.profile.response_timeout

    @property
    def posting_until(self) -> float:
        """When posting ends (seconds, monotonic)."""
        return self._context.schedule.end

    @property
    def leaving(self) -> bool:
        """Whether posting has ended."""
        return self._leaving is not None

    def player(self, journey: str) -> Player | None:
        """A new player; None if posting has ended."""
        return self._population.player(journey) if self._leaving is None else None

    def stop_posting(self) -> None:
        """End all journeys; users leave once all deliveries have come."""
        self._population.stop_posting()
        self._leaving = gevent.spawn(self._drain_and_part)

    def _drain_and_part(self) -> None:
        context, population = self._context, self._population
        in_turn(population.drained().over, 2 * context.profile.response_timeout + 1)
        population.stay_to_the_end()
        population.part()
        in_turn(lambda: not population.players, context.closing_seconds + 1)

    def finish(self) -> Slice:
        """Wait until all users have left, and end the loops. Returns the last slice."""
        if self._leaving is not None:
            self._leaving.join()
        self.over = True
        return self._context.recorder.take(time.monotonic())

    # While it goes on

    def _sweep(self) -> None:
        while not self.over:
            self._population.sweep()
            gevent.sleep(SWEEP_SECONDS)

    def _measure_lag(self) -> None:
        """Measure how late the generator's own timers are."""
        while not self.over:
            before = time.monotonic()
            gevent.sleep(SWEEP_SECONDS)
            self._context.recorder.measured(LAG, max(time.monotonic() - before - SWEEP_SECONDS, 0.0))

    def _report_slices(self) -> None:
        number = 0
        while not self.over:
            number += 1
            gevent.sleep(max(self._context.schedule.begin + number - time.monotonic(), 0.0))
            if not self.over:
                self._report(self._context.recorder.take(time.monotonic()))
