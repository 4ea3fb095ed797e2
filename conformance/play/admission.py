"""Slows handshakes down for an endpoint that says it is overloaded, and only then.

An edge in front of a server may shed load: 429, 502, 503, 504, or any refusal with `Retry-After`. Such an answer says
nothing about the token, so the handshake is tried again: such an answer doubles the time between two handshakes of the
whole run, once for all that were on their way; each accepted one shortens it a little. Good handshakes that are still
refused after `GOOD_SECONDS`, one at a time, are refused.
"""

import threading

from conformance.transport.exchange import Refused

FIRST_SECONDS, MOST_SECONDS = 0.05, 1.0
"""Seconds between two handshakes, after the first such answer, and at the most."""

ON_THEIR_WAY = 0.5
"""Seconds in which further such answers belong to handshakes that began before the time was doubled."""

SHORTER, NONE_SECONDS = 0.98, 0.002
"""What an accepted handshake makes of the time, and from when on there is none."""

MOST_RETRY_AFTER = 2.0
"""Seconds of a `Retry-After` that are heeded."""

GOOD_SECONDS = 10.0
"""Seconds after which a good handshake that is refused for load counts as refused."""

BAD_ATTEMPTS = 3
"""How often a handshake that must be refused is tried, where the answer speaks of load."""

OVERLOADED = (429, 502, 503, 504)


def retry_after(refused: Refused | None) -> float | None:
    """Seconds to wait before the next attempt, where an answer speaks of load; None where it does not."""
    if refused is None or refused.status is None or refused.status < 400:
        return None
    header = next((value for name, value in refused.headers if name.lower() == "retry-after"), None)
    if refused.status not in OVERLOADED and header is None:
        return None
    seconds = float(header) if header is not None and header.strip().isdecimal() and len(header) < 9 else 0.0
    return min(seconds, MOST_RETRY_AFTER)


class Admission:
    """When the next handshake of the run may begin. Every method may be called from any thread; times in seconds."""

    def __init__(self) -> None:
        self._interval = 0.0
        self._next = 0.0
        self._slowed = float("-inf")
        self._lock = threading.Lock()

    def turn(self, now: float) -> float:
        """Take the next turn: the time at which a handshake may begin."""
        with self._lock:
            if not self._interval:
                return now
            at = max(now, self._next)
            self._next = at + self._interval
            return at

    def overloaded(self, now: float, seconds: float) -> None:
        """An answer spoke of load, and asked for so many seconds."""
        with self._lock:
            if now - self._slowed < ON_THEIR_WAY:
                return
            self._slowed = now
            self._interval = min(max(2 * self._interval, FIRST_SECONDS), MOST_SECONDS)
            self._next = max(self._next, now + max(seconds, self._interval))

    def accepted(self) -> None:
        """A handshake was accepted."""
        with self._lock:
            self._interval = SHORTER * self._interval if self._interval > NONE_SECONDS else 0.0
