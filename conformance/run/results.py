"""The results document: everything that a report shows, as plain JSON values."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from conformance.judge.baseline import BaselineEntry
from conformance.judge.verdicts import (
    BaselineState,
    Charged,
    ClauseVerdict,
    RequirementVerdict,
    Rules,
    RunVerdict,
    ScenarioVerdict,
    requirement_verdicts,
    run_verdict,
)
from conformance.play.context import Observation
from conformance.play.outage import Outage
from conformance.play.transcript import Entry, Transcript
from contract.findings import Phrase, english, phrase, texts
from contract.formats import RESULTS
from contract.requirements import LEVELS, Requirement


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What is known of a run beside its scenarios; `endpoint` holds no token, `contract` is title and version."""

    version: str
    endpoint: str
    contract: tuple[str, str]
    started: str
    duration: float
    strict: bool = False
    require_complete: bool = False
    allow_undecided: bool = False
    outages: tuple[Outage, ...] = ()
    hints: tuple[Phrase, ...] = ()
    """What is suspected of the set-up."""
    baseline: tuple[BaselineEntry, ...] | None = None
    complete: bool = True
    ended: Phrase | None = None
    """Why it was to end before everything was played."""
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def rules(self) -> Rules:
        """How the run is judged."""
        return Rules(self.strict, self.require_complete, self.allow_undecided, self.baseline, self.started[:10])


def results_document(
    facts: RunFacts,
    requirements: Mapping[str, Requirement],
    scenarios: Iterable[ScenarioVerdict],
    run_started: float = 0.0,
) -> dict[str, Any]:
    """The document of `schemas/results.schema.json`. `run_started` is on the transport's clock, in seconds."""
    played = tuple(scenarios)
    judged = requirement_verdicts(requirements, played)
    run = run_verdict(facts.rules, judged, played, complete=facts.complete, outages=facts.outages, ended=facts.ended)
    title, version = facts.contract
    return {
        "format": RESULTS,
        "tool": {"name": "wsproof", "version": facts.version},
        "endpoint": facts.endpoint,
        "contract": {"title": title, "version": version},
        "started": facts.started,
        "duration_s": round(facts.duration, 3),
        "complete": facts.complete,
        **ended_entry(facts.ended),
        "strict": facts.strict,
        "settings": dict(facts.settings),
        "verdict": run.verdict,
        "outcome": {"passed": run.passed, "reasons": list(map(str, run.reasons)), **texts(reasons=run.reasons)},
        "baseline": None if facts.baseline is None else _baseline(run),
        "hints": [hint_entry(one) for one in facts.hints],
        "outages": [outage_entry(one) for one in facts.outages],
        **_observed(played),
        "summary": _summary(judged),
        "requirements": [_requirement(one, played, facts.rules) for one in judged],
        "scenarios": [scenario_entry(one, run_started, facts.rules) for one in played],
    }


def _observed(played: Iterable[ScenarioVerdict]) -> dict[str, Any]:
    """What was seen where the contract leaves it open; nothing where nothing was looked at."""
    found = [
        {"scenario": one.outcome.scenario.id, **observation_entry(each)}
        for one in played
        for each in one.outcome.observations
    ]
    return {"observations": found} if found else {}


def observation_entry(one: Observation) -> dict[str, Any]:
    """What was seen, in a document or a stream."""
    return {"what": str(one.what), "seen": str(one.seen), **texts(what=one.what, seen=one.seen)}


def _baseline(run: RunVerdict) -> dict[str, Any]:
    return {
        state: [baseline_entry(one) for one, its in run.baseline if its == state] for state in get_args(BaselineState)
    }


def baseline_entry(one: BaselineEntry) -> dict[str, Any]:
    """An entry of the baseline, in a document or a stream."""
    kind = "requirement" if one.requirement is not None else "scenario"
    return {kind: one.name, "reason": one.reason, "link": one.link, "expires": one.expires, "line": one.line}


def ended_entry(one: Phrase | None) -> dict[str, Any]:
    """Why a run ended early, as a member of a document or a stream; none where it did not, or a signal came."""
    return {} if one is None else {"ended": {**one.json, "message": str(one)}}


def hint_entry(one: Phrase) -> dict[str, Any]:
    """A suspicion, in a document or a stream."""
    return {**one.json, "message": str(one)}


