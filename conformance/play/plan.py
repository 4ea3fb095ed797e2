"""What a run is made of: the endpoint, the contract and the profile, and which channels a scenario gets."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field

from conformance.language.values import InconclusiveError, new_nonce
from conformance.transport.bounds import Bounds
from conformance.transport.target import Target
from contract.findings import phrase
from contract.model import Contract
from contract.profile import Profile
from contract.requirements import Requirement

DEFAULT_JOBS = 16

WAITING_SHARE, WAITING_MOST = 3, 48
"""Scenarios that only wait let others begin: up to so many times the jobs, and so many scenarios."""


def most_at_once(jobs: int) -> int:
    """How many scenarios play at once, with those that only wait."""
    return jobs if jobs == 1 else max(jobs, min(jobs * WAITING_SHARE, WAITING_MOST))


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is made of.

    `time_scale` stretches every deadline. `rounds` is how often a scenario is played, until it fails; those that wait
    for a heartbeat, and the long ones, are played once. `at_once`: as many scenarios as the file descriptors are enough
    for, those that only wait included; None: any number.
    """

    target: Target
    contract: Contract
    profile: Profile
    requirements: Mapping[str, Requirement]
    jobs: int = DEFAULT_JOBS
    time_scale: float = 1.0
    rounds: int = 1
    bounds: Bounds = field(default_factory=Bounds)
    at_once: int | None = None


class Channels:
    """Gives every name of a scenario a channel: one of its own where the endpoint lets users create them."""

    def __init__(self, profile: Profile, offset: int) -> None:
        self._profile = profile
        self._given: dict[str, str] = {}
        self._offset = offset
        self._next = itertools.count(offset)

    def __call__(self, name: str) -> str:
        """The channel for `${channel.name}`."""
        if name not in self._given:
            self._given[name] = self._choose(name)
        return self._given[name]

    def _choose(self, name: str) -> str:
        channels = self._profile.channels
        if name == "private":
            return str(channels.private)
        if name == "missing":
            return str(channels.missing).replace("{nonce}", new_nonce())
        if isinstance(channels.open, str):
            return channels.open.replace("{nonce}", new_nonce())
        number = next(self._next)
        if number - self._offset >= len(channels.open):
            # Two names of a scenario for one channel would be a fault of ours.
            raise InconclusiveError(phrase("no-other-channel", count=len(channels.open)))
        return channels.open[number % len(channels.open)]
