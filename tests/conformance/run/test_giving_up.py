"""What cannot be decided is given up early; what is only slow never is. And the memory of a run is bounded."""

import socket
import threading
from dataclasses import replace
from typing import Any

import pytest

from conformance.judge.outcomes import unfinished
from conformance.judge.verdicts import requirement_verdicts
from conformance.language.deed import Charge
from conformance.play.circuit_breaker import ENOUGH, FLOODS, LEAST_SECONDS, CircuitBreaker, not_waited_for
from conformance.play.context import Failure, Setting
from conformance.play.engine import Outcome
from conformance.play.plan import WAITING_SHARE
from conformance.play.record import Record
from conformance.play.transcript import (
    FIRST_ENTRIES,
    LAST_ENTRIES,
    MAX_CHARACTERS,
    PHRASE_CHARACTERS,
    Entry,
    Transcript,
)
from conformance.run.retention import Archive
from conformance.transport.bounds import MEBIBYTE, Memory, weight
from conformance.transport.exchange import Received
from contract.findings import phrase
from contract.redaction import Redactor
from tests.conformance.chat import Chat
from tests.conformance.driver import CONNECT, close, message, played, scenario, setting_of
from tests.conformance.run.test_run import MEET, OPEN, PROFILE, REQUIREMENTS, named, play_all
from tests.conformance.servers import drain, raw_server, read_request, upgrade
from wire.frames import Opcode

JOBS = 4
COUNT = 6 * JOBS * WAITING_SHARE


class TestCircuitBreaker:
    """What has not come several times is not waited for to the end again."""

    def opened(self, times: int = ENOUGH) -> CircuitBreaker:
        breaker = CircuitBreaker()
        for _ in range(times):
            breaker.missed("it")
        return breaker

    def test_some_must_have_waited_to_the_end(self) -> None:
        assert CircuitBreaker().patience("it", 1.0) is None
        assert self.opened(ENOUGH - 1).patience("it", 1.0) is None
        assert self.opened().patience("it", 1.0) == LEAST_SECONDS

    def test_each_wait_is_known_by_what_it_is_for(self) -> None:
        assert self.opened().patience("another", 1.0) is None

    def test_what_came_late_is_waited_for_twice_as_long(self) -> None:
        breaker = self.opened()
        for seconds in (0.5, 2.0, 0.1):
            breaker.came("it", seconds)
        assert breaker.patience("it", 1.0) == 4.0

    def test_the_time_scale_stretches_the_least(self) -> None:
        assert self.opened().patience("it", 10.0) == 10 * LEAST_SECONDS

    def test_coming_takes_back_no_miss(self) -> None:
        breaker = self.opened(ENOUGH - 1)
        breaker.came("it", 0.01)
        breaker.missed("it")
        assert breaker.patience("it", 1.0) == LEAST_SECONDS

    def test_floods_in_a_row(self) -> None:
        breaker = CircuitBreaker()
        for _ in range(FLOODS - 1):
            breaker.flooded(phrase("message-too-big", bytes=MEBIBYTE))
        breaker.flooded(None)
        for _ in range(FLOODS - 1):
            breaker.flooded(phrase("message-too-big", bytes=MEBIBYTE))
        assert breaker.given_up is None
        last = phrase("flood-in-a-scenario", bytes=17)
        breaker.flooded(last)
        assert breaker.given_up == phrase("floods", count=FLOODS, flood=last)
        breaker.flooded(None)
        assert breaker.given_up is not None, "once given up, for good"

    def test_refusals_for_load(self) -> None:
        breaker = CircuitBreaker()
        for _ in range(ENOUGH):
            assert breaker.given_up is None
            breaker.refused()
        assert breaker.given_up == phrase("overloaded")

    def test_one_accepted_handshake_keeps_everything_in_play(self) -> None:
        breaker = CircuitBreaker()
        for _ in range(2 * ENOUGH):
            breaker.refused()
            breaker.accepted()
        assert breaker.given_up is None


