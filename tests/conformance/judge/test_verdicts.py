"""From outcomes to verdicts, as tables."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from conformance.judge.baseline import BaselineEntry
from conformance.judge.verdicts import (
    RequirementVerdict,
    Rules,
    RunVerdict,
    ScenarioVerdict,
    Verdict,
    charge_failures,
    overall,
    requirement_verdicts,
    run_verdict,
)
from conformance.language.deed import Charge
from conformance.language.scenario import Decided, Scenario
from conformance.play.context import Absence, Failure
from conformance.play.engine import CUT_OFF, Ending, Outcome
from conformance.play.outage import Outage
from conformance.play.record import Record
from conformance.run.replays import without_consequences
from contract.findings import Phrase, Text, few, phrase
from contract.requirements import Level
from tests.bundled import load_requirements
from tests.conformance.driver import CONNECT, scenario

ALL = load_requirements()
ONE = scenario(CONNECT)
NOTHING: Mapping[Decided, int] = {}
BROKEN_SOMEHOW = phrase("not-as-expected")
REASON = phrase("overloaded")
GONE = phrase("gone-before-replay")


def failure(requirement: str, level: Level | None = None, *, absent: Absence | None = None) -> Failure:
    return Failure(Charge((requirement,), level), "1", "alice", BROKEN_SOMEHOW, absent=absent)


def decides(names: tuple[str, ...], level: Level | None = None) -> Mapping[Decided, int]:
    """A step for every clause of some requirements, of one level if it is given."""
    levels = {(name, clause.level) for name in names for clause in ALL[name].clauses}
    return {(name, its): 1 for name, its in levels if level in (None, its)}


def verdict(
    verifies: str | tuple[str, ...],
    ending: Ending = "finished",
    *failures: Failure,
    reached: Mapping[Decided, int] | None = None,
    unreached: Mapping[Decided, int] = NOTHING,
    applied: Mapping[str, int] | None = None,
    unconfirmed: tuple[Failure, ...] = (),
    reason: Text | None = REASON,
    **members: Any,
) -> ScenarioVerdict:
    """The verdict of a scenario that ended so. Without `reached` a finished one played a step for every clause."""
    names = (verifies,) if isinstance(verifies, str) else verifies
    one: Scenario = replace(ONE, id=f"of-{'-'.join(names)}", verifies=names, **members)
    if reached is None:
        reached = decides(names, one.level) if ending == "finished" else {}
    outcome = Outcome(one, ending, reason, failures, reached, unreached, Record(0.0, ()), 0.0, 1.0)
    doubtful = charge_failures(outcome, unconfirmed, ALL).charged
    return replace(charge_failures(outcome, failures, ALL, applied), unconfirmed=doubtful)


def of(requirement: str, *played: ScenarioVerdict) -> RequirementVerdict:
    return next(one for one in requirement_verdicts(ALL, played) if one.requirement.id == requirement)


def clauses(requirement: str, *played: ScenarioVerdict) -> dict[str, str]:
    return {one.level: one.verdict for one in of(requirement, *played).clauses}


@pytest.mark.parametrize(
    ("ending", "failures", "expected"),
    [
        ("finished", (), "passed"),
        ("finished", (failure("ERR-01"),), "failed"),
        ("finished", (failure("ENV-08", "SHOULD"),), "failed"),
        ("stopped", (failure("ERR-01"),), "failed"),
        ("inconclusive", (), "inconclusive"),
        ("inconclusive", (failure("ENV-01"),), "failed"),
        ("error", (), "error"),
        ("error", (failure("ENV-01"),), "failed"),
        ("unfinished", (), "untested"),
    ],
)
def test_of_a_scenario(ending: Ending, failures: tuple[Failure, ...], expected: str) -> None:
    assert verdict("ERR-01", ending, *failures).verdict == expected


@pytest.mark.parametrize(
    ("ending", "expected"),
    [
        ("finished", "inconclusive"),
        ("stopped", "inconclusive"),
        ("inconclusive", "inconclusive"),
        ("unfinished", "inconclusive"),
        ("error", "error"),
    ],
)
def test_what_was_seen_once_is_never_passed(ending: Ending, expected: str) -> None:
    doubtful = (failure("ERR-01", absent="timeout"),)
    assert verdict("ERR-01", ending, unconfirmed=doubtful).verdict == expected
    assert verdict("ERR-01", ending, failure("ERR-02"), unconfirmed=doubtful).verdict == "failed"


def test_what_did_not_come_is_an_absence() -> None:
    both = verdict("ERR-01", "stopped", failure("ERR-01", absent="timeout"), failure("ERR-09"))
    assert [one.requirement for one in both.absences] == ["ERR-01"]


def test_a_failure_is_charged_to_each_requirement_at_its_level() -> None:
    both = Failure(Charge(("ERR-01", "ERR-08")), "1", None, BROKEN_SOMEHOW)
    charged = verdict("ERR-01", "finished", both, failure("ERR-01", "SHOULD")).charged
    assert [(one.requirement, one.level) for one in charged] == [
        ("ERR-01", "MUST"),
        ("ERR-08", "SHOULD"),
        ("ERR-01", "SHOULD"),
    ]


MUST: Decided = ("ERR-01", None)


class TestRequirements:
    """ERR-01 has a MUST and a SHOULD clause."""

    @pytest.mark.parametrize(
        ("played", "must", "should"),
        [
            ([], "untested", "untested"),
            ([verdict("ERR-02")], "untested", "untested"),
            ([verdict("ERR-01")], "passed", "passed"),
            ([verdict("ERR-01", "finished", failure("ERR-01"))], "failed", "passed"),
            ([verdict("ERR-01", "finished", failure("ERR-01", "SHOULD"))], "passed", "failed"),
            (
                [verdict("ERR-01"), verdict("ERR-02", "finished", failure("ERR-01"))],
                "failed",
                "passed",
            ),
            ([verdict("ERR-01", "inconclusive")], "inconclusive", "inconclusive"),
            (
                [verdict("ERR-01"), verdict("ERR-01", "inconclusive")],
                "inconclusive",
                "inconclusive",
            ),
            ([verdict("ERR-01"), verdict("ERR-01", "error")], "error", "error"),
            ([verdict("ERR-01", "inconclusive"), verdict("ERR-01", "error")], "error", "error"),
            ([verdict("ERR-01", level="MUST")], "passed", "untested"),
            ([verdict("ERR-01", level="SHOULD")], "untested", "passed"),
        ],
    )
    def test_clauses(self, played: list[ScenarioVerdict], must: str, should: str) -> None:
        assert clauses("ERR-01", *played) == {"MUST": must, "SHOULD": should}

    @pytest.mark.parametrize(
        ("reached", "unreached", "others", "expected"),
        [
            ({MUST: 1}, NOTHING, [], "passed"),
            ({("ERR-01", "MUST"): 1}, NOTHING, [], "passed"),
            ({("ERR-01", "SHOULD"): 1}, NOTHING, [], "inconclusive"),
            ({("ERR-02", None): 1}, NOTHING, [], "inconclusive"),
            ({MUST: 1}, {MUST: 1}, [], "inconclusive"),
            ({MUST: 1}, {("ERR-01", "SHOULD"): 1}, [], "passed"),
            (NOTHING, {MUST: 1}, [], "inconclusive"),
            (NOTHING, NOTHING, [], "inconclusive"),
            (NOTHING, {MUST: 1}, [verdict("ERR-01")], "passed"),
        ],
    )
    def test_of_a_scenario_that_stopped_for_another(
        self,
        reached: Mapping[Decided, int],
        unreached: Mapping[Decided, int],
        others: list[ScenarioVerdict],
        expected: str,
    ) -> None:
        """What it had decided before stands; what it did not reach is not passed."""
        stopped = verdict(("ERR-01", "ERR-07"), "stopped", failure("ERR-07"), reached=reached, unreached=unreached)
        assert clauses("ERR-01", stopped, *others)["MUST"] == expected
        assert clauses("ERR-07", stopped, *others) == {"SHOULD": "failed"}

    def test_a_finished_scenario_passes_only_what_a_step_of_it_decided(self) -> None:
        assert clauses("ERR-01", verdict("ERR-01", reached={})) == {"MUST": "untested", "SHOULD": "untested"}
        assert clauses("ERR-01", verdict("ERR-01", reached={MUST: 1})) == {"MUST": "passed", "SHOULD": "untested"}
        assert clauses("ERR-08", verdict("ERR-08", reached={("ERR-08", None): 1})) == {"SHOULD": "passed"}

    def test_another_scenarios_step_decides_it_as_well(self) -> None:
        """Whatever that scenario is there for."""
        assert clauses("ERR-07", verdict("ERR-01", reached={("ERR-07", None): 2})) == {"SHOULD": "passed"}

    def test_a_permission_is_passed_by_whatever_looked_at_it(self) -> None:
        """AUTH-05 may be used or not: the SHOULD of it is looked at only where it was."""
        unused = verdict("AUTH-05", reached={("AUTH-05", None): 1})
        assert clauses("AUTH-05", unused) == {"MAY": "passed", "SHOULD": "untested"}
        used = verdict("AUTH-05", reached={("AUTH-05", "SHOULD"): 1})
        assert clauses("AUTH-05", used) == {"MAY": "passed", "SHOULD": "passed"}
        assert clauses("AUTH-05") == {"MAY": "untested", "SHOULD": "untested"}

    @pytest.mark.parametrize(
        ("requirement", "applied", "expected"),
        [
            ("ENV-01", {}, {"MUST": "untested"}),
            ("ENV-01", {"text": 0}, {"MUST": "untested"}),
            ("ENV-01", {"envelope": 9}, {"MUST": "untested"}),
            ("ENV-01", {"text": 9}, {"MUST": "passed"}),
            ("ENV-01", {"frames": 1}, {"MUST": "passed"}),
            ("CONN-03", {"payload": 9}, {"MUST": "untested"}),
            ("CONN-03", {"payload:connection_ack": 1}, {"MUST": "passed"}),
            ("SEND-06", {"author": 3}, {"MUST": "passed", "SHOULD": "untested"}),
            ("SEND-06", {"author-distinct": 1}, {"MUST": "untested", "SHOULD": "passed"}),
        ],
    )
    def test_a_check_decides_wherever_it_had_a_chance(
        self, requirement: str, applied: Mapping[str, int], expected: dict[str, str]
    ) -> None:
        assert clauses(requirement, verdict("ERR-08", applied=applied)) == expected
        assert clauses(requirement, verdict("ERR-08", "inconclusive", applied=applied)) == expected

    def test_a_check_without_a_chance_leaves_a_finished_scenario_without_proof(self) -> None:
        assert clauses("JOIN-02", verdict("JOIN-02", reached={})) == {"MUST": "untested"}
        assert clauses("JOIN-02", verdict("JOIN-02", reached={}, applied={"membership": 1})) == {"MUST": "passed"}

    def test_counts_are_of_the_whole_run(self) -> None:
        played = [
            verdict("SEND-06", applied={"author": 2, "author-name": 3}, reached={("SEND-06", None): 2}),
            verdict("ERR-01", applied={"author": 5}, reached={("SEND-06", "MUST"): 1, MUST: 4}),
        ]
        must, should = of("SEND-06", *played).clauses
        assert (must.applied, must.steps) == (7, 3)
        assert (should.applied, should.steps, should.unit) == (3, 0, "delivery")
        (error, _) = of("ERR-01", *played).clauses
        assert (error.applied, error.steps, error.unit) == (0, 4, None)

    @pytest.mark.parametrize(
        ("requirement", "applied", "count", "unit"),
        [
            ("ENV-01", {"text": 90, "frames": 8}, 90, "message"),
            ("HB-02", {"envelope:ping": 7, "payload:ping": 7}, 7, "message"),
            ("SEND-06", {"payload:new_message": 3, "author": 20}, 20, "delivery"),
        ],
    )
    def test_what_two_checks_look_at_is_counted_once(
        self, requirement: str, applied: Mapping[str, int], count: int, unit: str
    ) -> None:
        """`held in 90 messages` must not count connections as well, nor any message twice."""
        found = of(requirement, verdict("ERR-01", applied=applied)).clauses[0]
        assert (found.applied, found.unit) == (count, unit)

    def test_what_was_seen_once_is_neither_failed_nor_passed(self) -> None:
        once = verdict("ERR-07", unconfirmed=(failure("ERR-07", absent="timeout"),))
        assert clauses("ERR-07", once, verdict("ERR-07")) == {"SHOULD": "inconclusive"}
        seen_once = phrase("seen-once", reason=BROKEN_SOMEHOW)
        assert of("ERR-07", once).deciding.reason == phrase("in-scenario", scenario="of-ERR-07", reason=seen_once)
        certain = verdict("ERR-07", "stopped", failure("ERR-07"))
        assert clauses("ERR-07", once, certain) == {"SHOULD": "failed"}

    def test_the_reason_of_what_was_seen_once(self) -> None:
        doubtful = (failure("ERR-07", absent="timeout"),)
        gone = verdict("ERR-01", "inconclusive", unconfirmed=doubtful, reason=GONE)
        found = of("ERR-07", gone)
        reason = phrase("in-scenario", scenario="of-ERR-01", reason=GONE)
        assert (found.deciding.verdict, found.deciding.reason) == ("inconclusive", reason)
        assert found.scenarios == ("of-ERR-01",)

    def test_what_was_seen_once_of_one_clause_leaves_the_other(self) -> None:
        once = verdict("ERR-01", unconfirmed=(failure("ERR-01", absent="timeout"),))
        assert clauses("ERR-01", once) == {"MUST": "inconclusive", "SHOULD": "passed"}

    def test_not_selected(self) -> None:
        other = of("ERR-01", verdict("ERR-02"))
        (must, _) = other.clauses
        assert (must.verdict, must.selected, other.counts) == ("untested", False, False)
        assert must.reason == phrase("not-selected")
        by_the_way = of("ENV-01", verdict("ERR-02", applied={"text": 3}))
        assert (by_the_way.deciding.verdict, by_the_way.selected, by_the_way.counts) == ("passed", False, True)
        (must, should) = of("ERR-01", verdict("ERR-01", level="MUST")).clauses
        assert (must.selected, should.selected) == (True, False)

    def test_what_a_failed_check_decides_counts_though_it_was_not_selected(self) -> None:
        found = of("ENV-01", verdict("ERR-02", "finished", failure("ENV-01")))
        (clause,) = found.clauses
        assert (clause.verdict, clause.selected, found.counts) == ("failed", False, True)

    @pytest.mark.parametrize(("tags", "expected"), [((), "inconclusive"), (("additional",), "passed")])
    def test_an_additional_scenario_that_lacks_a_fixture_leaves_it_to_the_others(
        self, tags: tuple[str, ...], expected: str
    ) -> None:
        lacking = verdict("ERR-07", "inconclusive", tags=tags)
        assert clauses("ERR-07", lacking, verdict("ERR-07")) == {"SHOULD": expected}
        assert clauses("ERR-07", verdict("ERR-07", "inconclusive", tags=("additional",))) == {"SHOULD": "untested"}

    def test_a_client_owes_nothing_here(self) -> None:
        sections = {one.requirement.section.id for one in requirement_verdicts(ALL, [])}
        assert "CLIENT" not in sections
        assert "WIRE" in sections

    def test_scenarios_are_named(self) -> None:
        found = of("ERR-01", verdict("ERR-01"), verdict("ERR-02", "finished", failure("ERR-01")))
        assert found.scenarios == ("of-ERR-01", "of-ERR-02")

    def test_reasons(self) -> None:
        twice = verdict("ERR-01", "finished", failure("ERR-01"), failure("ERR-01"))
        broken = phrase("in-scenario", scenario="of-ERR-01", reason=BROKEN_SOMEHOW)
        assert of("ERR-01", twice).deciding.reason == phrase("and-more", reason=broken, more=1)
        assert str(of("ERR-01", twice).deciding.reason) == f"of-ERR-01: {BROKEN_SOMEHOW} (and 1 more)"
        once = verdict("ERR-01", "finished", failure("ERR-01"))
        assert of("ERR-01", once).deciding.reason == broken
        lacking = phrase("in-scenario", scenario="of-ERR-01", reason=REASON)
        assert of("ERR-01", verdict("ERR-01", "inconclusive")).deciding.reason == lacking
        assert of("ERR-01", verdict("ERR-01", reached={})).deciding.reason == phrase("undecided")
        stopped = verdict(("ERR-01", "ERR-07"), "stopped", failure("ERR-07"), unreached={MUST: 1})
        unreached = phrase("unreached", scenario="of-ERR-01-ERR-07", reason=REASON)
        assert of("ERR-01", stopped).deciding.reason == unreached
        assert of("ERR-01").deciding.reason == phrase("not-selected")
        assert of("ERR-01", verdict("ERR-01")).deciding.reason is None

    @pytest.mark.parametrize(
        ("played", "level", "expected"),
        [
            (
                [verdict("ERR-01", "finished", failure("ERR-01", "SHOULD"), failure("ERR-01"))],
                "MUST",
                "failed",
            ),
            ([verdict("ERR-01", "finished", failure("ERR-01", "SHOULD"))], "SHOULD", "failed"),
            ([verdict("ERR-01", level="SHOULD")], "MUST", "untested"),
            ([verdict("ERR-01", unconfirmed=(failure("ERR-01", "SHOULD"),))], "SHOULD", "inconclusive"),
            ([verdict("ERR-01")], "MUST", "passed"),
        ],
    )
    def test_the_deciding_clause(self, played: list[ScenarioVerdict], level: str, expected: str) -> None:
        deciding = of("ERR-01", *played).deciding
        assert (deciding.level, deciding.verdict) == (level, expected)


class TestOverall:
    def judged(self, musts: Verdict, shoulds: Verdict) -> list[RequirementVerdict]:
        """Every requirement's clauses with one verdict for each level."""
        found = requirement_verdicts(ALL, [])
        return [
            replace(
                one,
                clauses=tuple(
                    replace(clause, verdict=musts if clause.level == "MUST" else shoulds, selected=True)
                    for clause in one.clauses
                ),
            )
            for one in found
        ]

    @pytest.mark.parametrize(
        ("musts", "shoulds", "plain", "strict"),
        [
            ("passed", "passed", "conformant", "conformant"),
            ("passed", "failed", "conformant", "non-conformant"),
            ("passed", "untested", "conformant", "incomplete"),
            ("passed", "error", "conformant", "incomplete"),
            ("failed", "passed", "non-conformant", "non-conformant"),
            ("failed", "failed", "non-conformant", "non-conformant"),
            ("inconclusive", "failed", "incomplete", "non-conformant"),
            ("inconclusive", "passed", "incomplete", "incomplete"),
            ("untested", "passed", "incomplete", "incomplete"),
            ("error", "passed", "incomplete", "incomplete"),
        ],
    )
    def test_table(self, musts: Verdict, shoulds: Verdict, plain: str, strict: str) -> None:
        judged = self.judged(musts, shoulds)
        assert overall(judged, strict=False) == plain
        assert overall(judged, strict=True) == strict

    def test_one_failed_must_is_enough(self) -> None:
        judged = self.judged("passed", "passed")
        broken = of("ERR-01", verdict("ERR-01", "finished", failure("ERR-01")))
        assert overall([*judged, broken], strict=False) == "non-conformant"

    def test_of_nothing_nothing_is_proved(self) -> None:
        assert overall([], strict=False) == "incomplete"
        assert overall([], strict=True) == "incomplete"


