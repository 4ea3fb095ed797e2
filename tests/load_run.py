"""A load test in this thread: virtual users over a selector, and a collector that settles and judges as in a real one.

It plays until enough was seen, whatever time that takes, so that a busy machine sees as much as an idle one.
"""

import json
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from loadtest.delivery.parts import answer, part_of
from loadtest.measure.recorder import LAG
from loadtest.runner.collector import Collector
from loadtest.settings.settings import LoadSettings
from loadtest.users.load_context import LoadContext
from loadtest.users.population import SWEEP_SECONDS, Population
from tests.loadtest.reactor import SelectorReactor

PROCESS = "local"


@dataclass(frozen=True, slots=True)
class Enough:
    """What must have been seen; after `most` seconds of posting it is over all the same, for what does not come."""

    deliveries: int = 2000
    closes: int = 30
    seconds: float = 3.5
    most: float = 7.0


class LoadRun:
    """The users of one process. `journeys` are played in turn by as many users as the settings say."""

    def __init__(self, settings: LoadSettings) -> None:
        self.settings = settings
        self.reactor = SelectorReactor()
        self.context = LoadContext(settings, self.reactor)
        self._population = Population(self.context)
        self._collector = Collector(settings)
        self._closes = 0
        self._due = time.monotonic()
        self._slice_due = self._due + 1.0
        ledger = self.context.ledger
        self._collector.settle(
            self.context.profile.response_timeout,
            lambda asked: self._collector.answer(PROCESS, answer(ledger, asked, time.monotonic())),
        )
        self._population.begin()
        self._sweep()
        names = list(settings.journeys)
        for number in range(settings.users):
            self._population.player(names[number % len(names)]).begin()

    def _sweep(self) -> None:
        """Expire deadlines, and be the timer that shows how late all are, as the executor's is."""
        now, punctuality = time.monotonic(), self.context.punctuality
        punctuality.woke(self._due, now)
        self.context.recorder.measured(LAG, max(now - self._due, 0.0))
        self._due = punctuality.due = now + SWEEP_SECONDS
        self._population.sweep()
        if now >= self._slice_due:
            self._slice_due = now + 1.0
            self._take()
        self.reactor.later(SWEEP_SECONDS, self._sweep)

    def _take(self) -> None:
        recorder = self.context.recorder
        self._closes += recorder.closes.total()
        self._collector.add(PROCESS, recorder.take(time.monotonic()))

    def play(self, enough: Enough) -> dict[str, Any]:
        """Let them play, and leave; gives the load document."""
        population, began = self._population, time.monotonic()

        def over() -> bool:
            t = time.monotonic() - began
            closes = self._closes + self.context.recorder.closes.total()
            seen = self.context.ledger.delivered >= enough.deliveries and closes >= enough.closes
            return t >= enough.most or (t >= enough.seconds and seen)

        self.reactor.run(over)
        population.stop_posting()
        self.reactor.run(population.drained().over)
        population.stay_to_the_end()
        population.part()
        self.reactor.run(lambda: not population.players)
        return self._document()

    def _document(self) -> dict[str, Any]:
        collector = self._collector
        self._take()
        collector.finish(PROCESS, part_of(self.context.ledger))
        collector.complete = True
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "load.json"
            collector.write(replace(self.settings, document=str(path)))
            document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return document


def failed(document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """By requirement, the clause that failed and has the most findings."""
    found: dict[str, dict[str, Any]] = {}
    for one in document["requirements"]:
        broken = [clause for clause in one["clauses"] if clause["verdict"] == "failed"]
        if broken:
            found[one["id"]] = max(broken, key=lambda clause: int(clause["failed"]))
    return found
