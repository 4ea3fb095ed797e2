"""The steps that send and leave: messages, fragments, illegal frames, close, drop, refusals."""

import json
import zlib
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.play.steps import fragmented
from conformance.transport.exchange import (
    Action,
    Close,
    Drop,
    Happening,
    Open,
    OutFrame,
    Problem,
    Reading,
    Refused,
    Send,
)
from contract.findings import Phrase, phrase
from tests.conformance.driver import (
    CONNECT,
    REFUSED_401,
    START,
    Played,
    close,
    ended,
    message,
    played,
    scenario,
)
from wire.deflate import TAIL
from wire.frames import Opcode


def step(verb: str, **members: Any) -> dict[str, Any]:
    return {verb: {"actor": "alice", **members}}


def after_connecting(*steps: dict[str, Any], happenings: tuple[Happening, ...] = ()) -> Played:
    return played(scenario(CONNECT, *steps), *happenings)


def frames_of(result: Played) -> tuple[OutFrame, ...]:
    return next(one.frames for _, one in result.actions if isinstance(one, Send))


def deeds(result: Played, kind: type[Action]) -> list[Action]:
    return [one for _, one in result.actions if isinstance(one, kind)]


class TestMessages:
    @pytest.mark.parametrize(
        ("members", "value"),
        [
            ({"event": "e", "payload": {"a": 1}}, {"event": "e", "payload": {"a": 1}}),
            ({"event": "e", "sequence": 2**53}, {"event": "e", "sequence": 2**53}),
            (
                {"event": "e", "payload": {}, "members": {"x": []}},
                {"event": "e", "payload": {}, "x": []},
            ),
            ({"message": [1, None]}, [1, None]),
            ({"message": None}, None),
            ({"message": "text"}, "text"),
        ],
    )
    def test_the_message_is_what_the_step_says(self, members: dict[str, Any], value: Any) -> None:
        assert after_connecting(step("send", **members)).sent() == [(0.0, value)]

    @pytest.mark.parametrize(("escape", "raw"), [(False, "あ😀".encode()), (True, b"\\u3042\\ud83d\\ude00")])
    def test_escape(self, escape: bool, raw: bytes) -> None:
        (frame,) = frames_of(after_connecting(step("send", message="あ😀", escape=escape)))
        assert frame.payload == b'"' + raw + b'"'
        assert json.loads(frame.payload) == "あ😀"

    def test_it_is_recorded_as_sent(self) -> None:
        result = after_connecting(step("send", event="e", payload={}))
        (sent,) = result.outcome.record.conversations[0].sent
        assert (sent.value, sent.t) == ({"event": "e", "payload": {}}, START)
        (entry,) = (one for one in result.outcome.record.entries if one.event == "e")
        assert (entry.direction, entry.kind, entry.actor) == ("out", "message", "alice")

    def test_a_raw_text_that_is_json_is_recorded_by_its_value(self) -> None:
        result = after_connecting(step("send_raw", text='{"event": "e"}'), step("send_raw", text="{"))
        sent = result.outcome.record.conversations[0].sent
        assert [(one.value, one.text) for one in sent] == [
            ({"event": "e"}, '{"event": "e"}'),
            (None, "{"),
        ]