class TestConsequences:
    """Where plain deliveries are missed, a missed delivery elsewhere says nothing of its own."""

    MISSED = verdict("CLOSE-03", "stopped", failure("CLOSE-03", absent="undelivered"))
    PLAIN = scenario(CONNECT, {"expect": {"actor": "alice", "event": "new_message"}, "requirement": "SEND-01"}).steps

    def test_without_a_control_nothing_changes(self) -> None:
        given = {"a": self.MISSED, "b": verdict("SEND-01")}
        assert without_consequences(given) == given

    def test_with_a_control_that_misses_none_nothing_changes(self) -> None:
        given = {"a": self.MISSED, "b": verdict("SEND-01", tags=("control",))}
        assert without_consequences(given) == given

    def test_with_one_that_misses_some(self) -> None:
        missed = failure("SEND-01", absent="undelivered")
        control = verdict("SEND-01", "stopped", missed, tags=("control",), steps=self.PLAIN)
        other, elsewhere = verdict("ERR-01", "finished", failure("ERR-01")), verdict("SEND-10", "stopped", missed)
        silent = verdict("ERR-02", "stopped", failure("ERR-02", absent="timeout"))
        found = without_consequences({"a": self.MISSED, "b": control, "c": other, "d": elsewhere, "e": silent})
        assert [found[name] for name in "bcde"] == [control, other, elsewhere, silent]
        assert (found["a"].verdict, found["a"].charged) == ("inconclusive", ())
        assert found["a"].outcome.reason == phrase("missed-anyway", names=["SEND-01"])


