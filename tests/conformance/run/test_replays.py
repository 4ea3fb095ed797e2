"""What did not come is confirmed before it counts: which replay decides what."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from conformance.judge.verdicts import ScenarioVerdict, requirement_verdicts
from conformance.language.scenario import Scenario
from conformance.play.context import Failure
from conformance.run.replays import ALIKE, REPLAY_SECONDS, Player, Replays
from tests.bundled import load_profile
from tests.conformance.driver import CONNECT, scenario
from tests.conformance.judge.test_verdicts import ALL, failure, verdict

PROFILE = load_profile()
MISSED = failure("ERR-07", absent="timeout")
OTHERWISE = failure("ERR-07", absent="ended")
WRONG = failure("ERR-09")
LOST = failure("SEND-01", absent="undelivered")
BEAT = scenario(CONNECT, {"expect_heartbeat": {"actor": "alice", "intervals": 2}}).steps
PLAIN = scenario(CONNECT, {"expect": {"actor": "alice", "event": "new_message"}, "requirement": "SEND-01"}).steps
RUDE = scenario(CONNECT, {"drop": {"actor": "alice"}}).steps

Failures = tuple[Failure, ...]


def one(name: str, *failures: Failure, ending: Any = None, **members: Any) -> ScenarioVerdict:
    """The first verdict of a scenario that is there for ERR-07."""
    made = verdict("ERR-07", ending or ("stopped" if failures else "finished"), *failures, **members)
    return named(made, name)


def named(made: ScenarioVerdict, name: str) -> ScenarioVerdict:
    return replace(made, outcome=replace(made.outcome, scenario=replace(made.outcome.scenario, id=name)))


def disturbed(name: str, *failures: Failure, **members: Any) -> ScenarioVerdict:
    made = one(name, *failures, ending="inconclusive", **members)
    return replace(made, outcome=replace(made.outcome, disturbed=True))


@dataclass
class Script:
    """What each replay finds: `alone` and `company` by scenario; what is not named passes. Each takes `takes` s."""

    alone: Mapping[str, Failures] = field(default_factory=dict)
    company: Mapping[str, Failures] = field(default_factory=dict)
    takes: float = 0.1
    still: Callable[[float, float], bool] = lambda start, end: False
    interrupted: Callable[[], bool] = lambda: False
    now: float = 1_000.0
    played_alone: list[str] = field(default_factory=list)
    played_together: list[list[str]] = field(default_factory=list)
    left: list[int] = field(default_factory=list)

    def verdict(self, scenario: Scenario, failures: Failures) -> ScenarioVerdict:
        return one(scenario.id, *failures, steps=scenario.steps, tags=scenario.tags)

    def play(self, scenario: Scenario) -> ScenarioVerdict:
        self.now += self.takes
        self.played_alone.append(scenario.id)
        return self.verdict(scenario, self.alone.get(scenario.id, ()))

    def together(self, scenarios: Sequence[Scenario]) -> Mapping[str, ScenarioVerdict]:
        self.played_together.append([each.id for each in scenarios])
        return {each.id: self.verdict(each, self.company.get(each.id, ())) for each in scenarios}

    def confirmed(self, *first: ScenarioVerdict) -> dict[str, ScenarioVerdict]:
        by_id = {each.outcome.scenario.id: each for each in first}
        player = Player(self.play, self.together, self.interrupted, lambda: self.now, self.left.append, self.still)
        scenarios = [each.outcome.scenario for each in first]
        found = Replays(player, PROFILE, ALL, scenarios).confirmed(by_id)
        assert list(found) == list(by_id), "in the order given"
        return found


def verdicts(found: Mapping[str, ScenarioVerdict]) -> dict[str, str]:
    return {name: each.verdict for name, each in found.items()}


def of(requirement: str, found: Iterable[ScenarioVerdict]) -> tuple[str, str]:
    judged = next(each for each in requirement_verdicts(ALL, found) if each.requirement.id == requirement)
    return judged.deciding.verdict, str(judged.deciding.reason)


class TestWhatDidNotCome:
    def test_what_came_wrong_convicts_at_once(self) -> None:
        script = Script()
        first = one("a", WRONG)
        assert script.confirmed(first)["a"] is first
        assert (script.played_alone, script.played_together) == ([], [])

    def test_what_passed_is_not_played_again(self) -> None:
        script = Script()
        assert verdicts(script.confirmed(one("a"), one("b"))) == {"a": "passed", "b": "passed"}
        assert (script.played_alone, script.played_together) == ([], [])

    def test_it_fails_alone(self) -> None:
        script = Script(alone={"a": (MISSED,)})
        found = script.confirmed(one("a", MISSED), one("b"))
        assert verdicts(found) == {"a": "failed", "b": "passed"}
        assert [each.failure for each in found["a"].charged] == [MISSED]
        assert (script.played_alone, script.played_together) == (["a"], [])

    def test_it_passes_alone_and_fails_in_company(self) -> None:
        script = Script(company={"a": (MISSED,)})
        found = script.confirmed(one("a", MISSED), one("b"))
        assert verdicts(found) == {"a": "failed", "b": "passed"}
        assert [each.failure for each in found["a"].charged] == [MISSED]
        assert (script.played_alone, script.played_together) == (["a"], [["a", "b"]])

    def test_it_passes_both(self) -> None:
        script = Script()
        found = script.confirmed(one("a", MISSED), one("b"))
        assert verdicts(found) == {"a": "inconclusive", "b": "passed"}
        assert found["a"].charged == ()
        assert [each.failure for each in found["a"].unconfirmed] == [MISSED]
        what, reason = of("ERR-07", found.values())
        assert (what, "seen once" in reason) == ("inconclusive", True)

    @pytest.mark.parametrize("again", ["alone", "company"])
    def test_it_fails_in_another_way(self, again: str) -> None:
        """That is confirmed; the first was an accident."""
        found_again: dict[str, Any] = {again: {"a": (OTHERWISE,)}}
        script = Script(**found_again)
        found = script.confirmed(one("a", MISSED), one("b"))
        assert [each.failure for each in found["a"].charged] == [OTHERWISE]
        assert [each.failure for each in found["a"].unconfirmed] == [MISSED]

    def test_what_came_wrong_beside_it_stays(self) -> None:
        found = Script().confirmed(one("a", MISSED, WRONG))
        assert [each.failure for each in found["a"].charged] == [WRONG]
        assert [each.failure for each in found["a"].unconfirmed] == [MISSED]
        assert found["a"].verdict == "failed"

    def test_what_came_wrong_twice_is_charged_once(self) -> None:
        found = Script(alone={"a": (MISSED, WRONG)}).confirmed(one("a", MISSED, WRONG))
        assert sorted(each.requirement for each in found["a"].charged) == ["ERR-07", "ERR-09"]

    def test_where_it_failed_is_what_people_see(self) -> None:
        first = one("a", MISSED)
        first.outcome.record.note(0.0, "alice", "none", "timeout", "no error in time")
        found = Script().confirmed(first)
        assert found["a"].outcome.record is first.outcome.record
        assert found["a"].outcome.failures == (MISSED,)

    def test_what_the_replay_decided_is_known(self) -> None:
        """The first play stopped before it."""
        first = one("a", failure("ERR-08", absent="timeout"), unreached={("ERR-07", None): 1})
        found = Script().confirmed(first)
        assert of("ERR-07", found.values())[0] == "passed"
        assert of("ERR-08", found.values())[0] == "inconclusive"


class TestAlike:
    """Three accidents of one kind are none."""

    def test_three_alike(self) -> None:
        script = Script()
        first = [one(f"s-{number}", MISSED) for number in range(ALIKE)]
        assert [*script.confirmed(*first).values()] == first
        assert (script.played_alone, script.played_together) == ([], [])

    def test_two_alike(self) -> None:
        script = Script()
        found = script.confirmed(one("a", MISSED), one("b", MISSED), one("c", OTHERWISE))
        assert set(verdicts(found).values()) == {"inconclusive"}
        assert script.played_alone == ["a", "b", "c"]
        assert of("ERR-07", found.values())[0] == "inconclusive"

    @pytest.mark.parametrize(
        "other",
        [
            failure("ERR-08", absent="timeout"),
            failure("ERR-07", "MUST", absent="timeout"),
            failure("ERR-07", absent="ended"),
            failure("ERR-07"),
        ],
    )
    def test_three_that_differ(self, other: Failure) -> None:
        found = Script().confirmed(one("a", MISSED), one("b", MISSED), one("c", other))
        assert (found["a"].verdict, found["b"].verdict) == ("inconclusive", "inconclusive")

    def test_one_that_is_confirmed_confirms_those_alike(self) -> None:
        """They need no replay."""
        script = Script(alone={"a": (MISSED,)})
        found = script.confirmed(one("a", MISSED), one("b", MISSED))
        assert verdicts(found) == {"a": "failed", "b": "failed"}
        assert script.played_alone == ["a"]

    def test_one_that_passed_is_confirmed_by_a_later_one(self) -> None:
        script = Script(alone={"b": (MISSED,)})
        found = script.confirmed(one("a", MISSED), one("b", MISSED))
        assert verdicts(found) == {"a": "failed", "b": "failed"}
        assert [each.failure for each in found["a"].charged] == [MISSED]


class TestCompany:
    def test_neighbours_that_do_no_wrong(self) -> None:
        first = one("a", MISSED)
        far = named(one("far"), "far")
        far = replace(far, outcome=replace(far.outcome, started=50.0))
        provokes = scenario(CONNECT, {"expect": {"actor": "alice", "event": "error"}}).steps
        raw = scenario(CONNECT, {"send_raw": {"actor": "alice", "text": "{"}}).steps
        refusal = scenario({"connect": {"actor": "alice", "accepted": False}}).steps
        script = Script()
        script.confirmed(
            first,
            one("good"),
            far,
            one("rude", steps=RUDE),
            one("provokes", steps=provokes),
            one("raw", steps=raw),
            one("refusal", steps=refusal),
            one("slow", steps=BEAT),
            one("b", OTHERWISE, steps=RUDE),
        )
        assert script.played_together == [["a", "b", "good"]]

    def test_what_the_neighbours_do_is_not_their_verdict(self) -> None:
        script = Script(company={"b": (WRONG,)})
        assert verdicts(script.confirmed(one("a", MISSED), one("b"))) == {"a": "inconclusive", "b": "passed"}


class TestBudget:
    """Replays are bounded; what there was no time for is neither failed nor passed."""

    def test_used_up(self) -> None:
        script = Script(takes=REPLAY_SECONDS + 1)
        found = script.confirmed(one("a", MISSED), one("b", OTHERWISE))
        assert script.played_alone == ["a"]
        assert verdicts(found) == {"a": "inconclusive", "b": "inconclusive"}
        assert [each.failure for each in found["b"].unconfirmed] == [OTHERWISE]
        assert "no time" in str(found["b"].outcome.reason)
        assert of("ERR-07", [found["b"]]) == ("inconclusive", f"b: {found['b'].outcome.reason}")

    def test_what_is_certain_stays_where_it_is_used_up(self) -> None:
        found = Script(takes=REPLAY_SECONDS + 1).confirmed(one("a", MISSED), one("b", OTHERWISE, WRONG))
        assert found["b"].verdict == "failed"
        assert [each.failure for each in found["b"].charged] == [WRONG]

    def test_three_alike_need_none(self) -> None:
        first = [one(f"s-{number}", MISSED) for number in range(ALIKE)]
        found = Script(takes=REPLAY_SECONDS + 1).confirmed(one("a", OTHERWISE), one("b", OTHERWISE), *first)
        assert [found[f"s-{number}"].verdict for number in range(ALIKE)] == ["failed"] * ALIKE

    def test_those_that_wait_for_heartbeats_are_outside_of_it(self) -> None:
        script = Script(company={"slow-0": (MISSED,)})
        found = script.confirmed(
            one("slow-0", MISSED, steps=BEAT), one("slow-1", OTHERWISE, steps=BEAT), one("slow-2", steps=BEAT)
        )
        assert script.played_together[0] == ["slow-0", "slow-1"]
        assert script.played_alone == []
        assert verdicts(found) == {"slow-0": "failed", "slow-1": "inconclusive", "slow-2": "passed"}

    def test_what_may_disturb_others_is_not_played_beside_them(self) -> None:
        script = Script(alone={"apart": (LOST,)})
        script.confirmed(one("apart", LOST, steps=BEAT, tags=("isolation",)), one("slow", MISSED, steps=BEAT))
        assert all("apart" not in together for together in script.played_together)

    def test_an_interrupted_run_plays_nothing_again(self) -> None:
        script = Script(interrupted=lambda: True)
        found = script.confirmed(one("a", MISSED), one("slow", MISSED, steps=BEAT), disturbed("b"))
        assert (script.played_alone, script.played_together) == ([], [])
        assert set(verdicts(found).values()) == {"inconclusive"}

    def test_how_many_are_left_is_told(self) -> None:
        script = Script()
        script.confirmed(one("a", MISSED), one("b", OTHERWISE))
        assert [number for number in script.left if number] == [2, 1]
        assert script.left[-1] == 0


class TestDisturbed:
    def test_its_replay_decides(self) -> None:
        script = Script(alone={"b": (MISSED,), "c": (WRONG,)})
        found = script.confirmed(disturbed("a"), disturbed("b"), disturbed("c"))
        assert verdicts(found) == {"a": "passed", "b": "failed", "c": "failed"}
        assert script.played_together == []

    def test_what_it_saw_stays(self) -> None:
        found = Script().confirmed(disturbed("a", WRONG))
        assert [each.failure for each in found["a"].charged] == [WRONG]

    def test_without_time_it_stays_undecided(self) -> None:
        found = Script(takes=REPLAY_SECONDS + 1).confirmed(disturbed("a"), disturbed("b"))
        assert verdicts(found) == {"a": "passed", "b": "inconclusive"}

    def test_what_was_inconclusive_for_good_is_not_played_again(self) -> None:
        script = Script()
        assert verdicts(script.confirmed(one("a", ending="inconclusive"))) == {"a": "inconclusive"}
        assert script.played_alone == []


def cut_short(name: str, *unreached: str) -> ScenarioVerdict:
    made = one(name, ending="inconclusive", unreached={(each, None): 1 for each in unreached})
    return replace(made, outcome=replace(made.outcome, cut_short=True))


class TestCutShort:
    """The circuit breaker left it undecided."""

    def test_where_what_it_waited_for_failed_it_stays_so(self) -> None:
        script = Script()
        first = [one(f"s-{number}", MISSED) for number in range(ALIKE)]
        found = script.confirmed(*first, cut_short("a", "ERR-07", "ERR-08"))
        assert script.played_alone == []
        assert found["a"].verdict == "inconclusive"

    def test_else_its_replay_decides(self) -> None:
        script = Script()
        first = [one(f"s-{number}", MISSED) for number in range(ALIKE)]
        found = script.confirmed(*first, cut_short("a", "ERR-08"), cut_short("b", "ERR-08"))
        assert script.played_alone == ["a", "b"]
        assert (found["a"].verdict, found["b"].verdict) == ("passed", "passed")


def stranger(name: str, *failures: Failure) -> ScenarioVerdict:
    return one(name, *failures, tags=("isolation",))


class TestBrokenIsolation:
    """Connections that are not kept apart: what scenarios saw of each other is nobody's failure."""

    LEAK = failure("JOIN-02")

    def test_the_replay_decides(self) -> None:
        script = Script(alone={"b": (WRONG,)})
        found = script.confirmed(one("leaky", self.LEAK), one("a", WRONG), one("b", WRONG, OTHERWISE), one("c"))
        assert verdicts(found) == {"leaky": "failed", "a": "passed", "b": "failed", "c": "passed"}
        assert [each.failure for each in found["b"].charged] == [WRONG]
        assert script.played_alone == ["a", "b", "b"]
        assert script.played_together == []

    def test_what_the_one_before_left_behind_is_no_failure(self) -> None:
        """An error that a slow endpoint sends to everybody may answer the scenario that was played before."""
        alone = {"a": (WRONG,)}

        class Late(Script):
            def play(self, scenario: Scenario) -> ScenarioVerdict:
                found = super().play(scenario)
                alone.clear()
                return found

        assert verdicts(Late(alone=alone).confirmed(one("leaky", self.LEAK), one("a", WRONG)))["a"] == "passed"

    def test_without_a_leak_what_came_wrong_is_charged(self) -> None:
        script = Script()
        assert verdicts(script.confirmed(one("a", WRONG), one("b"))) == {"a": "failed", "b": "passed"}

    def test_what_an_isolation_scenario_misses_must_hold_alone(self) -> None:
        """Its silence may be broken by others only in appearance."""
        accident = Script().confirmed(stranger("s", MISSED), one("a", WRONG))
        assert verdicts(accident) == {"s": "inconclusive", "a": "failed"}
        broken = Script(alone={"s": (MISSED,)}).confirmed(stranger("s", MISSED), one("a", WRONG))
        assert verdicts(broken) == {"s": "failed", "a": "passed"}

    def test_a_single_scenario_had_no_others_beside_it(self) -> None:
        script = Script()
        assert verdicts(script.confirmed(one("a", self.LEAK, WRONG))) == {"a": "failed"}
        assert script.played_alone == []

    def test_what_there_was_no_time_for_is_undecided(self) -> None:
        script = Script(takes=REPLAY_SECONDS + 1)
        found = script.confirmed(one("leaky", self.LEAK), one("a", WRONG), one("b", WRONG, self.LEAK))
        assert script.played_alone == ["a"]
        assert verdicts(found) == {"leaky": "failed", "a": "passed", "b": "failed"}
        assert [each.failure for each in found["b"].charged] == [self.LEAK]
        assert [each.failure for each in found["b"].unconfirmed] == [WRONG]
        assert "JOIN-02" in str(found["b"].outcome.reason)
        assert of("ERR-09", found.values())[0] == "inconclusive"

    def test_what_shows_plain_losses_comes_first(self) -> None:
        script = Script(alone={"control": (LOST,), "a": (failure("SEND-10", absent="undelivered"),)})
        found = script.confirmed(
            one("leaky", self.LEAK),
            one("a", failure("SEND-10", absent="undelivered")),
            one("control", LOST, tags=("control",), steps=PLAIN),
        )
        assert script.played_alone == ["control", "a"]
        assert verdicts(found) == {"leaky": "failed", "a": "inconclusive", "control": "failed"}