class TestWaits:
    """A scenario after others that waited in vain, on a fake clock."""

    ONE = scenario(CONNECT, {"expect": {"actor": "alice", "event": "error"}, "requirement": "ERR-01"})

    def setting(self, missed: int = ENOUGH, came: float | None = None, time_scale: float = 1.0) -> Setting:
        setting = setting_of(time_scale=time_scale)
        for _ in range(missed):
            assert played(self.ONE, setting=setting).outcome.ending == "stopped"
        if came is not None:
            assert played(self.ONE, message(came, "alice", "error"), setting=setting).outcome.ending == "finished"
        return setting

    def test_it_is_cut_short(self) -> None:
        outcome = played(self.ONE, setting=self.setting()).outcome
        assert (outcome.ending, outcome.reason, outcome.cut_short) == ("inconclusive", not_waited_for(), True)
        assert outcome.duration == pytest.approx(LEAST_SECONDS)
        assert outcome.failures == ()
        assert outcome.unreached == {("ERR-01", None): 1}

    def test_it_leaves_politely(self) -> None:
        assert played(self.ONE, setting=self.setting()).closes() == [("alice", 1000)]

    def test_what_comes_soon_is_found(self) -> None:
        result = played(self.ONE, message(0.9 * LEAST_SECONDS, "alice", "error"), setting=self.setting())
        assert (result.outcome.ending, result.outcome.cut_short) == ("finished", False)

    @pytest.mark.parametrize(("t", "ending"), [(3.9, "finished"), (4.1, "inconclusive")])
    def test_where_it_once_came_late_it_may_come_late_again(self, t: float, ending: str) -> None:
        setting = self.setting(ENOUGH - 1, came=2.0)
        assert played(self.ONE, setting=setting).outcome.ending == "stopped"
        assert played(self.ONE, message(t, "alice", "error"), setting=setting).outcome.ending == ending

    @pytest.mark.parametrize(
        "step",
        [
            {"expect": {"actor": "alice", "event": "error"}, "requirement": "ERR-02"},
            {"expect": {"actor": "alice", "event": "ping"}, "requirement": "ERR-01"},
            {"expect_one": {"actor": "alice", "of": [{"event": "error"}]}, "requirement": "ERR-01"},
        ],
    )
    def test_another_wait_is_waited_for_to_its_end(self, step: dict[str, Any]) -> None:
        outcome = played(scenario(CONNECT, step), setting=self.setting()).outcome
        assert (outcome.ending, outcome.cut_short) == ("stopped", False)
        assert outcome.duration >= 5.0

    def test_the_end_of_the_connection_convicts_at_once(self) -> None:
        result = played(self.ONE, close(0.1, "alice", 1011), setting=self.setting())
        assert (result.outcome.ending, result.charges()) == ("stopped", [(("ERR-01",), None)])


