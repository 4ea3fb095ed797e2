"""A results document as the compliance page shows it: grouped, ordered, linked, counted."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from reports.check import baselines
from reports.check.difference import difference
from reports.check.evidence import Evidence, evidence
from reports.check.parts import (
    Clause,
    Command,
    Compliance,
    Failed,
    Failure,
    Gone,
    Group,
    Json,
    Link,
    Listed,
    Requirement,
    Scenario,
    Unverified,
    obligation,
    tallies,
)
from reports.shared import outages, wording
from reports.shared.anchors import Anchors
from reports.shared.commands import repeating, variables
from reports.shared.documents import Document
from reports.shared.failures import Failure as Told
from reports.shared.failures import told_once
from reports.shared.selection import left_out
from reports.shared.unverified import AT_STEP, unverified_groups
from reports.shared.wording import Mark
from reports.text.fitting import cut
from reports.text.held import held
from reports.text.language import t
from reports.text.phrases import phrase

MAX_FAILURES: Final = 20
"""Failures of one scenario that are shown."""
REPEATED: Final = 3
"""Scenarios that the command of a failed requirement plays again."""
CUT_CHARACTERS: Final = 400
"""Where the page is full, what was expected and received is cut after these."""


def build(document: Document) -> Compliance:
    """The compliance page's view of a results document."""
    anchors = Anchors()
    builder = _Builder(document, anchors)
    sections = builder.sections()
    attention = [r for s in sections for r in s.requirements if r.source["verdict"] == "failed"]
    return Compliance(
        mark=wording.overall_mark(document),
        sentence=wording.verdict_sentence(document),
        warning=wording.warning_sentence(document),
        cut_off=wording.cut_off_sentence(document),
        broken=tuple(sorted(attention, key=lambda requirement: requirement.mark.rank)),
        unverified=builder.unverified(),
        unselected=wording.unselected_sentence(document),
        outages=builder.outages(),
        more_outages=outages.not_told(document),
        hints=tuple(wording.hints(document)),
        observations=tuple(wording.observations(document)),
        outcome=wording.outcome_sentence(document),
        baseline=builder.baseline(),
        played=sum(one["verdict"] != "untested" for one in document["scenarios"]),
        left_out=sum(one.transcript is None for one in builder.evidence),
        sections=sections,
        groups=builder.groups(),
    )


