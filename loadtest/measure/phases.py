"""The phases of a run: its stages, or else ramp (until all users are there) and hold; what was measured in each.

Measurements are told by the second, and so a second belongs to the phase in which it begins; what comes after the last
phase, while the last deliveries are waited for, belongs to that.
"""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from contract.metrics import in_order
from loadtest.delivery.balance import Balance
from loadtest.judge.judge import Judged
from loadtest.measure.histograms import Latencies
from loadtest.measure.recorder import GENERATORS, Counts, Slice
from loadtest.settings.settings import LoadSettings

RAMP, HOLD = "ramp", "hold"


@dataclass(frozen=True, slots=True)
class Phase:
    """From second `began` of the run to before `ended`, which is infinite where somebody will end it.

    The run goes from `users_before` to `users`.
    """

    name: str
    began: float
    ended: float
    users_before: int
    users: int


def phases_of(settings: LoadSettings) -> tuple[Phase, ...]:
    """The phases of a run, in order of time and without a gap."""
    if not settings.stages:
        return _ramp_and_hold(settings)
    phases: list[Phase] = []
    began, before = 0.0, 0
    for number, stage in enumerate(settings.stages, 1):
        phases.append(Phase(f"stage {number}", began, began + stage.seconds, before, stage.users))
        began, before = began + stage.seconds, stage.users
    return tuple(phases)


def _ramp_and_hold(settings: LoadSettings) -> tuple[Phase, ...]:
    users, whole = settings.users, settings.whole_duration
    there = float(math.ceil(users / settings.spawn_rate))
    if there >= whole:
        return (Phase(RAMP, 0.0, whole, 0, users),)
    return Phase(RAMP, 0.0, there, 0, users), Phase(HOLD, there, whole, users, users)


@dataclass(slots=True)
class Measured:
    """What was measured in one phase, over all processes."""

    latencies: dict[str, Latencies] = field(default_factory=dict)
    errors: Counter[str] = field(default_factory=Counter)
    judged: Judged = field(default_factory=Judged)

    def add(self, metric: str, counts: Counts, decided: Counts) -> None:
        """Add latencies of one metric."""
        known = self.latencies.get(metric)
        if known is None:
            # Only where it is needed: a histogram has 190 kB, and stays until cycles are looked for.
            known = self.latencies[metric] = Latencies()
        known.add(counts, decided)

    def metrics(self) -> dict[str, Any]:
        """The figures of all metrics; the distributions are the whole run's."""
        figures = {name: self.latencies[name].summary() for name in in_order(self.latencies, GENERATORS)}
        for one in figures.values():
            del one["histogram"]
        return figures


class PhaseTally:
    """Adds up by phase."""

    def __init__(self, phases: tuple[Phase, ...]) -> None:
        self._phases = phases
        self._measured = tuple(Measured() for _ in phases) or (Measured(),)

    def of(self, taken: Slice) -> Measured:
        """Where a slice belongs."""
        second = (taken.began + taken.ended) // 2
        return self._measured[max(sum(one.began <= second for one in self._phases) - 1, 0)]

    def counts(self) -> Counter[str]:
        """How often each metric was measured in the whole run."""
        counts: Counter[str] = Counter()
        for measured in self._measured:
            counts.update({name: one.count for name, one in measured.latencies.items()})
        return counts

    def whole(self, metric: str) -> Latencies | None:
        """The latencies of the whole run, added up; None where nothing was measured."""
        parts = [one.latencies[metric] for one in self._measured if metric in one.latencies]
        return Latencies.sum(parts) if len(parts) > 1 else next(iter(parts), None)

    def judged(self) -> list[Judged]:
        """What was judged in each phase."""
        return [one.judged for one in self._measured]

    def entries(self) -> list[dict[str, Any]]:
        """What the load document says of each phase, without what only the end of the run decides (`settled`)."""
        return [
            {
                "name": phase.name,
                "from_s": phase.began,
                "to_s": phase.ended,
                "users_before": phase.users_before,
                "users": phase.users,
                "metrics": measured.metrics(),
                "errors": measured.errors.total(),
                "delivery": None,
            }
            for phase, measured in zip(self._phases, self._measured, strict=False)
        ]


def settled(entries: list[dict[str, Any]], balance: Balance) -> list[dict[str, Any]]:
    """The entries with what the ledger says of each phase."""
    ends = [one["from_s"] for one in entries[1:]] + [math.inf]
    return [{**one, "delivery": balance.phase(one["from_s"], end)} for one, end in zip(entries, ends, strict=True)]


def reached(entries: list[Mapping[str, Any]], duration: float) -> list[dict[str, Any]]:
    """The phases that a run of so many seconds came to; the last one ends with the run."""
    return [{**one, "to_s": round(min(one["to_s"], duration), 3)} for one in entries if one["from_s"] < duration]