class TestPlainLosses:
    """Where plain posting misses deliveries, a delivery that is missed elsewhere says nothing more."""

    ELSEWHERE = failure("CLOSE-03", absent="undelivered")

    def first(self) -> list[ScenarioVerdict]:
        return [one("control", LOST, tags=("control",), steps=PLAIN), one("a", self.ELSEWHERE)]

    def test_a_control_that_misses_some_for_certain(self) -> None:
        found = Script(alone={"control": (LOST,), "a": (self.ELSEWHERE,)}).confirmed(*self.first())
        assert verdicts(found) == {"control": "failed", "a": "inconclusive"}
        assert "SEND-01" in str(found["a"].outcome.reason)
        assert of("CLOSE-03", found.values())[0] != "passed"

    def test_plain_connections_that_are_not_acknowledged(self) -> None:
        """An endpoint that forgets some acknowledgements is not charged with what the scenarios that met it test."""
        steps = scenario(
            CONNECT, {"expect": {"actor": "alice", "event": "connection_ack"}, "requirement": "CONN-02"}
        ).steps
        plain, other = (failure(name, absent="unacknowledged") for name in ("CONN-02", "WIRE-09"))
        first = [one("control", tags=("control",), steps=steps), one("a", plain), one("b", other)]
        found = Script(alone={"a": (plain,), "b": (other,)}).confirmed(*first)
        assert verdicts(found) == {"control": "passed", "a": "failed", "b": "inconclusive"}
        assert "acknowledgements are missing" in str(found["b"].outcome.reason)
        found = Script(alone={"b": (other,)}).confirmed(*first)
        assert verdicts(found) == {"control": "passed", "a": "inconclusive", "b": "failed"}

    def test_a_control_that_missed_some_by_accident(self) -> None:
        found = Script(alone={"a": (self.ELSEWHERE,)}).confirmed(*self.first())
        assert verdicts(found) == {"control": "inconclusive", "a": "failed"}
