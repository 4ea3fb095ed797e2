"""The requirements of a contract, and of those that it includes, as frozen dataclasses."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from contract.files import load_yaml
from contract.folder import ContractFolder
from contract.mistakes import check_document
from contract.needs import are_met

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

    def covers(self, check: str, message: str | None, places: tuple[str, ...]) -> bool:
        """Whether what a check found in a `message`, at dotted `places` of its payload, breaks what it is used for."""
        if check != self.check or self.message not in (None, message):
            return False
        # If the whole is wrong, or is not there, so are its members.
        return self.at is None or any(
            not place or f"{place}.".startswith(f"{self.at}.") or f"{self.at}.".startswith(f"{place}.")
            for place in places
        )


@dataclass(frozen=True, slots=True)
class Clause:
    """The part of a requirement that has one level, and the checks over all messages that decide it.

    `by_steps`: what a scenario's steps find by themselves, whatever the scenario is there for. `under_load`: those that
    only a load test applies; a check of the endpoint has scenarios for the same.
    """

    level: Level
    text: str
    text_ja: str
    checks: tuple[CheckUse, ...] = ()
    under_load: tuple[CheckUse, ...] = ()
    by_steps: tuple[str, ...] = ()


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

    @property
    def judged_under_load(self) -> bool:
        """Whether a load test's checks decide some part of it."""
        return any(clause.checks or clause.under_load for clause in self.clauses)

    @property
    def decided_by(self) -> tuple[str, ...]:
        """The checks that decide it, in a check of an endpoint."""
        return tuple(
            name
            for clause in self.clauses
            for name in (*clause.by_steps, *(use.check for use in clause.checks if use.message is None))
        )

    def has_clause(self, level: str) -> bool:
        """Whether some part of the requirement has this level."""
        return any(clause.level == level for clause in self.clauses)


def requirements_of(folder: ContractFolder) -> Mapping[str, Requirement]:
    """Those of a contract by id, its own first; those of its packs as far as it declares what they need.

    Raises `ContractError`. What its own decide, those of its packs do not decide again (`replaced_by`).
    """
    return _read(folder)[0]


def replaced_by(folder: ContractFolder) -> Mapping[str, tuple[str, ...]]:
    """The requirements of a contract's packs that its own stand for, with the ids of these.

    A pack's requirement is replaced where each of its checks decides one of those before it.
    """
    return _read(folder)[1]


def deciding(requirements: Mapping[str, Requirement], check: str) -> tuple[str, Level] | None:
    """The clause that a check decides, whatever message it looks at; None: there is none for it."""
    for one in requirements.values():
        for clause in one.clauses:
            if check in clause.by_steps or any(use.covers(check, None, ()) for use in clause.checks):
                return one.id, clause.level
    return None


@cache
def _read(folder: ContractFolder) -> tuple[Mapping[str, Requirement], Mapping[str, tuple[str, ...]]]:
    found: dict[str, Requirement] = {}
    replaced: dict[str, tuple[str, ...]] = {}
    for one in folder.whole:
        read = _those_in(one, found, None if one is folder else folder)
        for name, requirement in read.items():
            if one is not folder:
                others = [deciding(found, check) for check in requirement.decided_by]
                if others and None not in others:
                    replaced[name] = tuple(dict.fromkeys(other[0] for other in others if other is not None))
        found |= {name: requirement for name, requirement in read.items() if name not in replaced}
    return MappingProxyType(found), MappingProxyType(replaced)


def _those_in(
    folder: ContractFolder, beside: Mapping[str, Requirement], contract: ContractFolder | None
) -> Mapping[str, Requirement]:
    path = folder.requirements
    return load_requirements(path, beside, contract) if path.is_file() else {}


def load_requirements(
    path: Path, beside: Mapping[str, Requirement] = MappingProxyType({}), folder: ContractFolder | None = None
) -> Mapping[str, Requirement]:
    """Requirements by id, in the file's order. They may stand in sections of those that they are `beside`.

    Those that need what the contract of `folder` does not declare are left out; without one, none. Raises
    `ContractError`.
    """
    document = load_yaml(path)
    check_document(document, "requirements")
    sections = {one.section.id: one.section for one in beside.values()}
    sections |= {one["id"]: _section(one) for one in document.value.get("sections", ())}
    found: dict[str, Requirement] = {}
    seen: set[str] = set()
    for index, one in enumerate(document.value["requirements"]):
        where = ("requirements", index)
        name, section = one["id"], one.get("section")
        if section is None:
            section = name.partition("-")[0]
            sections.setdefault(section, Section(section, section, section, ""))
        if section not in sections:
            raise document.error(f"{name}: section {section!r} is not declared", (*where, "section"))
        if name in seen:
            raise document.error(f"{name} is declared twice", (*where, "id"))
        if name in beside:
            raise document.error(f"{name} is already declared in {beside[name].origin}; use another id", (*where, "id"))
        seen.add(name)
        if folder is None or are_met(one.get("needs", ()), folder):
            found[name] = _requirement(one, sections[section], document.path)
    return found


def _section(one: Mapping[str, Any]) -> Section:
    return Section(one["id"], *_texts(one["title"]), one.get("source", ""))


def _texts(one: str | Mapping[str, str]) -> tuple[str, str]:
    """A text in English and Japanese; in one language only, it stands for both."""
    return (one, one) if isinstance(one, str) else (one["en"], one.get("ja", one["en"]))


def _requirement(one: Mapping[str, Any], section: Section, path: Path) -> Requirement:
    english, japanese = _texts(one["statement"])
    checks = {name: one[name] for name in ("checks", "under_load", "by_steps") if name in one}
    whole = {"level": one["level"], **checks, "en": english, "ja": japanese}
    return Requirement(
        id=one["id"],
        level=one["level"],
        section=section,
        origin=one.get("origin", path.name),
        statement=english,
        statement_ja=japanese,
        clauses=tuple(
            Clause(
                part["level"],
                *_texts({name: part[name] for name in ("en", "ja") if name in part}),
                _uses(part, "checks"),
                _uses(part, "under_load"),
                tuple(part.get("by_steps", ())),
            )
            for part in one.get("clauses") or [whole]
        ),
    )


def _uses(part: Mapping[str, Any], key: str) -> tuple[CheckUse, ...]:
    return tuple(map(_check_use, part.get(key, ())))


def _check_use(one: str | Mapping[str, Any]) -> CheckUse:
    if isinstance(one, str):
        return CheckUse(one)
    ((name, part),) = one.items()
    return CheckUse(name, part["message"], part.get("at"))
