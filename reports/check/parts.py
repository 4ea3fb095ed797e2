"""What a compliance page is made of, once a results document is grouped, ordered and linked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from reports.check.difference import Difference
from reports.check.evidence import Evidence
from reports.shared.failures import Failure as Found
from reports.shared.outages import Outage
from reports.shared.wording import LEVELS, Mark

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Link:
    """An id with the place on the page that it leads to (None: it is not on the page)."""

    text: str
    anchor: str | None
    mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """How many requirements or scenarios of a group have which mark, the worst first."""

    mark: Mark
    number: int


@dataclass(frozen=True, slots=True)
class Command:
    """A command that repeats something, and what to do before it is run, if anything."""

    text: str
    needs: str


@dataclass(frozen=True, slots=True)
class Clause:
    level: str
    mark: Mark
    reason: str | None
    held: str
    """On what evidence its verdict rests."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A scenario in which a requirement failed, the first thing wrong there, and how many more."""

    scenario: Link
    message: str
    more: int


@dataclass(frozen=True, slots=True)
class Requirement:
    source: Json
    anchor: str
    mark: Mark
    clauses: tuple[Clause, ...]
    filter_key: str
    scenarios: tuple[Link, ...]
    failures: tuple[Failed, ...]
    command: Command
    """Plays again where it failed; empty where it did not."""
    held: str
    """On what evidence its verdict rests; empty where its clauses say."""
    left_out: bool
    """Whether it was not selected, and nothing decided it."""
    findings: tuple[Json, ...] = ()
    """What a load test found wrong."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What was found wrong, once, with all the clauses (requirement, level) that it breaks."""

    source: Json
    found: Found
    mark: Mark
    charges: tuple[tuple[Link, str], ...]
    difference: Difference | None
    """Expected beside received, where parts of them can be held against one another."""
    expected: str | None
    received: str | None


@dataclass(frozen=True, slots=True)
class Scenario:
    source: Json
    anchor: str
    mark: Mark
    filter_key: str
    reason: str | None
    """Why its verdict is what it is, unless a failure says so."""
    verifies: tuple[Link, ...]
    failures: tuple[Failure, ...]
    unconfirmed: tuple[Failure, ...]
    """What was seen once, and not when the scenario was played again."""
    evidence: Evidence
    command: Command


@dataclass(frozen=True, slots=True)
class Group:
    """A section of the contract with its requirements, or a group of scenarios."""

    id: str
    title: str
    anchor: str
    tallies: tuple[Tally, ...]
    requirements: tuple[Requirement, ...] = ()
    scenarios: tuple[Scenario, ...] = ()
    rows: tuple[Scenario, ...] = ()
    """Scenarios of which the page tells in one row each."""


@dataclass(frozen=True, slots=True)
class Unverified:
    """The clauses that were not verified for one and the same reason."""

    mark: Mark
    reason: str
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry of the baseline, and what became of it."""

    mark: Mark
    link: Link
    what: str
    source: Json


@dataclass(frozen=True, slots=True)
class Gone:
    """An outage of the endpoint, with links to the scenarios that may have brought it about."""

    source: Outage
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Compliance:
    """Everything on the compliance page that is not in the document as it stands."""

    mark: Mark
    sentence: str
    warning: str | None
    cut_off: str
    outcome: tuple[Mark, str] | None
    baseline: tuple[Listed, ...]
    played: int
    broken: tuple[Requirement, ...]
    unverified: tuple[Unverified, ...]
    unselected: str | None
    """How many requirements were not selected."""
    outages: tuple[Gone, ...]
    more_outages: str | None
    hints: tuple[tuple[Mark, str], ...]
    observations: tuple[tuple[str, str], ...]
    """What was seen and not judged."""
    left_out: int
    """Scenarios whose transcripts are not on the page."""
    sections: tuple[Group, ...]
    groups: tuple[Group, ...]

    @property
    def choices(self) -> tuple[tuple[str, str], ...]:
        """The sections and groups that the page can be narrowed to: id and title."""
        found: dict[str, str] = {}
        for one in (*self.sections, *self.groups):
            found.setdefault(one.id, one.title)
        return tuple(found.items())


def obligation(requirement: Requirement) -> tuple[bool, int, int]:
    """The order inside a section: what must hold before what should, failures before passes; the unselected last."""
    level = requirement.source["level"]
    place = LEVELS.index(level) if level in LEVELS else len(LEVELS)
    return requirement.left_out, place, requirement.mark.rank


def tallies(marks: Iterable[Mark]) -> tuple[Tally, ...]:
    """How many of some marks there are, the worst first."""
    numbers: dict[Mark, int] = {}
    for mark in marks:
        numbers[mark] = numbers.get(mark, 0) + 1
    ordered = sorted(numbers.items(), key=lambda item: item[0].rank)
    return tuple(Tally(mark, number) for mark, number in ordered)
