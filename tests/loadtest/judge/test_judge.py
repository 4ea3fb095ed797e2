"""What one process finds: what came, what did not, and what is charged with it."""

import json
from typing import Any

import pytest

from contract.findings import phrase
from loadtest.judge.judge import MAX_EXAMPLES, MAX_KINDS, UNPROVOKED, Judge, Judged, Wait, charged_clauses, wait
from tests.bundled import load_requirements

REQUIREMENTS = load_requirements()
WRONG = phrase("two-ids")


def judge(stalls: list[tuple[float, float]] | None = None, **more: Any) -> Judge:
    """A judge of a process that was stalled in these stretches."""
    made = Judge(REQUIREMENTS, delivery="new_message", post="send_message", **more)
    made.stalled_since = lambda since: sum(max(end - max(begin, since), 0.0) for begin, end in stalls or ())
    return made


def charges(judged: Judged) -> dict[tuple[str, str], int]:
    """By requirement and level, how often."""
    counts: dict[tuple[str, str], int] = {}
    for key, seen in judged.findings.items():
        kind = json.loads(key)
        clause = (kind["requirement"], kind["level"])
        counts[clause] = counts.get(clause, 0) + seen.count
    return counts


def test_what_came_convicts_whatever_the_generator_did() -> None:
    made = judge([(0.0, 100.0)])
    made.found("delivery-id", WRONG, 12.0, "user 1")
    taken = made.take(10.0)
    assert charges(taken) == {("SEND-04", "SHOULD"): 1}
    (seen,) = taken.findings.values()
    assert (seen.first, seen.last, seen.examples[0]["t_s"]) == (2.0, 2.0, 2.0)


@pytest.mark.parametrize(
    ("stalls", "waited", "convicted"),
    [
        ([], wait(0.0, 2.0), True),
        ([(0.5, 0.6)], wait(0.0, 2.0), True),
        ([(0.5, 0.8)], wait(0.0, 2.0), False),
        ([(2.5, 9.0)], wait(0.0, 2.0), True),  # it came afterwards
        ([(0.5, 0.8)], wait(0.0, 2.3, 2.0), True),  # it waited for that much longer
        ([(0.5, 1.5)], wait(0.0, 2.3, 2.0), False),
        ([(0.5, 0.8)], Wait(0.0, 2.0, 0.5), True),
    ],
)
def test_what_did_not_come_convicts_if_the_generator_was_punctual(
    stalls: list[tuple[float, float]], waited: Wait, convicted: bool
) -> None:
    made = judge(stalls)
    made.absent("acknowledged", WRONG, waited, "user 1")
    taken = made.take(0.0)
    assert charges(taken) == ({("CONN-02", "MUST"): 1} if convicted else {})
    assert taken.undecided == ({} if convicted else {"acknowledged": 1})


@pytest.mark.parametrize(
    ("message", "charged"),
    [
        ("send_message", "SEND-01"),
        ("join_channel", "JOIN-01"),
        ("pong", "HB-05"),
        (None, "ERR-08"),
        ("other", "ERR-08"),
    ],
)
def test_an_unprovoked_error_is_charged_to_what_it_is_about(message: str | None, charged: str) -> None:
    assert [name for name, _ in charged_clauses(REQUIREMENTS.values(), UNPROVOKED, message)] == [charged]


def test_an_invalid_payload_is_charged_to_its_message_and_its_place() -> None:
    clauses = charged_clauses(REQUIREMENTS.values(), "payload", "new_message", ("message.id",))
    assert clauses == [("ENV-03", "MUST"), ("SEND-04", "MUST")]


def test_a_step_is_charged_to_what_its_check_decides_and_to_its_own_requirements() -> None:
    made = judge()
    assert made.own(("JOIN-03", "SEND-01")) == ("JOIN-03",)
    made.step_failed(made.own(("JOIN-03", "SEND-01")), "delivered", WRONG, wait(0.0, 1.0), "user 1")
    assert charges(made.take(0.0)) == {("SEND-01", "MUST"): 1, ("JOIN-03", "MUST"): 1}


def test_only_measured() -> None:
    made = judge(measure_only=True)
    made.found("delivery-id", WRONG, 1.0, "user 1")
    assert made.take(0.0).findings == {}


def test_kinds_and_examples_are_bounded() -> None:
    made = judge()
    for number in range(2 * MAX_KINDS):
        made.found("error-code", phrase("said", en=str(number), ja=str(number)), 1.0, "user 1")
    taken = made.take(0.0)
    assert len(taken.findings) <= MAX_KINDS + 1
    assert charges(taken) == {("ERR-09", "SHOULD"): 2 * MAX_KINDS}
    for number in range(9):
        made.found("delivery-id", WRONG, float(number), "user 1")
    (seen,) = made.take(0.0).findings.values()
    assert (seen.count, len(seen.examples), seen.first, seen.last) == (9, MAX_EXAMPLES, 0.0, 8.0)


def test_slices_add_up() -> None:
    made, total = judge(), Judged()
    for t in (5.0, 1.0, 3.0):
        made.found("delivery-id", WRONG, t, f"user {t:g}")
        made.chance("delivery-id")
        made.shed["429"] += 1
        total.add(made.take(0.0))
    (seen,) = total.findings.values()
    assert (seen.count, seen.first, seen.last) == (3, 1.0, 5.0)
    assert [one["user"] for one in seen.examples] == ["user 1", "user 3", "user 5"]
    assert (total.chances, total.shed) == ({"delivery-id": 3}, {"429": 3})


def test_chances_that_are_counted_together() -> None:
    made = judge()
    made.message("ping")
    made.count(100, 40, 20, several=True)
    chances = made.take(0.0).chances
    assert (chances["envelope"], chances["envelope:ping"], chances["payload:new_message"]) == (101, 1, 100)
    assert (chances["one-order"], chances["membership"], chances["unprovoked-error:send_message"]) == (40, 20, 20)
    made.count(100, 40, 20, several=False)
    assert "membership" not in {name for name, count in made.take(0.0).chances.items() if count}
