"""The circuit breaker: what has not come several times is not waited for to the end again.

Against an endpoint that never answers a close frame, some six hundred scenarios would each wait a whole timeout for
the same thing. A wait is known by what it is for: the requirements that its step decides, the kind of step, and the
messages. Once `ENOUGH` scenarios have waited for it in vain, to their full deadlines, later ones wait only twice as
long as it ever took where it did come (`LEAST_SECONDS` at the least), and are left undecided where it does not. So an
endpoint that is slow, but in time, is never given up; and a short wait neither convicts nor acquits anybody.

An endpoint that floods costs memory and time whatever a scenario waits for, and one that refuses every good handshake
for load costs ten seconds each. Once so many scenarios have met nothing else, no more are played.
"""

import threading
from collections.abc import Hashable

from contract.findings import Phrase, phrase

ENOUGH = 3
"""Scenarios that must have waited in vain."""

LEAST_SECONDS = 0.25

FLOODS = 8
"""Scenarios in a row that must have been ended by a flood."""


class CircuitBreaker:
    """What all scenarios of a run know of each other's waits. Every method may be called from any thread."""

    def __init__(self, enough: float = ENOUGH) -> None:
        self._enough = enough
        self._missed: dict[Hashable, int] = {}
        self._longest: dict[Hashable, float] = {}
        self._floods = 0
        self._flood: Phrase | None = None
        self._refusals = 0
        self.any_accepted = False
        """Whether a good handshake was ever accepted."""
        self._lock = threading.Lock()

    def patience(self, wait: Hashable, scale: float) -> float | None:
        """Seconds that this is still waited for; None: to its deadline. `scale` stretches the least."""
        with self._lock:
            if self._missed.get(wait, 0) < self._enough:
                return None
            return max(LEAST_SECONDS * scale, 2 * self._longest.get(wait, 0.0))

    def came(self, wait: Hashable, seconds: float) -> None:
        """It came, after so many seconds."""
        with self._lock:
            self._longest[wait] = max(seconds, self._longest.get(wait, 0.0))

    def missed(self, wait: Hashable) -> None:
        """It did not come until its deadline."""
        with self._lock:
            self._missed[wait] = self._missed.get(wait, 0) + 1

    def accepted(self) -> None:
        """A good handshake was accepted."""
        with self._lock:
            self.any_accepted = True
            self._refusals = 0

    def refused(self) -> None:
        """A good handshake was refused for load, for as long as is granted."""
        with self._lock:
            self._refusals += 1

    def flooded(self, detail: Phrase | None) -> None:
        """A scenario is over; `detail`: a flood ended it."""
        with self._lock:
            self._floods = self._floods + 1 if detail is not None else 0
            if self._floods == FLOODS:
                self._flood = detail

    @property
    def given_up(self) -> Phrase | None:
        """Why no more scenarios are played; None: they are."""
        if self._flood is not None:
            return phrase("floods", count=FLOODS, flood=self._flood)
        if self._refusals >= ENOUGH:
            return phrase("overloaded")
        return None


def not_waited_for() -> Phrase:
    """The reason of a scenario that was left undecided."""
    return phrase("not-waited-for", count=ENOUGH)
