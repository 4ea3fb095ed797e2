"""From outcomes to verdicts, as tables."""

from dataclasses import replace
from typing import Any

import pytest

from conformance.baseline import BaselineEntry
from conformance.engine import Ending, Outcome
from conformance.record import Conversation, Message, Record
from conformance.run import without_consequences
from conformance.scenario import Charge, Scenario
from conformance.stage import Failure
from conformance.verdicts import (
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
from contract.requirements import Level, load_requirements
from tests.conformance.driver import CONNECT, scenario

ALL = load_requirements()
ONE = scenario(CONNECT)
NOTHING: frozenset[str] = frozenset()


def failure(requirement: str, level: Level | None = None, *, undelivered: bool = False) -> Failure:
    made = Failure(Charge((requirement,), level), "1", "alice", "broken")
    return replace(made, undelivered=True) if undelivered else made


def verdict(
    verifies: str | tuple[str, ...],
    ending: Ending = "finished",
    *failures: Failure,
    reached: frozenset[str] = NOTHING,
    unreached: frozenset[str] = NOTHING,
    messages: bool = False,
    **members: Any,
) -> ScenarioVerdict:
    """The verdict of a scenario that ended so."""
    names = (verifies,) if isinstance(verifies, str) else verifies
    one: Scenario = replace(ONE, id=f"of-{'-'.join(names)}", verifies=names, **members)
    record = Record(0.0, ())
    if messages:
        conversation = Conversation("alice", "alice", 1, None)
        conversation.received.append(Message(0.0, conversation, 1, "{}", {}, None))
        record.conversations.append(conversation)
    outcome = Outcome(one, ending, "a reason", failures, reached, unreached, record, 0.0, 1.0)
    return charge_failures(outcome, failures, ALL)


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


def test_a_failure_is_charged_to_each_requirement_at_its_level() -> None:
    both = Failure(Charge(("ERR-01", "ERR-08")), "1", None, "broken")
    charged = verdict("ERR-01", "finished", both, failure("ERR-01", "SHOULD")).charged
    assert [(one.requirement, one.level) for one in charged] == [
        ("ERR-01", "MUST"),
        ("ERR-08", "SHOULD"),
        ("ERR-01", "SHOULD"),
    ]


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
            (frozenset({"ERR-01"}), NOTHING, [], "passed"),
            (frozenset({"ERR-01"}), frozenset({"ERR-01"}), [], "inconclusive"),
            (NOTHING, frozenset({"ERR-01"}), [], "inconclusive"),
            (NOTHING, NOTHING, [], "inconclusive"),
            (NOTHING, frozenset({"ERR-01"}), [verdict("ERR-01")], "passed"),
        ],
    )
    def test_of_a_scenario_that_stopped_for_another(
        self,
        reached: frozenset[str],
        unreached: frozenset[str],
        others: list[ScenarioVerdict],
        expected: str,
    ) -> None:
        """What it had decided before stands; what it did not reach is not passed."""
        stopped = verdict(("ERR-01", "ERR-07"), "stopped", failure("ERR-07"), reached=reached, unreached=unreached)
        assert clauses("ERR-01", stopped, *others)["MUST"] == expected
        assert clauses("ERR-07", stopped, *others) == {"SHOULD": "failed"}

    def test_transcript_checks_decide_wherever_a_message_came(self) -> None:
        assert clauses("ENV-01", verdict("ERR-01")) == {"MUST": "untested"}
        assert clauses("ENV-01", verdict("ERR-01", messages=True)) == {"MUST": "passed"}

    def test_a_client_owes_nothing_here(self) -> None:
        sections = {one.requirement.section.id for one in requirement_verdicts(ALL, [])}
        assert "CLIENT" not in sections
        assert "WIRE" in sections

    def test_scenarios_are_named(self) -> None:
        found = of("ERR-01", verdict("ERR-01"), verdict("ERR-02", "finished", failure("ERR-01")))
        assert found.scenarios == ("of-ERR-01", "of-ERR-02")

    def test_reasons(self) -> None:
        twice = verdict("ERR-01", "finished", failure("ERR-01"), failure("ERR-01"))
        assert of("ERR-01", twice).deciding.reason == "of-ERR-01: broken (and 1 more)"
        assert of("ERR-01", verdict("ERR-01", "inconclusive")).deciding.reason == "of-ERR-01: a reason"
        assert of("ERR-01").deciding.reason == "no scenario of this run decides it"
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
                    replace(clause, verdict=musts if clause.level == "MUST" else shoulds) for clause in one.clauses
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

    MISSED = verdict("CLOSE-03", "stopped", failure("CLOSE-03", undelivered=True))

    def test_without_a_control_nothing_changes(self) -> None:
        given = {"a": self.MISSED, "b": verdict("SEND-01")}
        assert without_consequences(given) == given

    def test_with_a_control_that_misses_none_nothing_changes(self) -> None:
        given = {"a": self.MISSED, "b": verdict("SEND-01", tags=("control",))}
        assert without_consequences(given) == given

    def test_with_one_that_misses_some(self) -> None:
        control = verdict("SEND-01", "stopped", failure("SEND-01", undelivered=True), tags=("control",))
        other = verdict("ERR-01", "finished", failure("ERR-01"))
        found = without_consequences({"a": self.MISSED, "b": control, "c": other})
        assert (found["b"], found["c"]) == (control, other)
        assert (found["a"].verdict, found["a"].charged) == ("inconclusive", ())
        assert "(SEND-01)" in str(found["a"].outcome.reason)


