"""Looks for the highest load that an endpoint bears: doubles until a threshold breaks, then halves what is between."""

import math
from dataclasses import dataclass, field

from contract.findings import Phrase, phrase

TOLERANCE = 0.1
"""The knee is known when the lowest load that broke is above it by so little."""

MAX_STEPS = 30


@dataclass(slots=True)
class Search:
    """A search that proposes loads and is told how each went; it begins with `load`, and goes no higher than `most`.

    Loads are whole numbers where `whole`. `knee` is the highest that passed, `broke` the lowest that did not.
    """

    load: float
    most: float
    whole: bool = True
    knee: float | None = None
    broke: float | None = None
    tried: list[float] = field(default_factory=list)
    stopped: Phrase | None = None

    def next(self) -> float | None:
        """The next load to try; None: the search is over."""
        if self.stopped is not None or len(self.tried) >= MAX_STEPS:
            return None
        wanted = self._wanted()
        if wanted is None or wanted in self.tried:
            return None
        return wanted

    def _wanted(self) -> float | None:
        if self.knee is None and self.broke is None:
            return min(self.load, self.most)
        if self.broke is None:
            assert self.knee is not None
            return min(self.knee * 2, self.most) if self.knee < self.most else None
        if self.knee is None:
            return self._rounded(self.broke / 2)
        if self.broke <= self.knee * (1 + TOLERANCE) or (self.whole and self.broke - self.knee <= 1):
            return None
        return self._rounded(math.sqrt(self.knee * self.broke))

    def _rounded(self, load: float) -> float | None:
        if not self.whole:
            return load if load >= 0.001 else None
        between = max(round(load), 1 if self.knee is None else math.floor(self.knee) + 1)
        return float(between) if self.broke is None or between < self.broke else None

    def tell(self, load: float, *, passed: bool) -> None:
        """How the load went."""
        self.tried.append(load)
        if passed:
            self.knee = max(self.knee or 0.0, load)
            if self.broke is not None and self.broke < self.knee:
                self.stopped = phrase("capacity-higher")
        else:
            self.broke = min(self.broke if self.broke is not None else math.inf, load)
            if self.knee is not None and self.broke < self.knee:
                self.stopped = phrase("capacity-lower")

    def stop(self, reason: Phrase) -> None:
        """End the search."""
        self.stopped = reason

    @property
    def reason(self) -> Phrase:
        """Why the search ended."""
        if self.stopped is not None:
            return self.stopped
        if self.broke is None:
            return phrase("capacity-max", load=_shown(self.most))
        if self.knee is None:
            return phrase("capacity-lowest", load=_shown(min(self.tried)))
        return phrase("capacity-found", load=_shown(self.knee), broke=_shown(self.broke))


def _shown(load: float) -> str:
    return f"{load:g}"
