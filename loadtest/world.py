"""What all virtual users of a process share: the endpoint, who they are, where they post, and until when."""

import itertools
import json
import math
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from conformance.bounds import Bounds
from conformance.scenario import Alternative, Expect, Expectation, ExpectNothing, ExpectOne, Scenario
from conformance.stage import Setting
from conformance.transport import Target, resolve
from conformance.values import new_nonce
from contract.model import Contract, load_contract
from contract.profile import Profile, load_profile
from contract.profile import User as ProfileUser
from loadtest.document import Ending, load_document, write_document
from loadtest.observer import Observer, Posts
from loadtest.recorder import Fired, Recorder
from loadtest.settings import LoadError, LoadSettings, load_journeys

ANY_AMOUNT = 2**62

BOUNDS = Bounds(total_bytes=ANY_AMOUNT, happenings=ANY_AMOUNT)
"""A connection under load receives for hours what many others post; one message is bounded all the same."""

MAX_CLOSING_SECONDS = 5.0
"""How long a user waits for the end of its connection when the run is over."""

CUT_OFF_TOLERANCE = 0.5
"""Seconds by which Locust's clock, which ends the run, may be ahead of ours."""


@dataclass(slots=True)
class Clock:
    """When the run is over: at `end` (seconds, monotonic), or earlier where `stopped` says so."""

    end: float = math.inf
    stopped: bool = False

    def over(self, t: float) -> bool:
        """Whether users are to leave by now."""
        return self.stopped or t >= self.end


class Crew:
    """Gives virtual users their numbers, from 1, and with them tokens and channels."""

    def __init__(self, profile: Profile, channels: int) -> None:
        self.profile = profile
        self.channels = channels
        self.nonce = new_nonce()
        self._numbers = itertools.count(1)

    def number(self) -> int:
        """The next user's number."""
        return next(self._numbers)

    def profile_of(self, number: int, journey: Scenario) -> Profile:
        """The profile as one virtual user has it: its own token stands for each user that the journey names.

        The token comes from `tokens.load` where the endpoint has such, and from its users in turn otherwise.
        """
        names = sorted({actor.user for actor in journey.actors})
        users = {name: self._user(name, (number - 1) * len(names) + index) for index, name in enumerate(names)}
        return replace(self.profile, users=users)

    def _user(self, name: str, index: int) -> ProfileUser:
        pattern = self.profile.tokens.load
        if pattern is not None:
            return ProfileUser(name, pattern.replace("{n}", str(index + 1)))
        users = list(self.profile.users.values())
        return replace(users[index % len(users)], key=name)

    def channel(self, number: int, name: str) -> str:
        """The channel that `${channel.name}` stands for in one user's journey: users share a few."""
        index = number % self.channels
        opened = self.profile.channels.open
        if isinstance(opened, str):
            return opened.replace("{nonce}", f"{self.nonce}-{name}-{index}")
        return opened[index % len(opened)]


def expects_own_only(journey: Scenario, contract: Contract) -> bool:
    """Whether every delivery that a journey waits for is told by a nonce, and so is the journey's own post."""
    event = contract.delivery.delivery["event"] if contract.delivery is not None else None
    expected: list[Expectation | Alternative | ExpectNothing] = []
    for step in journey.steps:
        match step.deed:
            case Expect(of=several):
                expected += several
            case ExpectOne(of=alternatives):
                expected += [one for one in alternatives if one.event is not None or one.match is not None]
            case ExpectNothing() as nothing:
                expected.append(nothing)
            case _:
                pass
    return all("${nonce." in json.dumps(one.match) for one in expected if one.event in (None, event))


def check_profile(profile: Profile) -> None:
    """Raise `LoadError` where the profile offers virtual users no token, or no channel."""
    if profile.tokens.load is None and not profile.users:
        raise LoadError("the profile offers neither tokens.load nor users; virtual users need tokens")
    if not profile.channels.open:
        raise LoadError("the profile's channels.open lists no channel; virtual users need one")


def read_profile(settings: LoadSettings) -> Profile:
    """The profile that the settings name. Raises `ContractError`, and `LoadError` as `check_profile` does."""
    profile = load_profile(Path(settings.profile) if settings.profile else None, settings.overrides)
    check_profile(profile)
    return profile


class World:
    """The load test in one process. Raises as `read_profile` and `resolve` do."""

    def __init__(self, settings: LoadSettings, fired: Fired | None = None) -> None:
        self.settings = settings
        self.profile: Profile = read_profile(settings)
        self.contract: Contract = load_contract(None, self.profile.limits)
        self.target: Target = resolve(settings.endpoint, verify=self.profile.tls.verify, ca=self.profile.tls.ca)
        self.journeys = {one.id: one for one in load_journeys()}
        self.crew = Crew(self.profile, settings.channels)
        self.closing_seconds = min(self.profile.response_timeout, MAX_CLOSING_SECONDS)
        self.posts = Posts()
        self.clock = Clock()
        self.complete = False
        self.started = datetime.now(UTC)
        self.recorder = Recorder(time.monotonic(), settings.duration, fired)

    def begin(self) -> None:
        """The load starts now."""
        now = time.monotonic()
        self.started = datetime.now(UTC)
        self.recorder.begin(now)
        self.clock.end = now + self.settings.duration

    def stop(self) -> None:
        """Every user is to leave; before the time is up, the run counts as cut off."""
        if not self.clock.stopped:
            self.complete = time.monotonic() >= self.clock.end - CUT_OFF_TOLERANCE
            self.clock.stopped = True

    def setting(self, journey: Scenario) -> Setting:
        """What the next virtual user plays its journey with."""
        number = self.crew.number()
        profile = self.crew.profile_of(number, journey)
        return Setting(
            self.contract,
            profile,
            lambda name: self.crew.channel(number, name),
            target=self.target.path,
            observer=Observer(self.contract, self.recorder, self.posts, profile.secrets()),
            think_time=self.settings.think_time,
        )

    def write_document(self) -> None:
        """Write what was measured, to the settings' `document`."""
        now = time.monotonic()
        ending = Ending(self.started, now - self.recorder.started, self.complete)
        measured = self.recorder.document(now)
        write_document(Path(self.settings.document), load_document(self.settings, self.contract, ending, measured))
