"""What a load test is started with; the parent writes it to a file, and its processes read it."""

import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any, Literal

from conformance.language.loading import JOURNEYS, load_scenarios, read_scenarios
from conformance.language.scenario import Scenario
from contract.errors import ContractError
from contract.folder import DEFAULT, ContractFolder, find_contract
from contract.model import Contract
from loadtest.settings.default_journeys import default_journeys

SETTINGS_VARIABLE = "WSPROOF_LOAD_SETTINGS"
"""The environment variable with the settings file's path."""

WORKER_VARIABLE = "WSPROOF_LOAD_WORKER"
"""The environment variable with the path of what a worker has of its own: its profile."""


WAIT_SECONDS = 60.0
"""How long a master waits for workers of other machines, and a worker for a master that does not answer."""


TICK_SECONDS = 1.0
"""How often the number of users follows the stages."""

AT_ONCE = 1000.0
"""Users per second that come where the stages ask for them."""


class LoadError(Exception):
    """A setting of the load test is not what it should be."""


class EndedError(LoadError):
    """A run that did not end as it should, or whose document cannot be written; `document` has what was measured."""

    def __init__(self, message: str, document: Mapping[str, Any]) -> None:
        self.document = document
        super().__init__(message)


class AbsenceError(Exception):
    """The other side of a load test did not come, or is gone: a worker's master, a master's workers."""


@dataclass(frozen=True, slots=True)
class Stage:
    """So many users, and posts per second of each, are reached in a straight line by the end of `seconds`."""

    users: int
    seconds: float
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class TokenSource:
    """Where virtual users' tokens come from; it never holds one.

    profile: its `tokens.load` pattern, or its users in turn. file: one token a line, `value` is the path.
    command: prints one token a line.
    """

    kind: Literal["profile", "file", "command"] = "profile"
    value: str = ""


@dataclass(frozen=True, slots=True)
class LoadSettings:
    """No token stands here: every process reads the profile for itself.

    `spawn_rate` in users per second, `duration` in seconds, `rate` in posts per second of each user, `size` in
    characters of a text; `journeys` maps names to weights. `run` are 8 digits, the same in all processes.
    """

    endpoint: str
    users: int
    spawn_rate: float
    duration: float
    document: str
    journeys: Mapping[str, float] = field(default_factory=lambda: {"chatter": 1.0})
    journey_file: str | None = None
    contract: str = DEFAULT
    """A bundled contract's name, or an absolute path."""
    stages: tuple[Stage, ...] = ()
    channels: int = 1
    rate: float = 1.0
    size: int | None = None
    thresholds: tuple[str, ...] = ()
    abort_on_breach: bool = False
    processes: int = 1
    master: str | None = None
    expect_workers: int = 0
    wait: float = WAIT_SECONDS
    """Seconds that a master waits for workers of other machines."""
    source_addresses: tuple[str, ...] = ()
    tokens: TokenSource = TokenSource()
    profile: str | None = None
    overrides: Mapping[str, Any] = field(default_factory=dict)
    version: str = "0"
    run: str = "00000000"
    seed: int = 0
    measure_only: bool = False
    """Judge nothing."""
    strict: bool = False
    """Whether a SHOULD that is broken fails the run as well."""
    require_complete: bool = False
    """Whether a run that left something undecided fails."""
    embedded: bool = False
    """Whether the endpoint is the reference server, started for this run only."""

    @property
    def whole_duration(self) -> float:
        """Seconds that posting goes on."""
        return sum(one.seconds for one in self.stages) if self.stages else self.duration

    @property
    def most_users(self) -> int:
        """Virtual users at the peak."""
        return max((one.users for one in self.stages), default=self.users)

    @property
    def players(self) -> int:
        """Processes that play users."""
        return self.expect_workers if self.master is not None else self.processes

    def users_at(self, t: float) -> int:
        """Virtual users that the stages ask for `t` seconds after the start."""
        before = 0
        for stage in self.stages:
            if t < stage.seconds:
                return round(before + (stage.users - before) * t / stage.seconds)
            t, before = t - stage.seconds, stage.users
        return before

    def users_within(self, t: float, until: float) -> int:
        """The most virtual users that the stages ask for from `t` to `until` seconds after the start."""
        turns = accumulate(one.seconds for one in self.stages)
        return max(self.users_at(one) for one in (t, until, *(turn for turn in turns if t < turn < until)))

    def rate_at(self, t: float) -> float:
        """Posts per second of each user `t` seconds after the start."""
        before = self.rate
        for stage in self.stages:
            after = before if stage.rate is None else stage.rate
            if t < stage.seconds:
                return before + (after - before) * t / stage.seconds
            t, before = t - stage.seconds, after
        return before

    def write(self, path: Path) -> None:
        """Write the settings for the processes of the run."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")


def settings_from(value: Mapping[str, Any]) -> LoadSettings:
    """Settings as their JSON has them."""
    return LoadSettings(
        **{
            **value,
            "stages": tuple(Stage(**one) for one in value["stages"]),
            "thresholds": tuple(value["thresholds"]),
            "source_addresses": tuple(value["source_addresses"]),
            "tokens": TokenSource(**value["tokens"]),
        }
    )


def read_settings(path: Path) -> LoadSettings:
    """Read what `LoadSettings.write` wrote."""
    return settings_from(json.loads(path.read_text(encoding="utf-8")))


def settings_of_environment() -> LoadSettings | None:
    """The settings whose file the environment names; None where it names none."""
    name = os.environ.get(SETTINGS_VARIABLE)
    return read_settings(Path(name)) if name else None


def own_settings_of_environment() -> Mapping[str, Any] | None:
    """What a worker of another machine has of its own: `profile`, `overrides`, and `wait` in seconds."""
    name = os.environ.get(WORKER_VARIABLE)
    own: Mapping[str, Any] | None = json.loads(Path(name).read_text(encoding="utf-8")) if name else None
    return own


def parse_journeys(contract: Contract, texts: tuple[str, ...], file: str | None = None) -> dict[str, float]:
    """`NAME` or `NAME:WEIGHT`, several times; without any, the contract's first. Raises `LoadError`."""
    known = [one.id for one in load_journeys(contract, file)]
    found: dict[str, float] = {}
    for text in texts or known[:1]:
        name, _, weight = text.partition(":")
        if name not in known:
            raise LoadError(f"--journey {text}: no such journey; known: {', '.join(sorted(known))}")
        try:
            found[name] = float(weight or 1)
        except ValueError:
            raise LoadError(f"--journey {text}: expected NAME:WEIGHT with a number") from None
        if not 0 < found[name] < math.inf:
            raise LoadError(f"--journey {text}: the weight must be above 0")
    return found


def load_journeys(contract: Contract, file: str | None = None) -> tuple[Scenario, ...]:
    """The contract's journeys, or those made of its roles, and those of a file.

    Raises `ContractError` with file, line and column.
    """
    if file is not None and not Path(file).exists():
        raise ContractError("no such journeys file", Path(file))
    own, more = contract.folder.folder(JOURNEYS), Path(file) if file is not None else None
    if own is not None:
        return load_scenarios(contract, own, more, journeys=True)
    made = default_journeys(contract)
    if not made.value["scenarios"]:
        if more is not None:
            return load_scenarios(contract, more, journeys=True)
        problem = "no journeys, and neither a probe nor a flow that they could be made of: give --journeys FILE"
        raise ContractError(problem, contract.folder.path)
    return read_scenarios(contract, made, more, journeys=True)


def contract_of(settings: LoadSettings) -> ContractFolder:
    """The contract of a run. Raises `ContractError`."""
    return find_contract(settings.contract)
