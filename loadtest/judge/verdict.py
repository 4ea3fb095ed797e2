"""What a load test says of the endpoint: the verdict on each requirement that load can break, and over all.

A clause failed if anything was found that breaks it. It held if its checks had chances to fail, and nothing was found.
If the generator was late itself, some chances are left open; if that is most of them, nothing is said of the clause.
What the run's journeys did not bring about is untested, and no gap: a load test speaks of what it did.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from conformance.judge.findings import UNITS
from contract.findings import Phrase, english, message_of, phrase, texts
from contract.requirements import LEVELS, CheckUse, Clause, Level, Requirement
from loadtest.judge.judge import STEP, UNPROVOKED, Judged, Sighting
from loadtest.settings import names

Overall = Literal["conformant", "non-conformant", "incomplete", "measured"]

MAX_FINDINGS = 20
"""Kinds of findings that are shown of one clause."""

MAX_EXAMPLES = 5

LOAD_UNITS: Mapping[str, str] = {
    **UNITS,
    **dict.fromkeys(("handshake", "upgrade", "acknowledged", "joined", "close-answered", UNPROVOKED), "connection"),
    "heartbeat-period": "ping",
    "alive-while-answering": "connection",
}
"""What each check that a load test applies counts."""

AMONG: Mapping[str, str] = {"alive-while-answering": "handshake"}
"""What a check's findings are among: a connection without a heartbeat shows nothing, but it may end all the same."""

NOT_APPLIED = frozenset({"compression"})
"""Checks of what no journey does."""


Results = Sequence[tuple[Requirement, tuple["ClauseResult", ...]]]
"""Requirements with what is known of their clauses."""


@dataclass(frozen=True, slots=True)
class ClauseResult:
    """What is known of a clause. `first` and `last` in seconds of the run, None if nothing was found."""

    level: Level
    verdict: Literal["passed", "failed", "inconclusive", "untested"]
    reason: Phrase | None
    applied: int
    unit: str | None
    failed: int
    undecided: int
    first: float | None
    last: float | None
    findings: tuple[Mapping[str, Any], ...]

    @property
    def entry(self) -> dict[str, Any]:
        """As the load document has it."""
        return {
            "level": self.level,
            "verdict": self.verdict,
            "reason": english(self.reason),
            **texts(reason=self.reason),
            "applied": self.applied,
            "of": self.unit,
            "failed": self.failed,
            "rate": round(self.failed / self.applied, 9) if self.applied else None,
            "first_s": self.first,
            "last_s": self.last,
            "undecided": self.undecided,
        }


def requirement_results(requirements: Mapping[str, Requirement], judged: Judged) -> Results:
    """Every requirement that a load test can judge, in the contract's order, with its clauses."""
    found = _by_clause(judged.findings)
    results = []
    for one in requirements.values():
        step = f"{STEP}:{one.id}"
        clauses = [clause for clause in one.clauses if _uses(clause)]
        extra = [
            level for level in LEVELS if (one.id, level) in found and level not in {each.level for each in clauses}
        ]
        if not clauses and not extra and step not in judged.chances:
            continue
        if not clauses and not extra:
            extra = [one.level]
        parts = [*clauses, *(Clause(level, "", "") for level in extra)]
        results.append((one, tuple(_clause(one, part, judged, found.get((one.id, part.level), [])) for part in parts)))
    return results


def _uses(clause: Clause) -> tuple[Any, ...]:
    return tuple(use for use in (*clause.checks, *clause.under_load) if use.check not in NOT_APPLIED)


def _among(clause: Clause) -> list[CheckUse]:
    return [use for use in _uses(clause) if use.check in AMONG]


def _by_clause(findings: Mapping[str, Sighting]) -> dict[tuple[str, str], list[tuple[dict[str, Any], Sighting]]]:
    found: dict[tuple[str, str], list[tuple[dict[str, Any], Sighting]]] = {}
    for key, seen in findings.items():
        kind = json.loads(key)
        found.setdefault((kind["requirement"], kind["level"]), []).append((kind, seen))
    return found