class TestCutOff:
    def test_what_another_scenario_passed_is_not_verified(self) -> None:
        assert clauses("ERR-07", verdict("ERR-07"), verdict("ERR-07", "unfinished")) == {"SHOULD": "untested"}

    def test_what_failed_stays_failed(self) -> None:
        failed = verdict("ERR-07", "stopped", failure("ERR-07"))
        assert clauses("ERR-07", failed, verdict("ERR-07", "unfinished")) == {"SHOULD": "failed"}

    def test_what_is_judged_in_every_message_is_not_verified(self) -> None:
        heard = verdict("ERR-07", messages=True)
        assert clauses("ENV-01", heard) == {"MUST": "passed"}
        assert clauses("ENV-01", heard, verdict("ERR-08", "unfinished")) == {"MUST": "untested"}

    def test_nobody_is_acquitted(self) -> None:
        judged = [of("ERR-07", verdict("ERR-07"))]
        assert overall(judged, strict=True, complete=True) == "conformant"
        assert overall(judged, strict=True, complete=False) == "incomplete"


BROKEN = verdict("SEND-10", "stopped", failure("SEND-10"))
GOOD = verdict("JOIN-02")
TODAY = "2026-06-15"


def listed(name: str, expires: str | None = None, *, whole: bool = True) -> BaselineEntry:
    if name[0].isupper():
        return BaselineEntry(name, None, "known", expires=expires, whole=whole)
    return BaselineEntry(None, name, "known", expires=expires, whole=whole)


def run(*played: ScenarioVerdict, complete: bool = True, **rules: Any) -> RunVerdict:
    return run_verdict(Rules(**rules, today=TODAY), requirement_verdicts(ALL, played), played, complete=complete)


class TestRun:
    MUST = verdict("SEND-01", "stopped", failure("SEND-01"))

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
        found = run(self.MUST, BROKEN, GOOD, strict=strict, baseline=entries)
        assert [its for _, its in found.baseline] == state
        assert found.passed is passed, found.reasons
        assert found.verdict == "non-conformant"

    def test_variants_are_listed_by_their_family(self) -> None:
        entry = listed("send-text")
        assert entry.lists("send-text/spaces", "SEND-02")
        assert not entry.lists("send-texts", "SEND-02")
        assert not listed("send-text/spaces").lists("send-text", "SEND-02")

    def test_an_inconclusive_one_is_neither_stale_nor_an_error(self) -> None:
        found = run(verdict("SEND-01", "inconclusive"), baseline=(listed("SEND-01"), listed("of-SEND-01")))
        assert [its for _, its in found.baseline] == ["undecided", "undecided"]
        assert found.passed

    @pytest.mark.parametrize(
        ("played", "rules", "complete", "reasons"),
        [
            ((), {}, True, []),
            ((), {"require_complete": True}, True, ["not everything was verified"]),
            ((), {"require_complete": True}, False, ["the run was cut off"]),
            ((BROKEN,), {}, True, []),
            ((BROKEN,), {"strict": True}, True, ["a requirement fails: SEND-10"]),
            (
                (BROKEN,),
                {"strict": True, "baseline": ()},
                True,
                ["a requirement fails and the baseline does not list it: SEND-10"],
            ),
            ((verdict("SEND-01", "error"),), {}, True, ["wsproof itself failed: of-SEND-01"]),
        ],
    )
    def test_reasons(
        self, played: tuple[ScenarioVerdict, ...], rules: dict[str, Any], complete: bool, reasons: list[str]
    ) -> None:
        assert list(run(*played, complete=complete, **rules).reasons) == reasons

    def test_many_names_are_cut(self) -> None:
        played = [verdict(one, "stopped", failure(one)) for one in list(ALL)[:8]]
        (reason,) = run(*played, strict=True).reasons
        assert reason.endswith(" and 3 more")

    def test_a_clause_is_expected_where_all_its_failures_are(self) -> None:
        rules = Rules(baseline=(listed("of-SEND-01"),), today=TODAY)
        other = verdict(("SEND-01", "JOIN-01"), "stopped", failure("SEND-01"))
        assert rules.expected_clause("SEND-01", "MUST", [self.MUST]) is not None
        assert rules.expected_clause("SEND-01", "MUST", [self.MUST, other]) is None
        assert rules.expected_clause("JOIN-02", "MUST", [GOOD]) is None
