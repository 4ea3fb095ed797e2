"""What a run is made of: the endpoint, the contract and the profile, and which channels a scenario gets."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field

from conformance.bounds import Bounds
from conformance.transport import Target
from conformance.values import InconclusiveError, new_nonce
from contract.findings import phrase
from contract.model import Contract
from contract.profile import Profile
from contract.requirements import Requirement

DEFAULT_JOBS = 16


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is made of.

    `time_scale` stretches every deadline. `rounds` is how often a scenario is played, until it fails; those that wait
    for a heartbeat, and the long ones, are played once.
    """

    target: Target
    contract: Contract
    profile: Profile
    requirements: Mapping[str, Requirement]
    jobs: int = DEFAULT_JOBS
    time_scale: float = 1.0
    rounds: int = 1
    bounds: Bounds = field(default_factory=Bounds)


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
