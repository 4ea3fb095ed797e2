"""What cannot be decided is given up early; what is only slow never is. And the memory of a run is bounded."""

import threading
from dataclasses import replace
from typing import Any

import pytest

from conformance.actions import Opcode, Received
from conformance.archive import Archive
from conformance.bounds import MEBIBYTE, Memory, weight
from conformance.engine import Outcome
from conformance.outlook import LEAST, first_wait
from conformance.record import Record
from conformance.run import unfinished
from conformance.scenario import Charge
from conformance.stage import Failure
from conformance.transcript import FIRST_ENTRIES, LAST_ENTRIES, MAX_CHARACTERS, Entry, Transcript
from tests.conformance.chat import Chat
from tests.conformance.driver import CONNECT, scenario
from tests.conformance.servers import drain, raw_server, upgrade
from tests.conformance.test_run import MEET, OPEN, PROFILE, named, play_all

COUNT = 3 * LEAST


def reasons(found: dict[str, Any]) -> list[str]:
    return [one.outcome.reason or "" for one in found.values()]


class TestOutlook:
    def test_without_any_acknowledgement(self) -> None:
        def talk(connection: Any) -> None:
            if upgrade(connection):
                drain(connection)

        scenarios = [named(f"open-{number}", OPEN) for number in range(COUNT)]
        with raw_server(talk) as url:
            found = play_all(url, scenarios, jobs=4, profile=replace(PROFILE, ack_timeout=0.3))
        given_up = [reason for reason in reasons(found) if "no connection was ever acknowledged" in reason]
        assert COUNT - LEAST - 4 <= len(given_up) <= COUNT - LEAST
        assert {one.requirement for verdict in found.values() for one in verdict.charged} == {"CONN-02"}

    def test_one_acknowledgement_keeps_everything_in_play(self) -> None:
        """The last of many connections is acknowledged, long after the others' deadline."""
        lock, count, late = threading.Lock(), iter(range(1_000)), threading.Event()

        def hold() -> None:
            with lock:
                number = next(count)
            if number:
                late.wait(1.0)

        scenarios = [named(f"open-{number}", OPEN) for number in range(COUNT)]
        with Chat(before_ack=hold).serve() as url:
            found = play_all(url, scenarios, jobs=4, profile=replace(PROFILE, ack_timeout=0.3))
            late.set()
        assert not [reason for reason in reasons(found) if "not played" in reason]

    def test_without_any_delivery_what_needs_none_is_played(self) -> None:
        provoke = [*OPEN, {"call": "provoke", "with": {"actor": "alice"}}]
        scenarios = [named(f"meet-{number}", MEET) for number in range(COUNT)]
        scenarios += [named("provoke", provoke, verifies=["ERR-04"]), named("control", MEET, tags=["control"])]
        with Chat(loses_posts=True).serve() as url:
            found = play_all(url, scenarios, jobs=4, profile=replace(PROFILE, response_timeout=1.0))
        assert len([reason for reason in reasons(found) if "no post was ever delivered" in reason]) >= COUNT - LEAST - 4
        assert found["provoke"].verdict == "passed"
        assert found["control"].verdict == "failed"

    @pytest.mark.parametrize(
        ("steps", "beyond", "event"),
        [
            (OPEN, (), "connection_ack"),
            (MEET, ("connection_ack",), "new_message"),
            ([CONNECT, {"close": {"actor": "alice"}}, *OPEN], (), None),
            ([{"connect": {"actor": "alice", "accepted": False}}, {"expect_refusal": {"actor": "alice"}}], (), None),
        ],
    )
    def test_the_first_wait(self, steps: list[Any], beyond: tuple[str, ...], event: str | None) -> None:
        assert first_wait(named("it", steps), beyond) == event


class TestMemory:
    def test_shares_and_the_reserve(self) -> None:
        memory = Memory(2, own=2 * MEBIBYTE, reserve=MEBIBYTE)
        one, other = memory.share(), memory.share()
        assert one.take(2 * MEBIBYTE)
        assert one.take(MEBIBYTE)
        one.give_back()
        assert other.take(3 * MEBIBYTE)
        assert not other.take(1)
        other.give_back()
        assert memory.share().take(2 * MEBIBYTE), "a flood takes nothing from the others' own shares"
        assert not one.take(1), "but nothing more is given out"

    @pytest.mark.parametrize("data", [b"[]", b"{},{}", '"\U0001f600"'.encode(), b'"\\ud83d\\ude00"', b"x"])
    def test_a_message_weighs_more_than_its_bytes(self, data: bytes) -> None:
        one, many = (weight(Received(0.0, "a", Opcode.TEXT, data * count)) for count in (1, 1_000))
        assert many - one >= 3 * len(data) * 999


class TestTranscript:
    def test_start_and_end_are_kept(self) -> None:
        transcript = Transcript(())
        count = FIRST_ENTRIES + LAST_ENTRIES + 10
        for number in range(count):
            transcript.add(Entry(0.0, "a", "in", "message", None, str(number)))
        assert transcript.left_out == 10
        assert [one.data for one in transcript.entries[-2:]] == [str(count - 2), str(count - 1)]
        assert transcript.first[-1].data == str(FIRST_ENTRIES - 1)

    def test_its_characters_are_bounded(self) -> None:
        transcript = Transcript(["token-of-alice"])
        for _ in range(5_000):
            transcript.add(Entry(0.0, "a", "in", "message", "token-of-alice" * 100, "token-of-alice " * 1_000))
        assert sum(len(one.data) for one in transcript.entries) < 3 * MAX_CHARACTERS
        assert not [one for one in transcript.entries if "token-of" in one.data + (one.event or "")]


def outcome_of(lines: int) -> Outcome:
    record = Record(0.0, ["token-of-alice"])
    for _ in range(lines):
        record.note(0.0, "a", "in", "message", "x" * 1_000)
    one = unfinished(scenario(CONNECT), "stopped", "token-of-alice " + "y" * 5_000)
    return replace(one, record=record)


def test_the_archive_masks_and_keeps_short_what_comes_when_it_is_full() -> None:
    archive = Archive(["token-of-alice"], full=50_000)
    failures = [Failure(Charge(("SEND-01",)), "1", "a", "m", "token-of-alice", "r" * 1_900) for _ in range(3)]
    first, charged = archive.file(outcome_of(20), failures)
    assert len(charged) == 3
    assert len(first.record.entries) == 20
    second, charged = archive.file(outcome_of(60), failures)
    assert [(one.expected, len(one.received or "")) for one in charged] == [("•••", 200)]
    assert len(second.record.entries) == 15
    assert second.record.transcript.left_out == 45
    assert "token-of-alice" not in (second.reason or "")