class TestCutOff:
    def test_what_another_scenario_passed_is_not_verified(self) -> None:
        assert clauses("ERR-07", verdict("ERR-07"), verdict("ERR-07", "unfinished")) == {"SHOULD": "untested"}

    def test_what_failed_stays_failed(self) -> None:
        failed = verdict("ERR-07", "stopped", failure("ERR-07"))
        assert clauses("ERR-07", failed, verdict("ERR-07", "unfinished")) == {"SHOULD": "failed"}

    def test_what_is_judged_in_every_message_is_not_verified(self) -> None:
        heard = verdict("ERR-07", applied={"text": 3})
        assert clauses("ENV-01", heard) == {"MUST": "passed"}
        cut_off = verdict("ERR-08", "unfinished")
        cut_off = replace(cut_off, outcome=replace(cut_off.outcome, reason=CUT_OFF))
        assert clauses("ENV-01", heard, cut_off) == {"MUST": "untested"}

    def test_what_an_outage_left_out_takes_nothing_from_what_was_seen(self) -> None:
        heard = verdict("ERR-07", applied={"text": 3})
        assert clauses("ENV-01", heard, verdict("ERR-08", "unfinished")) == {"MUST": "passed"}
        assert clauses("ENV-01", heard, verdict("ENV-01", "unfinished")) == {"MUST": "untested"}

    def test_nobody_is_acquitted(self) -> None:
        judged = [of("ERR-07", verdict("ERR-07"))]
        assert overall(judged, strict=True, complete=True) == "conformant"
        assert overall(judged, strict=True, complete=False) == "incomplete"


