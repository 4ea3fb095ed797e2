"""Transcript checks: each finds what it is for, and nothing in a clean history."""

from dataclasses import replace
from typing import Any

import pytest

from conformance.judge.checks import judge
from conformance.judge.findings import MAX_FINDINGS
from conformance.transport.exchange import Opened
from contract.findings import phrase
from tests.bundled import load_profile
from tests.conformance.histories import REQUIREMENTS, Story
from wire.frames import Opcode


@pytest.fixture
def story() -> Story:
    return Story()


def test_a_clean_history(story: Story) -> None:
    alice, bob = story.connect("alice", ("Server", "x")), story.connect("bob")
    for one in (alice, bob):
        story.join(one)
    story.receive(alice, "ping", {}, sequence=5)
    story.send(alice, "pong", {})
    for number, poster in enumerate((alice, bob, alice)):
        story.post(poster, number)
        for one in (alice, bob):
            story.deliver(one, number, poster.user)
    error = {"code": "UNKNOWN_EVENT", "message": "m", "originalEvent": "x"}
    story.receive(alice, "error", error, sequence=6)
    story.close(alice, 1000, "bye")
    story.end(alice)
    story.close(bob, None)
    story.end(bob, "reset")
    assert story.findings() == []


class TestFormat:
    @pytest.mark.parametrize(
        ("data", "opcode", "fragments"),
        [
            (b'{"event": "ping", "payload": {}}', Opcode.BINARY, ()),
            (b'{"event": "ping", "payload": {}}', Opcode.TEXT, (10, 22)),
            (b'{"event": "ping", "payload": {}}', Opcode.TEXT, (1_000, 999, 22)),
            (b'{"event": "ping", "payload": {}}', Opcode.TEXT, (0, 10, 0, 22, 0)),
            (b'{"event": "ping", "payload": {"x": "\xff"}}', Opcode.TEXT, ()),
            (b"", Opcode.TEXT, ()),
            (b"{", Opcode.TEXT, ()),
            (b"NaN", Opcode.TEXT, ()),
            (b"[" * 10_000, Opcode.TEXT, ()),
        ],
    )
    def test_env_01(self, story: Story, data: bytes, opcode: int, fragments: tuple[int, ...]) -> None:
        story.raw(story.connect(), data, opcode, fragments)
        assert story.findings() == [("ENV-01", "MUST")]

    @pytest.mark.parametrize("fragments", [(32,), (32, 0), (0, 32), (4_082, 4_082, 12), (8_192, 1, 0)])
    def test_what_a_transport_cuts_is_one_message(self, story: Story, fragments: tuple[int, ...]) -> None:
        story.raw(story.connect(), '{"event": "ping", "payload": {}}', Opcode.TEXT, fragments)
        assert story.findings() == []

    def test_what_a_compressor_cuts_is_one_message(self, story: Story) -> None:
        one = story.connect()
        one.opened = Opened(story.now, one.actor, (), None, compressed=True)
        story.raw(one, '{"event": "ping", "payload": {}}', Opcode.TEXT, (10, 22))
        assert story.findings() == []

    def test_an_echoed_close_reason_is_no_message(self, story: Story) -> None:
        one = story.connect()
        story.close(one, 1000)
        story.end(one, "violation", phrase("frame-close"))
        assert story.findings() == []

    def test_env_01_broken_framing(self, story: Story) -> None:
        story.end(story.connect(), "violation", phrase("frame-opcode", opcode="3"))
        assert story.findings() == [("ENV-01", "MUST")]
        (failure,) = story.failures()
        assert (failure.message, failure.expected, failure.received) == (
            phrase("framing"),
            phrase("legal-frames"),
            phrase("frame-opcode", opcode="3"),
        )

    def test_what_cannot_be_inflated_is_wire_09s(self, story: Story) -> None:
        story.end(story.connect(), "violation", phrase("frame-inflate"))
        assert story.findings() == [("WIRE-09", "MUST")]
        (failure,) = story.failures()
        assert (failure.message, failure.expected) == (phrase("framing-deflate"), phrase("legal-compression"))

    @pytest.mark.parametrize("how", ["eof", "reset", "flood"])
    def test_another_end_is_none_of_it(self, story: Story, how: str) -> None:
        story.end(story.connect(), how)
        assert story.findings() == []

    @pytest.mark.parametrize(
        "text",
        [
            "[]",
            "null",
            '"ping"',
            "1",
            "{}",
            '{"payload": {}}',
            '{"event": 1, "payload": {}}',
            '{"event": "e"}',
        ],
    )
    def test_env_02(self, story: Story, text: str) -> None:
        story.raw(story.connect(), text)
        assert ("ENV-02", "MUST") in story.findings()
        assert {name for name, _ in story.findings()} <= {"ENV-02", "ENV-08"}

    @pytest.mark.parametrize("payload", [None, [], "x", 1])
    def test_a_ping_without_an_object_is_hb_02_too(self, story: Story, payload: Any) -> None:
        story.receive(story.connect(), "ping", payload)
        assert story.findings() == [("ENV-02", "MUST"), ("ENV-03", "MUST"), ("HB-02", "MUST")]

    @pytest.mark.parametrize(
        ("event", "payload", "also"),
        [
            ("connection_ack", {}, "CONN-03"),
            ("connection_ack", {"sessionId": ""}, "CONN-03"),
            ("connection_ack", {"sessionId": 1}, "CONN-03"),
            ("error", {"code": "INVALID_JSON"}, "ERR-06"),
            ("error", {"code": "INVALID_JSON", "message": ""}, "ERR-06"),
            ("error", {"code": "INVALID_JSON", "message": "m", "originalEvent": 1}, "ERR-06"),
        ],
    )
    def test_env_03_and_the_members_own(self, story: Story, event: str, payload: Any, also: str) -> None:
        story.receive(story.connect(ack=event != "connection_ack"), event, payload)
        assert story.findings() == sorted([("ENV-03", "MUST"), (also, "MUST")])

    @pytest.mark.parametrize(
        ("members", "also"),
        [
            ({"id": ""}, {"SEND-04"}),
            ({"id": 1}, {"SEND-04"}),
            ({"timestamp": "today"}, {"SEND-05"}),
            ({"timestamp": 1_753_704_000}, {"SEND-05"}),
            ({"author": "Taro"}, {"SEND-06"}),
            ({"author": {"name": "Taro"}}, {"SEND-06"}),
            ({"author": {"id": "", "name": "Taro"}}, {"SEND-06"}),
            ({"text": 1}, set()),
        ],
    )
    def test_env_03_of_a_delivery(self, story: Story, members: dict[str, Any], also: set[str]) -> None:
        one = story.connect()
        story.join(one)
        story.deliver(one, 1, **members)
        assert {name for name, _ in story.findings()} == {"ENV-03", *also}

    def test_each_missing_member_has_its_own(self, story: Story) -> None:
        one = story.connect()
        story.join(one)
        story.receive(one, "new_message", {"channelId": "c", "message": {"text": "t"}})
        assert {name for name, _ in story.findings()} == {"ENV-03", "SEND-04", "SEND-05", "SEND-06"}

    @pytest.mark.parametrize("payload", [{"channelId": "c"}, {"channelId": "c", "message": "hello"}, {}])
    def test_what_lacks_the_whole_lacks_its_members(self, story: Story, payload: Any) -> None:
        """Else SEND-04 would hold in messages that have no id at all."""
        one = story.connect()
        story.join(one)
        story.receive(one, "new_message", payload)
        assert {name for name, _ in story.findings()} == {"ENV-03", "SEND-04", "SEND-05", "SEND-06"}

    @pytest.mark.parametrize(
        ("numbers", "findings"),
        [
            ([1, 2, 3], []),
            ([0], []),
            ([2**53, 2**53 + 1], []),
            ([1, 1], ["ENV-04", "ENV-05"]),
            ([2, 1], ["ENV-04", "ENV-05"]),
            ([1, 3], ["ENV-05"]),
            (["1"], ["ENV-04"]),
            ([1.5], ["ENV-04"]),
            ([None], ["ENV-04"]),
            ([True], ["ENV-04"]),
        ],
    )
    def test_sequence(self, story: Story, numbers: list[Any], findings: list[str]) -> None:
        one = story.connect()
        for number in numbers:
            story.receive(one, "ping", {})
            story.receive(one, "ping", {}, sequence=number)
        assert [name for name, _ in story.findings()] == findings

    def test_a_gap_is_right_where_we_did_not_read(self, story: Story) -> None:
        one = story.connect()
        one.unread_since = story.now
        for number in (1, 5):
            story.receive(one, "ping", {}, sequence=number)
        assert story.findings() == []

    def test_sequences_are_of_one_connection(self, story: Story) -> None:
        for _ in range(2):
            story.receive(story.connect(), "ping", {}, sequence=1)
        assert story.findings() == []

    @pytest.mark.parametrize(
        ("event", "payload", "members"),
        [
            ("typing", {}, {}),
            ("join_channel", {"channelId": "c"}, {}),
            ("ping", {"time": 1}, {}),
            ("ping", {}, {"traceId": "t"}),
            ("error", {"code": "INVALID_JSON", "message": "m", "detail": {}}, {}),
        ],
    )
    def test_env_08(self, story: Story, event: str, payload: Any, members: dict[str, Any]) -> None:
        story.receive(story.connect(), event, payload, **members)
        assert ("ENV-08", "SHOULD") in story.findings()
        assert {level for _, level in story.findings()} == {"SHOULD"}


