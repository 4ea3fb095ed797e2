"""From outcomes to verdicts: per scenario, per requirement and its clauses, and over all.

Strictness and the baseline are applied here and nowhere else.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from conformance.baseline import BaselineEntry
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
    "unfinished": "untested",
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
    if requirement.id in TRANSCRIPT_REQUIREMENTS:
        judged += _overheard(played)
    return _combined(level, judged)


def _overheard(played: tuple[ScenarioVerdict, ...]) -> list[tuple[str, str | None]]:
    """What the checks over all messages contribute, where they found nothing wrong."""
    left = next((one.outcome for one in played if one.outcome.ending == "unfinished"), None)
    if left is not None:
        return [("unfinished", left.reason)]
    heard = any(one.outcome.record.saw_messages or one.outcome.record.messages for one in played)
    return [("passed", None)] if heard else []


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
    cut_off = [reason for verdict, reason in judged if verdict == "unfinished"]
    if cut_off:
        return ClauseVerdict(level, "untested", cut_off[0])
    if any(verdict == "passed" for verdict, _ in judged):
        return ClauseVerdict(level, "passed", None)
    if judged:
        return ClauseVerdict(level, "inconclusive", judged[0][1])
    return ClauseVerdict(level, "untested", "no scenario of this run decides it")


@dataclass(frozen=True, slots=True)
class Rules:
    """How a run is judged: `strict` counts SHOULDs as MUSTs, `today` (YYYY-MM-DD, UTC) decides what has expired."""

    strict: bool = False
    require_complete: bool = False
    baseline: tuple[BaselineEntry, ...] | None = None
    today: str = ""

    @property
    def binding(self) -> tuple[Level, ...]:
        """The levels that decide the verdict."""
        return ("MUST", "SHOULD") if self.strict else ("MUST",)

    def expected(self, scenario: str, requirement: str) -> BaselineEntry | None:
        """The entry of the baseline for which this failure does not fail the run."""
        valid = (one for one in self.baseline or () if one.expires is None or one.expires >= self.today)
        return next((one for one in valid if one.lists(scenario, requirement)), None)

    def expected_clause(
        self, requirement: str, level: Level, played: Iterable[ScenarioVerdict]
    ) -> BaselineEntry | None:
        """The entry for which a failed clause does not fail the run: all its failures are listed; None: not all."""
        names = [one.outcome.scenario.id for one in played if one.fails(requirement, level)]
        entries = [self.expected(name, requirement) for name in names]
        return entries[0] if entries and None not in entries else None


BaselineState = Literal["expected", "stale", "expired", "undecided"]


@dataclass(frozen=True, slots=True)
class RunVerdict:
    """The endpoint's verdict, which no baseline changes, and whether the run passes; if not, the reasons."""

    verdict: Overall
    reasons: tuple[str, ...]
    baseline: tuple[tuple[BaselineEntry, BaselineState], ...]

    @property
    def passed(self) -> bool:
        """What the exit code says."""
        return not self.reasons


def run_verdict(
    rules: Rules, requirements: Iterable[RequirementVerdict], scenarios: Iterable[ScenarioVerdict], *, complete: bool
) -> RunVerdict:
    """Judge a run as a whole; `complete` is False where it was cut off."""
    judged, played = tuple(requirements), tuple(scenarios)
    verdict = overall(judged, strict=rules.strict, complete=complete)
    states = tuple((one, _state(one, rules, judged, played)) for one in rules.baseline or ())
    reasons = [] if complete else ["the run was cut off"]
    unexpected = _unexpected(rules, played)
    if unexpected:
        besides = "" if rules.baseline is None else " and the baseline does not list it"
        reasons.append(f"a requirement fails{besides}: {_few(unexpected)}")
    for state, text in (("stale", "the baseline is stale, what it lists passes"), ("expired", "the baseline expired")):
        names = [one.name for one, its in states if its == state]
        if names:
            reasons.append(f"{text}: {_few(names)}")
    if complete and verdict == "incomplete" and rules.require_complete:
        reasons.append("not everything was verified")
    faults = [one.outcome.scenario.id for one in played if one.verdict == "error"]
    if faults:
        reasons.append(f"wsproof itself failed: {_few(faults)}")
    return RunVerdict(verdict, tuple(reasons), states)


def _few(names: list[str]) -> str:
    once = list(dict.fromkeys(names))
    return ", ".join(once[:5]) + (f" and {len(once) - 5} more" if len(once) > 5 else "")


def _unexpected(rules: Rules, played: tuple[ScenarioVerdict, ...]) -> list[str]:
    """Requirements with a failure that decides the verdict and that no entry covers."""
    return [
        charged.requirement
        for one in played
        for charged in one.charged
        if charged.level in rules.binding and rules.expected(one.outcome.scenario.id, charged.requirement) is None
    ]


def _state(
    entry: BaselineEntry, rules: Rules, judged: tuple[RequirementVerdict, ...], played: tuple[ScenarioVerdict, ...]
) -> BaselineState:
    if entry.requirement is not None:
        found = {one.deciding.verdict for one in judged if one.requirement.id == entry.requirement}
    else:
        found = {one.verdict for one in played if entry.lists(one.outcome.scenario.id, "")}
    if "failed" in found:
        return "expired" if entry.expires is not None and entry.expires < rules.today else "expected"
    return "stale" if found == {"passed"} and entry.whole else "undecided"


def overall(verdicts: Iterable[RequirementVerdict], *, strict: bool, complete: bool = True) -> Overall:
    """`strict` counts SHOULDs as MUSTs. A run that was cut off acquits nobody."""
    binding = Rules(strict).binding
    clauses = [clause for one in verdicts for clause in one.clauses if clause.level in binding]
    if any(clause.verdict == "failed" for clause in clauses):
        return "non-conformant"
    if all(clause.verdict == "passed" for clause in clauses) and clauses and complete:
        return "conformant"
    return "incomplete"