class TestFragments:
    @given(
        st.binary(max_size=300),
        st.one_of(st.integers(1, 12), st.lists(st.integers(0, 90), min_size=1).map(tuple)),
        st.booleans(),
    )
    def test_they_are_one_message(self, payload: bytes, fragments: int | tuple[int, ...], interleave: bool) -> None:
        frames = fragmented(payload, Opcode.TEXT, fragments, interleave=interleave)
        data = [frame for frame in frames if frame.opcode != Opcode.PING]
        assert b"".join(frame.payload for frame in data) == payload
        assert [frame.opcode for frame in data] == [Opcode.TEXT] + [Opcode.CONT] * (len(data) - 1)
        assert [frame.fin for frame in data] == [False] * (len(data) - 1) + [True]
        assert len(data) == (fragments if isinstance(fragments, int) else len(fragments) + 1)
        pings = [index for index, frame in enumerate(frames) if frame.opcode == Opcode.PING]
        assert pings == (list(range(1, len(frames), 2)) if interleave else [])

    def test_without_fragments_it_is_one_frame(self) -> None:
        assert fragmented(b"abc", Opcode.TEXT, None, interleave=True) == (OutFrame(1, b"abc"),)

    def test_a_character_may_be_split(self) -> None:
        frames = frames_of(after_connecting(step("send_raw", text="あ", fragments=[1, 1])))
        assert [frame.payload for frame in frames] == [b"\xe3", b"\x81", b"\x82"]
        assert [frame.opcode for frame in frames] == [Opcode.TEXT, Opcode.CONT, Opcode.CONT]

    def test_binary(self) -> None:
        frames = frames_of(after_connecting(step("send_raw", hex="00ff01", fragments=3)))
        assert [(one.opcode, one.payload) for one in frames] == [
            (2, b"\0"),
            (0, b"\xff"),
            (0, b"\1"),
        ]

    def test_bytes_as_text(self) -> None:
        (frame,) = frames_of(after_connecting(step("send_raw", hex="c0af", opcode="text")))
        assert (frame.opcode, frame.payload) == (1, b"\xc0\xaf")

    def test_compressed_here(self) -> None:
        """RSV1 stands on the first frame only, and a ping between has none (RFC 7692 §6)."""
        frames = frames_of(
            after_connecting(step("send_raw", text="abc", deflate="plain", fragments=[1], interleave=True))
        )
        assert [(one.opcode, one.rsv, one.fin) for one in frames] == [(1, 4, False), (9, 0, True), (0, 0, True)]
        assert all(one.raw for one in frames)
        data = b"".join(one.payload for one in frames if one.opcode != Opcode.PING)
        assert zlib.decompressobj(wbits=-15).decompress(data + TAIL) == b"abc"

    def test_pieces(self) -> None:
        result = after_connecting(step("send_raw", text="abc", pieces=2))
        assert [one.pieces for _, one in result.actions if isinstance(one, Send)] == [2]

    def test_a_ping_of_bytes(self) -> None:
        result = after_connecting(step("ping", hex="00ff"), step("expect_pong", hex="00ff"))
        assert frames_of(result)[0].payload == b"\0\xff"
        assert "\\xff" in str(result.outcome.failures[0].expected)


class TestFrames:
    """`frames` may break any rule."""

    @pytest.mark.parametrize(
        ("frame", "expected"),
        [
            ({"opcode": "text", "text": "a"}, OutFrame(1, b"a", raw=True)),
            ({"opcode": "text", "text": {"a": 1}}, OutFrame(1, b'{"a":1}', raw=True)),
            ({"opcode": 3, "hex": "c0 af"}, OutFrame(3, b"\xc0\xaf", raw=True)),
            ({"opcode": "continuation", "final": False}, OutFrame(0, b"", fin=False, raw=True)),
            ({"opcode": "ping", "reserved_bits": 4}, OutFrame(9, b"", rsv=4, raw=True)),
            (
                {"opcode": "close", "hex": "03", "masked": False},
                OutFrame(8, b"\3", masked=False, raw=True),
            ),
        ],
    )
    def test_each_is_as_written(self, frame: dict[str, Any], expected: OutFrame) -> None:
        assert frames_of(after_connecting(step("send_raw", frames=[frame]))) == (expected,)

    def test_they_are_noted_without_being_messages(self) -> None:
        result = after_connecting(step("send_raw", frames=[{"opcode": "text", "text": "{}"}]))
        assert result.noted("frame") == ["[1 fin 2]"]
        assert result.outcome.record.conversations[0].sent[0].value is None


