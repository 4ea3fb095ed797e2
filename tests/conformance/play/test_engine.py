"""What the engine promises: no message is lost, and `within` is a deadline."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.transport.exchange import Happening
from contract.findings import phrase
from tests.conformance.driver import (
    CONNECT,
    DEFAULTS,
    close,
    ended,
    message,
    played,
    scenario,
    text,
)

ERROR: dict[str, Any] = {"expect": {"actor": "alice", "event": "error"}, "requirement": "ERR-01"}
ACK = {
    "expect": {"actor": "alice", "event": "connection_ack", "within": "ack_timeout"},
    "requirement": "CONN-02",
}


def joined(channel: str = "c") -> dict[str, Any]:
    return {"send": {"actor": "alice", "event": "join_channel", "payload": {"channelId": channel}}}


def delivered(t: float, words: str, actor: str = "alice") -> Happening:
    return message(t, actor, "new_message", {"channelId": "c", "message": {"text": words}})


def received(words: str, actor: str = "alice", **more: Any) -> dict[str, Any]:
    match = {"payload": {"message": {"text": words}}}
    return {"expect": {"actor": actor, "event": "new_message", "match": match, **more}}


SIX = scenario(CONNECT, *(received(word) for word in "fbdace"))


class TestInbox:
    """From the moment of connecting on, no message is lost."""

    def test_what_came_between_two_steps_is_found(self) -> None:
        """All arrive before the first is expected, and in the reverse order."""
        one = scenario(CONNECT, ACK, joined(), received("a"), received("b"), received("c"))
        early = [delivered(0.1, word) for word in "cba"]
        result = played(one, *early, message(0.2, "alice", "connection_ack"))
        assert result.outcome.ending == "finished"
        assert result.outcome.failures == ()

    @given(st.permutations("abcdef"))
    def test_any_order_of_arrival_satisfies_any_order_of_steps(self, order: list[str]) -> None:
        result = played(SIX, *(delivered(0.1, word) for word in order))
        assert result.outcome.ending == "finished"

    def test_a_message_is_consumed_once(self) -> None:
        one = scenario(CONNECT, received("a"), received("a"))
        assert played(one, delivered(0.1, "a")).outcome.ending == "stopped"
        assert played(one, delivered(0.1, "a"), delivered(0.1, "a")).outcome.ending == "finished"

    def test_unrelated_messages_are_skipped_and_recorded(self) -> None:
        one = scenario(CONNECT, received("mine"))
        strangers = [
            delivered(0.1, "not mine"),
            message(0.1, "alice", "typing"),
            text(0.1, "alice", "[1"),
            text(0.1, "alice", "null"),
            text(0.1, "alice", b"\xff\xfe"),
            text(0.1, "alice", b"\x00", opcode=2),
        ]
        result = played(one, *strangers, delivered(0.2, "mine"))
        assert result.outcome.ending == "finished"
        assert len(result.noted("message")) == 6
        assert len(result.noted("binary")) == 1
        assert len(result.outcome.record.messages) == 7

    def test_actors_do_not_share_an_inbox(self) -> None:
        bob = {"connect": {"actor": "bob"}}
        one = scenario(CONNECT, bob, received("a", actor="bob"), actors={"alice": "alice", "bob": "bob"})
        assert played(one, delivered(0.1, "a")).outcome.ending == "stopped"
        assert played(one, delivered(0.1, "a", actor="bob")).outcome.ending == "finished"

    def test_a_new_connection_begins_with_nothing(self) -> None:
        one = scenario(CONNECT, joined(), received("a"), {"drop": {"actor": "alice"}}, CONNECT, received("b"))
        result = played(one, delivered(0.1, "a"), delivered(0.1, "b"))
        assert result.outcome.ending == "stopped"
        assert [one.number for one in result.outcome.record.conversations] == [1, 2]


class TestDeadlines:
    """`within` is a deadline, never a sleep."""

    def test_nothing_waits_for_what_is_there(self) -> None:
        result = played(scenario(CONNECT, ACK), message(0.25, "alice", "connection_ack"))
        assert result.outcome.duration == pytest.approx(0.25)

    @pytest.mark.parametrize(("t", "ending"), [(0.0, "finished"), (5.0, "finished"), (5.001, "stopped")])
    def test_the_deadline_is_the_profiles(self, t: float, ending: str) -> None:
        assert played(scenario(CONNECT, ACK), message(t, "alice", "connection_ack")).outcome.ending == ending

    @pytest.mark.parametrize(
        ("within", "limit"),
        [("ack_timeout", 2.0), ("response_timeout", 3.0), ("500ms", 0.5), (4, 4.0), ("1 s", 1.0)],
    )
    def test_durations(self, within: str | float, limit: float) -> None:
        profile = replace(DEFAULTS, ack_timeout=2.0, response_timeout=3.0)
        one = scenario(CONNECT, received("a", within=within))
        result = played(one, profile=profile)
        assert result.outcome.duration == pytest.approx(limit)
        assert played(one, profile=profile, time_scale=3.0).outcome.duration == pytest.approx(3 * limit)

    def test_an_unknown_duration_is_the_authors_mistake(self) -> None:
        result = played(scenario(CONNECT, received("a", within="teatime")))
        assert result.outcome.ending == "error"
        assert result.outcome.failures == ()
        assert str(result.outcome.reason).startswith(
            "it.yaml:1: step 2 alice expect new_message: unknown duration 'teatime'; known: "
        )

    def test_a_timeout_is_charged_to_its_step_and_shown(self) -> None:
        result = played(scenario(CONNECT, ERROR, verifies=["ERR-07"]))
        (failure,) = result.outcome.failures
        assert failure.charge.requirements == ("ERR-01",)
        assert failure.message == phrase("missing", events=["`error`"])
        assert failure.step == phrase("step", parts=["2", "alice", phrase("verb-expect"), "error"])
        assert (failure.actor, failure.received) == ("alice", phrase("nothing-came"))
        assert result.noted("timeout") == [phrase("note-missing", event="error")]
        assert result.noted("note") == [failure.message]
        assert result.outcome.reason == phrase("at-step", step=failure.step, reason=failure.message)
        assert str(result.outcome.reason) == "step 2 alice expect error: `error` did not arrive in time"

    def test_a_step_without_a_requirement_charges_the_scenarios(self) -> None:
        result = played(scenario(CONNECT, received("a"), verifies=["SEND-01", "JOIN-01"]))
        assert result.charges() == [(("SEND-01", "JOIN-01"), None)]

    def test_the_level_of_a_step_is_kept(self) -> None:
        result = played(scenario(CONNECT, {**ERROR, "level": "SHOULD"}))
        assert result.charges() == [(("ERR-01",), "SHOULD")]

    def test_what_was_reached_and_what_was_not(self) -> None:
        last = {**received("a"), "requirement": "SEND-03"}
        result = played(scenario(CONNECT, ERROR, last))
        assert result.outcome.reached == {("CONN-01", None): 1}
        assert result.outcome.unreached == {("ERR-01", None): 1, ("SEND-03", None): 1}

    def test_each_played_step_counts_for_its_clause(self) -> None:
        should = {**ERROR, "level": "SHOULD"}
        one = scenario(CONNECT, joined(), ERROR, should, ERROR, received("a"), verifies=["SEND-01", "SEND-02"])
        result = played(one, *(message(0.1, "alice", "error") for _ in range(3)), delivered(0.1, "a"))
        assert result.outcome.reached == {
            ("CONN-01", None): 1,
            ("ERR-01", None): 2,
            ("ERR-01", "SHOULD"): 1,
            ("SEND-01", None): 1,
            ("SEND-02", None): 1,
        }
        assert result.outcome.unreached == {}

    @pytest.mark.parametrize(
        "deed",
        [
            joined(),
            {"send_raw": {"actor": "alice", "text": "{"}},
            {"ping": {"actor": "alice", "payload": "x"}},
            {"drop": {"actor": "alice"}},
        ],
    )
    def test_what_no_endpoint_can_fail_decides_nothing(self, deed: dict[str, Any]) -> None:
        result = played(scenario(CONNECT, {**deed, "requirement": "ERR-01"}))
        assert (result.outcome.ending, result.outcome.reached) == ("finished", {("CONN-01", None): 1})

    def test_a_graded_part_is_decided_where_it_is_judged(self) -> None:
        """Whether it holds or not; and not where its step failed before."""
        check = {"requirement": "ERR-09", "level": "SHOULD", "match": {"payload": {"code": "A"}}}
        graded = {"expect": {**ERROR["expect"], "checks": [check]}, "requirement": "ERR-01"}
        for code in "AB":
            result = played(scenario(CONNECT, graded), message(0.1, "alice", "error", {"code": code}))
            assert result.outcome.reached[("ERR-09", "SHOULD")] == 1
        assert ("ERR-09", "SHOULD") not in played(scenario(CONNECT, graded)).outcome.reached

    def test_the_end_of_the_connection_ends_the_wait(self) -> None:
        result = played(scenario(CONNECT, ERROR), close(0.5, "alice", 1011, "oops"), ended(0.6, "alice"))
        (failure,) = result.outcome.failures
        assert result.outcome.duration < 1
        assert failure.message == phrase("ended-before", events=["`error`"])
        assert failure.received == phrase("came", items=[phrase("closed-because", code="1011", reason="oops")])
        assert failure.charge.requirements == ("ERR-01",)

    def test_an_end_after_an_error_is_charged_to_err_07(self) -> None:
        one = scenario(CONNECT, ERROR, received("a"))
        result = played(one, message(0.1, "alice", "error"), close(0.2, "alice", 1011))
        assert result.charges() == [(("ERR-07",), "SHOULD")]

    def test_a_heartbeat_timeout_of_an_answering_client_is_charged_to_hb_03(self) -> None:
        assert played(scenario(CONNECT, ERROR), close(0.2, "alice", 4408)).charges() == [(("HB-03",), "MUST")]
        ignoring = scenario(CONNECT, ERROR, actors={"alice": {"user": "alice", "heartbeat": "ignore"}})
        assert played(ignoring, close(0.2, "alice", 4408)).charges() == [(("ERR-01",), None)]
