"""Scenarios as frozen dataclasses. Values in steps are templates; `conformance.language.values` renders them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from conformance.language.deed import Charge, Deed
from conformance.language.deeds import Pace
from conformance.language.places import Source
from contract.findings import Text
from contract.requirements import Level

DURATIONS = ("ack_timeout", "response_timeout", "quiet_period", "heartbeat_limit", "heartbeat_watch", "expiry_limit")
"""Names of durations that every profile has."""


@dataclass(frozen=True, slots=True)
class Written:
    """A step as its author wrote it, with variants and parameters put in; `source` is the place of the step."""

    verb: str
    body: Mapping[str, Any]
    source: Source


@dataclass(frozen=True, slots=True)
class Step:
    """One deed of the script. `label` names it to people. `written` is None for a step that no file has."""

    deed: Deed
    charge: Charge
    label: Text
    written: Written | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Actor:
    """One client. `heartbeat`: answer pings, ignore them, or answer late (at half of the timeout).

    `answer`: members that its answers have besides the contract's, or instead of them; a template over the ping.
    """

    name: str
    user: str
    heartbeat: Literal["answer", "ignore", "late"] = "answer"
    answer: Any = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A script for several actors, and the requirements that it decides.

    `level`: it decides only the clauses of this level; None: all.
    """

    id: str
    title: str
    group: str
    verifies: tuple[str, ...]
    needs: tuple[str, ...]
    tags: tuple[str, ...]
    actors: tuple[Actor, ...]
    steps: tuple[Step, ...]
    path: Path
    line: int
    level: Level | None = None
    weight: float = 1.0
    title_ja: str | None = None
    source: Source | None = field(default=None, repr=False, compare=False)


Decided = tuple[str, Level | None]
"""A requirement and the level of the clause that is meant; None: the requirement's own."""


def decided(step: Step, scenario: Scenario) -> set[Decided]:
    """What a step decides once it has been played; its graded parts say themselves what they decide."""
    names = (step.charge.requirements or scenario.verifies) if step.deed.decides else ()
    return {(name, step.charge.level) for name in names}


def flat(steps: Iterable[Step]) -> Iterator[Step]:
    """The steps, those inside of `pace` as well."""
    for step in steps:
        yield step
        if isinstance(step.deed, Pace):
            yield from flat(step.deed.steps)
