"""What did not come is confirmed before it counts.

A wrong message is evidence by itself. A time-out, an ended or a refused connection (`Failure.absent`) may be the work
of another scenario that played beside it, so a scenario with such a failure is played again, alone. Where that fails,
it failed. Where it passes, the scenario is played once more, in company: beside those that it had played with, as far
as these do nothing wrong on purpose; a server may lose only in a crowd. Where that passes too, the failure counts if
three scenarios failed alike, since three accidents of one kind are none; else it is `unconfirmed`, and neither failed
nor passed. Scenarios that failed while nothing came on any connection at all, not even to others, had one accident: the
endpoint stood still, or the machine that both are on.

Three causes explain failures better than the endpoint's handling of what a scenario tested, and what they explain is
not charged:

- an outage (`conformance.play.outage`): the run plays again what it cut off before any of this;
- connections that are not kept apart: a failure in a scenario tagged `isolation`, or of the check `membership`. All
  else that failed is played again, alone, and that decides; what came wrong then, must come wrong once more;
- plain posting that misses deliveries already: a scenario tagged `control` does; or plain connections that are not
  acknowledged. A delivery, or an acknowledgement, that another scenario misses says nothing then about what that
  scenario is there for.

Replays are few for each kind of failure and bounded in time. Scenarios that wait for heartbeats take their time by
themselves, and are replayed side by side.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from conformance.judge.verdicts import Charged, ScenarioVerdict
from conformance.language.awaited import Expect, ExpectOne
from conformance.language.deeds import Connect, DropConnection, SendRaw, StopReading
from conformance.language.scenario import Scenario
from conformance.play.context import Absence
from conformance.run.progress import longest_wait
from contract.findings import phrase
from contract.profile import Profile
from contract.requirements import Level, Requirement

ISOLATION_TAG = "isolation"
CONTROL_TAG = "control"

ALIKE = 3
"""Scenarios that fail alike by no accident."""

FEW = 3
"""Replays of scenarios that fail alike."""

REPLAY_SECONDS = 15.0
"""How long all replays of scenarios alone may take, at a time scale of 1."""

NO_TIME = phrase("no-time")

Kind = tuple[str, Level, str]
"""Failures are alike: the requirement, the level, and what did not come."""


def kinds(charged: Iterable[Charged]) -> set[Kind]:
    """The kinds of the absences among failures."""
    return {(one.requirement, one.level, one.failure.absent) for one in charged if one.failure.absent is not None}


@dataclass(frozen=True, slots=True)
class Player:
    """How a run plays scenarios again: one alone, or several side by side. `stopped`: nothing more is played.

    `clock` gives the time in seconds, `left` is told how many replays are left, and `stood_still` says whether nothing
    came on any connection between two times of the first play.
    """

    alone: Callable[[Scenario], ScenarioVerdict]
    together: Callable[[Sequence[Scenario]], Mapping[str, ScenarioVerdict]]
    stopped: Callable[[], bool]
    clock: Callable[[], float]
    left: Callable[[int], None]
    stood_still: Callable[[float, float], bool]


@dataclass(slots=True)
class Replays:
    """Confirms the verdicts of a run."""

    player: Player
    profile: Profile
    requirements: Mapping[str, Requirement]
    scenarios: Sequence[Scenario]
    time_scale: float = 1.0
    _again: dict[str, ScenarioVerdict] = field(default_factory=dict)
    _tried: Counter[Kind] = field(default_factory=Counter)
    _certain: set[Kind] = field(default_factory=set)
    _until: float = 0.0

    def confirmed(self, first: Mapping[str, ScenarioVerdict]) -> dict[str, ScenarioVerdict]:
        """The verdicts after all replays, by scenario id in the order given; more of them when it is asked again."""
        self._until = self.player.clock() + REPLAY_SECONDS * self.time_scale
        self._replay_heartbeats(first)
        self._replay(one for one in first.values() if ISOLATION_TAG in one.outcome.scenario.tags)
        broken = self._broken_isolation(first)
        if broken:
            return self._apart(first, broken)
        alike = Counter(
            kind for one in first.values() if one.absences and not self._stood_still(one) for kind in kinds(one.charged)
        )
        self._certain |= {kind for kind, count in alike.items() if count >= ALIKE}
        self._replay(first.values())
        self._in_company(first)
        return without_consequences({name: self._merged(one) for name, one in first.items()})

    # Which failures stand

    def _merged(self, first: ScenarioVerdict) -> ScenarioVerdict:
        """A scenario's verdict of its first play and its replays."""
        again = self._again.get(first.outcome.scenario.id)
        absent = kinds(first.charged)
        if again is None:
            certain = tuple(one for one in first.charged if self._stands(one))
            doubtful = tuple(one for one in first.charged if not self._stands(one))
            if not doubtful:
                return first
            outcome = replace(first.outcome, ending="inconclusive", reason=NO_TIME)
            return replace(first, outcome=outcome, charged=certain, unconfirmed=doubtful)
        if absent and absent <= self._certain:
            return first
        certain = tuple(one for one in first.charged if self._stands(one) and one not in again.charged)
        seen = kinds(again.charged)
        doubtful = tuple(one for one in first.charged if not self._stands(one) and not kinds([one]) <= seen)
        if again.charged or not absent:
            return replace(again, charged=(*certain, *again.charged), unconfirmed=doubtful)
        # What was decided is known of the replay; what people want to see is where it failed.
        outcome = replace(again.outcome, record=first.outcome.record, failures=first.outcome.failures)
        return replace(again, outcome=outcome, charged=certain, unconfirmed=doubtful)

    def _stands(self, one: Charged) -> bool:
        return one.failure.absent is None or kinds([one]) <= self._certain

    def _stood_still(self, one: ScenarioVerdict) -> bool:
        end = one.outcome.started + one.outcome.duration
        return self.player.stood_still(end - self.profile.response_timeout * self.time_scale, end)

    # Playing again

    def _replay_heartbeats(self, first: Mapping[str, ScenarioVerdict]) -> None:
        # What may disturb others is not played beside them.
        waiting = [
            one.outcome.scenario
            for name, one in first.items()
            if name not in self._again
            and _is_open(one)
            and self._is_slow(one)
            and ISOLATION_TAG not in one.outcome.scenario.tags
        ]
        if waiting and not self.player.stopped():
            for name, verdict in self.player.together(waiting).items():
                self._learn(name, verdict)

    def _is_slow(self, one: ScenarioVerdict) -> bool:
        return longest_wait(one.outcome.scenario, self.profile) >= self.profile.heartbeat.interval

    def _replay(self, wanted: Iterable[ScenarioVerdict]) -> None:
        """Play again, alone, what is left open; a few of each kind."""
        waiting = [one for one in wanted if _is_open(one) and one.outcome.scenario.id not in self._again]
        for number, one in enumerate(waiting):
            absent = kinds(one.charged)
            known = all(kind in self._certain or self._tried[kind] >= FEW for kind in absent)
            # What the circuit breaker cut short is known where that which it waited for failed.
            failed, unreached = {name for name, _, _ in self._certain}, {name for name, _ in one.outcome.unreached}
            if (absent and known) or (one.outcome.cut_short and failed & unreached):
                continue
            if self.player.stopped() or not self._in_time(one.outcome.scenario):
                continue
            self.player.left(len(waiting) - number)
            self._tried.update(absent)
            self._learn(one.outcome.scenario.id, self.player.alone(one.outcome.scenario))
        self.player.left(0)

    def _in_time(self, scenario: Scenario) -> bool:
        return self.player.clock() + longest_wait(scenario, self.profile) < self._until

    def _learn(self, name: str, again: ScenarioVerdict) -> None:
        self._again[name] = again
        self._certain |= kinds(again.charged)

    def _in_company(self, first: Mapping[str, ScenarioVerdict]) -> None:
        """Play what passed alone beside its neighbours."""
        open_ones = [
            one
            for name, one in first.items()
            if name in self._again and not self._again[name].charged and not kinds(one.charged) <= self._certain
        ]
        if not open_ones or self.player.stopped():
            return
        names = {one.outcome.scenario.id for one in open_ones}
        company = [
            one.outcome.scenario
            for one in first.values()
            if one.outcome.scenario.id not in names
            and one.verdict == "passed"
            and not does_wrong(one.outcome.scenario)
            and not self._is_slow(one)
            and any(_overlap(one, each) for each in open_ones)
        ]
        found = self.player.together([*(one.outcome.scenario for one in open_ones), *company])
        wanted = {kind for one in open_ones for kind in kinds(one.charged)}
        for name, verdict in found.items():
            # Whoever misses it: it is missed again.
            self._certain |= kinds(verdict.charged) & wanted
            if name in names and verdict.charged:
                self._learn(name, verdict)

    # Connections that are not kept apart

    def _broken_isolation(self, first: Mapping[str, ScenarioVerdict]) -> set[str]:
        """The requirements that keep connections apart and fail for certain."""
        named = {name for one in self.scenarios if ISOLATION_TAG in one.tags for name in one.verifies}
        named |= {
            one.id
            for one in self.requirements.values()
            for clause in one.clauses
            if any(use.check == "membership" for use in clause.checks)
        }
        charged = [each for one in first.values() for each in one.charged if each.failure.absent is None]
        charged += [each for one in self._again.values() for each in one.charged]
        return {one.requirement for one in charged} & named if len(first) > 1 else set()

    def _apart(self, first: Mapping[str, ScenarioVerdict], broken: set[str]) -> dict[str, ScenarioVerdict]:
        """Play all else that failed again, alone: what scenarios saw of each other is nobody's failure."""
        found: dict[str, ScenarioVerdict] = dict(first)
        # First what shows whether deliveries are missed anyway: then isolation may be broken in appearance only.
        waiting = [one for one in first.values() if {each.requirement for each in one.charged} - broken]
        waiting.sort(key=lambda one: CONTROL_TAG not in one.outcome.scenario.tags)
        for number, one in enumerate(waiting):
            name = one.outcome.scenario.id
            if name in self._again:
                found[name] = self._again[name]
                continue
            self.player.left(len(waiting) - number)
            if self.player.stopped() or not self._in_time(one.outcome.scenario):
                kept = tuple(each for each in one.charged if each.requirement in broken)
                reason = phrase("disturbed", names=sorted(broken))
                outcome = replace(one.outcome, ending="inconclusive", reason=reason)
                doubtful = tuple(each for each in one.charged if each not in kept)
                found[name] = replace(one, outcome=outcome, charged=kept, unconfirmed=doubtful)
            else:
                found[name] = self._truly_alone(one.outcome.scenario, broken)
        self.player.left(0)
        return without_consequences(found)

    def _truly_alone(self, scenario: Scenario, broken: set[str]) -> ScenarioVerdict:
        """Play a scenario alone. What a slow endpoint had yet to answer to the one before may spoil the first play."""
        verdict = self.player.alone(scenario)
        came_wrong = {one.requirement for one in verdict.charged if one.failure.absent is None} - broken
        return self.player.alone(scenario) if came_wrong and self._in_time(scenario) else verdict


