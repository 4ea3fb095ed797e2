"""From outcomes to verdicts: per scenario, per requirement and its clauses, and over all.

A clause passes where something was looked at: a step that decides it was played, or a check that decides it had a
chance to fail. Strictness and the baseline are applied here and nowhere else.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from conformance.judge.baseline import BaselineEntry
from conformance.judge.findings import UNITS
from conformance.language.scenario import Decided
from conformance.play.context import Failure
from conformance.play.engine import Ending, Outcome, is_cut_off
from conformance.play.outage import MOST_OUTAGES, Outage
from conformance.transport.troubles import is_trouble
from contract.findings import Phrase, Text, few, phrase
from contract.requirements import LEVELS, Clause, Level, Requirement

Verdict = Literal["passed", "failed", "inconclusive", "untested", "error"]
Overall = Literal["conformant", "non-conformant", "incomplete"]

SHOWN = 5
"""Names that a reason lists."""

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
    """A scenario's outcome with all failures, the transcript checks' among them.

    `applied` says how often each check had a chance to fail. `unconfirmed` are absences that were seen once, and not
    again when the scenario was played again.
    """

    outcome: Outcome
    charged: tuple[Charged, ...]
    applied: Mapping[str, int] = field(default_factory=dict)
    unconfirmed: tuple[Charged, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """A failure convicts whatever else there is; the tool's own fault comes next."""
        if self.charged:
            return "failed"
        if self.unconfirmed and self.outcome.ending != "error":
            return "inconclusive"
        return VERDICT_OF_ENDING[self.outcome.ending]

    @property
    def absences(self) -> tuple[Charged, ...]:
        """What it is charged with because something did not come."""
        return tuple(one for one in self.charged if one.failure.absent is not None)

    def fails(self, requirement: str, level: Level) -> bool:
        """Whether some failure is charged to this clause."""
        return any(one.requirement == requirement and one.level == level for one in self.charged)


@dataclass(frozen=True, slots=True)
class ClauseVerdict:
    """What is known of a clause, and from what.

    `applied` is how often its checks had a chance to fail, in units of `unit`; `steps` how many played steps decide
    it. `selected`: some scenario of the run is there to decide it.
    """

    level: Level
    verdict: Verdict
    reason: Text | None
    applied: int = 0
    steps: int = 0
    unit: str | None = None
    selected: bool = True


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

    @property
    def selected(self) -> bool:
        """Whether some scenario of the run is there to decide it."""
        return any(one.selected for one in self.clauses)

    @property
    def counts(self) -> bool:
        """Whether the run speaks of it: it was selected, or decided all the same."""
        return self.selected or self.deciding.verdict in ("passed", "failed")


def charge_failures(
    outcome: Outcome,
    failures: Iterable[Failure],
    requirements: Mapping[str, Requirement],
    applied: Mapping[str, int] | None = None,
) -> ScenarioVerdict:
    """Spread failures over the requirements that they are charged to."""
    charged = []
    for failure in failures:
        for name in failure.charge.requirements:
            own: Level = requirements[name].level if name in requirements else "MUST"
            charged.append(Charged(name, failure.charge.level or own, failure))
    return ScenarioVerdict(outcome, tuple(charged), applied or {})


def requirement_verdicts(
    requirements: Mapping[str, Requirement], scenarios: Iterable[ScenarioVerdict]
) -> tuple[RequirementVerdict, ...]:
    """Judge every requirement of a server."""
    played = tuple(scenarios)
    applied: Counter[str] = Counter()
    for each in played:
        applied.update(each.applied)
    found = []
    for requirement in requirements.values():
        if requirement.section.id == CLIENT_SECTION:
            continue
        clauses = list(requirement.clauses)
        extra = {one.level for each in played for one in each.charged if one.requirement == requirement.id}
        levels = [clause.level for clause in clauses]
        clauses += [Clause(level, "", "") for level in LEVELS if level in extra and level not in levels]
        names = tuple(
            one.outcome.scenario.id
            for one in played
            if requirement.id in one.outcome.scenario.verifies
            or any(charged.requirement == requirement.id for charged in (*one.charged, *one.unconfirmed))
        )
        judged = tuple(_clause(requirement, clause, played, applied) for clause in clauses)
        found.append(RequirementVerdict(requirement, judged, names))
    return tuple(found)