BROKEN = verdict("SEND-10", "stopped", failure("SEND-10"))
GOOD = verdict("JOIN-02")
TODAY = "2026-06-15"
INCOMPLETE = phrase("not-everything")
CUT_SHORT = phrase("run-cut-off")


def listed(name: str, expires: str | None = None, *, whole: bool = True) -> BaselineEntry:
    if name[0].isupper():
        return BaselineEntry(name, None, "known", expires=expires, whole=whole)
    return BaselineEntry(None, name, "known", expires=expires, whole=whole)


def run(*played: ScenarioVerdict, complete: bool = True, outages: tuple[Outage, ...] = (), **rules: Any) -> RunVerdict:
    judged = requirement_verdicts(ALL, played)
    return run_verdict(Rules(**rules, today=TODAY), judged, played, complete=complete, outages=outages)


class TestRun:
    LOST = verdict("SEND-01", "stopped", failure("SEND-01"))

    @pytest.mark.parametrize(
        ("entries", "strict", "state", "passed"),
        [
            ((), False, [], False),
            ((listed("SEND-01"),), False, ["expected"], True),
            ((listed("of-SEND-01"),), False, ["expected"], True),
            ((listed("SEND-01", TODAY),), False, ["expected"], True),
            ((listed("SEND-01", "2026-06-14"),), False, ["expired"], False),
            ((listed("SEND-01"), listed("JOIN-02")), False, ["expected", "stale"], False),
            ((listed("SEND-01"), listed("of-JOIN-02")), False, ["expected", "stale"], False),
            ((listed("SEND-01"), listed("of-JOIN-02", "2020-01-01")), False, ["expected", "stale"], False),
            ((listed("SEND-01"), listed("JOIN-02", whole=False)), False, ["expected", "undecided"], True),
            ((listed("SEND-01"), listed("HB-01", "2020-01-01")), False, ["expected", "undecided"], True),
            ((listed("SEND-01"), listed("never-played")), False, ["expected", "undecided"], True),
            ((listed("SEND-01"),), True, ["expected"], False),
            ((listed("SEND-01"), listed("SEND-10")), True, ["expected", "expected"], True),
            ((listed("SEND-01"), listed("SEND-10")), False, ["expected", "expected"], True),
        ],
    )
    def test_baseline(self, entries: tuple[BaselineEntry, ...], strict: bool, state: list[str], passed: bool) -> None:
        found = run(self.LOST, BROKEN, GOOD, strict=strict, baseline=entries)
        assert [its for _, its in found.baseline] == state
        assert found.passed is passed, found.reasons
        assert found.verdict == "non-conformant"

    def test_variants_are_listed_by_their_family(self) -> None:
        entry = listed("send-text")
        assert entry.lists("send-text/spaces", "SEND-02")
        assert not entry.lists("send-texts", "SEND-02")
        assert not listed("send-text/spaces").lists("send-text", "SEND-02")

    def test_an_inconclusive_one_is_neither_stale_nor_an_error(self) -> None:
        entries = (listed("SEND-01"), listed("of-SEND-01"))
        found = run(verdict("SEND-01", "inconclusive"), GOOD, baseline=entries)
        assert [its for _, its in found.baseline] == ["undecided", "undecided"]
        assert found.passed

    @pytest.mark.parametrize(
        ("played", "rules", "complete", "reasons"),
        [
            ((), {}, True, []),
            ((), {"require_complete": True}, True, [INCOMPLETE]),
            ((), {"require_complete": True}, False, [CUT_SHORT]),
            ((BROKEN,), {}, True, []),
            ((BROKEN,), {"strict": True}, True, [phrase("run-fails", names=few(["SEND-10"], 5))]),
            (
                (BROKEN,),
                {"strict": True, "baseline": ()},
                True,
                [phrase("run-fails-unlisted", names=few(["SEND-10"], 5))],
            ),
            ((verdict("SEND-01", "error"), GOOD), {}, True, [phrase("own-faults", names=few(["of-SEND-01"], 5))]),
            ((GOOD, verdict("SEND-01", "inconclusive")), {"require_complete": True}, True, [INCOMPLETE]),
            ((GOOD,), {"require_complete": True}, True, []),
        ],
    )
    def test_reasons(
        self, played: tuple[ScenarioVerdict, ...], rules: dict[str, Any], complete: bool, reasons: list[Phrase]
    ) -> None:
        assert list(run(*played, complete=complete, **rules).reasons) == reasons

    def test_many_names_are_cut(self) -> None:
        played = [verdict(one, "stopped", failure(one)) for one in list(ALL)[:8]]
        (reason,) = run(*played, strict=True).reasons
        assert reason == phrase("run-fails", names=few(list(ALL)[:8], 5))
        assert str(reason).endswith(" and 3 more")

    @pytest.mark.parametrize("state", ["stale", "expired"])
    def test_what_the_baseline_says_no_more(self, state: str) -> None:
        entry = listed("JOIN-02") if state == "stale" else listed("SEND-01", "2026-06-14")
        entries = (entry, listed("SEND-01")) if state == "stale" else (entry,)
        reasons = run(self.LOST, GOOD, baseline=entries).reasons
        assert phrase(f"baseline-{state}", names=few([entry.name], 5)) in reasons

    def test_a_clause_is_expected_where_all_its_failures_are(self) -> None:
        rules = Rules(baseline=(listed("of-SEND-01"),), today=TODAY)
        other = verdict(("SEND-01", "JOIN-01"), "stopped", failure("SEND-01"))
        assert rules.expected_clause("SEND-01", "MUST", [self.LOST]) is not None
        assert rules.expected_clause("SEND-01", "MUST", [self.LOST, other]) is None
        assert rules.expected_clause("JOIN-02", "MUST", [GOOD]) is None


