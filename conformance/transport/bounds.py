"""What is taken from a peer, at the most: per actor, per scenario, and in all scenarios that play at once."""

import threading
from dataclasses import dataclass

from conformance.transport.exchange import CloseReceived, Control, Happening, Opened, Received, Refused

MEBIBYTE = 1_048_576

FRAME_WEIGHT = 300
MESSAGE_WEIGHT = 600
"""Bytes that a frame, and that a message beside its text, takes while it is handled and kept."""

_VALUE_WEIGHTS = ((b"{", 240), (b"[", 96), (b",", 40), (b":", 40), (b'"', 30))
"""Bytes that a parsed JSON value takes for each of these: an empty object takes a hundred times its text."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one actor takes from a peer: bytes of one message, bytes in all, messages and frames in all."""

    message_bytes: int = MEBIBYTE
    total_bytes: int = 16 * MEBIBYTE
    happenings: int = 50_000


def weight(happening: Happening) -> int:
    """Bytes of memory that a happening takes while its scenario plays: an estimate that is rather too high."""
    match happening:
        case Received(data=data):
            # Text and value, four bytes a character where there is an astral one, perhaps as an escape.
            width = 3 if data.isascii() and b"\\u" not in data else 8
            return MESSAGE_WEIGHT + width * len(data) + sum(cost * data.count(mark) for mark, cost in _VALUE_WEIGHTS)
        case Control(data=data):
            return 2 * FRAME_WEIGHT + 3 * len(data)
        case Opened(headers=headers) | Refused(headers=headers):
            body = len(happening.body) if isinstance(happening, Refused) else 0
            return MESSAGE_WEIGHT + 2 * body + sum(100 + 2 * len(name) + 2 * len(value) for name, value in headers)
        case CloseReceived():
            return MESSAGE_WEIGHT
        case _:
            return 0


class Memory:
    """The memory that all scenarios of a run may fill at once with what a peer sends.

    Each has a share of its own, and what it needs beyond comes from a reserve that all share. So a flood cannot
    fill the machine, and a busy but honest endpoint has much room. Once the reserve was not enough, it is a flood,
    and no more is given out.
    """

    def __init__(self, jobs: int, own: int = 4 * MEBIBYTE, reserve: int = 32 * MEBIBYTE) -> None:
        self._own = max(min(own, 16 * own // jobs), MEBIBYTE)
        self._reserve = reserve
        self._lock = threading.Lock()

    def share(self) -> "Share":
        """A scenario's part of it; to be given back when the scenario is over."""
        return Share(self, self._own)

    def draw(self, amount: int) -> bool:
        """Take from the reserve; False where it has not so much left."""
        with self._lock:
            if amount > self._reserve:
                self._reserve = -1
            if self._reserve < 0:
                return False
            self._reserve -= amount
            return True

    def refill(self, amount: int) -> None:
        """Give back to the reserve."""
        with self._lock:
            if self._reserve >= 0:
                self._reserve += amount


class Share:
    """What one scenario may still take."""

    def __init__(self, memory: Memory, own: int) -> None:
        self._memory = memory
        self._left = own
        self._drawn = 0

    def take(self, amount: int) -> bool:
        """Account for something that was received; False where it is too much."""
        own = min(amount, self._left)
        self._left -= own
        if own == amount:
            return True
        if not self._memory.draw(amount - own):
            return False
        self._drawn += amount - own
        return True

    def give_back(self) -> None:
        """The scenario is over."""
        self._memory.refill(self._drawn)
        self._drawn = 0
