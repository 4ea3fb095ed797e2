"""The sentences that sum a run up, and numbers as people read them."""

import pytest

from contract.findings import phrase, texts
from reports.load import wording as load_wording
from reports.shared import wording
from reports.shared.unverified import unverified_groups
from reports.text import quantities
from reports.text.quantities import NOTHING
from tests.reports import builder, loads
from tests.reports.builder import Json, in_scenario, requirement, results


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        (results(), "Conformant: the one MUST requirement holds."),
        (
            results([requirement("A-1"), requirement("A-2")]),
            "Conformant: all 2 MUST requirements hold.",
        ),
        (results([]), "Conformant: no MUST requirement was in scope."),
        (
            results([requirement("A-1"), requirement("A-2", "untested")], verdict="conformant"),
            "Conformant: 1 MUST requirement hold; 1 more were not verified.",
        ),
        (
            results([requirement("A-1"), requirement("A-2", "inconclusive")]),
            "Incomplete: no MUST requirement failed, but 1 of 2 was not verified.",
        ),
        (
            results([requirement("A-1", "error"), requirement("A-2", "untested")]),
            "Incomplete: no MUST requirement failed, but 2 of 2 were not verified.",
        ),
        (
            results([requirement("A-1", "failed")]),
            "Not conformant: 1 MUST requirement fails (A-1).",
        ),
        (
            results([requirement(f"A-{number}", "failed") for number in range(6)]),
            "Not conformant: 6 MUST requirements fail (A-0, A-1, A-2, A-3 and 2 more).",
        ),
        (results(verdict="non-conformant"), "Not conformant."),
    ],
)
def test_the_verdict_in_one_sentence(document: Json, sentence: str) -> None:
    assert wording.verdict_sentence(document) == sentence


def test_warnings_are_what_fails_without_counting() -> None:
    entries = [requirement("A-1", "failed", "SHOULD"), requirement("A-2", "failed", "MAY")]
    assert wording.warning_sentence(results(entries)) == ("2 recommendations do not hold (A-1, A-2).")
    assert wording.warning_sentence(results(entries, strict=True)) == ("1 recommendation does not hold (A-2).")
    assert wording.warning_sentence(results()) is None


def test_scenarios_that_failed_too_soon_for_the_same_reason_are_one_group() -> None:
    entries = []
    for number, inner in enumerate([phrase("still-open"), phrase("at-step", step="5", reason=phrase("still-open"))]):
        reason = phrase("unreached", scenario=f"s{number}", reason=inner)
        entry = requirement(f"A-{number}", "inconclusive", reason=str(reason), **texts(reason=reason))
        entry["clauses"][0] |= {"reason": str(reason), **texts(reason=reason)}
        entries.append(entry)
    [(_, said, listed)] = unverified_groups(results(entries))
    assert said == f"not reached because something failed before it: {phrase('still-open')}"
    assert [entry["id"] for entry in listed] == ["A-0", "A-1"]


def test_what_was_not_verified_is_grouped_by_reason() -> None:
    clauses = [
        {"level": "MUST", "verdict": "untested", "reason": None},
        {"level": "SHOULD", "verdict": "untested", "reason": None},
    ]
    entries = [
        requirement("A-1", "untested", reason=None, clauses=clauses),
        requirement("A-2", "inconclusive"),
        requirement("A-3", "error"),
        requirement("A-4", "inconclusive", scenarios=["one", "two"]),
    ]
    reason = "inconclusive: no such fixture"
    entries[3]["clauses"][0] |= {"reason": f"two: {reason}", "texts": {"reason": in_scenario("two", reason)}}
    found = [
        (mark.word, reason, [entry["id"] for entry in listed])
        for mark, reason, listed in unverified_groups(results(entries))
    ]
    assert found == [
        ("error", "error: no such fixture", ["A-3"]),
        ("inconclusive", "inconclusive: no such fixture", ["A-2", "A-4"]),
        ("untested", "No scenario that verifies it was run.", ["A-1"]),
    ]


