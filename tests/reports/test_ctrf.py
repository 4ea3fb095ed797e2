"""CTRF: what its specification asks for, in our own words, and that nothing looks passed that is not."""

import json
import uuid
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from reports.formats.cases import cases
from reports.formats.ctrf import ctrf
from tests.reports import builder
from tests.reports.builder import Json, failure, results, scenario
from tests.reports.documents import DOCUMENTS


def closed(required: str, **optional: Any) -> Json:
    """An object with these members and no others; strings name the type of a member."""
    members = {name: {"type": kind} if isinstance(kind, str) else kind for name, kind in optional.items()}
    return {"type": "object", "required": required.split(), "properties": members, "additionalProperties": False}


TEXT = {"type": "string", "minLength": 1}
TEXTS = {"type": "array", "items": {"type": "string"}}
COUNT = {"type": "integer", "minimum": 0}
STATUSES = ("passed", "failed", "skipped", "pending", "other")

# What the specification of CTRF 0.0.0 requires and allows, of what we use; unknown members stand under `extra` only.
TEST = closed(
    "name status duration",
    testId=TEXT, name=TEXT, status={"enum": STATUSES}, rawStatus="string", type="string",
    duration=COUNT, start="integer", stop="integer", suite=TEXTS | {"minItems": 1},
    message="string", trace="string", stdout=TEXTS, tags=TEXTS, extra="object",
    labels={"type": "object", "additionalProperties": TEXTS | {"minItems": 1}},
)  # fmt: skip
RESULTS = closed(
    "tool summary tests",
    tool=closed("name", name=TEXT, version="string"),
    summary=closed(
        "tests passed failed skipped pending other start stop",
        tests=COUNT, **dict.fromkeys(STATUSES, COUNT), suites=COUNT,
        start="integer", stop="integer", duration="integer", extra="object",
    ),
    tests={"type": "array", "items": TEST},
    environment=closed(
        "", reportName="string", appName="string", appVersion="string", testEnvironment="string", healthy="boolean"
    ),
)  # fmt: skip
REPORT = Draft202012Validator(
    closed(
        "results reportFormat specVersion",
        reportFormat={"const": "CTRF"},
        specVersion={"type": "string", "pattern": "^[0-9]+\\.[0-9]+\\.[0-9]+$"},
        reportId="string",
        generatedBy="string",
        results=RESULTS,
    )
)


def read(document: Json) -> Json:
    found: Json = json.loads(ctrf(document))
    return found


def entries(document: Json) -> dict[str, Json]:
    return {test["testId"]: test for test in read(document)["results"]["tests"]}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_it_is_what_the_specification_asks_for(name: str) -> None:
    report = read(DOCUMENTS[name])
    assert [error.message for error in REPORT.iter_errors(report)] == []
    assert uuid.UUID(report["reportId"])
    summary, tests = report["results"]["summary"], report["results"]["tests"]
    statuses = Counter(test["status"] for test in tests)
    assert {status: summary[status] for status in STATUSES} == {status: statuses[status] for status in STATUSES}
    assert summary["tests"] == len(tests) == sum(statuses.values())
    assert summary["suites"] == len({test["suite"][0] for test in tests})
    assert all(one["start"] <= one["stop"] for one in (summary, *tests))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_strings_are_fit_to_be_looked_at_and_short(name: str) -> None:
    text = ctrf(DOCUMENTS[name])
    assert text.isascii()
    assert len(text) < 300_000
    bad = {"\\ud800", "\\u202e", "\\u0000", "\\u001b"}
    # Each backslash of ours is escaped once more.
    assert not any(one in text.replace("\\\\", "") for one in bad)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_it_agrees_with_junit(name: str) -> None:
    """Both are made of the same cases; what is an error there, for want of the word, has failed here."""
    document = DOCUMENTS[name]
    same = {"passed": {"passed"}, "failed": {"failed"}, "error": {"failed"}, "skipped": {"skipped", "pending"}}
    found = read(document)["results"]["tests"]
    assert [test["status"] in same[case.outcome] for test, case in zip(found, cases(document), strict=True)] == [
        True
    ] * len(found)


