"""The server's side of the heartbeat (HB-01, HB-03 to HB-05). Sans-I/O: the clock is an argument."""

from math import inf
from typing import Literal

from contract.choices import Heartbeat as HeartbeatRules


class Heartbeat:
    """Says when a ping is due, and when the client has been silent for too long."""

    __slots__ = ("_interval", "_next_ping", "_oldest_unanswered", "_timeout")

    def __init__(self, rules: HeartbeatRules, now: float) -> None:
        self._interval = rules.interval
        self._timeout = rules.timeout
        self._next_ping = now + rules.interval if rules.form != "none" else inf
        self._oldest_unanswered = inf

    @property
    def deadline(self) -> float:
        """When `due` has something to say next."""
        return min(self._next_ping, self._oldest_unanswered + self._timeout)

    def answered(self) -> None:
        """Any pong answers every ping before it; one that nothing asked for changes nothing (HB-05)."""
        self._oldest_unanswered = inf

    def due(self, now: float) -> Literal["ping", "timeout"] | None:
        """What is to be done now. A returned ping counts as sent."""
        if now >= self._oldest_unanswered + self._timeout:
            return "timeout"
        if now < self._next_ping:
            return None
        self._oldest_unanswered = min(self._oldest_unanswered, now)
        # The grid stays where it is, so that late wake-ups do not add up (HB-01); what was slept through is left out.
        missed = (now - self._next_ping) // self._interval
        self._next_ping += self._interval * (missed + 1)
        return "ping"
