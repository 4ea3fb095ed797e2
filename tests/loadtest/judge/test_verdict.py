"""What a load test says of requirements, and of the endpoint."""

from typing import Any

import pytest

from contract.findings import phrase
from loadtest.judge.judge import Judged, Sighting, finding_key
from loadtest.judge.verdict import Overall, broken, overall, requirement_entries, requirement_results, summary
from tests.bundled import load_requirements

REQUIREMENTS = load_requirements()

JUDGED = """
CONN-01 CONN-02 CONN-03 CONN-04 CONN-05 CONN-06 CONN-07 AUTH-06 HB-01 HB-02 HB-03 HB-05
ENV-01 ENV-02 ENV-03 ENV-04 ENV-05 ENV-08 JOIN-01 JOIN-02
SEND-01 SEND-02 SEND-03 SEND-04 SEND-05 SEND-06 SEND-07 SEND-08 ERR-06 ERR-08 ERR-09 CLOSE-01 CLOSE-02
"""
"""What a load test can judge of the bundled contract."""


def sighting(name: str, level: Any, check: str, count: int = 3, code: str = "two-ids") -> Judged:
    seen = Sighting(count, 1.0, 2.0, [{"t_s": 1.0, "user": "1", "detail": None}])
    return Judged(findings={finding_key(name, level, check, phrase(code)): seen})


def entries(judged: Judged) -> dict[str, dict[str, Any]]:
    return {one["id"]: one for one in requirement_entries(requirement_results(REQUIREMENTS, judged))}


def verdict(judged: Judged, *, strict: bool = False, whole: bool = True, measure_only: bool = False) -> Overall:
    results = requirement_results(REQUIREMENTS, judged)
    return overall(results, strict=strict, whole=whole, measure_only=measure_only)


def test_what_is_judged() -> None:
    found = entries(Judged())
    assert list(found) == JUDGED.split()
    assert {one["verdict"] for one in found.values()} == {"untested"}


def test_a_clause_holds_where_it_was_looked_at_and_nothing_was_found() -> None:
    found = entries(Judged(chances={"delivered-once": 7}))["SEND-03"]
    assert (found["verdict"], found["applied"], found["of"], found["failed"]) == ("passed", 7, "delivery", 0)


def test_a_finding_convicts_with_its_count_rate_and_times() -> None:
    judged = sighting("SEND-03", "SHOULD", "delivered-once", 62, "delivered-twice")
    judged.add(Judged(chances={"delivered-once": 6200}))
    found = entries(judged)["SEND-03"]
    assert (found["verdict"], found["failed"], found["rate"]) == ("failed", 62, 0.01)
    assert (found["first_s"], found["last_s"]) == (1.0, 2.0)
    (clause,) = found["clauses"]
    assert [(one["check"], one["count"], one["examples"][0]["user"]) for one in clause["findings"]] == [
        ("delivered-once", 62, "user 1")
    ]


def test_the_clause_that_failed_decides() -> None:
    judged = sighting("SEND-04", "SHOULD", "delivery-id")
    judged.add(Judged(chances={"payload:new_message": 9, "delivery-id": 9}))
    found = entries(judged)["SEND-04"]
    assert (found["level"], found["verdict"]) == ("SHOULD", "failed")
    assert [one["verdict"] for one in found["clauses"]] == ["passed", "failed"]
    assert summary(requirement_results(REQUIREMENTS, judged))["SHOULD"]["failed"] == 1


@pytest.mark.parametrize(("undecided", "expected"), [(5, "passed"), (6, "inconclusive")])
def test_what_was_left_undecided(undecided: int, expected: str) -> None:
    judged = Judged(chances={"acknowledged": 10}, undecided={"acknowledged": undecided})
    assert entries(judged)["CONN-02"]["verdict"] == expected
    assert verdict(judged) == ("conformant" if expected == "passed" else "incomplete")


@pytest.mark.parametrize(
    ("judged", "more", "expected"),
    [
        (Judged(chances={"handshake": 1}), {}, "conformant"),
        (Judged(), {}, "incomplete"),
        (Judged(chances={"handshake": 1}), {"whole": False}, "incomplete"),
        (sighting("CONN-01", "MUST", "handshake"), {}, "non-conformant"),
        (sighting("CONN-01", "MUST", "handshake"), {"whole": False}, "non-conformant"),
        (sighting("CONN-01", "MUST", "handshake"), {"measure_only": True}, "measured"),
        (sighting("SEND-03", "SHOULD", "delivered-once"), {"strict": True}, "non-conformant"),
    ],
)
def test_the_verdict_on_the_endpoint(judged: Judged, more: dict[str, bool], expected: Overall) -> None:
    assert verdict(judged, **more) == expected


def test_a_broken_should_fails_a_strict_run_only() -> None:
    judged = sighting("SEND-03", "SHOULD", "delivered-once")
    judged.add(Judged(chances={"handshake": 1}))
    results = requirement_results(REQUIREMENTS, judged)
    assert (verdict(judged), broken(results, strict=False)) == ("conformant", [])
    assert broken(results, strict=True) == ["SEND-03"]


def test_a_journeys_own_requirement_is_judged_beside_those_of_checks() -> None:
    found = entries(Judged(chances={"step:JOIN-03": 4}))["JOIN-03"]
    assert (found["verdict"], found["applied"]) == ("passed", 4)
