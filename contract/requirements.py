"""`spec/requirements.yaml` as frozen dataclasses."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from contract.files import DATA_ROOT, load_yaml
from contract.mistakes import check_document

Level = Literal["MUST", "SHOULD", "MAY"]
LEVELS: tuple[Level, ...] = ("MUST", "SHOULD", "MAY")


@dataclass(frozen=True, slots=True)
class CheckUse:
    """A check that decides a clause, by its name; narrowed to one kind of message, and to a member of its payload.

    `at` is a dotted path inside the payload.
    """

    check: str
    message: str | None = None
    at: str | None = None

    @property
    def subject(self) -> str:
        """What counts its chances: the check, and the message that it is narrowed to."""
        return self.check if self.message is None else f"{self.check}:{self.message}"


@dataclass(frozen=True, slots=True)
class Clause:
    """The part of a requirement that has one level, and the checks over all messages that decide it."""

    level: Level
    text: str
    text_ja: str
    checks: tuple[CheckUse, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A group of requirements."""

    id: str
    title: str
    title_ja: str
    source: str


@dataclass(frozen=True, slots=True)
class Requirement:
    """One testable statement, with its level and where it comes from."""

    id: str
    level: Level
    section: Section
    origin: str
    statement: str
    statement_ja: str
    clauses: tuple[Clause, ...]

    @property
    def checked(self) -> bool:
        """Whether checks over all messages decide some part of it."""
        return any(clause.checks for clause in self.clauses)

    def has_clause(self, level: str) -> bool:
        """Whether some part of the requirement has this level."""
        return any(clause.level == level for clause in self.clauses)


def load_requirements(path: Path | None = None) -> Mapping[str, Requirement]:
    """Requirements by id, in the file's order. Raises `ContractError`."""
    document = load_yaml(path or DATA_ROOT / "spec" / "requirements.yaml")
    check_document(document, "requirements")
    sections = {
        one["id"]: Section(one["id"], one["title"]["en"], one["title"]["ja"], one["source"])
        for one in document.value["sections"]
    }
    found: dict[str, Requirement] = {}
    for index, one in enumerate(document.value["requirements"]):
        where = ("requirements", index)
        if one["section"] not in sections:
            raise document.error(f"{one['id']}: no section {one['section']!r} is declared", (*where, "section"))
        if one["id"] in found:
            raise document.error(f"{one['id']} stands twice", (*where, "id"))
        found[one["id"]] = _requirement(one, sections[one["section"]])
    return found


def _requirement(one: Mapping[str, Any], section: Section) -> Requirement:
    statement = one["statement"]
    clauses = one.get("clauses") or [{"level": one["level"], "checks": one.get("checks", []), **statement}]
    return Requirement(
        id=one["id"],
        level=one["level"],
        section=section,
        origin=one["origin"],
        statement=statement["en"],
        statement_ja=statement["ja"],
        clauses=tuple(
            Clause(part["level"], part["en"], part["ja"], tuple(map(_check_use, part.get("checks", ()))))
            for part in clauses
        ),
    )


def _check_use(one: str | Mapping[str, Any]) -> CheckUse:
    if isinstance(one, str):
        return CheckUse(one)
    ((name, part),) = one.items()
    return CheckUse(name, part["message"], part.get("at"))
