"""When virtual users post, and when they reconnect."""

import math
from random import Random

from contract.choices import Reconnect
from loadtest.settings.settings import LoadSettings


class Schedule:
    """`begin` and `end` of posting (monotonic), and the current `period` between two posts of a user, in seconds."""

    def __init__(self, settings: LoadSettings) -> None:
        self._settings = settings
        self.begin = 0.0
        self.end = math.inf
        self.update(0.0)

    def start(self, t: float) -> None:
        """Start the load at this time."""
        self.begin = t
        self.end = t + self._settings.whole_duration

    def update(self, t: float) -> None:
        """Set the period that the stages ask for at this time."""
        self.period = 1 / self._settings.rate_at(t - self.begin)

    def stop(self, t: float) -> None:
        """End posting at this time, unless it ended before."""
        self.end = min(self.end, t)


def backoff(reconnect: Reconnect, failures: int, random: Random) -> float:
    """Seconds until the next attempt (CLIENT-05); bounded before it is raised: a float would overflow."""
    delay = min(reconnect.base * reconnect.factor ** min(max(failures - 1, 0), 32), reconnect.cap)
    return random.uniform(0, delay) if reconnect.jitter == "full" else delay
