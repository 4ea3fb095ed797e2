"""How far a worker's clock is from the master's: by asking for its time, and bounding the error by the way there."""

from collections.abc import Iterable
from dataclasses import dataclass

DRIFT = 2e-4
"""Seconds by which two clocks may move apart in a second; quartz is far better."""

UNKNOWN_ERROR = 3600.0
"""Where nobody answered: nothing that depends on two clocks can be said."""


@dataclass(frozen=True, slots=True)
class ClockReading:
    """Asked at `asked`, answered by `read` on the other clock, received at `heard`; all in seconds."""

    asked: float
    read: float
    heard: float


@dataclass(frozen=True, slots=True)
class ClockShift:
    """What to add to the own clock to have the other one's, and by how much that may be wrong: seconds."""

    shift: float
    error: float


def best_reading(readings: Iterable[ClockReading], now: float) -> ClockShift:
    """The shift that is known best at the time `now` of the own clock."""
    found = [
        ClockShift(
            one.read - (one.asked + one.heard) / 2,
            (one.heard - one.asked) / 2 + DRIFT * (now - one.heard),
        )
        for one in readings
    ]
    return min(found, key=lambda one: one.error, default=ClockShift(0.0, UNKNOWN_ERROR))
