"""What a load test judged, as its page shows it: the same rows as a check's, with what was seen of each requirement."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from reports.check.parts import Clause, Command, Group, Link, Requirement, Unverified, obligation, tallies
from reports.load import findings as load_findings
from reports.load.findings import Broken
from reports.shared import wording
from reports.shared.anchors import Anchors
from reports.shared.documents import Document
from reports.shared.unverified import unverified_groups
from reports.text import quantities
from reports.text.held import counted

_TIMES: Final = ("first_s", "last_s")

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """A clause that was broken, in the table of these."""

    source: Broken
    anchor: str
    failed: str
    of: str
    share: str
    first: str
    last: str
    found: tuple[Json, ...]
    """What was wrong, the first of each kind."""


@dataclass(frozen=True, slots=True)
class Judged:
    """The requirements of a load test, with the names that a check's page has for the same."""

    broken: tuple[Row, ...]
    warning: str | None
    unverified: tuple[Unverified, ...]
    unselected: str | None
    sections: tuple[Group, ...]
    shed: tuple[tuple[str, int], ...]

    @property
    def choices(self) -> tuple[tuple[str, str], ...]:
        """The sections that the page can be narrowed to: id and title."""
        return tuple((section.id, section.title) for section in self.sections)


def build(document: Document) -> Judged | None:
    """What was judged; None where nothing was to be."""
    if document["verdict"] == "measured" and not document["requirements"]:
        return None
    taken = Anchors()
    anchors = {entry["id"]: taken.take(entry["id"]) for entry in document["requirements"]}
    strict = wording.is_strict(document)
    links = {
        entry["id"]: Link(entry["id"], anchors[entry["id"]], wording.mark_of(entry, strict))
        for entry in document["requirements"]
    }
    return Judged(
        broken=tuple(_row(one, anchors) for one in load_findings.broken(document)),
        warning=wording.warning_sentence(document),
        unverified=tuple(
            Unverified(mark, reason, tuple(links[entry["id"]] for entry in listed))
            for mark, reason, listed in unverified_groups(document)
        ),
        unselected=wording.unselected_sentence(document),
        sections=_sections(document, anchors, taken),
        shed=tuple((sign, number) for sign, number in document["shed"].items() if number),
    )


def _row(one: Broken, anchors: Mapping[str, str]) -> Row:
    clause = one.clause
    first, last = (quantities.NOTHING if clause[name] is None else f"{clause[name]:.1f}" for name in _TIMES)
    share = quantities.share(clause["failed"], clause["applied"])
    failed, of = quantities.count(clause["failed"]), counted(clause) or quantities.NOTHING
    return Row(one, anchors[one.requirement["id"]], failed, of, share, first, last, tuple(clause["findings"]))


def _sections(document: Document, anchors: Mapping[str, str], taken: Anchors) -> tuple[Group, ...]:
    strict = wording.is_strict(document)
    found: dict[str, list[Requirement]] = {}
    titles: dict[str, str] = {}
    for entry in document["requirements"]:
        titles.setdefault(entry["section"], wording.section_title(entry))
        found.setdefault(entry["section"], []).append(_requirement(entry, anchors[entry["id"]], strict))
    return tuple(
        Group(
            section,
            titles[section],
            taken.take(f"section-{section}"),
            tallies(row.mark for row in rows),
            requirements=tuple(sorted(rows, key=obligation)),
        )
        for section, rows in found.items()
    )


def _requirement(entry: Json, anchor: str, strict: bool) -> Requirement:
    clauses = wording.clauses(entry)
    parts = tuple(
        Clause(
            clause["level"],
            wording.mark_of(clause, strict),
            # What was broken is told by what was found.
            None if clause["findings"] else clause["reason"],
            load_findings.evidence(clause),
        )
        for clause in clauses
    )
    keys = (f"{clause['level']}:{clause['verdict']}" for clause in clauses)
    return Requirement(
        source=entry,
        anchor=anchor,
        mark=wording.mark_of(entry, strict),
        clauses=parts if len(parts) > 1 else (),
        filter_key=" ".join(dict.fromkeys(keys)),
        scenarios=(),
        failures=(),
        command=Command("", ""),
        held="" if len(parts) > 1 else load_findings.evidence(entry),
        left_out=False,
        findings=tuple(finding for clause in clauses for finding in clause["findings"]),
    )
