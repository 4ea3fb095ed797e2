"""The baseline file: what is expected to fail for now, why, and until when."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from conformance.language.scenario import Scenario
from conformance.language.selection import did_you_mean
from contract.files import Document, load_yaml
from contract.formats import BASELINE
from contract.mistakes import check_document
from contract.requirements import Requirement

TO_DO = "TODO: say why this fails, and until when it may"


@dataclass(frozen=True, slots=True)
class BaselineEntry:
    """One expected failure: a requirement's, or a scenario's with all its variants.

    `expires` is the last day (YYYY-MM-DD, UTC) on which it is expected. `line` of the file, from 1. `whole`: this run
    plays all that could show that it does not fail any more.
    """

    requirement: str | None
    scenario: str | None
    reason: str
    link: str | None = None
    expires: str | None = None
    line: int = 0
    whole: bool = True

    @property
    def name(self) -> str:
        """The id that it lists."""
        return str(self.requirement or self.scenario)

    def lists(self, scenario: str, requirement: str) -> bool:
        """Whether a failure of this scenario that is charged to this requirement is meant."""
        return requirement == self.requirement or self.scenario in (scenario, scenario.partition("/")[0])


def load_baseline(
    path: Path, requirements: Mapping[str, Requirement], scenarios: Iterable[Scenario]
) -> tuple[BaselineEntry, ...]:
    """The entries of a file. Raises `ContractError` where it is broken, or lists an id that does not exist."""
    document = load_yaml(path)
    check_document(document, "baseline")
    families = {part for one in scenarios for part in (one.id, one.id.partition("/")[0])}
    known: dict[str, Iterable[str]] = {"requirement": requirements, "scenario": families}
    seen: set[str] = set()
    entries = []
    for index, one in enumerate(document.value["entries"]):
        kind = "requirement" if "requirement" in one else "scenario"
        where = ("entries", index, kind)
        if one[kind] not in known[kind]:
            raise document.error(f"unknown {kind} {one[kind]!r}{did_you_mean(one[kind], known[kind])}", where)
        if one[kind] in seen:
            raise document.error(f"{one[kind]} is listed twice", where)
        seen.add(one[kind])
        entries.append(_entry(document, index, one))
    return tuple(entries)


def _entry(document: Document, index: int, one: Mapping[str, Any]) -> BaselineEntry:
    expires = one.get("expires")
    if expires is not None:
        try:
            date.fromisoformat(expires)
        except ValueError:
            where = ("entries", index, "expires")
            raise document.error(f"expected a date such as 2030-12-31, got {expires!r}", where) from None
    line, _ = document.position(("entries", index))
    return BaselineEntry(
        one.get("requirement"), one.get("scenario"), one["reason"].strip(), one.get("link"), expires, line
    )


def for_selection(
    entries: Iterable[BaselineEntry],
    known: Sequence[Scenario],
    selected: Sequence[Scenario],
    requirements: Mapping[str, Requirement],
) -> tuple[BaselineEntry, ...]:
    """The entries, each told whether a run of `selected` plays everything that concerns it."""
    played = {one.id for one in selected}
    return tuple(
        replace(one, whole=played >= {each.id for each in known if _concerns(one, each, requirements)})
        for one in entries
    )


def _concerns(entry: BaselineEntry, scenario: Scenario, requirements: Mapping[str, Requirement]) -> bool:
    if entry.requirement is None:
        return entry.lists(scenario.id, "")
    # What the checks over all messages judge, any scenario may break.
    return requirements[entry.requirement].checked or entry.requirement in scenario.verifies


def baseline_text(entries: Iterable[BaselineEntry]) -> str:
    """A file that lists these entries."""
    members = ("requirement", "scenario", "reason", "link", "expires")
    listed = [{name: getattr(one, name) for name in members if getattr(one, name) is not None} for one in entries]
    return yaml.safe_dump({"format": BASELINE, "entries": listed}, sort_keys=False, allow_unicode=True, width=120)
