"""CTRF, the Common Test Report Format (https://ctrf.io): what `cases` says as JSON.

A case that was not judged is never one that passed: an inconclusive scenario and an expected failure are ``skipped``,
one that was not played to its end is ``pending``, and the tool's own fault counts as ``failed``, as it does wherever
JUnit's errors are read. ``rawStatus`` is wsproof's own word. What only wsproof knows stands in ``extra`` under
``wsproof.…``. Nothing in it depends on when or where the report was made.
"""

import json
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from contract.escaping import visible
from contract.formats import LOAD
from reports.formats.cases import TEXT_CHARACTERS, Case, cases, label
from reports.shared import outages, wording
from reports.shared.documents import Document, document_id
from reports.text.fitting import cut

VERSION: Final = "0.0.0"
"""The version of CTRF's specification that this conforms to."""

_STATUSES: Final = ("passed", "failed", "skipped", "pending", "other")

Json = Mapping[str, Any]


def ctrf(document: Document) -> str:
    """The CTRF report of a results or load document."""
    found = cases(document)
    began = _milliseconds(document["started"])
    tests = [_test(case, began, document) for case in found]
    report = {
        "reportFormat": "CTRF",
        "specVersion": VERSION,
        "reportId": document_id(document),
        "generatedBy": "wsproof",
        "results": {
            "tool": {key: _name(document["tool"][key]) for key in ("name", "version")},
            "summary": _summary(tests, found, began, document),
            "tests": tests,
            "environment": _environment(document),
        },
    }
    return json.dumps(report, indent=1, ensure_ascii=True, allow_nan=False) + "\n"


def _summary(tests: list[dict[str, Any]], found: list[Case], began: int, document: Document) -> dict[str, Any]:
    numbers = Counter(test["status"] for test in tests)
    duration = _duration(document["duration_s"])
    return {
        "tests": len(tests),
        **{status: numbers[status] for status in _STATUSES},
        "suites": len({case.suite for case in found}),
        "start": began,
        "stop": began + duration,
        "duration": duration,
        "extra": {"wsproof.run": _run(document)},
    }


def _run(document: Document) -> dict[str, Any]:
    """What decides about the run, and what of the contract was verified."""
    run = {"verdict": document["verdict"], "complete": document["complete"]}
    verdicts = {_name(entry["id"]): entry["verdict"] for entry in document["requirements"]}
    run |= {"passed": document["outcome"]["passed"], "clauses": document["summary"], "requirements": verdicts}
    if document["format"] == LOAD:
        return run | {
            "shed": {_name(sign): number for sign, number in document["shed"].items()},
            "delivery": _ledger(document),
        }
    told = {
        "outages": [one.text for one in outages.outages(document)],
        "hints": [hint for _, hint in wording.hints(document)],
    }
    return run | {
        name: [visible(cut(one, TEXT_CHARACTERS)) for one in listed] for name, listed in told.items() if listed
    }


def _ledger(document: Document) -> dict[str, int] | None:
    kept = document["delivery"]
    if kept is None:
        return None
    names = ("expected", "delivered", "lost", "duplicated", "reordered", "misdelivered")
    return {name: kept[name] for name in names}


def _environment(document: Document) -> dict[str, Any]:
    contract = document["contract"]
    return {
        "reportName": _name(f"wsproof {wording.endpoint(document)}"),
        "appName": _name(contract["title"]),
        "appVersion": _name(contract["version"]),
        "testEnvironment": _name(wording.endpoint(document)),
        "healthy": document["outcome"]["passed"],
    }


def _test(case: Case, began: int, document: Document) -> dict[str, Any]:
    started = began + _duration(case.scenario["started_s"]) if case.scenario is not None else began
    duration = _duration(case.duration)
    test: dict[str, Any] = {
        "testId": _name(case.id),
        "name": _name(case.name),
        "status": _status(case),
        "rawStatus": _raw_status(case),
        "duration": duration,
        "start": started,
        "stop": started + duration,
        "suite": [_name(case.suite)],
        "type": "load" if document["format"] == LOAD else "conformance",
    }
    if case.message:
        test["message"] = visible(cut(case.message, TEXT_CHARACTERS))
    if case.details:
        test["trace"] = case.details
    if case.notes:
        test["stdout"] = case.notes.split("\n")
    if case.requirement is not None:
        return test | _judged(case.requirement)
    return test | (_labels(case.scenario) if case.scenario is not None else {})


def _raw_status(case: Case) -> str:
    source = case.requirement or case.scenario
    return case.outcome if source is None else str(source["verdict"])


def _judged(requirement: Json) -> dict[str, Any]:
    members = ("level", "applied", "of", "failed", "rate", "first_s", "last_s", "undecided")
    figures = {member: requirement[member] for member in members}
    return {"labels": {"requirements": [_name(requirement["id"])]}, "extra": {"wsproof.requirement": figures}}


def _labels(scenario: Json) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if scenario["tags"]:
        found["tags"] = [_name(tag) for tag in scenario["tags"]]
    if scenario["verifies"]:
        found["labels"] = {"requirements": [_name(one) for one in scenario["verifies"]]}
    return found


def _status(case: Case) -> str:
    if case.outcome == "error":
        return "failed"
    return "pending" if case.kind == "untested" else case.outcome


def _name(text: str) -> str:
    return label(text) or "-"  # which the format does not let be empty


def _duration(seconds: float) -> int:
    return round(seconds * 1000)


def _milliseconds(instant: str) -> int:
    """Milliseconds since 1970; 0 where the clock of the run showed no time that there is."""
    try:
        return round(datetime.fromisoformat(instant).timestamp() * 1000)
    except (ValueError, OverflowError):
        return 0