class TestNextToNothing:
    """A run that decided less than half of the MUSTs that it was there for is no success."""

    NAMES = ("SEND-01", "SEND-02", "JOIN-01", "JOIN-02", "ENV-06")

    def played(self, passed: int, failed: int = 0) -> list[ScenarioVerdict]:
        """One scenario for each name; the others lack a fixture."""
        counts: dict[Ending, int] = {"finished": passed, "stopped": failed, "inconclusive": len(self.NAMES)}
        endings = [ending for ending, count in counts.items() for _ in range(count)][: len(self.NAMES)]
        return [
            verdict(name, ending, *([failure(name)] if ending == "stopped" else []))
            for name, ending in zip(self.NAMES, endings, strict=True)
        ]

    @pytest.mark.parametrize(
        ("passed", "said"),
        [
            (0, ["only 0 of 5 MUST requirements that the selected scenarios verify were decided"]),
            (1, ["only 1 of 5 MUST requirements that the selected scenarios verify was decided"]),
            (2, ["only 2 of 5 MUST requirements that the selected scenarios verify were decided"]),
            (3, []),
            (5, []),
        ],
    )
    def test_half_is_needed(self, passed: int, said: list[str]) -> None:
        reasons = run(*self.played(passed)).reasons
        assert list(reasons) == [phrase("next-to-nothing", number=passed, count=5)] * len(said)
        assert list(map(str, reasons)) == said
        assert run(*self.played(passed), allow_undecided=True).passed

    def test_what_failed_was_decided(self) -> None:
        entries = tuple(listed(name) for name in self.NAMES[:3])
        assert run(*self.played(0, 3), baseline=entries).passed

    def test_exactly_half_is_enough(self) -> None:
        assert run(*self.played(3)[1:]).passed

    def test_what_was_seen_once_is_not_decided(self) -> None:
        once = [verdict(name, unconfirmed=(failure(name, absent="timeout"),)) for name in self.NAMES]
        assert run(*once).reasons[0] == phrase("next-to-nothing", number=0, count=5)

    def test_shoulds_and_what_was_not_selected_do_not_count(self) -> None:
        assert run(verdict("ERR-07", "inconclusive")).passed
        by_the_way = verdict("SEND-01", "inconclusive", applied={"text": 9, "envelope": 9, "payload": 9})
        assert run(by_the_way).reasons[0] == phrase("next-to-nothing", number=0, count=1)

    def test_a_run_that_was_cut_off_says_so_instead(self) -> None:
        assert list(run(*self.played(0), complete=False).reasons) == [CUT_SHORT]

    def test_nothing_was_there_to_decide(self) -> None:
        assert run().passed

    @pytest.mark.parametrize("strict", [False, True])
    def test_overall_speaks_of_what_was_selected(self, strict: bool) -> None:
        judged = requirement_verdicts(ALL, [verdict("JOIN-02", reached={}, applied={"membership": 1, "order": 1})])
        assert overall(judged, strict=strict) == "conformant"
        judged = requirement_verdicts(ALL, [verdict("JOIN-02"), verdict("ERR-02", "finished", failure("ENV-02"))])
        assert overall(judged, strict=strict) == "non-conformant"


