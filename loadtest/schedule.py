"""When virtual users post, and when they connect again."""

import math
from random import Random

from contract.profile import Reconnect
from loadtest.settings import LoadSettings


class Schedule:
    """`begin` and `end` of posting, and the `period` between two posts of a user, which stages change.

    All in seconds; times are monotonic.
    """

    def __init__(self, settings: LoadSettings) -> None:
        self._settings = settings
        self.begin = 0.0
        self.end = math.inf
        self.update(0.0)

    def start(self, t: float) -> None:
        """The load starts at this time."""
        self.begin = t
        self.end = t + self._settings.whole_duration

    def update(self, t: float) -> None:
        """Keep up with the stages."""
        self.period = 1 / self._settings.rate_at(t - self.begin)

    def stop(self, t: float) -> None:
        """Nobody posts after this time."""
        self.end = min(self.end, t)


def backoff(reconnect: Reconnect, failures: int, random: Random) -> float:
    """Seconds until the next attempt (CLIENT-05); bounded before it is raised: a float would overflow."""
    delay = min(reconnect.base * reconnect.factor ** min(max(failures - 1, 0), 32), reconnect.cap)
    return random.uniform(0, delay) if reconnect.jitter == "full" else delay
