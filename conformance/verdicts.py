"""From outcomes to verdicts: per scenario, per requirement and its clauses, and over all.

Strictness is applied here and nowhere else.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from conformance.checks import TRANSCRIPT_REQUIREMENTS
from conformance.engine import Ending, Outcome
from conformance.stage import Failure
from contract.requirements import LEVELS, Level, Requirement

Verdict = Literal["passed", "failed", "inconclusive", "untested", "error"]
Overall = Literal["conformant", "non-conformant", "incomplete"]

ADDITIONAL_TAG = "additional"
"""Scenarios that look at a requirement from one more side; other scenarios decide it where a fixture is lacking."""

VERDICT_OF_ENDING: Mapping[Ending, Verdict] = {
    "finished": "passed",
    "stopped": "failed",
    "inconclusive": "inconclusive",
    "error": "error",
}

CLIENT_SECTION = "CLIENT"
"""What a client owes; a check of a server does not speak of it."""


@dataclass(frozen=True, slots=True)
class Charged:
    """A failure, charged to one requirement at one level."""

    requirement: str
    level: Level
    failure: Failure


@dataclass(frozen=True, slots=True)
class ScenarioVerdict:
    """A scenario's outcome with all failures, the transcript checks' among them."""

    outcome: Outcome
    charged: tuple[Charged, ...]

    @property
    def verdict(self) -> Verdict:
        """A failure convicts whatever else there is; the tool's own fault comes next."""
        if self.charged:
            return "failed"
        return VERDICT_OF_ENDING[self.outcome.ending]

    def fails(self, requirement: str, level: Level) -> bool:
        """Whether some failure is charged to this clause."""
        return any(one.requirement == requirement and one.level == level for one in self.charged)


@dataclass(frozen=True, slots=True)
class ClauseVerdict:
    level: Level
    verdict: Verdict
    reason: str | None


@dataclass(frozen=True, slots=True)
class RequirementVerdict:
    """`level` and `verdict` are those of the clause that decided."""

    requirement: Requirement
    clauses: tuple[ClauseVerdict, ...]
    scenarios: tuple[str, ...]

    @property
    def deciding(self) -> ClauseVerdict:
        """A failed MUST beats a failed SHOULD, and both beat what was not decided; a pass comes last."""
        order: tuple[Verdict, ...] = ("failed", "error", "inconclusive", "untested", "passed")
        return min(self.clauses, key=lambda one: (order.index(one.verdict), LEVELS.index(one.level)))


def charge_failures(
    outcome: Outcome, failures: Iterable[Failure], requirements: Mapping[str, Requirement]
) -> ScenarioVerdict:
    """Spread failures over the requirements that they are charged to."""
    charged = []
    for failure in failures:
        for name in failure.charge.requirements:
            own: Level = requirements[name].level if name in requirements else "MUST"
            charged.append(Charged(name, failure.charge.level or own, failure))
    return ScenarioVerdict(outcome, tuple(charged))


def requirement_verdicts(
    requirements: Mapping[str, Requirement], scenarios: Iterable[ScenarioVerdict]
) -> tuple[RequirementVerdict, ...]:
    """Judge every requirement of a server."""
    played = tuple(scenarios)
    found = []
    for requirement in requirements.values():
        if requirement.section.id == CLIENT_SECTION:
            continue
        levels = [clause.level for clause in requirement.clauses]
        extra = {one.level for each in played for one in each.charged if one.requirement == requirement.id}
        levels += [level for level in LEVELS if level in extra and level not in levels]
        clauses = tuple(_clause(requirement, level, played) for level in levels)
        names = tuple(
            one.outcome.scenario.id
            for one in played
            if requirement.id in one.outcome.scenario.verifies
            or any(charged.requirement == requirement.id for charged in one.charged)
        )
        found.append(RequirementVerdict(requirement, clauses, names))
    return tuple(found)


def _clause(requirement: Requirement, level: Level, played: tuple[ScenarioVerdict, ...]) -> ClauseVerdict:
    failures = [
        (one, charged)
        for one in played
        for charged in one.charged
        if charged.requirement == requirement.id and charged.level == level
    ]
    if failures:
        scenario, charged = failures[0]
        more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
        return ClauseVerdict(level, "failed", f"{scenario.outcome.scenario.id}: {charged.failure.message}{more}")
    judged = [
        _contribution(requirement.id, one)
        for one in played
        if requirement.id in one.outcome.scenario.verifies
        and one.outcome.scenario.level in (None, level)
        and not (one.outcome.ending == "inconclusive" and ADDITIONAL_TAG in one.outcome.scenario.tags)
    ]
    if requirement.id in TRANSCRIPT_REQUIREMENTS and any(
        one.outcome.record.saw_messages or one.outcome.record.messages for one in played
    ):
        judged.append(("passed", None))
    return _combined(level, judged)


def _contribution(requirement: str, one: ScenarioVerdict) -> tuple[str, str | None]:
    outcome = one.outcome
    name = outcome.scenario.id
    if outcome.ending == "finished":
        return "passed", None
    if outcome.ending == "stopped":
        if requirement in outcome.reached and requirement not in outcome.unreached:
            return "passed", None
        return "unreached", f"{name} did not get that far: {outcome.reason}"
    return outcome.ending, f"{name}: {outcome.reason}"


def _combined(level: Level, judged: list[tuple[str, str | None]]) -> ClauseVerdict:
    """What some scenario lacks a fixture for is not passed; what one did not reach, another may decide."""
    undecided: tuple[Verdict, ...] = ("error", "inconclusive")
    for kind in undecided:
        reasons = [reason for verdict, reason in judged if verdict == kind]
        if reasons:
            return ClauseVerdict(level, kind, reasons[0])
    if any(verdict == "passed" for verdict, _ in judged):
        return ClauseVerdict(level, "passed", None)
    if judged:
        return ClauseVerdict(level, "inconclusive", judged[0][1])
    return ClauseVerdict(level, "untested", "no scenario of this run decides it")


def overall(verdicts: Iterable[RequirementVerdict], *, strict: bool) -> Overall:
    """`strict` counts SHOULDs as MUSTs."""
    binding = ("MUST", "SHOULD") if strict else ("MUST",)
    clauses = [clause for one in verdicts for clause in one.clauses if clause.level in binding]
    if any(clause.verdict == "failed" for clause in clauses):
        return "non-conformant"
    if all(clause.verdict == "passed" for clause in clauses) and clauses:
        return "conformant"
    return "incomplete"