class TestConnections:
    def test_conn_04(self, story: Story) -> None:
        one = story.connect(ack=False)
        story.receive(one, "ping", {})
        story.receive(one, "connection_ack", {"sessionId": "s"})
        assert story.findings() == [("CONN-04", "SHOULD")]

    def test_an_answer_to_something_early_may_come_first(self, story: Story) -> None:
        one = story.connect(ack=False)
        story.send(one, "x", {})
        story.receive(one, "error", {"code": "UNKNOWN_EVENT", "message": "m"})
        story.receive(one, "connection_ack", {"sessionId": "s"})
        assert story.findings() == []

    def test_conn_05(self, story: Story) -> None:
        story.receive(story.connect(), "connection_ack", {"sessionId": "another"})
        assert story.findings() == [("CONN-05", "SHOULD")]

    def test_conn_06(self, story: Story) -> None:
        for user in ("alice", "bob"):
            story.receive(story.connect(user, ack=False), "connection_ack", {"sessionId": "same"})
        assert story.findings() == [("CONN-06", "SHOULD")]

    def test_err_09(self, story: Story) -> None:
        story.receive(story.connect(), "error", {"code": "OOPS", "message": "m"})
        assert story.findings() == [("ERR-09", "SHOULD")]

    def test_err_09_knows_the_profiles_names(self) -> None:
        story = Story(load_profile(overrides={"error_codes": {"INVALID_JSON": "E1"}}))
        story.receive(story.connect(), "error", {"code": "E1", "message": "m"})
        assert story.findings() == []

    @pytest.mark.parametrize(("code", "legal"), [(1005, False), (999, False), (5000, False), (None, False)])
    def test_close_02(self, story: Story, code: int | None, legal: bool) -> None:
        one = story.connect()
        story.close(one, code, legal=legal)
        story.end(one, "violation")
        assert story.findings() == [("CLOSE-02", "MUST")]