class TestLeaving:
    ANSWER = (close(0.1, "alice", 1000), ended(0.2, "alice"))

    @pytest.mark.parametrize(
        ("members", "code", "reason"),
        [({}, 1000, ""), ({"code": 4000, "reason": "r"}, 4000, "r"), ({"code": None}, None, "")],
    )
    def test_close(self, members: dict[str, Any], code: int | None, reason: str) -> None:
        result = after_connecting(step("close", **members), happenings=self.ANSWER)
        assert deeds(result, Close) == [Close("alice", code, reason)]
        assert (result.outcome.ending, result.charges()) == ("finished", [])

    @pytest.mark.parametrize(
        ("happenings", "code", "received"),
        [
            ((), "close-unanswered", phrase("nothing-came")),
            (
                (ended(0.1, "alice"),),
                "close-unanswered",
                phrase("no-close-frame", end=phrase("tcp-eof")),
            ),
            ((close(0.1, "alice", 1000),), "tcp-not-ended", phrase("tcp-still-open")),
        ],
    )
    def test_close_unanswered(self, happenings: tuple[Happening, ...], code: str, received: Phrase) -> None:
        leave = {**step("close"), "requirement": "CLOSE-01"}
        result = after_connecting(leave, happenings=happenings)
        (failure,) = result.outcome.failures
        assert failure.charge.requirements == ("CLOSE-01",)
        assert (failure.message, failure.received) == (phrase(code), received)

    def test_close_that_need_not_be_answered(self) -> None:
        result = after_connecting(step("close", answered=False))
        assert (result.outcome.ending, result.outcome.duration) == ("finished", 0.0)

    @pytest.mark.parametrize("how", ["reset", "silence"])
    def test_drop(self, how: Any) -> None:
        result = after_connecting(step("drop", how=how))
        assert deeds(result, Drop) == [Drop("alice", how)]
        assert result.closes() == []

    def test_what_is_not_read_is_closed_in_the_end(self) -> None:
        result = after_connecting(step("stop_reading"), step("read_on"), step("stop_reading"))
        assert deeds(result, Reading) == [Reading("alice", on) for on in (False, True, False)]
        assert result.closes() == [("alice", 1000)]

    def test_one_that_does_not_read_may_be_closed(self) -> None:
        """It answers no ping either, so its heartbeat is no reason to convict."""
        steps = (step("stop_reading"), step("read_on"), {**step("ping", payload="x"), "requirement": "HB-06"})
        wanted = {**step("expect_pong", payload="x", or_end=True), "requirement": "HB-06"}
        closed = (close(0.1, "alice", 4408), ended(0.1, "alice"))
        assert after_connecting(*steps, wanted, happenings=closed).charges() == []

    def test_a_narrow_connection(self) -> None:
        result = played(scenario(step("connect", narrow=True)))
        assert [one.request.narrow for _, one in result.actions if isinstance(one, Open)] == [True]