def outage_entry(one: Outage) -> dict[str, Any]:
    """An outage, in a document or a stream."""
    return {
        "at_s": round(one.at, 3),
        "kind": one.kind,
        "back_after_s": one.back_after,
        "playing": list(one.playing),
        "culprit": one.culprit,
        "suspected": list(one.suspected),
        **one.message.json,
        "message": str(one.message),
    }


def _summary(judged: tuple[RequirementVerdict, ...]) -> dict[str, dict[str, int]]:
    verdicts = ("passed", "failed", "inconclusive", "untested", "error")
    counts = {level: dict.fromkeys(verdicts, 0) for level in LEVELS}
    for one in judged:
        for clause in one.clauses if one.counts else ():
            counts[clause.level][clause.verdict] += 1
    return {level: counts[level] for level in LEVELS}


def _requirement(one: RequirementVerdict, played: tuple[ScenarioVerdict, ...], rules: Rules) -> dict[str, Any]:
    requirement, deciding = one.requirement, one.deciding
    clauses = [_clause(one, clause, played, rules) for clause in one.clauses]
    decided = clauses[one.clauses.index(deciding)]
    return {
        "id": requirement.id,
        "section": requirement.section.id,
        "section_title": requirement.section.title,
        "section_title_ja": requirement.section.title_ja,
        "origin": requirement.origin,
        "statement": requirement.statement,
        "statement_ja": requirement.statement_ja,
        **decided,
        "level": deciding.level if deciding.verdict == "failed" else requirement.level,
        "selected": one.selected,
        "clauses": clauses,
        "scenarios": list(one.scenarios),
    }


def _clause(
    one: RequirementVerdict, clause: ClauseVerdict, played: tuple[ScenarioVerdict, ...], rules: Rules
) -> dict[str, Any]:
    entry = rules.expected_clause(one.requirement.id, clause.level, played)
    return {
        "level": clause.level,
        "verdict": clause.verdict,
        "reason": english(clause.reason),
        **texts(reason=clause.reason),
        "applied": clause.applied,
        "of": clause.unit,
        "steps": clause.steps,
        **_expected(entry),
    }


def _expected(entry: BaselineEntry | None) -> dict[str, str]:
    return {"baseline": entry.reason} if entry is not None else {}


def scenario_entry(one: ScenarioVerdict, run_started: float, rules: Rules) -> dict[str, Any]:
    """One scenario of the document."""
    outcome = one.outcome
    scenario = outcome.scenario
    return {
        "id": scenario.id,
        "title": scenario.title,
        "title_ja": scenario.title_ja,
        "group": scenario.group,
        "tags": list(scenario.tags),
        "verifies": list(scenario.verifies),
        "verdict": one.verdict,
        "reason": english(outcome.reason),
        **texts(reason=outcome.reason),
        "started_s": round(max(outcome.started - run_started, 0.0), 3),
        "duration_s": round(outcome.duration, 3),
        "failures": [
            _failure(charged) | _expected(rules.expected(scenario.id, charged.requirement)) for charged in one.charged
        ],
        **({"unconfirmed": [_failure(each) for each in one.unconfirmed]} if one.unconfirmed else {}),
        "transcript": _transcript(outcome.record.transcript),
    }


def _failure(charged: Charged) -> dict[str, Any]:
    failure = charged.failure
    return {
        "requirement": charged.requirement,
        "level": charged.level,
        "check": failure.check,
        "step": str(failure.step),
        "actor": failure.actor,
        **failure.message.json,
        "message": str(failure.message),
        "expected": english(failure.expected),
        "received": english(failure.received),
        **texts(step=failure.step, expected=failure.expected, received=failure.received),
    }


def _transcript(transcript: Transcript) -> list[dict[str, Any]]:
    lines = [_line(entry) for entry in transcript.first]
    if transcript.left_out:
        text = phrase("left-out", number=transcript.left_out)
        lines.append(
            _line(Entry(transcript.first[-1].t if transcript.first else 0.0, None, "none", "note", None, text))
        )
    return lines + [_line(entry) for entry in transcript.last]


def _line(entry: Entry) -> dict[str, Any]:
    line: dict[str, Any] = {
        "t": entry.t,
        "actor": entry.actor,
        "direction": entry.direction,
        "kind": entry.kind,
        "event": entry.event,
        "data": str(entry.data),
        **texts(data=entry.data),
    }
    if entry.truncated:
        line["truncated"] = True
    return line
