"""The results document: everything that a report shows, as plain JSON values."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance.record import Entry
from conformance.verdicts import Charged, RequirementVerdict, ScenarioVerdict, overall
from contract.model import Contract
from contract.requirements import LEVELS

FORMAT = "wsproof.results/1"


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What is known of a run beside its scenarios; `endpoint` holds no token."""

    version: str
    endpoint: str
    started: str
    duration: float
    strict: bool = False
    complete: bool = True
    settings: Mapping[str, Any] = field(default_factory=dict)


def results_document(
    facts: RunFacts,
    contract: Contract,
    requirements: Iterable[RequirementVerdict],
    scenarios: Iterable[ScenarioVerdict],
    run_started: float = 0.0,
) -> dict[str, Any]:
    """The document of `schemas/results.schema.json`. `run_started` is on the transport's clock, in seconds."""
    judged = tuple(requirements)
    return {
        "format": FORMAT,
        "tool": {"name": "wsproof", "version": facts.version},
        "endpoint": facts.endpoint,
        "contract": {"title": contract.title, "version": contract.version},
        "started": facts.started,
        "duration_s": round(facts.duration, 3),
        "complete": facts.complete,
        "strict": facts.strict,
        "settings": dict(facts.settings),
        "verdict": overall(judged, strict=facts.strict),
        "summary": _summary(judged),
        "requirements": [_requirement(one) for one in judged],
        "scenarios": [scenario_entry(one, run_started) for one in scenarios],
    }


def _summary(judged: tuple[RequirementVerdict, ...]) -> dict[str, dict[str, int]]:
    verdicts = ("passed", "failed", "inconclusive", "untested", "error")
    counts = {level: dict.fromkeys(verdicts, 0) for level in LEVELS}
    for one in judged:
        for clause in one.clauses:
            counts[clause.level][clause.verdict] += 1
    return {level: counts[level] for level in LEVELS}


def _requirement(one: RequirementVerdict) -> dict[str, Any]:
    requirement, deciding = one.requirement, one.deciding
    return {
        "id": requirement.id,
        "level": deciding.level if deciding.verdict == "failed" else requirement.level,
        "section": requirement.section.id,
        "section_title": requirement.section.title,
        "origin": requirement.origin,
        "statement": requirement.statement,
        "statement_ja": requirement.statement_ja,
        "verdict": deciding.verdict,
        "reason": deciding.reason,
        "clauses": [
            {"level": clause.level, "verdict": clause.verdict, "reason": clause.reason} for clause in one.clauses
        ],
        "scenarios": list(one.scenarios),
    }


def scenario_entry(one: ScenarioVerdict, run_started: float) -> dict[str, Any]:
    """One scenario of the document."""
    outcome = one.outcome
    scenario = outcome.scenario
    return {
        "id": scenario.id,
        "title": scenario.title,
        "group": scenario.group,
        "tags": list(scenario.tags),
        "verifies": list(scenario.verifies),
        "verdict": one.verdict,
        "reason": outcome.reason,
        "started_s": round(max(outcome.started - run_started, 0.0), 3),
        "duration_s": round(outcome.duration, 3),
        "failures": [_failure(charged) for charged in one.charged],
        "transcript": _transcript(outcome.record.entries, outcome.record.left_out),
    }


def _failure(charged: Charged) -> dict[str, Any]:
    failure = charged.failure
    return {
        "requirement": charged.requirement,
        "level": charged.level,
        "step": failure.step,
        "actor": failure.actor,
        "message": failure.message,
        "expected": failure.expected,
        "received": failure.received,
    }


def _transcript(entries: list[Entry], left_out: int) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    for entry in entries:
        line: dict[str, Any] = {
            "t": entry.t,
            "actor": entry.actor,
            "direction": entry.direction,
            "kind": entry.kind,
            "event": entry.event,
            "data": entry.data,
        }
        if entry.truncated:
            line["truncated"] = True
        lines.append(line)
    if left_out:
        last = entries[-1].t if entries else 0.0
        text = f"{left_out} more lines are left out"
        lines.append({"t": last, "actor": None, "direction": "none", "kind": "note", "event": None, "data": text})
    return lines