def test_a_verdict_never_depends_on_colour_alone() -> None:
    marks = [wording.mark(verdict) for verdict in wording.VERDICTS]
    marks.append(wording.mark("failed", "SHOULD"))
    assert len({mark.symbol for mark in marks}) == len(marks)
    assert all(mark.word for mark in marks)


@pytest.mark.parametrize(
    ("limit", "value", "text"),
    [
        ("< 200ms", 12.34, "12.3 ms"),
        ("<= 1.5 s", 0.5, "0.50 s"),
        ("< 1%", 0.12, "0.12%"),
        ("== 0", 3, "3"),
        ("== 0", 0.0, "0"),
        ("> 1000", 12345, "12,345"),
        ("less than ten", 1.5, "1.50"),
        ("< 5ms", None, "nothing measured"),
    ],
)
def test_a_threshold_value_has_its_limits_unit(limit: str, value: float | None, text: str) -> None:
    threshold = {"metric": "m", "limit": limit, "value": value, "passed": True}
    assert load_wording.threshold_value(threshold) == text


def test_the_verdict_on_a_load_test() -> None:
    said = {
        "Conformant under 20 users: all 2 MUST requirements that this run exercised hold.": builder.load(),
        "Not conformant under 20 users: 1 of 2 MUST requirements failed (SEND-01).": builder.breaking_load(),
        "Incomplete under 20 users: no user could connect": builder.unreached_load(),
        "Conformant under 20 users: the one MUST requirement that this run exercised holds.": builder.load(
            [builder.judged("SEND-01"), builder.judged("HB-02", "untested")]
        ),
        "Incomplete under 20 users: no MUST requirement failed, but 1 of 2 could not be decided.": builder.load(
            [builder.judged("SEND-01"), builder.judged("HB-02", "inconclusive")]
        ),
        "Incomplete under 20 users: this run did not exercise any requirement.": builder.load([]),
        "Incomplete under 20 users: no violation was seen before the run was cut off.": builder.load(
            verdict="incomplete", complete=False
        ),
        "Incomplete: no user could connect": builder.unreached_load() | {"timeline": []},
        "Measured under 400 users: nothing was judged.": loads.measured(),
        "Measured under 400 users: only the thresholds were judged.": loads.measured(thresholds=[builder.THRESHOLD]),
        "Not conformant under 400 users: 2 of 4 requirements failed (SEND-01, SEND-03).": loads.faulty(
            settings={"strict": True}
        ),
    }
    assert {load_wording.load_sentence(document): document for document in said.values()} == said


def test_that_a_load_run_fails_is_said_where_the_verdict_does_not() -> None:
    breached = [builder.THRESHOLD | {"passed": False}]
    for document in (builder.load(), loads.measured(), loads.faulty(thresholds=[]), builder.unreached_load()):
        assert load_wording.outcome_sentence(document) is None
    for document in (builder.load(thresholds=breached), loads.measured(thresholds=breached), builder.breaking_load()):
        assert "threshold breached" in (load_wording.outcome_sentence(document) or ("", ""))[1]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, NOTHING),
        (0, "0.00"),
        (0.8449, "0.84"),
        (9.994, "9.99"),
        (9.996, "10.0"),
        (99.96, "100"),
        (1234.5, "1,234"),
    ],
)
def test_measurements(value: float | None, text: str) -> None:
    assert quantities.measured(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0.0 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min"),
        (303, "5 min 3 s"),
        (3600, "1 h"),
        (3725, "1 h 2 min"),
        (1e9, "277,777 h 46 min"),
    ],
)
def test_durations(value: float, text: str) -> None:
    assert quantities.seconds(value) == text


def test_moments() -> None:
    assert quantities.moment("2026-11-23T02:05:00.123Z") == "2026-11-23 02:05:00 UTC"
    assert quantities.moment("2026-13-99T99:99:99Z") == "2026-13-99T99:99:99Z"


def test_settings() -> None:
    assert quantities.setting({"chatter": 1, "idle": None}) == "chatter: 1, idle: \u2013"
    assert quantities.setting([True, "a"]) == "yes, a"
    assert quantities.setting([]) == NOTHING
