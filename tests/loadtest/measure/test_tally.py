"""What several processes measured adds up, whoever measured it and whenever it is told."""

import json
from dataclasses import asdict
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from contract.findings import phrase
from contract.schemas import format_validator, violations
from loadtest.delivery.ledger import Ledger
from loadtest.measure.recorder import (
    LAG,
    LATE,
    MAX_KINDS,
    OTHER_ERRORS,
    Recorder,
    Slice,
    written,
)
from loadtest.measure.tally import Tally

SECONDS = st.floats(0.0, 4000.0)


ERROR = written(phrase("not-open"))


def one_second(number: int, **changes: Any) -> Slice:
    return Slice(began=number, ended=number + 1.0, **changes)


@given(st.lists(st.tuples(st.integers(0, 2), SECONDS), min_size=1, max_size=60))
def test_the_sum_of_several_processes_is_that_of_one(measured: list[tuple[int, float]]) -> None:
    apart, together = Tally(), Tally()
    everything = Recorder(0.0, Ledger(b"12345678"))
    for worker in range(3):
        recorder = Recorder(0.0, Ledger(b"12345678"))
        for who, seconds in measured:
            if who == worker:
                recorder.measured("post_to_own", seconds)
                everything.measured("post_to_own", seconds)
        # As it travels: msgpack, and back.
        raw = msgspec.msgpack.encode(asdict(recorder.take(1.0)))
        apart.add(f"worker {worker}", msgspec.msgpack.decode(raw, type=Slice))
    together.add("alone", everything.take(1.0))
    assert apart.document()["metrics"] == together.document()["metrics"]
    assert apart.timeline()[0]["p99"] == together.timeline()[0]["p99"]


def test_the_timeline_has_an_entry_for_every_second() -> None:
    tally = Tally(5.0)
    tally.add("a", one_second(0, latencies={"post_to_own": {1000: 2}}, most=3, connected=3, posts=2))
    tally.add("a", one_second(4, errors={ERROR: 2}, most=3, connected=2, closes={"1000": 1}))
    found = tally.timeline()
    assert [one["t"] for one in found] == [0, 1, 2, 3, 4]
    assert [one["users"] for one in found] == [3, 0, 0, 0, 3]
    assert (found[0]["rate"], found[0]["p50"], found[0]["posts"]) == (2.0, 1.0, 2.0)
    assert (found[4]["errors"], found[4]["closes"], found[4]["p99"]) == (2, 1, None)


def test_users_of_all_processes_count_and_those_of_a_lost_one_no_more() -> None:
    tally = Tally(5.0)
    for number in range(2):
        for worker in ("a", "b"):
            tally.add(worker, one_second(number, most=5, connected=5))
    tally.gone("b")
    tally.add("a", one_second(2, most=5, connected=5))
    assert [one["users"] for one in tally.timeline()] == [10, 10, 5]
    generator = tally.generator()
    assert generator is not None
    assert [(one["name"], one["state"]) for one in generator["workers"]] == [("a", "running"), ("b", "lost")]


def test_a_slice_that_comes_late_still_counts() -> None:
    tally = Tally(100.0)
    for number in range(50):
        tally.add("a", one_second(number))
    tally.add("b", one_second(3, errors={ERROR: 1}, latencies={"close": {9: 1}}))
    assert tally.timeline()[3]["errors"] == 1
    assert tally.document()["metrics"]["close"]["count"] == 1


def test_errors_beyond_a_hundred_kinds_are_one() -> None:
    recorder, tally = Recorder(0.0, Ledger(b"12345678")), Tally()
    for number in range(MAX_KINDS + 50):
        recorder.failed(phrase("error-came", error=str(number)))
    tally.add("a", recorder.take(1.0))
    assert tally.errors.total() == MAX_KINDS + 50
    assert len(tally.errors) <= MAX_KINDS + 1
    assert tally.errors[OTHER_ERRORS] == 50


def test_a_long_error_is_cut() -> None:
    recorder = Recorder(0.0, Ledger(b"12345678"))
    recorder.failed(phrase("error-came", error="x" * 5000))
    (kind,) = recorder.take(1.0).errors
    assert len(kind) < 300


def test_a_generator_that_was_the_limit_says_so() -> None:
    busy, late, fine = Tally(), Tally(), Tally()
    for number in range(5):
        busy.add("a", one_second(number, cpu=0.97))
        late.add("a", one_second(number, latencies={LATE: {30_000: 5}, LAG: {40_000: 1}}))
        fine.add("a", one_second(number, cpu=0.5, latencies={LATE: {800: 5}}))
    for tally, expected in ((busy, "97 % of a core"), (late, "30 ms late"), (fine, None)):
        found = tally.generator()
        assert found is not None
        assert found["limited"] is (expected is not None)
        assert expected is None or expected in found["reason"]


def test_a_bad_ramp_in_a_long_run_is_told_with_when() -> None:
    tally = Tally(600.0)
    for number in range(600):
        ramp = 20 <= number < 26
        lag = {LAG: {800_000 if ramp else 900: 10}}
        tally.add("a", one_second(number, cpu=0.97 if ramp else 0.3, latencies=lag, late=ramp, stalled=0.7 * ramp))
    found = tally.generator()
    assert found is not None
    assert (found["limited"], found["late"]) == (True, [[20, 26]])
    assert found["reason"].startswith("timers were up to 800 ms late at 20-26 s: ")
    assert [one["t"] for one in tally.timeline() if one["generator_late"]] == list(range(20, 26))


def test_what_was_measured_while_it_was_late_is_undecided() -> None:
    tally = Tally(10.0)
    tally.add("a", one_second(0, latencies={"connect": {500_000: 3}, "ack": {80: 1}}, late=True, stalled=0.6))
    tally.add("a", one_second(1, latencies={"connect": {700_000: 1}}))
    tally.add("a", one_second(3, latencies={"connect": {400: 6}}))
    metrics = tally.document()["metrics"]
    connect, ack = metrics["connect"], metrics["ack"]
    assert (connect["count"], connect["undecided"], round(connect["max"])) == (10, 4, 700)
    assert (connect["punctual"]["count"], connect["punctual"]["max"]) == (6, 0.4)
    assert (ack["count"], ack["undecided"], ack["punctual"]) == (1, 1, None)
    assert violations(format_validator("load"), {"metrics": metrics}) != ()  # nothing but a part of the document
    assert not [one for one in violations(format_validator("load"), {"metrics": metrics}) if "metrics" in str(one)]


def test_nothing_measured_is_a_document_all_the_same() -> None:
    found = Tally().document()
    assert (found["metrics"], found["timeline"], found["generator"]) == ({}, [], None)
    schema = format_validator("load")
    assert [
        one for one in violations(schema, json.loads(json.dumps(found))) if "expected the member" not in str(one)
    ] == []


def test_what_was_taken_is_not_taken_again() -> None:
    recorder = Recorder(10.0, Ledger(b"12345678"))
    recorder.opened()
    recorder.measured("connect", 0.1)
    recorder.failed(phrase("not-open"))
    recorder.posts += 1
    first, second = recorder.take(11.0), recorder.take(12.0)
    assert (first.began, first.ended, first.connected, first.posts) == (0.0, 1.0, 1, 1)
    assert (second.began, second.ended, second.connected, second.posts) == (1.0, 2.0, 1, 0)
    assert (second.latencies, second.errors) == ({}, {})