class TestTokens:
    """AUTH-06: what the client did not say itself is not repeated."""

    def test_in_each_answer(self) -> None:
        def header(story: Story) -> None:
            story.connect("alice", ("Location", "/?access_token=alice-token"))

        def message(story: Story) -> None:
            story.receive(story.connect(), "ping", {}, sequence="alice-token")

        def reason(story: Story) -> None:
            story.close(story.connect(), 1008, "alice-token is bad")

        def body(story: Story) -> None:
            story.refuse("alice", b"no: alice-token")

        def refusal_header(story: Story) -> None:
            story.refuse("alice", b"", Link="alice-token")

        for tell in (header, message, reason, body, refusal_header):
            story = Story()
            tell(story)
            assert ("AUTH-06", "SHOULD") in story.findings(), tell.__name__
            assert "alice-token" not in str(story.failures())

    def test_unless_the_client_said_it(self, story: Story) -> None:
        one = story.connect()
        story.send(one, "alice-token", {})
        error = {"code": "UNKNOWN_EVENT", "message": "m", "originalEvent": "alice-token"}
        story.receive(one, "error", error)
        assert story.findings() == []

    def test_another_ones_token_is_not_its_own(self, story: Story) -> None:
        story.connect("alice", ("X", "bob-token"))
        assert story.findings() == []

    @pytest.mark.parametrize(("where", "found"), [("subprotocol", []), ("query", ["AUTH-06"])])
    def test_a_chosen_subprotocol_is_no_echo(self, where: str, found: list[str]) -> None:
        story = Story(load_profile(overrides={"auth.in": where}))
        story.connect("alice", ("Sec-WebSocket-Protocol", "alice-token"))
        assert [name for name, _ in story.findings()] == found


def test_many_findings_of_a_kind_are_cut(story: Story) -> None:
    one = story.connect()
    for _ in range(50):
        story.raw(one, "{")
    assert [one.charge.requirements for one in story.failures()] == [("ENV-01",)] * MAX_FINDINGS


def test_a_huge_message_makes_no_huge_finding(story: Story) -> None:
    story.raw(
        story.connect(),
        '{"event": "' + "x" * 500_000 + '", "payload": {}, "' + "y" * 500_000 + '": 1}',
    )
    for failure in story.failures():
        assert len(str(failure)) < 5_000


def test_what_came_wrong_is_evidence_by_itself(story: Story) -> None:
    story.raw(story.connect(), "{")
    assert [one.absent for one in story.failures()] == [None]


def test_a_clause_that_no_check_decides_is_charged_with_nothing(story: Story) -> None:
    """Ids stand in the data: without its checks, a requirement is as if nothing had been found."""
    story.raw(story.connect(), "{")
    bare = {
        name: replace(one, clauses=tuple(replace(clause, checks=()) for clause in one.clauses))
        for name, one in REQUIREMENTS.items()
    }
    assert judge(story.history(), bare)[0] == ()
    moved = {**bare, "ERR-01": replace(REQUIREMENTS["ERR-01"], clauses=REQUIREMENTS["ENV-01"].clauses)}
    assert [one.charge.requirements for one in judge(story.history(), moved)[0]] == [("ERR-01",)]