def _clause(
    requirement: Requirement, clause: Clause, judged: Judged, found: list[tuple[dict[str, Any], Sighting]]
) -> ClauseResult:
    counted = [
        (judged.chances.get(use.subject, 0), LOAD_UNITS.get(use.check), judged.undecided.get(use.subject, 0))
        for use in _uses(clause)
    ]
    step = f"{STEP}:{requirement.id}"
    if clause.level == requirement.level and judged.chances.get(step):
        counted.append((judged.chances[step], "connection", judged.undecided.get(step, 0)))
    if found:
        counted += [(judged.chances.get(AMONG[use.check], 0), LOAD_UNITS[use.check], 0) for use in _among(clause)]
    chances, unit, _ = max(counted, key=lambda one: one[0], default=(0, None, 0))
    undecided = sum(one[2] for one in counted)
    failed = sum(seen.count for _, seen in found)
    chances = max(chances, failed)
    first = min((seen.first for _, seen in found), default=None)
    last = max((seen.last for _, seen in found), default=None)
    verdict, reason = _judge(chances, failed, undecided, found)
    entries = tuple(_finding(*one) for one in sorted(found, key=lambda one: -one[1].count)[:MAX_FINDINGS])
    rounded = (None if first is None else round(first, 3), None if last is None else round(last, 3))
    return ClauseResult(clause.level, verdict, reason, chances, unit, failed, undecided, *rounded, entries)


def _judge(
    chances: int, failed: int, undecided: int, found: list[tuple[dict[str, Any], Sighting]]
) -> tuple[Literal["passed", "failed", "inconclusive", "untested"], Phrase | None]:
    if failed:
        kind, _ = max(found, key=lambda one: one[1].count)
        first = min(each.first for _, each in found)
        what = message_of({**kind["problem"], "message": ""})
        return "failed", phrase("load-failed", count=failed, chances=chances, what=what, seconds=round(first, 1))
    if 2 * undecided > chances:
        return "inconclusive", phrase("load-undecided", left=undecided, chances=chances)
    if chances:
        return "passed", None
    return "untested", phrase("load-untested")


def _finding(kind: dict[str, Any], seen: Sighting) -> dict[str, Any]:
    problem = kind["problem"]
    return {
        "check": kind["check"],
        "message": str(message_of({**problem, "message": ""})),
        **problem,
        "count": seen.count,
        "first_s": round(seen.first, 3),
        "last_s": round(seen.last, 3),
        "examples": [_example(one) for one in seen.examples[:MAX_EXAMPLES]],
    }


def _example(one: Mapping[str, Any]) -> dict[str, Any]:
    detail, user = one["detail"], names.user(one["user"])
    return {
        "t_s": round(one["t_s"], 3),
        "user": str(user),
        "detail": None if detail is None else str(message_of({**detail, "message": ""})),
        "texts": {"user": user.json} | ({} if detail is None else {"detail": detail}),
    }


def requirement_entries(results: Results) -> list[dict[str, Any]]:
    """The results as the load document has them."""
    entries = []
    for one, clauses in results:
        order = ("failed", "inconclusive", "untested", "passed")
        deciding = min(clauses, key=lambda each: (order.index(each.verdict), LEVELS.index(each.level)))
        entries.append(
            {
                "id": one.id,
                "section": one.section.id,
                "section_title": one.section.title,
                "section_title_ja": one.section.title_ja,
                "origin": one.origin,
                "statement": one.statement,
                "statement_ja": one.statement_ja,
                **deciding.entry,
                "level": deciding.level if deciding.verdict == "failed" else one.level,
                "clauses": [{**each.entry, "findings": list(each.findings)} for each in clauses],
            }
        )
    return entries


BRIEF = ("id", "level", "verdict", "applied", "of", "failed", "first_s", "last_s", "undecided")
"""What is said of a requirement in a phase."""


def brief_entries(results: Results) -> list[dict[str, Any]]:
    """The results of a phase: the requirements that it might have broken."""
    entries = requirement_entries(results)
    return [{name: one[name] for name in BRIEF} for one in entries if one["verdict"] != "untested"]


def summary(results: Results) -> dict[str, dict[str, int]]:
    """Clauses by level and verdict."""
    verdicts = ("passed", "failed", "inconclusive", "untested", "error")
    counts: dict[str, dict[str, int]] = {level: dict.fromkeys(verdicts, 0) for level in LEVELS}
    for _, clauses in results:
        for one in clauses:
            counts[one.level][one.verdict] += 1
    return counts


def overall(results: Results, *, strict: bool, whole: bool, measure_only: bool) -> Overall:
    """The verdict on the endpoint. `whole`: the run was not cut off, and measured what it was there for."""
    if measure_only:
        return "measured"
    binding = ("MUST", "SHOULD") if strict else ("MUST",)
    verdicts = [one.verdict for _, clauses in results for one in clauses if one.level in binding]
    if "failed" in verdicts:
        return "non-conformant"
    return "conformant" if whole and "passed" in verdicts and "inconclusive" not in verdicts else "incomplete"


def broken(results: Results, *, strict: bool) -> list[str]:
    """The requirements that a run fails for."""
    binding = ("MUST", "SHOULD") if strict else ("MUST",)
    return [
        one.id
        for one, clauses in results
        if any(each.verdict == "failed" and each.level in binding for each in clauses)
    ]