class TestRefusal:
    CONNECT = step("connect", token="invalid", accepted=False)
    REFUSAL: ClassVar[dict[str, Any]] = {
        **step("expect_refusal", statuses=[401, 403], codes=["policy"], graded="AUTH-04"),
        "requirement": "AUTH-02",
    }

    def refusal(self, *happenings: Happening, **facts: Any) -> Played:
        return played(scenario(self.CONNECT, self.REFUSAL), *happenings, **facts)

    def status(self, code: int) -> Refused:
        return Refused(START + 0.1, "alice", "status", code, (), b"", phrase("answer-wrong"))

    @pytest.mark.parametrize(("status", "charges"), [(401, []), (403, []), (500, [(("AUTH-04",), None)])])
    def test_by_status(self, status: int, charges: list[Any]) -> None:
        result = self.refusal(self.status(status), accept=False)
        assert (result.outcome.ending, result.charges()) == ("finished", charges)

    @pytest.mark.parametrize(("code", "charges"), [(1008, []), (1000, [(("AUTH-04",), None)])])
    def test_by_close_code(self, code: int, charges: list[Any]) -> None:
        result = self.refusal(close(0.1, "alice", code))
        assert (result.outcome.ending, result.charges()) == ("finished", charges)

    def test_by_the_end_of_tcp(self) -> None:
        assert self.refusal(ended(0.1, "alice")).charges() == [(("AUTH-04",), None)]

    @pytest.mark.parametrize("t", [0.0, 4.9])
    def test_an_acknowledgement_is_none(self, t: float) -> None:
        result = self.refusal(message(t, "alice", "connection_ack", {"sessionId": "s"}))
        assert result.charges() == [(("AUTH-02",), None)]
        (failure,) = result.outcome.failures
        assert (failure.message, failure.expected) == (phrase("accepted"), phrase("a-refusal"))

    def test_an_acknowledgement_before_the_close_frame_is_none_either(self) -> None:
        ack = message(0.1, "alice", "connection_ack", {"sessionId": "s"})
        assert self.refusal(ack, close(0.1, "alice", 1008)).charges() == [(("AUTH-02",), None)]

    def test_silence_is_none(self) -> None:
        result = self.refusal()
        assert result.charges() == [(("AUTH-02",), None)]
        assert result.outcome.duration == pytest.approx(5.0)

    def test_a_handshake_that_is_never_answered_is_none(self) -> None:
        assert self.refusal(accept=False).charges() == [(("AUTH-02",), None)]

    def test_a_good_token_is_tried_before_and_after(self) -> None:
        result = self.refusal(self.status(401), accept=False)
        assert [one.actor for _, one in result.actions if isinstance(one, Open)] == ["control", "alice", "control"]
        assert result.closes() == [("control", 1000), ("control", 1000)]
        assert result.outcome.reached == {("AUTH-02", None): 1, ("AUTH-04", None): 1}

    @pytest.mark.parametrize("controls", [(False, False), (False, True), (True, False)])
    @pytest.mark.parametrize("accept", [True, False])
    def test_where_a_good_one_is_refused_as_well_it_shows_nothing(
        self, controls: tuple[bool, ...], accept: bool
    ) -> None:
        found = (close(0.1, "alice", 1000),) if accept else (self.status(500),)
        result = self.refusal(*found, accept=accept, controls=controls)
        assert (result.outcome.ending, result.charges(), result.outcome.disturbed) == ("inconclusive", [], True)
        answer = phrase("handshake-refused-with", answer=REFUSED_401)
        assert result.outcome.reason == phrase("not-controlled", answer=answer)
        assert result.outcome.reached == {}

    def test_an_acknowledgement_convicts_whatever_the_controls_say(self) -> None:
        ack = message(0.0, "alice", "connection_ack", {"sessionId": "s"})
        assert self.refusal(ack, controls=(False, False)).charges() == [(("AUTH-02",), None)]

    @pytest.mark.parametrize("problem", ["lost", "tls", "unreachable", "not-listening"])
    def test_a_lost_connection_is_no_refusal(self, problem: Problem) -> None:
        lost = Refused(START + 0.1, "alice", problem, None, (), b"", phrase("socket", error="ECONNRESET"))
        result = self.refusal(lost, accept=False)
        assert (result.outcome.ending, result.charges(), result.outcome.disturbed) == ("inconclusive", [], True)

    def test_a_plain_request_must_not_be_upgraded(self) -> None:
        connect = step("connect", upgrade=False, accepted=False)
        one = scenario(connect, {**step("expect_refusal", plain=True), "requirement": "CONN-08"})
        assert played(one).charges() == [(("CONN-08",), None)]
        assert played(one, self.status(426), accept=False).charges() == []


class TestClose:
    ONE = scenario(CONNECT, {**step("expect_close", codes=["too_large"], within=1), "requirement": "WIRE-08"})

    def test_the_right_code(self) -> None:
        assert played(self.ONE, close(0.9, "alice", 1009)).charges() == []

    def test_too_late(self) -> None:
        result = played(self.ONE, close(1.1, "alice", 1009))
        assert result.charges() == [(("WIRE-08",), None)]
        assert result.outcome.ending == "stopped"

    def test_optional(self) -> None:
        one = scenario(CONNECT, step("expect_close", codes=["token_expired"], optional=True))
        assert played(one).charges() == []
        assert [names for names, _ in played(one, close(1, "alice", 1000)).charges()] == [
            ("SEND-01",),
            ("CLOSE-04",),
        ]