def test_what_was_not_judged_has_not_passed() -> None:
    verdicts = ("passed", "inconclusive", "untested", "error")
    document = results(scenarios=[scenario(one, one, reason="why") for one in verdicts], complete=False)
    statuses = {name: (test["status"], test["rawStatus"]) for name, test in entries(document).items()}
    assert statuses == {
        "passed": ("passed", "passed"),
        "inconclusive": ("skipped", "inconclusive"),
        "untested": ("pending", "untested"),
        "error": ("failed", "error"),
        "run-complete": ("failed", "error"),
    }


def test_an_expected_failure_is_skipped_and_a_stale_entry_fails() -> None:
    tests = entries(builder.baselined_results())
    assert tests["err-listed"]["status"] == "skipped"
    assert "why ERR-01 fails" in tests["err-listed"]["message"]
    assert tests["err-both"]["status"] == tests["baseline: err-fine"]["status"] == "failed"


def test_a_failure_says_what_was_expected_and_what_came() -> None:
    test = entries(builder.failing_results())["err-silent"]
    assert test["message"] == "ERR-02 (MUST): no error arrived within 5 s"
    assert "expected: error with code INVALID_JSON\nreceived: (nothing)" in test["trace"]
    assert test["trace"].endswith(
        "\n\nRepeat this case: wsproof check ws://127.0.0.1:8765/v1/socket --select err-silent"
    )
    assert test["stdout"][0].startswith("WARNING ERR-01 (SHOULD)")
    assert test["labels"] == {"requirements": ["ERR-02"]}


def test_times_are_milliseconds() -> None:
    summary = read(results(duration_s=3.2))["results"]["summary"]
    began = datetime(2026, 11, 23, 2, 5, 0, 123_000, tzinfo=UTC).timestamp() * 1000
    assert (summary["start"], summary["stop"], summary["duration"]) == (began, began + 3200, 3200)
    (test,) = entries(results()).values()
    assert (test["start"], test["stop"]) == (began + 10, began + 260)


@pytest.mark.parametrize("started", ["2026-99-99T99:99:99Z", "0000-01-01T00:00:00Z", "2026-12-31T23:59:60.5Z"])
def test_a_clock_that_shows_no_time_does_no_harm(started: str) -> None:
    assert read(results(started=started))["results"]["summary"]["start"] == 0


def test_the_verdict_and_the_requirements_are_an_extra() -> None:
    run = read(builder.failing_results())["results"]["summary"]["extra"]["wsproof.run"]
    assert (run["verdict"], run["complete"], run["passed"]) == ("non-conformant", True, False)
    assert run["requirements"]["ERR-04"] == "untested"
    assert run["clauses"]["MUST"]["failed"] == 1


@pytest.mark.parametrize(
    ("document", "healthy"),
    [
        (results(), True),
        (builder.failing_results(), False),
        (builder.load(), True),
        (builder.unreached_load(), False),
        (builder.breaking_load(), False),
    ],
)
def test_health_is_whether_the_run_passes(document: Json, healthy: bool) -> None:
    assert read(document)["results"]["environment"]["healthy"] is healthy


def test_thresholds_are_tests() -> None:
    tests = entries(builder.breaking_load())
    assert {name: test["status"] for name, test in tests.items()} == {
        "p99(post_to_receive) < 200ms": "passed",
        "p99(ack) < 5ms": "failed",
        "SEND-01": "failed",
        "HB-02": "passed",
        "run": "failed",
    }
    assert tests["SEND-01"]["labels"] == {"requirements": ["SEND-01"]}
    assert tests["SEND-01"]["extra"]["wsproof.requirement"]["failed"] == 7
    assert tests["p99(ack) < 5ms"]["message"] == "measured 9.80 ms, limit < 5ms"
    assert tests["run"]["duration"] == 10_400


def test_a_failed_scenario_without_a_failure_has_not_passed() -> None:
    (test,) = entries(results(scenarios=[scenario("odd", "failed", failures=[])])).values()
    assert test["status"] == "failed"
    (warned,) = entries(results(scenarios=[scenario("w", "failed", failures=[failure("X", "MAY")])])).values()
    assert (warned["status"], warned["rawStatus"]) == ("passed", "failed")
