"""The file that Locust runs: `locust -f loadtest/locustfile.py`, with the settings' file in the environment."""

import itertools
import os
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import gevent
from conformance.engine import Outcome, play
from conformance.scenario import Scenario
from conformance.stage import Setting
from conformance.transport import StoppedError, Target, Transport, resolve
from conformance.values import new_nonce
from contract.model import Contract, load_contract
from contract.profile import Profile, load_profile
from contract.profile import User as ProfileUser
from loadtest.document import load_document
from loadtest.observer import Observer, Posts
from loadtest.recorder import Recorder
from loadtest.settings import SETTINGS_VARIABLE, LoadSettings, load_journeys, read_settings
from locust import User, constant, events, task
from locust.env import Environment

RETRY_SECONDS = 1.0
"""A user whose journey failed waits so long, so that a dead server is not stormed."""


class World:
    """What all users of this process share."""

    def __init__(self, settings: LoadSettings) -> None:
        self.settings = settings
        self.profile: Profile = load_profile(
            Path(settings.profile) if settings.profile else None, settings.overrides
        )
        self.contract: Contract = load_contract(None, self.profile.limits)
        tls = self.profile.tls
        self.target: Target = resolve(settings.endpoint, verify=tls.verify, ca=tls.ca)
        self.journeys = {one.id: one for one in load_journeys()}
        self.started = datetime.now(UTC)
        self.recorder = Recorder(time.monotonic(), _fire)
        self.posts = Posts()
        self.numbers = itertools.count(1)
        self.playing: set[Transport] = set()
        self.stopping = False
        self.run_nonce = new_nonce()

    def channel(self, number: int, name: str) -> str:
        """The channel that a user's `${channel.name}` stands for: users share a few."""
        opened = self.profile.channels.open
        index = number % self.settings.channels
        if isinstance(opened, str):
            return opened.replace("{nonce}", f"{self.run_nonce}-{name}-{index}")
        return opened[index % len(opened)]

    def user_profile(self, number: int) -> Profile:
        """The profile of the n-th user, with a token of its own where the endpoint has such."""
        load = self.profile.tokens.load
        if load is not None:
            user = ProfileUser("alice", load.replace("{n}", str(number)))
        else:
            users = list(self.profile.users.values())
            user = replace(users[number % len(users)], key="alice")
        return replace(self.profile, users={"alice": user})


def _fire(metric: str, seconds: float, error: str | None) -> None:
    events.request.fire(
        request_type="WS",
        name=metric,
        response_time=seconds * 1000,
        response_length=0,
        exception=RuntimeError(error) if error is not None else None,
        context={},
    )


WORLD = World(read_settings(Path(os.environ[SETTINGS_VARIABLE])))


class JourneyUser(User):  # type: ignore[misc]  # locust is untyped
    """A virtual user: it plays its journey again and again."""

    abstract = True
    wait_time = constant(0)
    journey: Scenario

    def on_start(self) -> None:
        """Take a number, and with it a token and a channel."""
        number = next(WORLD.numbers)
        self.observer = Observer(WORLD.contract, WORLD.recorder, WORLD.posts)
        self.setting = Setting(
            WORLD.contract,
            WORLD.user_profile(number),
            lambda name: WORLD.channel(number, name),
            target=WORLD.target.path,
            observer=self.observer,
            think_time=WORLD.settings.think_time,
        )

    @task  # type: ignore[untyped-decorator]
    def play(self) -> None:
        """One journey."""
        if WORLD.stopping:
            gevent.sleep(RETRY_SECONDS)
            return
        transport = Transport(WORLD.target)
        WORLD.playing.add(transport)
        try:
            self._judge(transport.run(play(self.journey, self.setting)))
        except StoppedError:
            WORLD.recorder.closed(1000, time.monotonic())
        finally:
            WORLD.playing.discard(transport)

    def _judge(self, outcome: Outcome) -> None:
        now = time.monotonic()
        for failure in outcome.failures:
            requirement = " ".join(failure.charge.requirements)
            received = f" ({failure.received})" if failure.received and len(failure.received) < 80 else ""
            WORLD.recorder.failed(f"{requirement}: {failure.message}{received}".lstrip(": "), now)
        if outcome.ending in ("error", "inconclusive"):
            WORLD.recorder.failed(str(outcome.reason), now)
        if outcome.ending != "finished" and not WORLD.stopping:
            gevent.sleep(RETRY_SECONDS)


for _name, _weight in WORLD.settings.journeys.items():
    _class = f"{_name.capitalize()}User"
    _members: dict[str, Any] = {"journey": WORLD.journeys[_name], "weight": _weight, "__module__": __name__}
    globals()[_class] = type(_class, (JourneyUser,), _members)


@events.test_start.add_listener  # type: ignore[untyped-decorator]
def begin(environment: Environment, **_: Any) -> None:
    """Start the clock, and sample the users every second."""
    WORLD.recorder.started = time.monotonic()
    WORLD.started = datetime.now(UTC)

    def sample() -> None:
        while not WORLD.stopping and environment.runner is not None:
            WORLD.recorder.sample(environment.runner.user_count, time.monotonic())
            gevent.sleep(0.5)

    gevent.spawn(sample)


@events.test_stopping.add_listener  # type: ignore[untyped-decorator]
def end(environment: Environment, **_: Any) -> None:
    """Let every user close its connection."""
    WORLD.stopping = True
    for transport in tuple(WORLD.playing):
        transport.stop()


@events.quitting.add_listener  # type: ignore[untyped-decorator]
def write(environment: Environment, **_: Any) -> None:
    """Write the load document, whatever has happened."""
    load_document(WORLD.settings, WORLD.contract, WORLD.recorder, WORLD.started)