class _Builder:
    def __init__(self, document: Document, anchors: Anchors) -> None:
        self.document = document
        self.strict: bool = document["strict"]
        self.requirements: list[tuple[Json, str]] = [
            (entry, anchors.take(entry["id"])) for entry in document["requirements"]
        ]
        self.scenarios: list[tuple[Json, str]] = [
            (entry, anchors.take(f"scenario-{entry['id']}")) for entry in document["scenarios"]
        ]
        self.section_anchors = {
            section: anchors.take(f"section-{section}")
            for section in dict.fromkeys(entry["section"] for entry in document["requirements"])
        }
        self.group_anchors = {
            group: anchors.take(f"scenarios-{group}")
            for group in dict.fromkeys(entry["group"] for entry in document["scenarios"])
        }
        self.requirement_links = {
            entry["id"]: Link(entry["id"], anchor, self._requirement_mark(entry)) for entry, anchor in self.requirements
        }
        self.scenario_links = {
            entry["id"]: Link(entry["id"], anchor, wording.scenario_mark(entry, self.strict))
            for entry, anchor in self.scenarios
        }
        ranks = [wording.scenario_mark(entry, self.strict).rank for entry, _ in self.scenarios]
        self.evidence = evidence(document, ranks)
        self.by_id = {entry["id"]: entry for entry, _ in self.scenarios}
        self.levels = {
            entry["id"]: {clause["level"] for clause in wording.clauses(entry)} for entry, _ in self.requirements
        }

    def sections(self) -> tuple[Group, ...]:
        found: dict[str, list[Requirement]] = {section: [] for section in self.section_anchors}
        titles: dict[str, str] = {}
        failures = self._failures()
        for entry, anchor in self.requirements:
            titles.setdefault(entry["section"], wording.section_title(entry))
            found[entry["section"]].append(self._requirement(entry, anchor, failures))
        return tuple(
            Group(
                section,
                titles[section],
                self.section_anchors[section],
                tallies(row.mark for row in rows if not row.left_out),
                requirements=tuple(sorted(rows, key=obligation)),
            )
            for section, rows in found.items()
        )

    def groups(self) -> tuple[Group, ...]:
        titles = {entry["section"]: wording.section_title(entry) for entry in self.document["requirements"]}
        titles.setdefault("FUZZ", t("compliance.generated-messages"))
        found: dict[str, list[Scenario]] = {group: [] for group in self.group_anchors}
        for (entry, anchor), shown in zip(self.scenarios, self.evidence, strict=True):
            found[entry["group"]].append(self._scenario(entry, anchor, shown))
        for rows in found.values():
            rows.sort(key=lambda row: (row.mark.rank, not row.unconfirmed))
        return tuple(
            Group(
                group,
                titles.get(group, ""),
                self.group_anchors[group],
                tallies(row.mark for row in rows),
                scenarios=tuple(row for row in rows if not row.evidence.row),
                rows=tuple(row for row in rows if row.evidence.row),
            )
            for group, rows in found.items()
        )

    def unverified(self) -> tuple[Unverified, ...]:
        return tuple(
            Unverified(mark, reason, tuple(self.requirement_links[r["id"]] for r in listed))
            for mark, reason, listed in unverified_groups(self.document)
        )

    def outages(self) -> tuple[Gone, ...]:
        return tuple(Gone(one, tuple(map(self._scenario_link, one.names))) for one in outages.outages(self.document))

    def baseline(self) -> tuple[Listed, ...]:
        links = {**self.scenario_links, **self.requirement_links}
        listed = []
        for mark, entry, what in baselines.baseline_lines(self.document):
            name = baselines.listed_name(entry)
            listed.append(Listed(mark, links.get(name, Link(name, None)), what, entry))
        return tuple(listed)

    def _requirement_mark(self, entry: Json) -> Mark:
        return wording.mark_of(entry, self.strict)

    def _requirement(self, entry: Json, anchor: str, failures: Mapping[str, tuple[Failed, ...]]) -> Requirement:
        failed = failures.get(entry["id"], ())
        parts = tuple(
            Clause(
                clause["level"],
                wording.mark_of(clause, self.strict),
                # What failed is told by the failures themselves.
                None if clause["verdict"] == "failed" and failed else clause["reason"],
                held(clause),
            )
            for clause in wording.clauses(entry)
        )
        unselected = left_out(entry)
        keys = [f"{c['level']}:{'unselected' if unselected else c['verdict']}" for c in wording.clauses(entry)]
        return Requirement(
            source=entry,
            anchor=anchor,
            mark=self._requirement_mark(entry),
            clauses=parts if len(parts) > 1 else (),
            filter_key=" ".join(dict.fromkeys(keys)),
            scenarios=tuple(
                sorted((self._verifying(name, entry["id"]) for name in entry["scenarios"]), key=_attention)
            ),
            failures=failed,
            command=_command(self._repeating(failed)),
            held="" if len(parts) > 1 else held(entry),
            left_out=unselected,
        )

    def _repeating(self, failed: tuple[Failed, ...]) -> str:
        names = [one.scenario.text for one in failed[:REPEATED]]
        return repeating(self.document, *(self.by_id[name] for name in names)) if names else ""

    def _failures(self) -> dict[str, tuple[Failed, ...]]:
        """By requirement: where it failed, each scenario once."""
        found: dict[str, dict[str, list[Json]]] = {}
        for entry, _ in self.scenarios:
            for failure in entry["failures"]:
                where = found.setdefault(failure["requirement"], {})
                where.setdefault(entry["id"], []).append(failure)
        return {
            requirement: tuple(
                Failed(
                    replace(self.scenario_links[name], mark=self._worst(failures)),
                    failures[0]["message"],
                    len(told_once(failures)) - 1,
                )
                for name, failures in where.items()
            )
            for requirement, where in found.items()
        }

    def _scenario(self, entry: Json, anchor: str, shown: Evidence) -> Scenario:
        levels = [failure["level"] for failure in entry["failures"]]
        if entry["verdict"] != "failed":
            levels = [level for name in entry["verifies"] for level in self.levels.get(name, ())]
        ordered = [level for level in wording.LEVELS if level in levels] or list(wording.LEVELS)
        return Scenario(
            source=entry,
            anchor=anchor,
            mark=wording.scenario_mark(entry, self.strict),
            filter_key=" ".join(f"{level}:{entry['verdict']}" for level in ordered),
            reason=None if _told_by_a_failure(entry) else entry["reason"],
            verifies=tuple(self._requirement_link(name) for name in entry["verifies"]),
            failures=self._scenario_failures(entry["failures"], shown),
            unconfirmed=tuple(
                replace(one, mark=wording.mark("inconclusive"))
                for one in self._scenario_failures(entry.get("unconfirmed", ()), shown)
            ),
            evidence=shown,
            command=_command(repeating(self.document, entry)),
        )

    def _scenario_failures(self, failures: Iterable[Json], shown: Evidence) -> tuple[Failure, ...]:
        return tuple(self._failure(one, shown) for one in told_once(failures)[:MAX_FAILURES])

    def _failure(self, found: Told, shown: Evidence) -> Failure:
        failure = found.source
        return Failure(
            failure,
            found,
            self._worst(found.entries),
            tuple((self._requirement_link(name), level) for name, level in found.clauses),
            None if shown.cut else difference(failure),
            *(
                cut(text, CUT_CHARACTERS) if shown.cut and text else text
                for text in (failure["expected"], failure["received"])
            ),
        )

    def _worst(self, failures: Iterable[Json]) -> Mark:
        marks = (wording.failure_mark(one, self.strict) for one in failures)
        return min(marks, key=lambda mark: mark.rank)

    def _verifying(self, name: str, requirement: str) -> Link:
        """A scenario that decided a requirement, with the mark of what it says about this one."""
        link = self._scenario_link(name)
        entry = self.by_id.get(name)
        if entry is None or entry["verdict"] != "failed":
            return link
        own = [failure for failure in entry["failures"] if failure["requirement"] == requirement]
        return replace(link, mark=self._worst(own) if own else wording.mark("passed"))

    def _scenario_link(self, name: str) -> Link:
        return self.scenario_links.get(name, Link(name, None))

    def _requirement_link(self, name: str) -> Link:
        return self.requirement_links.get(name, Link(name, None))


def _told_by_a_failure(scenario: Json) -> bool:
    """Whether the reason of a scenario that failed only says what its failure says: at which step, and what."""
    reason = phrase(scenario, "reason") or {}
    said = (reason.get("params") or {}).get("reason")
    return reason.get("code") == AT_STEP and any(phrase(one, "message") == said for one in scenario["failures"])


def _command(text: str) -> Command:
    return Command(text, variables(text))


def _attention(link: Link) -> int:
    return link.mark.rank if link.mark else len(wording.VERDICTS)
