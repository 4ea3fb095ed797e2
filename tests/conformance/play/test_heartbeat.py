"""Pings are answered by themselves, unless the actor says otherwise; and their rhythm is judged."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from conformance.transport.exchange import Action, Control, Happening, Open, Send
from contract.choices import Heartbeat
from contract.findings import phrase
from contract.profile import Profile
from tests.conformance.driver import (
    CONNECT,
    DEFAULTS,
    START,
    Played,
    close,
    ended,
    message,
    played,
    pong,
    scenario,
)
from wire.frames import Opcode

BEAT = replace(DEFAULTS, heartbeat=Heartbeat(interval=10.0, tolerance=0.2, timeout=4.0))
CONTROL = replace(DEFAULTS, heartbeat=replace(BEAT.heartbeat, form="control"))
NONE = replace(DEFAULTS, heartbeat=replace(BEAT.heartbeat, form="none"))
PONG = {"event": "pong", "payload": {}}

STAY = {"expect_open": {"actor": "alice", "for": 20}, "requirement": "HB-03"}
WATCH = {"expect_heartbeat": {"actor": "alice", "intervals": 2}, "requirement": "HB-01"}
WAIT_FOR_CLOSE = {
    "expect_close": {
        "actor": "alice",
        "codes": ["heartbeat_timeout"],
        "within": "heartbeat_limit",
        "after": "first_ping",
    },
    "requirement": "HB-04",
}


def pings(*times: float) -> list[Happening]:
    return [message(t, "alice", "ping") for t in times]


def control_ping(t: float) -> Control:
    return Control(START + t, "alice", Opcode.PING, b"beat")


def actor(heartbeat: Any) -> dict[str, Any]:
    return {"alice": {"user": "alice", "heartbeat": heartbeat}}


def prompt(action: Action, now: float) -> Iterable[Happening]:
    """A server that answers every ping frame at once."""
    if isinstance(action, Send):
        for frame in action.frames:
            if frame.opcode == Opcode.PING:
                yield pong(now - START, action.actor, frame.payload)


class TestAnswers:
    """What the context does when a ping comes."""

    def test_each_ping_is_answered_at_once(self) -> None:
        result = played(scenario(CONNECT, STAY), *pings(1.0, 7.5, 13.0))
        assert result.sent() == [(1.0, PONG), (7.5, PONG), (13.0, PONG)]

    def test_ignore(self) -> None:
        result = played(scenario(CONNECT, STAY, actors=actor("ignore")), *pings(1.0, 7.5))
        assert result.sent() == []

    def test_amid_a_message_it_is_answered_behind_that(self) -> None:
        def part(opcode: str, *, final: bool) -> dict[str, Any]:
            return {"send_raw": {"actor": "alice", "frames": [{"opcode": opcode, "text": "{}", "final": final}]}}

        awaited = {"expect": {"actor": "alice", "event": "error"}}
        steps = (part("text", final=False), awaited, part("continuation", final=True), awaited)
        errors = (message(t, "alice", "error") for t in (2.0, 4.0))
        result = played(scenario(CONNECT, *steps), *pings(1.0), *errors)
        sends = [(now, one.frames[0]) for now, one in result.actions if isinstance(one, Send)]
        assert [(now, frame.opcode, frame.fin) for now, frame in sends[:2]] == [(0.0, 1, False), (2.0, 0, True)]
        assert result.sent()[-1] == (2.0, PONG)

    def test_late_is_half_of_the_timeout_later(self) -> None:
        one = scenario(CONNECT, STAY, actors=actor("late"))
        result = played(one, *pings(1.0, 2.0, 11.0), profile=BEAT)
        assert result.sent() == [(3.0, PONG), (4.0, PONG), (13.0, PONG)]
        assert len(result.noted("note")) == 3

    @pytest.mark.parametrize(
        ("heartbeat", "members"), [("numbered", {"sequence": 1}), ("with-members", {"payload": {"wsproof": ["x", 1]}})]
    )
    def test_a_pong_may_say_more_than_it_needs(self, heartbeat: str, members: dict[str, Any]) -> None:
        for spelling in (heartbeat, {"answer": members}):
            result = played(scenario(CONNECT, STAY, actors=actor(spelling)), *pings(1.0, 7.5))
            assert result.sent() == [(1.0, PONG | members), (7.5, PONG | members)]

    def test_its_members_may_be_the_pings(self) -> None:
        own = {"answer": {"payload": {"of": "${message.event}", "who": "${nonce.me}"}}}
        result = played(scenario(CONNECT, STAY, actors=actor(own)), *pings(1.0))
        ((_, sent),) = result.sent()
        assert sent == {"event": "pong", "payload": {"of": "ping", "who": sent["payload"]["who"]}}
        assert sent["payload"]["who"].isdigit()

    def test_a_late_pong_is_sent_while_another_thing_is_awaited(self) -> None:
        wait = {"expect": {"actor": "alice", "event": "error"}}
        one = scenario(CONNECT, wait, actors=actor("late"))
        result = played(one, *pings(1.0), message(4.0, "alice", "error"), profile=BEAT)
        assert result.sent() == [(3.0, PONG)]
        assert result.outcome.ending == "finished"

    def test_a_ping_during_another_actors_step_is_answered(self) -> None:
        wait = {"expect": {"actor": "bob", "event": "error"}}
        both = {"alice": "alice", "bob": "bob"}
        one = scenario(CONNECT, {"connect": {"actor": "bob"}}, wait, actors=both)
        result = played(one, *pings(1.0), message(2.0, "bob", "error"))
        assert result.sent("alice") == [(1.0, PONG)]
        assert result.sent("bob") == []

    @pytest.mark.parametrize("profile", [CONTROL, NONE])
    def test_messages_are_not_answered_in_other_forms(self, profile: Profile) -> None:
        assert played(scenario(CONNECT, STAY), *pings(1.0), profile=profile).sent() == []

    @pytest.mark.parametrize(
        ("profile", "heartbeat", "answers"),
        [
            (BEAT, "ignore", True),
            (CONTROL, "answer", True),
            (CONTROL, "ignore", False),
            (CONTROL, "late", False),
        ],
    )
    def test_who_answers_control_pings(self, profile: Profile, heartbeat: str, answers: bool) -> None:
        """The transport does, unless control pings are the heartbeat and the actor does not."""
        result = played(scenario(CONNECT, actors=actor(heartbeat)), profile=profile)
        ((_, opened),) = (one for one in result.actions if isinstance(one[1], Open))
        assert isinstance(opened, Open)
        assert opened.request.answer_control_pings is answers

    def test_a_late_answer_to_a_control_ping(self) -> None:
        one = scenario(CONNECT, STAY, actors=actor("late"))
        result = played(one, control_ping(1.0), profile=CONTROL)
        pongs = [
            (t, frame.payload)
            for t, action in result.actions
            if isinstance(action, Send)
            for frame in action.frames
            if frame.opcode == Opcode.PONG
        ]
        assert pongs == [(3.0, b"beat")]

    def test_after_our_close_frame_nothing_is_answered(self) -> None:
        leave = {"close": {"actor": "alice"}}
        later = [*pings(1.0), close(2.0, "alice", 1000), ended(2.0, "alice")]
        result = played(scenario(CONNECT, leave), *later)
        assert result.outcome.ending == "finished"
        assert result.sent() == []


class TestStayingOpen:
    def test_it_is_watched_to_the_end(self) -> None:
        result = played(scenario(CONNECT, STAY))
        assert result.outcome.ending == "finished"
        assert result.outcome.duration == pytest.approx(20.0)

    def test_an_end_is_a_failure_at_once(self) -> None:
        result = played(scenario(CONNECT, STAY), close(3.0, "alice", 1001))
        assert result.charges() == [(("HB-03",), None)]
        assert result.outcome.duration == pytest.approx(3.0)


class TestRhythm:
    """HB-01: an interval and its tolerance, measured from the first ping on."""

    def test_a_message_is_sent_five_times_in_each_interval_meanwhile(self) -> None:
        talk = {"event": "send_message", "payload": {"channelId": "c", "text": "${nonce.talk}"}}
        watch = {"expect_heartbeat": {"actor": "alice", "intervals": 2, "meanwhile": talk}, "requirement": "HB-01"}
        ack = message(0.0, "alice", "connection_ack", {"sessionId": "s"})
        result = played(scenario(CONNECT, watch), ack, *pings(10, 20, 30), profile=BEAT, reply=prompt)
        talked = [(t, value["payload"]["text"]) for t, value in result.sent() if value["event"] == "send_message"]
        assert result.outcome.ending == "finished"
        assert [t for t, _ in talked] == pytest.approx([2 * turn for turn in range(15)], abs=0.5)
        assert len({text for _, text in talked}) == 1

    def watch(self, *happenings: Happening, reply: Any = prompt, form: Profile = BEAT) -> Played:
        ack = message(0.0, "alice", "connection_ack", {"sessionId": "s"})
        return played(scenario(CONNECT, WATCH), ack, *happenings, profile=form, reply=reply)

    @pytest.mark.parametrize("times", [(10, 20, 30), (2, 12, 22), (12, 24, 36), (8, 16, 24), (0.1, 10.5, 20)])
    def test_within_the_tolerance(self, times: tuple[float, ...]) -> None:
        result = self.watch(*pings(*times))
        assert (result.outcome.ending, result.charges()) == ("finished", [])

    @pytest.mark.parametrize(
        ("times", "code", "ping"),
        [
            ((), "ping-missing", 1),
            ((10,), "ping-missing", 2),
            ((10, 20), "ping-missing", 3),
            ((10, 15, 20), "ping-early", 2),
            ((10, 20, 26), "ping-early", 3),
        ],
    )
    def test_outside(self, times: tuple[float, ...], code: str, ping: int) -> None:
        result = self.watch(*pings(*times))
        (failure,) = result.outcome.failures
        assert (failure.message, failure.charge.requirements) == (phrase(code, ping=ping), ("HB-01",))
        if code == "ping-missing":
            assert failure.expected == phrase("ping-within", seconds=12.0)
        else:
            assert failure.expected == phrase("period", interval=10.0, slack=2.0)

    @pytest.mark.parametrize("at", [12.6, 13.0, 16.9])
    def test_late(self, at: float) -> None:
        """The lag is known to a twentieth of the interval: 12.5 s may be our own lateness."""
        result = self.watch(*pings(at, at + 10, at + 20))
        assert [names for names, _ in result.charges()] == [("HB-01",)]

    def test_what_our_own_lag_explains_is_not_held_against_it(self) -> None:
        """Ping frames of our own that were answered 2 s late show a stalled peer."""

        def slow(action: Action, now: float) -> Iterable[Happening]:
            return [replace(one, t=one.t + 2.0) for one in prompt(action, now) if isinstance(one, Control)]

        assert self.watch(*pings(13, 23, 33), reply=slow).charges() == []

    def test_a_server_that_answers_no_ping_frame_gains_nothing(self) -> None:
        result = self.watch(*pings(13, 23, 33), reply=None)
        assert [names for names, _ in result.charges()] == [("HB-01",)]

    def test_control_pings_are_the_heartbeat_where_the_profile_says_so(self) -> None:
        beats = [control_ping(t) for t in (10.0, 20.0, 30.0)]
        assert self.watch(*beats, form=CONTROL).charges() == []
        assert self.watch(*beats, form=BEAT).charges() == [(("HB-01",), None)]

    def test_the_end_of_the_connection(self) -> None:
        result = self.watch(*pings(10), close(11, "alice", 1011))
        (failure,) = result.outcome.failures
        assert failure.message == phrase("ping-missing", ping=2)
        assert "closed with 1011" in str(failure.received)


class TestUnanswered:
    """HB-04: closed in time, with the profile's code, counted from the first ping."""

    ONE = scenario(CONNECT, WAIT_FOR_CLOSE, actors=actor("ignore"))

    def test_the_right_code_in_time(self) -> None:
        result = played(self.ONE, *pings(10.0), close(14.0, "alice", 4408), profile=BEAT)
        assert (result.outcome.ending, result.charges()) == ("finished", [])

    def test_no_ping_at_all_decides_nothing(self) -> None:
        result = played(self.ONE, profile=BEAT)
        assert (result.outcome.ending, result.charges()) == ("inconclusive", [])
        assert result.outcome.reason == phrase("no-ping-to-leave", end=phrase("still-open"))

    def test_never_closed(self) -> None:
        result = played(self.ONE, *pings(10.0, 20.0), profile=BEAT)
        assert result.charges() == [(("HB-04",), None)]
        assert result.outcome.duration == pytest.approx(10.0 + 10 * 1.2 + 4 + 0.5)

    def test_another_code_is_charged_to_close_04_as_well(self) -> None:
        result = played(self.ONE, *pings(10.0), close(14.0, "alice", 1000), profile=BEAT)
        assert result.charges() == [(("HB-04",), None), (("CLOSE-04",), "SHOULD")]

    def test_an_end_without_a_close_frame(self) -> None:
        result = played(self.ONE, *pings(10.0), ended(14.0, "alice"), profile=BEAT)
        assert result.charges() == [(("HB-04",), None)]
        (failure,) = result.outcome.failures
        assert failure.message == phrase("ended-otherwise")
        assert failure.received == phrase("no-close-frame", end=phrase("tcp-eof"))
