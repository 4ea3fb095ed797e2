"""Adds up the slices of all processes of a load test into what the load document says.

Its memory does not grow with the number of measurements: latencies go into HDR histograms, and the timeline is
bounded.
"""

import json
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from conformance.transport.troubles import own_error
from contract.findings import Phrase, Text, english, few, message_of, phrase, texts
from contract.metrics import in_order
from loadtest.judge.judge import Judged
from loadtest.measure.phases import Phase, PhaseTally
from loadtest.measure.recorder import (
    BUSY_PERCENT,
    GENERATORS,
    LAG,
    LATE,
    LATE_LIMIT_MS,
    MAX_KINDS,
    OTHER_ERRORS,
    Slice,
)
from loadtest.measure.timeline import Timeline

BUSY_SHARE = 0.2
"""A process that is busy (`BUSY_PERCENT`) in so large a share of the run was the limit, and not the endpoint."""


MAX_LISTED = 5
"""Stretches of late seconds that a sentence names; the document has all of them."""


@dataclass(slots=True)
class Health:
    """How one process of the generator fared. `cpu` in per cent of a core, `heard` in seconds of the run."""

    state: str = "running"
    users: int = 0
    cpu: float = 0.0
    late_ms: float = 0.0
    slices: int = 0
    busy: int = 0
    heard: float = 0.0
    ledger: dict[str, int] = field(default_factory=dict)


class Tally:
    """The sum of what all processes measured, in all and by phase. `width`: seconds of a window of the timeline.

    `duration` in seconds; infinite where somebody will end the run.
    """

    def __init__(self, duration: float = 0.0, phases: tuple[Phase, ...] = ()) -> None:
        self.phases = PhaseTally(phases)
        self.errors: Counter[str] = Counter()
        self.closes: Counter[str] = Counter()
        self.judged = Judged()
        self.workers: dict[str, Health] = {}
        self.names: dict[str, Phrase] = {}
        """What processes are called, where that is another thing than their key."""
        self._timeline = Timeline(duration)

    def add(self, worker: str, taken: Slice) -> None:
        """Add a slice of one process."""
        phase, lateness = self.phases.of(taken), self._timeline.lateness
        for metric, counts in taken.latencies.items():
            decided = lateness.decided(worker, taken, counts)
            phase.add(metric, counts, decided)
        phase.errors.update(taken.errors)
        phase.judged.add(taken.judged)
        for kind, count in taken.errors.items():
            self.errors[kind if kind in self.errors or len(self.errors) < MAX_KINDS else OTHER_ERRORS] += count
        self.closes.update(taken.closes)
        self.judged.add(taken.judged)
        self._account(worker, taken)
        self._timeline.add(worker, taken)

    def _account(self, worker: str, taken: Slice) -> None:
        health = self.workers.setdefault(worker, Health())
        lasted = taken.ended - taken.began
        percent = 100 * taken.cpu / lasted if lasted > 0.1 else 0.0
        health.cpu = max(health.cpu, percent)
        health.slices += 1
        health.busy += percent >= BUSY_PERCENT
        health.late_ms = max(health.late_ms, max(taken.latencies.get(LAG, {0: 0})) / 1000)
        health.users = max(health.users, taken.most)
        health.heard = taken.ended
        health.ledger = taken.ledger

    def gone(self, worker: str) -> None:
        """A process was lost: its users are no longer connected."""
        self.workers.setdefault(worker, Health()).state = "lost"
        self._timeline.gone(worker)

    def timeline(self) -> list[dict[str, Any]]:
        """All windows in order of time."""
        return self._timeline.entries()

    def generator(self) -> dict[str, Any] | None:
        """How the generator itself fared; None where nothing was heard of it."""
        if not self.workers:
            return None
        late, lag = (self._summary(name) for name in (LATE, LAG))
        reason = self._limit(late)
        return {
            "cpu_percent": round(max(one.cpu for one in self.workers.values()), 1),
            "late_ms_max": lag["max"] if lag else 0.0,
            "lag_ms_p99": lag["p99"] if lag else None,
            "late_sends_p99_ms": late["p99"] if late else None,
            "cores": os.cpu_count() or 1,
            "limited": reason is not None,
            "reason": english(reason),
            **texts(reason=reason),
            "late": self._timeline.lateness.told(),
            "workers": [
                {
                    "name": str(self._called(name)),
                    **texts(name=self._called(name)),
                    "state": one.state,
                    "users": one.users,
                    "cpu_percent": round(one.cpu, 1),
                    "late_ms_max": round(one.late_ms, 3),
                    "last_report_s": round(one.heard, 3),
                }
                for name, one in sorted(self.workers.items())
            ],
        }

    def _limit(self, late: dict[str, Any] | None) -> Phrase | None:
        own = own_error(map(json.loads, self.errors))
        if own is not None:
            return own
        for name, one in self.workers.items():
            if one.slices > 1 and one.busy / one.slices >= BUSY_SHARE:
                return phrase("generator-core", name=self._called(name), percent=round(one.cpu))
        if late is not None and late["p99"] > LATE_LIMIT_MS:
            return phrase("generator-late", ms=round(late["p99"]))
        grave = [one for one in self._timeline.lateness.stretches() if one.grave]
        if grave:
            when = few((f"{one.began:g}-{one.ended:g}" for one in grave), MAX_LISTED)
            worst = max(one.late_ms for one in self.workers.values())
            return phrase("generator-stalled", when=when, ms=round(worst))
        return None

    def so_far(self, metrics: Iterable[str]) -> dict[str, Any]:
        """What thresholds on these metrics and on errors look at while the run goes on; of the latencies, what is
        decided."""
        known: dict[str, Any] = {name: {"count": count} for name, count in self.phases.counts().items()}
        for name in metrics:
            whole = self.phases.whole(name)
            found = whole.punctual() if whole is not None else None
            if found is not None:
                known[name] = found
            else:
                known.pop(name, None)
        return {"metrics": known, "errors": [{"count": count} for count in self.errors.values()]}

    def _called(self, worker: str) -> Text:
        return self.names.get(worker, worker)

    def _summary(self, metric: str) -> dict[str, Any] | None:
        whole = self.phases.whole(metric)
        return whole.summary() if whole is not None else None

    def document(self) -> dict[str, Any]:
        """The measured part of the load document, but for the ledger's balance."""
        return {
            "metrics": {name: self._summary(name) for name in in_order(self.phases.counts(), GENERATORS)},
            "delivery": None,
            "phases": self.phases.entries(),
            "timeline": self.timeline(),
            "closes": dict(sorted(self.closes.items())),
            "errors": [_error(kind, count) for kind, count in self.errors.most_common()],
            "generator": self.generator(),
        }


def _error(kind: str, count: int) -> dict[str, Any]:
    """A kind of error in the document."""
    problem = json.loads(kind)
    return {**problem, "message": str(message_of(problem)), "count": count}
