"""What got better and worse between two runs, clause by clause, and the matrix of several.

Worse is what passed and does not any more: it fails, or became undecided (inconclusive, untested, error). A failure
that became undecided, or was undecided before, is `unclear`: silence is no improvement, and a failure that is now seen
may have been there before. Both weigh where the clause is a MUST, or a SHOULD of a strict run. What only one of the
two documents knows (another version of the contract) is `new` or `gone`, and does not weigh. A baseline excuses
nothing here: it says what may fail, not what failed before. What a load test did not bring about is, beside a pass, as
if it were not known.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from contract.formats import LOAD
from reports.compare.parts import Json, Run, sorted_changes
from reports.load import findings as load_findings
from reports.shared import wording
from reports.shared.anchors import of_compliance_page
from reports.shared.documents import Document
from reports.text.phrases import moved, phrase

_WORST_FIRST: Final = ("failed", "error", "inconclusive", "untested", "passed")

_FIGURES: Final = ("applied", "of", "failed")
"""Members of a load test's clauses that tell how often they were broken."""

Key = tuple[str, str]
"""A clause: its requirement's id, and its level."""
Clauses = Mapping[Key, tuple[Json, Json]]


@dataclass(frozen=True, slots=True)
class _Told:
    """What a run tells of its failures, and where its own page does."""

    page: str | None
    requirements: Mapping[str, str]
    scenarios: Mapping[str, str]
    failures: Mapping[Key, tuple[str | None, Json]]
    """The first failure of each clause, with its scenario's id; of a load test the first finding, which has none."""

    @classmethod
    def by(cls, run: Run) -> "_Told":
        return cls(run.page, *of_compliance_page(run.document), _failures(run.document))

    def failure(self, key: Key, verdict: str) -> tuple[str | None, Json]:
        """(scenario, failure) of a clause with this verdict; nothing where it did not fail."""
        return self.failures.get(key, (None, {})) if verdict == "failed" else (None, {})

    def link(self, key: Key, verdict: str) -> str | None:
        """Where the page tells of a clause: the first case that failed, else the requirement."""
        scenario, _ = self.failure(key, verdict)
        anchor = self.scenarios.get(scenario or "") or self.requirements.get(key[0])
        return None if self.page is None else f"{self.page}#{anchor}"


def changes(before: Run, after: Run) -> Mapping[str, Sequence[Json]]:
    """What differs, by list."""
    was, now = _clauses(before.document), _clauses(after.document)
    strict = wording.is_strict(before.document) or wording.is_strict(after.document)
    told = _Told.by(before), _Told.by(after)
    found: dict[str, list[Json]] = {}
    for key in dict.fromkeys([*was, *now]):
        sides = was.get(key), now.get(key)
        where = _list_of(*_exercised(after.document, *(side and side[1]["verdict"] for side in sides)))
        if where is not None:
            weighs = where not in ("new", "gone") and wording.binding(key[1], strict)
            found.setdefault(where, []).append(_change(key, sides, told, weighs))
    return sorted_changes(found)


def _exercised(document: Document, was: str | None, now: str | None) -> tuple[str | None, str | None]:
    """A clause's verdicts; None where a load test did not bring it about, which is no gap of a load test."""
    if document["format"] != LOAD or "failed" in (was, now):
        return was, now
    return None if was == "untested" else was, None if now == "untested" else now


def _list_of(was: str | None, now: str | None) -> str | None:
    """Where a clause with these verdicts (None: it is not there) belongs; None where nothing changed."""
    if was == now:
        return None
    if was is None or now is None:
        return "gone" if now is None else "new"
    ranks = _rank(was), _rank(now)
    if ranks[0] == ranks[1]:
        return None
    if "passed" in (was, now):
        return "worse" if was == "passed" else "better"
    return "unclear"


def _rank(verdict: str) -> str:
    return "undecided" if verdict in wording.UNVERIFIED else verdict


def _clauses(document: Document) -> Clauses:
    """(requirement, clause) by id and level; of several clauses of a level the worst."""
    found: dict[Key, tuple[Json, Json]] = {}
    # Of a run that judged nothing, silence says nothing.
    for requirement in () if document["verdict"] == "measured" else document["requirements"]:
        for clause in wording.clauses(requirement):
            key = requirement["id"], clause["level"]
            known = found.get(key)
            if known is None or _badness(clause) < _badness(known[1]):
                found[key] = requirement, clause
    return found


def _badness(clause: Json) -> int:
    return _WORST_FIRST.index(clause["verdict"])


def _failures(document: Document) -> Mapping[Key, tuple[str | None, Json]]:
    found: dict[Key, tuple[str | None, Json]] = {}
    for scenario in document.get("scenarios", ()):
        for failure in scenario["failures"]:
            found.setdefault((failure["requirement"], failure["level"]), (scenario["id"], failure))
    if document["format"] == LOAD:
        for one in load_findings.broken(document):
            for finding in one.clause["findings"][:1]:
                found.setdefault((one.requirement["id"], one.clause["level"]), (None, finding))
    return found


def _change(
    key: Key,
    sides: tuple[tuple[Json, Json] | None, tuple[Json, Json] | None],
    told: tuple[_Told, _Told],
    weighs: bool,
) -> Json:
    name, level = key
    known = next(side for side in reversed(sides) if side is not None)[0]
    was, now = (_side(side, key, one) for side, one in zip(sides, told, strict=True))
    return {
        "kind": "requirement",
        "name": name,
        "level": level,
        "statement": known["statement"],
        "statement_ja": known.get("statement_ja"),
        "weighs": weighs,
        "before": was,
        "after": now,
    }


def _side(side: tuple[Json, Json] | None, key: Key, told: _Told) -> Json | None:
    if side is None:
        return None
    requirement, clause = side
    scenario, failure = told.failure(key, clause["verdict"])
    reasons = clause if clause["reason"] or clause["verdict"] == "passed" else requirement
    return {
        "verdict": clause["verdict"],
        "expected": "baseline" in clause,
        "reason": reasons["reason"],
        **moved(reasons, "reason"),
        "scenario": scenario,
        "message": failure.get("message"),
        **(phrase(failure, "message") or {}),
        **{member: clause[member] for member in _FIGURES if member in clause and "undecided" in clause},
        "link": told.link(key, clause["verdict"]),
    }


def matrix(runs: Sequence[Run]) -> list[Json]:
    """Every requirement with its verdict in each run (None: the run does not know it), in the contract's order."""
    every = [_cells(run) for run in runs]
    known: dict[str, Json] = {}
    for run in runs:
        for requirement in run.document["requirements"]:
            known.setdefault(requirement["id"], requirement)
    members = ("section", "section_title", "statement")
    return [
        {
            "id": name,
            **{member: requirement[member] for member in members},
            **{f"{member}_ja": requirement.get(f"{member}_ja") for member in ("section_title", "statement")},
            "cells": [cells.get(name) for cells in every],
        }
        for name, requirement in known.items()
    ]


def _cells(run: Run) -> Mapping[str, Json]:
    told = _Told.by(run)
    found: dict[str, Json] = {}
    for requirement in run.document["requirements"]:
        name, level, verdict = requirement["id"], requirement["level"], requirement["verdict"]
        cell = {
            "verdict": verdict,
            "level": level,
            "expected": "baseline" in requirement,
            "reason": requirement["reason"],
            **moved(requirement, "reason"),
            "link": told.link((name, level), verdict),
        }
        found.setdefault(name, cell)
    return found
