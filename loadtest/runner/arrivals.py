"""When users begin: evenly, and not in the batches in which Locust starts them.

Locust starts a second's users at once. If they all connected then, the time that a handshake takes would be the time
that it waits for its turn in the generator. So whatever is started at once begins spread over the second that follows,
in no particular order, and each of several processes has its share of every gap. A batch that is smaller than the one
before it does not slow down: the last users of a ramp come as fast as the others.
"""

import time
from collections import deque
from collections.abc import Callable
from math import inf
from random import Random

from loadtest.users.reactor import Reactor

Begin = Callable[[float], None]
"""Lets a user begin, and tells when it should have begun: in seconds, monotonic."""

BATCH_SECONDS = 1.0
"""How long a batch takes to begin: the next one comes after that."""

EARLY_SECONDS = 0.002
"""Who is due so soon begins at once: a turn of the loop for each user would cost as much as half of a handshake."""

TURN_SECONDS = 0.005
"""After so long, others have their turn before the next user begins."""


class Arrivals:
    """The users of one process who have yet to begin. `share`: its place among the processes that play, from 0 to 1."""

    def __init__(
        self, reactor: Reactor, random: Random, share: float = 0.0, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._reactor = reactor
        self._now = now
        self._random = random
        self._share = share
        self._batch: list[Begin] = []
        self._due: deque[tuple[float, Begin]] = deque()
        self._rings = False
        self._end = 0.0
        self._gap = inf

    def add(self, begin: Begin) -> None:
        """Let a user begin together with all others that are added before the loop has its next turn."""
        if not self._batch:
            self._reactor.later(0, self._spread)
        self._batch.append(begin)

    def _spread(self) -> None:
        """Give everybody of the batch a time."""
        now, batch, self._batch = self._now(), self._batch, []
        self._random.shuffle(batch)
        if now - self._end > BATCH_SECONDS:
            self._gap = inf
        since = max(now, self._end)
        self._gap = min(max(now + BATCH_SECONDS - since, 0.0) / len(batch), self._gap)
        first = since + self._gap * self._share
        self._due.extend((first + number * self._gap, begin) for number, begin in enumerate(batch))
        self._end = since + len(batch) * self._gap
        if not self._rings:
            self._ring()

    def _ring(self) -> None:
        """Let begin who is due."""
        self._rings = False
        due, now = self._due, self._now()
        until = now + TURN_SECONDS
        while due and due[0][0] <= now + EARLY_SECONDS:
            moment, begin = due.popleft()
            begin(moment)
            now = self._now()
            if now >= until:
                break
        if due:
            self._rings = True
            self._reactor.later(max(due[0][0] - now, 0.0), self._ring)
