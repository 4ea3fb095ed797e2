"""One connection: the order of checks, every error code, and what an error may say."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.bundled import load_contract
from tests.reference_server.bench import Bench

TOO_LONG = "x" * 4097
POST = {"channelId": "room", "text": "hello"}

REFUSALS: list[tuple[str, str, str | None]] = [
    ("", "INVALID_JSON", None),
    ("hello", "INVALID_JSON", None),
    ('{"event": "pong", "payload": {}', "INVALID_JSON", None),
    ('{"event": "pong", "payload": {}, }', "INVALID_JSON", None),
    ('{"event": "pong", "payload": {"n": NaN}}', "INVALID_JSON", None),
    ('{"event": "pong", "payload": {}} {}', "INVALID_JSON", None),
    ('{"event": "send_message", "payload": {"text": "\\ud800"}}', "INVALID_JSON", None),
    ("[" * 1000 + "]" * 1000, "INVALID_JSON", None),
    ("[" * 100_000, "INVALID_JSON", None),
    ("1" * 5000, "INVALID_JSON", None),
    ("[]", "INVALID_MESSAGE", None),
    ('"pong"', "INVALID_MESSAGE", None),
    ("1", "INVALID_MESSAGE", None),
    ("null", "INVALID_MESSAGE", None),
    ("true", "INVALID_MESSAGE", None),
    ('{"payload": {}}', "INVALID_MESSAGE", None),
    ('{"event": null, "payload": {}}', "INVALID_MESSAGE", None),
    ('{"event": 1, "payload": {}}', "INVALID_MESSAGE", None),
    ('{"event": "pong"}', "INVALID_MESSAGE", "pong"),
    ('{"event": "pong", "payload": null}', "INVALID_MESSAGE", "pong"),
    ('{"event": "pong", "payload": []}', "INVALID_MESSAGE", "pong"),
    ('{"event": "nonsense"}', "INVALID_MESSAGE", "nonsense"),
    ('{"event": "pong", "payload": {}, "sequence": "1"}', "INVALID_MESSAGE", "pong"),
    ('{"event": "pong", "payload": {}, "sequence": 1.5}', "INVALID_MESSAGE", "pong"),
    ('{"event": "pong", "payload": {}, "sequence": null}', "INVALID_MESSAGE", "pong"),
    ('{"event": "pong", "payload": {}, "sequence": true}', "INVALID_MESSAGE", "pong"),
    ('{"event": "", "payload": {}}', "UNKNOWN_EVENT", ""),
    ('{"event": "leave_channel", "payload": {}}', "UNKNOWN_EVENT", "leave_channel"),
    ('{"event": "ping", "payload": {}}', "UNKNOWN_EVENT", "ping"),
    ('{"event": "error", "payload": {}}', "UNKNOWN_EVENT", "error"),
    ('{"event": "new_message", "payload": {}}', "UNKNOWN_EVENT", "new_message"),
    ('{"event": "connection_ack", "payload": {}}', "UNKNOWN_EVENT", "connection_ack"),
]

INVALID_PAYLOADS: list[tuple[str, dict[str, Any]]] = [
    ("join_channel", {}),
    ("join_channel", {"channelId": ""}),
    ("join_channel", {"channelId": 1}),
    ("join_channel", {"channelId": None}),
    ("join_channel", {"channelId": "x" * 129}),
    ("send_message", {}),
    ("send_message", {"channelId": "room"}),
    ("send_message", {"text": "hello"}),
    ("send_message", {**POST, "text": ""}),
    ("send_message", {**POST, "text": 5}),
    ("send_message", {**POST, "text": None}),
    ("send_message", {**POST, "text": TOO_LONG}),
    # A length counts code points: one too many, though each takes two UTF-16 units anyway.
    ("send_message", {**POST, "text": "\U0001f600" * 4097}),
    # The payload is judged before the state: neither channel nor permission matters here.
    ("send_message", {"channelId": "channel-private", "text": ""}),
]


@pytest.mark.parametrize(("text", "code", "original"), REFUSALS)
def test_refusal(bench: Bench, text: str, code: str, original: str | None) -> None:
    alice = bench.connect()
    alice.raw(text)
    (error,) = alice.events("error")
    assert (error["code"], error.get("originalEvent")) == (code, original)
    assert error["message"]
    alice.take()
    alice.join("room")
    alice.post("room", "still here")
    assert alice.texts() == ["still here"]


@pytest.mark.parametrize(("event", "payload"), INVALID_PAYLOADS)
def test_invalid_payload(bench: Bench, event: str, payload: dict[str, Any]) -> None:
    alice = bench.connect()
    alice.send(event, payload)
    (error,) = alice.events("error")
    assert (error["code"], error["originalEvent"]) == ("INVALID_PAYLOAD", event)


def test_exactly_the_limits_are_accepted(bench: Bench) -> None:
    alice = bench.connect()
    channel, text = "c" * 128, "\U0001f600" * 4096
    alice.join(channel)
    alice.post(channel, text)
    assert alice.texts() == [text]
    assert not alice.codes()


def test_errors_do_not_repeat_content(bench: Bench) -> None:
    alice = bench.connect()
    alice.raw("secret-one")
    alice.send("send_message", {"channelId": "secret-two", "text": 5, "secret-three": 1})
    alice.send("join_channel", {"channelId": ["secret-four"]})
    alice.post("secret-five", "secret-six")
    assert len(alice.codes()) == 4
    assert "secret" not in json.dumps(alice.inbox)
    assert "alice-token" not in json.dumps(alice.inbox)


@pytest.mark.parametrize("sequence", [0, 1, 2**31, 2**53, -1])
def test_any_integer_is_a_sequence(bench: Bench, sequence: int) -> None:
    alice = bench.connect()
    alice.send("join_channel", {"channelId": "room"}, sequence=sequence)
    alice.send("send_message", POST, sequence=sequence)
    assert alice.texts() == ["hello"]


def test_unknown_members_are_ignored(bench: Bench) -> None:
    alice = bench.connect()
    alice.send("join_channel", {"channelId": "room", "extra": [1]}, extra={"x": None})
    alice.send("send_message", {**POST, "huge": 1e300}, trace="abc")
    assert alice.texts() == ["hello"]


def test_binary_is_closed(bench: Bench) -> None:
    alice, bob = bench.connect(), bench.connect("bob-token")
    alice.join("room")
    bob.join("room")
    bob.binary(json.dumps({"event": "send_message", "payload": POST}).encode())
    assert bob.closed is not None
    assert bob.closed.code == 1003
    bob.post("room", "after the close")
    assert not alice.texts()


def test_rate_limit(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(rate_limit=5.0)
    alice = bench.connect()
    for number in range(7):
        alice.send("join_channel", {"channelId": f"room-{number}"})
    assert alice.codes() == ["RATE_LIMITED", "RATE_LIMITED"]
    assert alice.events("error")[0]["originalEvent"] == "join_channel"
    alice.send("pong", {})
    assert len(alice.codes()) == 2
    bench.advance(0.2)
    alice.join("room")
    alice.join("room")
    assert len(alice.codes()) == 3
    bench.advance(5)
    alice.take()
    for _ in range(6):
        alice.join("room")
    assert alice.codes() == ["RATE_LIMITED"]


def test_internal_error_is_answered(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    alice = bench.connect()
    alice.join("room")

    def broken() -> float:
        raise OSError("alice-token")

    bench.wall_clock, working = broken, bench.wall_clock
    alice.post("room", "one")
    assert alice.codes() == ["INTERNAL_ERROR"]
    assert alice.events("error")[0]["originalEvent"] == "send_message"
    assert "OSError" in caplog.text
    assert "alice-token" not in caplog.text
    bench.wall_clock = working
    alice.post("room", "two")
    assert alice.texts() == ["two"]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
names = st.sampled_from(["pong", "join_channel", "send_message", "ping", "other", ""])
envelopes = st.fixed_dictionaries(
    {}, optional={"event": names | values, "payload": values, "sequence": values, "extra": values}
)


@given(st.lists(envelopes.map(json.dumps) | values.map(json.dumps) | st.text(), max_size=8))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_whatever_is_sent_gets_valid_answers(bench: Bench, texts: list[str]) -> None:
    """No input ends a session or brings an answer that breaks the contract."""
    contract = load_contract()
    alice = bench.connect()
    for text in texts:
        alice.raw(text)
    for message in alice.inbox:
        assert not contract.check_envelope(message)
        assert not contract.check_payload(message["event"], message)
        assert not contract.undeclared_members(message["event"], message)
    assert "INTERNAL_ERROR" not in alice.codes()
    assert alice.closed is None
    numbers = [message["sequence"] for message in alice.inbox]
    assert numbers == list(range(1, len(numbers) + 1))
    alice.leave()