class TestGivingUp:
    """The same over real sockets."""

    def test_without_any_acknowledgement(self) -> None:
        def talk(connection: Any) -> None:
            if upgrade(connection):
                drain(connection)

        scenarios = [named(f"open-{number}", OPEN) for number in range(COUNT)]
        with raw_server(talk) as url:
            found = play_all(url, scenarios, jobs=JOBS, profile=replace(PROFILE, ack_timeout=0.6))
        waited = [one for one in found.values() if one.charged]
        assert ENOUGH <= len(waited) <= ENOUGH + JOBS * WAITING_SHARE
        assert {one.requirement for verdict in waited for one in verdict.charged} == {"CONN-02"}
        others = [one for one in found.values() if not one.charged]
        assert others
        assert [one for one in others if (one.verdict, one.outcome.reason) != ("inconclusive", not_waited_for())] == []

    @pytest.mark.slow
    def test_what_is_slow_but_in_time_is_never_given_up(self) -> None:
        """Each acknowledgement takes longer than a wait that is cut short."""
        scenarios = [named(f"open-{number}", OPEN) for number in range(COUNT)]
        with Chat(before_ack=lambda: threading.Event().wait(2 * LEAST_SECONDS)).serve() as url:
            found = play_all(url, scenarios, jobs=JOBS)
        assert [one.verdict for one in found.values()] == ["passed"] * COUNT

    @pytest.mark.slow
    def test_without_any_delivery_what_needs_none_is_decided(self) -> None:
        provoke = [*OPEN, {"call": "provoke", "with": {"actor": "alice"}}]
        scenarios = [named(f"meet-{number}", MEET) for number in range(COUNT)]
        scenarios += [named(f"provoke-{number}", provoke, verifies=["ERR-04"]) for number in range(COUNT)]
        with Chat(loses_posts=True).serve() as url:
            found = play_all(url, scenarios, jobs=JOBS, profile=replace(PROFILE, response_timeout=2.0))
        assert [found[f"provoke-{number}"].verdict for number in range(COUNT)] == ["passed"] * COUNT
        meetings = [found[f"meet-{number}"] for number in range(COUNT)]
        waited = [one for one in meetings if one.charged]
        assert ENOUGH <= len(waited) <= ENOUGH + JOBS * WAITING_SHARE
        assert len(waited) < COUNT
        assert [one for one in meetings if not one.charged and one.outcome.reason != not_waited_for()] == []
        judged = {one.requirement.id: one for one in requirement_verdicts(REQUIREMENTS, found.values())}
        assert judged["SEND-01"].deciding.verdict == "failed"

    @pytest.mark.slow
    def test_an_endpoint_that_refuses_everybody_for_load(self) -> None:
        def talk(connection: socket.socket) -> None:
            if read_request(connection):
                connection.sendall(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
                drain(connection)

        scenarios = [named(f"open-{number}", OPEN) for number in range(COUNT)]
        with raw_server(talk) as url:
            found = play_all(url, scenarios, jobs=JOBS, time_scale=0.05)
        refused = [one for one in found.values() if one.charged]
        assert ENOUGH <= len(refused) <= ENOUGH + JOBS * WAITING_SHARE
        assert {one.requirement for verdict in refused for one in verdict.charged} == {"CONN-01"}
        others = [one.outcome.reason for one in found.values() if not one.charged]
        assert [reason for reason in others if reason != phrase("overloaded")] == []


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
        transcript = Transcript(Redactor(()))
        count = FIRST_ENTRIES + LAST_ENTRIES + 10
        for number in range(count):
            transcript.add(Entry(0.0, "a", "in", "message", None, str(number)))
        assert transcript.left_out == 10
        assert [one.data for one in transcript.entries[-2:]] == [str(count - 2), str(count - 1)]
        assert transcript.first[-1].data == str(FIRST_ENTRIES - 1)

    def test_its_characters_are_bounded(self) -> None:
        transcript = Transcript(Redactor(["token-of-alice"]))
        for _ in range(5_000):
            transcript.add(Entry(0.0, "a", "in", "message", "token-of-alice" * 100, "token-of-alice " * 1_000))
        assert sum(len(str(one.data)) for one in transcript.entries) < 3 * MAX_CHARACTERS
        assert not [one for one in transcript.entries if "token-of" in str(one.data) + (one.event or "")]

    def test_phrases_are_masked_and_never_cut(self) -> None:
        transcript = Transcript(Redactor(["token-of-alice"]))
        refused = phrase("with-detail", what=phrase("tcp-eof"), detail="token-of-alice")
        for _ in range(FIRST_ENTRIES + LAST_ENTRIES):
            transcript.add(Entry(0.0, "a", "in", "end", None, refused))
        transcript.shorten(3, 3, 1)
        shown = phrase("with-detail", what=phrase("tcp-eof"), detail="•••")
        assert [(one.data, one.truncated) for one in transcript.entries] == [(shown, False)] * 6

    def test_a_phrase_counts_as_many_characters_as_any_other(self) -> None:
        notes = [Entry(0.0, "a", "none", "note", None, one) for one in (phrase("not-sent"), phrase("said", en="x"))]
        assert [one.characters for one in notes] == [PHRASE_CHARACTERS] * 2


def outcome_of(lines: int) -> Outcome:
    record = Record(0.0, ["token-of-alice"])
    for _ in range(lines):
        record.note(0.0, "a", "in", "message", "x" * 1_000)
    one = unfinished(scenario(CONNECT), "stopped", phrase("own-fault", error="token-of-alice " + "y" * 5_000))
    return replace(one, record=record)


def test_the_archive_masks_and_keeps_short_what_comes_when_it_is_full() -> None:
    archive = Archive(["token-of-alice"], full=50_000)
    message = phrase("two-authors", user="token-of-alice " + "m" * 1_900)
    received = phrase("came", items=["r" * 1_900, phrase("still-open")])
    failures = [Failure(Charge(("SEND-01",)), "1", "a", message, "token-of-alice", received) for _ in range(3)]
    first, charged = archive.file(outcome_of(20), failures)
    assert len(charged) == 3
    assert len(first.record.entries) == 20
    second, charged = archive.file(outcome_of(60), failures)
    (one,) = charged
    assert one.message == phrase("two-authors", user="••• " + "m" * 195 + "…")
    assert (one.expected, one.received) == ("•••", phrase("came", items=["r" * 199 + "…", phrase("still-open")]))
    assert second.reason == phrase("own-fault", error="••• " + "y" * 995 + "…")
    assert len(second.record.entries) == 15
    assert second.record.transcript.left_out == 45
    assert "token-of-alice" not in str(second.reason)
