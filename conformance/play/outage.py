"""Sees when an endpoint dies, or ends everybody's connection, while many scenarios play.

A server that ends on one message takes the connections of all others with it, and they would be charged with it. The
signs: a connection is refused by TCP (`stopped`), or every connection on which nothing unusual was sent ends at once
(`dropped`). Then nothing new is played; what was playing is played again later. Once the endpoint is back, the
scenarios that had sent something last are played again, one after the other, beside a witness: an idle connection. The
one that ends the witness, or the endpoint, is the culprit: its requirement fails, and the rest is decided without it.
Where the endpoint stays away, nobody can be convicted, and they are suspected. `conformance.run.run` does the playing.
"""

import threading
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from contract.findings import Phrase, few, phrase

MOMENT = 0.3
"""Seconds within which connections that end, end at once."""

RECENT = 1.0
"""Seconds before an outage in which its culprit must have sent something."""

CROWD = 3
"""Scenarios whose connections must end at once."""

PHANTOMS = 1
"""How often connections may seem to end at once without any culprit before that is no sign any more."""

MOST_OUTAGES = 3
"""After so many no more is played."""

CANDIDATES = 24
"""Scenarios that are played again in search of a culprit, at the most."""

SHOWN = 5
"""Suspected scenarios that are named."""

Kind = Literal["stopped", "dropped"]


@dataclass(frozen=True, slots=True)
class Outage:
    """The endpoint stopped accepting connections, or ended all of them, `at` seconds after the run began.

    `back_after` in seconds, None: it did not come back. `culprit` is the scenario that did it again, alone;
    `suspected` are those that had sent something last, where none did.
    """

    at: float
    kind: Kind
    playing: tuple[str, ...]
    back_after: float | None = None
    culprit: str | None = None
    suspected: tuple[str, ...] = ()

    @property
    def reason(self) -> Phrase | None:
        """Why the run does not pass; None where the culprit's requirement fails."""
        if self.culprit is not None:
            return None
        return phrase("stayed-away" if self.back_after is None else "stopped-without-cause", at=self.at)

    @property
    def message(self) -> Phrase:
        """What happened, in one sentence."""
        if self.kind == "dropped":
            return phrase("outage-dropped", at=self.at, culprit=str(self.culprit))
        playing = few(self.playing, 3)
        if self.back_after is None:
            return phrase("outage-away", at=self.at, playing=playing, number=len(self.playing))
        if self.culprit is not None:
            return phrase("outage-solved", at=self.at, back=self.back_after, culprit=self.culprit)
        return phrase("outage-unsolved", at=self.at, back=self.back_after, playing=playing, number=len(self.playing))


@dataclass(frozen=True, slots=True)
class Trip:
    """A sign of an outage, on the transport's clock, with the scenarios that had sent something by then, the last one
    first, and those that were playing. `since` is when the first connection ended that belongs to it."""

    kind: Kind
    since: float
    at: float
    senders: tuple[str, ...]
    playing: tuple[str, ...]


class Watch:
    """What the contexts of all scenarios tell of their connections. Every method may be called from any thread."""

    def __init__(self) -> None:
        self.trip: Trip | None = None
        self._open: dict[tuple[str, int], float] = {}
        self._ends: list[tuple[float, str]] = []
        self._sent: dict[str, float] = {}
        self._playing: set[str] = set()
        self._signs: list[float] = []
        self._phantoms = 0
        self._lock = threading.Lock()

    def began(self, scenario: str) -> None:
        """A scenario is being played."""
        with self._lock:
            self._playing.add(scenario)

    def over(self, scenario: str) -> None:
        """It is over, and so are its connections."""
        with self._lock:
            self._playing.discard(scenario)
            for key in [key for key in self._open if key[0] == scenario]:
                del self._open[key]

    def opened(self, scenario: str, connection: int, t: float) -> None:
        """A connection is being opened with a good token."""
        with self._lock:
            self._open[scenario, connection] = t

    def unusual(self, scenario: str, connection: int) -> None:
        """Something happened for which a server may end this connection, or we did: its end is no sign."""
        with self._lock:
            self._open.pop((scenario, connection), None)

    def sent(self, scenario: str, t: float) -> None:
        """Something was sent."""
        with self._lock:
            self._sent[scenario] = t

    def ended(self, scenario: str, connection: int, t: float) -> None:
        """The endpoint ended a connection, or lost it before its handshake was answered."""
        with self._lock:
            if self._open.pop((scenario, connection), None) is None:
                return
            self._ends = [*(one for one in self._ends if t - one[0] <= MOMENT), (t, scenario)]
            first = min(at for at, _ in self._ends)
            crowd = len({name for _, name in self._ends}) >= CROWD
            # One that is younger may not have been known to the endpoint yet.
            survivor = any(opened < first - MOMENT for opened in self._open.values())
            if crowd and not survivor and self._phantoms < PHANTOMS:
                self._signal("dropped", first, t)

    def alive(self, t: float) -> None:
        """Something came from the endpoint, on whichever connection."""
        self._signs.append(t)

    def stood_still(self, start: float, end: float) -> bool:
        """Whether nothing came on any connection for half of this time or longer: it, or all around it, stood still."""
        signs = [start, *(t for t in list(self._signs) if start < t < end), end]
        return max(after - before for before, after in pairwise(sorted(signs))) >= (end - start) / 2

    def refused(self, t: float) -> None:
        """TCP refused a connection: nobody listens."""
        with self._lock:
            near = [at for at, _ in self._ends if t - at <= RECENT]
            self._signal("stopped", min(near, default=t), t)

    def _signal(self, kind: Kind, since: float, at: float) -> None:
        # That nobody listens says more than that connections end.
        if self.trip is not None and (self.trip.kind == "stopped" or kind == "dropped"):
            return
        recent = {name: t for name, t in self._sent.items() if at - RECENT < t <= at + MOMENT}
        # What was sent after the first end cannot have caused it.
        senders = sorted(recent, key=lambda name: (recent[name] > since, -recent[name]))
        self.trip = Trip(kind, since, at, tuple(senders[:CANDIDATES]), tuple(sorted(self._playing)))

    def reset(self, *, phantom: bool = False) -> None:
        """The outage is over; `phantom`: there was none."""
        with self._lock:
            self.trip = None
            self._ends.clear()
            self._open.clear()
            self._sent.clear()
            self._phantoms += phantom


def outage(trip: Trip, run_started: float, candidates: tuple[str, ...]) -> Outage:
    """What is known of an outage at once; the likeliest candidate comes first."""
    return Outage(max(trip.since - run_started, 0.0), trip.kind, trip.playing, suspected=candidates[:SHOWN])


def solved(known: Outage, culprit: str) -> Outage:
    """The same with its culprit."""
    return replace(known, culprit=culprit, suspected=())