def _clause(
    requirement: Requirement, clause: Clause, played: tuple[ScenarioVerdict, ...], applied: Mapping[str, int]
) -> ClauseVerdict:
    name, level = requirement.id, clause.level
    # A permission is used or not: what decides any part of it has looked at it.
    levels: set[Level | None] = {*LEVELS, None} if level == "MAY" else {level}
    keys = [(name, one) for one in levels | ({None} if level == requirement.level else set())]
    steps = sum(one.outcome.reached.get(key, 0) for one in played for key in keys)
    # Two checks may look at the same messages, or one at messages and one at connections: the greater count is shown.
    counted = [(applied.get(use.subject, 0), UNITS.get(use.check)) for use in clause.checks]
    chances, unit = max(counted, key=lambda one: one[0], default=(0, None))
    verifying = [one for one in played if _verifies(one, name, level)]
    verdict, reason = _seen(name, level, played) or _combined(
        [
            *(_contribution(one, keys, clause) for one in verifying),
            *_cut_off(clause, played),
            *([("passed", None)] if chances or any(_looked_at(one.outcome, keys) for one in played) else []),
        ],
        selected=bool(verifying),
    )
    return ClauseVerdict(level, verdict, reason, chances, steps, unit, bool(verifying))


def _verifies(one: ScenarioVerdict, name: str, level: Level) -> bool:
    scenario = one.outcome.scenario
    return name in scenario.verifies and scenario.level in (None, level)


def _seen(name: str, level: Level, played: tuple[ScenarioVerdict, ...]) -> tuple[Verdict, Phrase] | None:
    """What some scenario saw go wrong, for certain or once."""

    def meant(charges: Iterable[Charged]) -> list[Charged]:
        return [one for one in charges if one.requirement == name and one.level == level]

    certain = [(one.outcome.scenario.id, each) for one in played for each in meant(one.charged)]
    if certain:
        scenario, charged = certain[0]
        reason = phrase("in-scenario", scenario=scenario, reason=charged.failure.message)
        return "failed", phrase("and-more", reason=reason, more=len(certain) - 1) if len(certain) > 1 else reason
    for one in played:
        for each in meant(one.unconfirmed):
            outcome = one.outcome
            undecided = outcome.ending == "inconclusive" and outcome.reason
            seen = undecided or phrase("seen-once", reason=each.failure.message)
            return "inconclusive", phrase("in-scenario", scenario=outcome.scenario.id, reason=seen)
    return None


def _cut_off(clause: Clause, played: tuple[ScenarioVerdict, ...]) -> list[tuple[str, Text | None]]:
    """What checks look at in every scenario is not all there, where the run was interrupted."""
    reasons = [one.outcome.reason for one in played if one.outcome.ending == "unfinished"]
    cut_off = [("unfinished", one) for one in reasons if is_cut_off(one)]
    return [*cut_off[:1]] if clause.checks else []


def _contribution(one: ScenarioVerdict, keys: list[Decided], clause: Clause) -> tuple[str, Text | None]:
    """What a scenario that is there to decide a clause says of it, where it has nothing against it."""
    outcome = one.outcome
    scenario = outcome.scenario
    if outcome.ending in ("finished", "stopped"):
        if _looked_at(outcome, keys):
            return "passed", None
        if outcome.ending == "stopped":
            return "unreached", phrase("unreached", scenario=scenario.id, reason=outcome.reason or "")
        return "nothing", None
    if outcome.ending == "inconclusive" and ADDITIONAL_TAG in scenario.tags:
        return "nothing", None
    return outcome.ending, phrase("in-scenario", scenario=scenario.id, reason=outcome.reason or "")


def _looked_at(outcome: Outcome, keys: Iterable[Decided]) -> bool:
    """Whether a scenario played all its steps that decide a clause, and had some."""
    return any(key in outcome.reached for key in keys) and not any(key in outcome.unreached for key in keys)


def _combined(judged: list[tuple[str, Text | None]], *, selected: bool) -> tuple[Verdict, Text | None]:
    """What some scenario lacks a fixture for is not passed; what one did not reach, another may decide."""
    undecided: tuple[tuple[str, Verdict], ...] = (
        ("error", "error"),
        ("inconclusive", "inconclusive"),
        ("unfinished", "untested"),
    )
    for kind, verdict in undecided:
        reasons = [reason for its, reason in judged if its == kind]
        if reasons:
            return verdict, reasons[0]
    if any(kind == "passed" for kind, _ in judged):
        return "passed", None
    unreached = [reason for kind, reason in judged if kind == "unreached"]
    if unreached:
        return "inconclusive", unreached[0]
    return "untested", phrase("undecided" if selected else "not-selected")