class TestOutages:
    """An endpoint that stayed away fails the run; of one that came back, its culprit does."""

    AWAY = Outage(3.21, "stopped", ("a", "b"), suspected=("a",))
    BACK = Outage(3.21, "stopped", ("a",), back_after=0.5, culprit="a")
    DROPPED = Outage(3.21, "dropped", ("a", "b", "c"), back_after=0.0, culprit="c")

    def test_reasons(self) -> None:
        assert run(GOOD, outages=(self.BACK, self.DROPPED)).passed
        assert list(run(GOOD, outages=(self.BACK, self.AWAY)).reasons) == [phrase("stayed-away", at=3.21)]
        unexplained = replace(self.BACK, culprit=None)
        (reason,) = run(GOOD, outages=(unexplained,)).reasons
        assert reason == phrase("stopped-without-cause", at=3.21)
        assert "at 3.2 s" in str(reason)

    def test_three_of_them_end_the_run(self) -> None:
        assert list(run(GOOD, outages=(self.BACK,) * 3).reasons) == [phrase("stopped-thrice")]

    @pytest.mark.parametrize(
        ("outage", "message"),
        [
            (
                AWAY,
                "the endpoint stopped accepting connections at 3.2 s, while a, b were running, and did not come back",
            ),
            (
                BACK,
                "the endpoint stopped accepting connections at 3.2 s and came back after 0.5 s; "
                "running a alone stopped it again",
            ),
            (
                replace(BACK, culprit=None, playing=tuple("abcdef")),
                "the endpoint stopped accepting connections at 3.2 s, while a, b, c and 3 more "
                "were running, and came back after 0.5 s; running each of them alone did not reproduce it",
            ),
            (DROPPED, "all connections were lost at 3.2 s; running c alone reproduced it"),
        ],
    )
    def test_messages(self, outage: Outage, message: str) -> None:
        assert str(outage.message) == message
