"""Collects what all processes of a run measured; the load document is made of it."""

import math
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from contract.findings import Phrase
from contract.model import load_contract
from contract.profile import load_profile
from contract.requirements import requirements_of
from loadtest.delivery.parts import Part, Question
from loadtest.delivery.reconciliation import Settlement
from loadtest.judge.judge import charged_clauses
from loadtest.measure.document import Ending, add_lost, delivery_of, load_document, write_document
from loadtest.measure.phases import phases_of, settled
from loadtest.measure.recorder import Slice
from loadtest.measure.tally import Tally
from loadtest.measure.thresholds import breaches, parse_threshold
from loadtest.processes.relay import Relay
from loadtest.settings.settings import LoadSettings, contract_of

ASK_SECONDS = 2.0
"""How often ledgers are asked what can be settled, and told what is."""


class Collector:
    """The results of one run. `complete`: it was not cut off; `aborted`: the threshold whose breach ended it.

    Before it begins, nobody may know its settings.
    """

    def __init__(self, settings: LoadSettings | None = None, relay: Relay | None = None) -> None:
        self._relay = relay
        self._tally = Tally(settings.whole_duration, phases_of(settings)) if settings is not None else Tally()
        self._started = datetime.now(UTC)
        self.began = time.monotonic()
        self._settlement = Settlement(0.0, self.began)
        self._finished: set[str] = set()
        self._ask: Callable[[Question], None] | None = None
        self._asked = -math.inf
        self.ended: float | None = None
        self.aborted: str | None = None
        self.complete = False

    def settle(self, grace: float, ask: Callable[[Question], None]) -> None:
        """Settle ledgers while the run goes on: `ask` asks all processes. `grace`: seconds that a delivery may take."""
        self._settlement = Settlement(grace, self.began)
        self._ask = ask

    def add(self, name: str, taken: Slice) -> None:
        """Add a slice of one process."""
        self._tally.add(name, taken)
        if self._relay is not None:
            self._relay.send_slice(name, taken)
        now, running = time.monotonic(), self._running
        if self._ask is not None and now >= self._asked + ASK_SECONDS and not self._settlement.awaits(running):
            self._asked = now
            self._ask(self._settlement.turn(running))

    def answer(self, name: str, part: Part, margin: float = 0.0) -> None:
        """Add news of a process's ledger; its times may be off by `margin` seconds."""
        # Two clocks may be off to either side.
        self._settlement.tell(name, part, 2 * margin)

    def call(self, name: str, called: Phrase) -> None:
        """Say what a process is called in the document."""
        self._tally.names[name] = called

    def finish(self, name: str, part: Part, margin: float = 0.0) -> None:
        """Add what is left of the ledger of a process that has ended."""
        self.answer(name, part, margin)
        self._finished.add(name)
        if name in self._tally.workers:
            self._tally.workers[name].state = "finished"

    @property
    def _running(self) -> set[str]:
        return {name for name, health in self._tally.workers.items() if health.state == "running"}

    def lose(self, present: set[str], missing: set[str]) -> None:
        """Mark running processes that are not present as lost, and those that are missing."""
        for name in (self._running - present) | (missing - set(self._tally.workers)):
            self._tally.gone(name)
            self._settlement.lose(name)

    @property
    def waits(self) -> bool:
        """Whether the ledger of a process has yet to come."""
        return any(name not in self._finished for name in self._running)

    def breach(self, settings: LoadSettings) -> str | None:
        """The first threshold that is already breached for good; None if there is none."""
        thresholds = [parse_threshold(one) for one in settings.thresholds]
        document = self._tally.so_far({one.name for one in thresholds if one.name is not None})
        counts = [one.ledger for one in self._tally.workers.values()]
        total = {kind: sum(one.get(kind, 0) for one in counts) for kind in ("duplicated", "reordered", "misdelivered")}
        delivered = sum(one.get("delivered", 0) for one in counts)
        document["delivery"] = {"expected": delivered, "delivered": delivered, "lost": 0, **total}
        return next(iter(breaches(thresholds, document)), None)

    def write(self, settings: LoadSettings) -> None:
        """Write the load document to the settings' path, or relay it where that cannot be.

        Raises as `load_contract` does, and `OSError` where nobody takes it.
        """
        folder = contract_of(settings)
        path = Path(settings.profile) if settings.profile else None
        contract = load_contract(folder, load_profile(path, settings.overrides, contract=folder).limits)
        measured, judged = self._tally.document(), self._tally.judged
        if self._settlement.is_told:
            balance = self._settlement.balance()
            measured["delivery"] = delivery_of(balance, self.began)
            measured["phases"] = settled(measured["phases"], balance)
            clauses = charged_clauses(requirements_of(folder).values(), "delivered")
            add_lost(judged, balance, measured["delivery"]["examples"], clauses)
            begins = [phase["from_s"] for phase in measured["phases"]]
            for each, begin, end in zip(self._tally.phases.judged(), begins, [*begins[1:], math.inf], strict=False):
                add_lost(each, balance, (), clauses, begin, end)
        measured["aborted"] = self.aborted
        measured["shed"] = dict(sorted(judged.shed.items()))
        ending = Ending(self._started, (self.ended or time.monotonic()) - self.began, self.complete)
        document = load_document(settings, contract, ending, measured, judged, self._tally.phases.judged())
        try:
            write_document(Path(settings.document), document)
        except OSError:
            if self._relay is None:
                raise
            self._relay.send_document(document)