def _is_open(one: ScenarioVerdict) -> bool:
    return bool(one.absences) or one.outcome.disturbed or one.outcome.cut_short


def _overlap(one: ScenarioVerdict, other: ScenarioVerdict) -> bool:
    first, second = one.outcome, other.outcome
    return first.started < second.started + second.duration and second.started < first.started + first.duration


def does_wrong(scenario: Scenario) -> bool:
    """Whether a scenario does what no good client does, or provokes an error."""
    for step in scenario.steps:
        deed = step.deed
        if isinstance(deed, SendRaw | DropConnection | StopReading):
            return True
        if isinstance(deed, Connect) and not deed.accepted:
            return True
        if isinstance(deed, Expect | ExpectOne) and any(one.event == "error" for one in deed.of):
            return True
    return False


def without_consequences(verdicts: dict[str, ScenarioVerdict]) -> dict[str, ScenarioVerdict]:
    """Where plain deliveries or acknowledgements are missed, take back what others are charged with for such a miss."""
    controls = [one for one in verdicts.values() if CONTROL_TAG in one.outcome.scenario.tags]
    plain = {
        name
        for one in controls
        for step in one.outcome.scenario.steps
        if isinstance(step.deed, Expect)
        for name in step.charge.requirements
    }
    missed = {each.failure.absent for one in controls for each in one.charged} & {"undelivered"}
    # Every scenario opens connections as the controls do; whoever missed that for certain shows it.
    opened = {each.failure.absent for one in verdicts.values() for each in one.charged if each.requirement in plain}
    missed |= opened & {"unacknowledged"}
    return {name: _without(missed, one, plain) for name, one in verdicts.items()} if missed else verdicts


def _without(missed: set[Absence | None], one: ScenarioVerdict, plain: set[str]) -> ScenarioVerdict:
    kept = tuple(each for each in one.charged if each.failure.absent not in missed or each.requirement in plain)
    if kept == one.charged:
        return one
    (first, *_) = (each.failure.absent for each in one.charged if each not in kept)
    reason = phrase("missed-anyway" if first == "undelivered" else "unacknowledged-anyway", names=sorted(plain))
    return replace(one, outcome=replace(one.outcome, ending="inconclusive", reason=reason), charged=kept)
