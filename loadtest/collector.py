"""Collects what all processes of a run measured; the load document is made of it."""

import math
import time
from datetime import UTC, datetime
from pathlib import Path

from contract.model import load_contract
from contract.profile import load_profile
from loadtest.document import Ending, delivery_of, load_document, write_document
from loadtest.recorder import Slice
from loadtest.settings import LoadSettings
from loadtest.settling import Part
from loadtest.tally import Tally
from loadtest.thresholds import breaches, parse_threshold


class Collector:
    """The results of one run. `complete`: it was not cut off; `aborted`: the threshold whose breach ended it.

    `duration` in seconds; infinite where somebody will end it.
    """

    def __init__(self, duration: float = 0.0) -> None:
        self._tally = Tally(duration if math.isfinite(duration) else 0.0)
        self._parts: dict[str, Part] = {}
        self._margin = 0.0
        self._started = datetime.now(UTC)
        self.began = time.monotonic()
        self.ended: float | None = None
        self.aborted: str | None = None
        self.complete = False

    def add(self, name: str, taken: Slice) -> None:
        """Add a slice of one process."""
        self._tally.add(name, taken)

    def finish(self, name: str, part: Part, margin: float = 0.0) -> None:
        """Add the ledger of a process that has ended; its times may be off by `margin` seconds."""
        self._parts[name] = part
        self._margin = max(self._margin, margin)
        if name in self._tally.workers:
            self._tally.workers[name].state = "finished"

    def lose(self, present: set[str], missing: set[str]) -> None:
        """Mark running processes that are not present as lost, and those that are missing."""
        running = {name for name, health in self._tally.workers.items() if health.state == "running"}
        for name in (running - present) | (missing - set(self._tally.workers)):
            self._tally.gone(name)

    @property
    def waits(self) -> bool:
        """Whether the ledger of a process has yet to come."""
        return any(one.state == "running" and name not in self._parts for name, one in self._tally.workers.items())

    def breach(self, settings: LoadSettings) -> str | None:
        """The first threshold that is already breached for good; None if there is none."""
        document = self._tally.document()
        counts = [one.ledger for one in self._tally.workers.values()]
        total = {kind: sum(one.get(kind, 0) for one in counts) for kind in ("duplicated", "reordered", "misdelivered")}
        delivered = sum(one.get("delivered", 0) for one in counts)
        document["delivery"] = {"expected": delivered, "delivered": delivered, "lost": 0, **total}
        return next(iter(breaches([parse_threshold(one) for one in settings.thresholds], document)), None)

    def write(self, settings: LoadSettings) -> None:
        """Write the load document to the settings' path. Raises as `load_contract` does."""
        profile = load_profile(Path(settings.profile) if settings.profile else None, settings.overrides)
        measured = self._tally.document()
        grace = profile.response_timeout
        measured["delivery"] = delivery_of(self._parts.values(), grace, 2 * self._margin, self.began)
        measured["aborted"] = self.aborted
        ending = Ending(self._started, (self.ended or time.monotonic()) - self.began, self.complete)
        contract = load_contract(None, profile.limits)
        write_document(Path(settings.document), load_document(settings, contract, ending, measured))
