"""What a load test is asked to do: options of the command line, then the plan's file, then defaults."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from contract.durations import seconds
from contract.files import load_yaml
from contract.folder import ContractFolder
from contract.mistakes import check_document
from contract.model import load_contract
from contract.profile import Profile
from loadtest.settings.settings import LoadError, LoadSettings, Stage, TokenSource, parse_journeys

DEFAULT_USERS = 20
DEFAULT_TIME = 30.0


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was asked for; None, or empty: nothing was said. Times in seconds, rates per second."""

    endpoint: str | None = None
    users: int | None = None
    spawn_rate: float | None = None
    time: float | None = None
    stages: tuple[Stage, ...] = ()
    journeys: Mapping[str, float] | None = None
    journeys_file: str | None = None
    channels: int | None = None
    rate: float | None = None
    size: int | None = None
    thresholds: tuple[str, ...] = ()
    abort_on_breach: bool | None = None
    processes: int | None = None
    source_addresses: tuple[str, ...] = ()
    tokens: TokenSource | None = None
    seed: int | None = None

    def over(self, other: "Wishes") -> "Wishes":
        """These wishes, and where they say nothing, the other ones.

        Users and time stand against stages: whoever names one of them wants no stages of the others.
        """
        mine = {name: value for name in self.__slots__ if (value := getattr(self, name)) not in (None, ())}
        if self.stages:
            other = replace(other, users=None, time=None)
        elif self.users is not None or self.time is not None:
            other = replace(other, stages=())
        return replace(other, **mine)


def read_plan(path: Path) -> Wishes:
    """Read a plan. Raises `ContractError` with file, line and column."""
    document = load_yaml(path)
    check_document(document, "load-plan")
    value: dict[str, Any] = dict(document.value)
    folder = path.parent
    tokens = value.get("tokens")
    if value.get("stages") and ("users" in value or "time" in value):
        raise document.error("give either stages or users and time", ("stages",))
    return Wishes(
        **{name: value[name] for name in _PLAIN if name in value},
        time=_seconds(value["time"]) if "time" in value else None,
        stages=tuple(_stages(value.get("stages", ()))),
        thresholds=tuple(value.get("thresholds", ())),
        source_addresses=tuple(value.get("source_addresses", ())),
        journeys_file=str(folder / value["journeys_file"]) if "journeys_file" in value else None,
        tokens=_tokens(tokens, folder) if tokens else None,
    )


_PLAIN = (
    *("endpoint", "users", "spawn_rate", "journeys", "channels", "rate", "size", "abort_on_breach", "processes"),
    "seed",
)


def _seconds(value: float | str) -> float:
    return seconds(value)


def _stages(value: Any) -> list[Stage]:
    stages: list[Stage] = []
    for one in value:
        users = one["users"] if "in" in one else (stages[-1].users if stages else 0)
        stages.append(Stage(users, seconds(one.get("in", one.get("hold"))), one.get("rate")))
    return stages


def _tokens(value: Mapping[str, str], folder: Path) -> TokenSource:
    return (
        TokenSource("file", str(folder / value["file"]))
        if "file" in value
        else TokenSource("command", value["command"])
    )


def parse_stages(text: str) -> tuple[Stage, ...]:
    """`USERS:TIME[@RATE]`, several with commas between: `100:30s,100:5m,0:10s`. Raises `LoadError`."""
    stages = []
    for part in text.split(","):
        users, colon, rest = part.strip().partition(":")
        time, at, rate = rest.partition("@")
        try:
            if not colon or int(users) < 0:
                raise ValueError(part)
            stages.append(Stage(int(users), seconds(time), float(rate) if at else None))
        except ValueError:
            raise LoadError(
                f"--stages {part.strip()!r}: expected USERS:TIME or USERS:TIME@RATE, such as 100:30s,100:5m@2,0:10s"
            ) from None
    return tuple(stages)


def new_run() -> str:
    """Digits that no other run has."""
    return str(secrets.randbelow(9 * 10**7) + 10**7)


def settings_for(
    wishes: Wishes, endpoint: str, document: Path, folder: ContractFolder, known: Profile, **more: Any
) -> LoadSettings:
    """The settings of a run of a contract. The thresholds of the `known` profile hold where nobody named others."""
    users = wishes.users if wishes.users is not None else DEFAULT_USERS
    return LoadSettings(
        endpoint=endpoint,
        users=users,
        spawn_rate=wishes.spawn_rate if wishes.spawn_rate is not None else float(max(users, 1)),
        duration=wishes.time if wishes.time is not None else DEFAULT_TIME,
        document=str(document),
        journeys=wishes.journeys or parse_journeys(load_contract(folder), (), wishes.journeys_file),
        contract=folder.name if folder.is_bundled else str(folder.place.absolute()),
        journey_file=wishes.journeys_file,
        stages=wishes.stages,
        channels=wishes.channels if wishes.channels is not None else 1,
        rate=wishes.rate if wishes.rate is not None else 1.0,
        size=wishes.size,
        thresholds=wishes.thresholds or known.load_thresholds,
        abort_on_breach=bool(wishes.abort_on_breach),
        processes=wishes.processes if wishes.processes is not None else 1,
        source_addresses=wishes.source_addresses,
        tokens=wishes.tokens or TokenSource(),
        seed=wishes.seed if wishes.seed is not None else secrets.randbelow(2**32),
        run=new_run(),
        **more,
    )