@dataclass(frozen=True, slots=True)
class Rules:
    """How a run is judged: `strict` counts SHOULDs as MUSTs, `today` (YYYY-MM-DD, UTC) decides what has expired."""

    strict: bool = False
    require_complete: bool = False
    allow_undecided: bool = False
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
    reasons: tuple[Phrase, ...]
    baseline: tuple[tuple[BaselineEntry, BaselineState], ...]

    @property
    def passed(self) -> bool:
        """What the exit code says."""
        return not self.reasons


def run_verdict(
    rules: Rules,
    requirements: Iterable[RequirementVerdict],
    scenarios: Iterable[ScenarioVerdict],
    *,
    complete: bool,
    outages: Iterable[Outage] = (),
    ended: Phrase | None = None,
) -> RunVerdict:
    """Judge a run as a whole; `complete` is False where it was cut off, and `ended` says so where that was wanted."""
    judged, played = tuple(requirements), tuple(scenarios)
    happened = tuple(outages)
    explained = all(one.culprit is not None for one in happened)
    faulty = [one.outcome for one in played if one.verdict == "error"]
    verdict = overall(judged, strict=rules.strict, complete=complete and explained and not faulty)
    states = tuple((one, _state(one, rules, judged, played)) for one in rules.baseline or ())
    reasons = [] if complete else _cut_short(rules, ended)
    unexpected = _unexpected(rules, played)
    if unexpected:
        code = "run-fails" if rules.baseline is None else "run-fails-unlisted"
        reasons.append(phrase(code, names=few(unexpected, SHOWN)))
    for state in ("stale", "expired"):
        names = [one.name for one, its in states if its == state]
        if names:
            reasons.append(phrase(f"baseline-{state}", names=few(names, SHOWN)))
    reasons += [one.reason for one in happened if one.reason is not None]
    if len(happened) >= MOST_OUTAGES:
        reasons.append(phrase("stopped-thrice"))
    if (complete or ended) and verdict == "incomplete" and rules.require_complete:
        reasons.append(phrase("not-everything"))
    if complete and not rules.allow_undecided:
        reasons += _next_to_nothing(judged)
    return RunVerdict(verdict, (*reasons, *_own(faulty)), states)


def _own(faulty: Iterable[Outcome]) -> list[Phrase]:
    """What ended scenarios that was not the endpoint's: this machine's troubles, each once, and faults of ours."""
    troubles: dict[str, Phrase] = {}
    names = []
    for one in faulty:
        if is_trouble(one.reason):
            troubles.setdefault(str(one.reason), one.reason)
        else:
            names.append(one.scenario.id)
    return [*troubles.values(), *([phrase("own-faults", names=few(names, SHOWN))] if names else [])]


def _cut_short(rules: Rules, ended: Phrase | None) -> list[Phrase]:
    """What was to end early, and left something undecided, passes where that is allowed."""
    if ended is None:
        return [phrase("run-cut-off")]
    return [] if rules.allow_undecided else [ended]


def _next_to_nothing(judged: tuple[RequirementVerdict, ...]) -> list[Phrase]:
    """A run that decided less than half of what it was there for is no success."""
    musts = [clause for one in judged for clause in one.clauses if clause.level == "MUST" and clause.selected]
    decided = sum(clause.verdict in ("passed", "failed") for clause in musts)
    if 2 * decided >= len(musts):
        return []
    return [phrase("next-to-nothing", number=decided, count=len(musts))]


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
    """The verdict on what was selected, and on what was decided besides.

    `strict` counts SHOULDs as MUSTs. A run that was cut off acquits nobody.
    """
    binding = Rules(strict).binding
    clauses = [clause for one in verdicts if one.counts for clause in one.clauses if clause.level in binding]
    if any(clause.verdict == "failed" for clause in clauses):
        return "non-conformant"
    if all(clause.verdict == "passed" for clause in clauses) and clauses and complete:
        return "conformant"
    return "incomplete"
