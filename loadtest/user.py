"""The virtual user: a Locust user that plays its journey again and again until the run is over."""

import random
import time

from locust import User, task
from locust.exception import StopUser

from conformance.engine import Outcome, play
from conformance.scenario import Scenario
from conformance.transport import Transport
from loadtest.leaving import Leaving
from loadtest.observer import Observer, describe
from loadtest.world import BOUNDS, World, expects_own_only


class JourneyUser(User):
    """Plays `journey` in `world`; a subclass names both."""

    abstract = True
    world: World
    journey: Scenario

    def on_start(self) -> None:
        """Take a number, and with it a token and a channel."""
        self.setting = self.world.setting(self.journey)
        self.own_only = expects_own_only(self.journey, self.world.contract)
        self.failures = 0

    def wait_time(self) -> float:
        """Seconds until the next play: none after a good one; else a client's backoff (CLIENT-05)."""
        if not self.failures:
            return 0.0
        reconnect = self.world.profile.reconnect
        # Bounded before it is raised: a float of factor ** 5000 overflows.
        delay = min(reconnect.base * reconnect.factor ** min(self.failures - 1, 32), reconnect.cap)
        return random.uniform(delay / 2, delay)

    @task
    def play(self) -> None:
        """One journey."""
        world, observer = self.world, self.setting.observer
        if world.clock.over(time.monotonic()):
            raise StopUser
        assert isinstance(observer, Observer)
        leaving = Leaving(observer, world.clock, world.closing_seconds, own_only=self.own_only)
        outcome = Transport(world.target, BOUNDS).run(leaving.escort(play(self.journey, self.setting)))
        if outcome is None:
            raise StopUser
        self._judge(outcome)

    def _judge(self, outcome: Outcome) -> None:
        now = time.monotonic()
        for failure in outcome.failures:
            self.world.recorder.failed(describe(failure), now)
        if outcome.ending in ("error", "inconclusive"):
            self.world.recorder.failed(str(outcome.reason), now)
        self.failures = 0 if outcome.ending == "finished" else self.failures + 1
