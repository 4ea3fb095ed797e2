"""Faults that only a socket shows."""

import json
import struct
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from websockets.exceptions import InvalidHandshake, InvalidStatus
from websockets.sync.client import connect

from contract.profile import Profile
from tests.bundled import load_profile
from tests.reference_server.raw import TIMEOUT, RawClient

Start = Callable[..., str]
Faulty = Callable[[str], str]

CLOSE = RawClient.masked(0x88, struct.pack(">H", 1000))


@pytest.fixture
def faulty(start: Start) -> Faulty:
    """Start a server with one fault."""
    profile = load_profile(None, {"heartbeat.interval": 0.1, "heartbeat.timeout": 0.1})
    return lambda name: start(faults=(name,), profile=profile if name.startswith("heartbeat") else load_profile())


def refused(url: str) -> InvalidHandshake:
    with pytest.raises(InvalidHandshake) as caught, connect(f"{url}?access_token=alice-token"):
        pass
    return caught.value


def test_handshake_refused(faulty: Faulty) -> None:
    assert isinstance(error := refused(faulty("handshake-refused")), InvalidStatus)
    assert error.response.status_code == 503


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("accept-wrong", "Sec-WebSocket-Accept"),
        ("extension-unoffered", "extension"),
        ("subprotocol-unoffered", "subprotocol"),
    ],
)
def test_clients_refuse_the_response(faulty: Faulty, name: str, header: str) -> None:
    assert header in str(refused(faulty(name)))


def test_plain_get_200(faulty: Faulty) -> None:
    with RawClient(faulty("plain-get-200"), upgrade=False) as client:
        assert client.head.startswith(b"HTTP/1.1 200 ")


def test_any_path(faulty: Faulty) -> None:
    with RawClient(faulty("any-path").replace("/v1/socket", "/elsewhere")) as client:
        assert b"connection_ack" in client.read_frame().data


def test_unauthenticated_silent(faulty: Faulty) -> None:
    with RawClient(faulty("unauthenticated-silent"), "nobody") as client:
        client.write(client.text("?") + client.ping(b"end"))
        assert client.read_frame().opcode == 10


@pytest.mark.parametrize("token", ["nobody", "expired-token", ""])
def test_refusal_by_normal_close(faulty: Faulty, token: str) -> None:
    with RawClient(faulty("refusal-by-normal-close"), token) as client:
        assert client.read_close() == 1000


def test_expiry_without_close_frame(start: Start, profile: Profile) -> None:
    tokens = replace(profile.tokens, expiring_after=0.1)
    url = start(faults=("expiry-without-close-frame",), profile=replace(profile, tokens=tokens))
    with RawClient(url, "expiring-token") as client:
        client.read_frame()
        assert client.at_end()


@pytest.mark.parametrize(
    ("name", "token"), [("token-in-refusal", "my-own-token"), ("token-in-handshake", "alice-token")]
)
def test_token_in_the_response(faulty: Faulty, name: str, token: str) -> None:
    with RawClient(faulty(name), token) as client:
        assert token.encode() in client.head + client.rest()


def test_ack_binary(faulty: Faulty) -> None:
    with RawClient(faulty("ack-binary")) as client:
        assert client.read_frame().opcode == 2


def posted(url: str, text: str) -> Iterator[bytes]:
    """What comes back of a post, frame by frame."""
    with RawClient(url) as client:
        client.read_frame()
        client.write(client.message("join_channel", channelId="room"))
        client.write(client.message("send_message", channelId="room", text=text) + CLOSE)
        while (frame := client.read_frame()).opcode != 8:
            yield frame.data


def test_delivery_in_two_frames(faulty: Faulty) -> None:
    first, second = posted(faulty("delivery-in-two-frames"), "x")
    assert json.loads(first + second)["event"] == "new_message"


def test_astral_in_cesu_8(faulty: Faulty) -> None:
    (data,) = posted(faulty("astral-in-cesu-8"), "\U0001f600")
    assert b"\xed\xa0\xbd\xed\xb8\x80" in data


@pytest.mark.parametrize(
    ("name", "pong"), [("control-pong-empty", b""), ("control-pong-cut", b"." * 64), ("ack-twice", b"." * 125)]
)
def test_control_pongs(faulty: Faulty, name: str, pong: bytes) -> None:
    with RawClient(faulty(name)) as client:
        client.write(client.ping(b"." * 125))
        while (frame := client.read_frame()).opcode == 1:
            pass
        assert frame.data == pong


def test_control_ping_unanswered(faulty: Faulty) -> None:
    with RawClient(faulty("control-ping-unanswered")) as client:
        client.read_frame()
        client.write(client.ping(b"1") + client.text("?"))
        assert client.read_frame().opcode == 1


def test_heartbeat_timeout_without_close_frame(faulty: Faulty) -> None:
    with RawClient(faulty("heartbeat-timeout-without-close-frame")) as client:
        assert [client.read_frame().opcode for _ in range(2)] == [1, 1]
        with pytest.raises((EOFError, ConnectionError)):
            client.read_close()


def test_fragments_taken_apart(faulty: Faulty) -> None:
    with RawClient(faulty("fragments-taken-apart")) as client:
        client.read_frame()
        client.write(client.masked(0x01, b"{") + client.masked(0x80, b"}"))
        assert all(b"INVALID_JSON" in client.read_frame().data for _ in range(2))
        client.write(client.masked(0x80, b"}"))
        assert client.read_close() == 1002


def test_ping_cuts_fragments(faulty: Faulty) -> None:
    pong = b'{"event":"pong","payload":{}}'
    with RawClient(faulty("ping-cuts-fragments")) as client:
        client.read_frame()
        client.write(client.masked(0x01, pong[:9]) + client.masked(0x80, pong[9:]) + client.ping(b"1"))
        assert client.read_frame().opcode == 10
        client.write(client.masked(0x01, pong[:9]) + client.ping(b"") + client.masked(0x80, pong[9:]))
        assert client.read_frame().opcode == 10
        assert b"INVALID_JSON" in client.read_frame().data


def test_too_large_accepted(faulty: Faulty) -> None:
    with RawClient(faulty("too-large-accepted")) as client:
        client.read_frame()
        client.write(b"".join(client.masked(0x01 if not part else 0x00, b"." * 10_000) for part in range(10)))
        client.write(client.masked(0x80, b""))
        assert b"INVALID_JSON" in client.read_frame().data


# Closing


def test_close_unanswered(faulty: Faulty) -> None:
    with RawClient(faulty("close-unanswered")) as client:
        client.read_frame()
        client.write(CLOSE)
        assert client.is_quiet()


def test_close_without_frame(faulty: Faulty) -> None:
    with RawClient(faulty("close-without-frame")) as client:
        client.read_frame()
        client.write(CLOSE)
        assert client.at_end()


def test_tcp_kept_open(faulty: Faulty) -> None:
    with RawClient(faulty("tcp-kept-open")) as client:
        client.read_frame()
        client.write(CLOSE)
        assert client.read_close() == 1000
        assert client.is_quiet()


@pytest.mark.parametrize(
    ("name", "frame", "code"),
    [
        ("binary-close-code-1005", RawClient.masked(0x82, b"x"), 1005),
        ("binary-close-code", RawClient.masked(0x82, b"x"), 1011),
        ("every-close-normal", RawClient.masked(0x82, b"x"), 1000),
        ("every-close-normal", RawClient.masked(0x83, b"x"), 1000),
        ("too-large-close-code", bytes([0x81, 0xFF]) + struct.pack(">Q", 70_000) + bytes(70_004), 1002),
        ("too-large-close-code-999", bytes([0x81, 0xFF]) + struct.pack(">Q", 70_000) + bytes(70_004), 999),
        ("heartbeat-close-code-1006", b"", 1006),
        ("heartbeat-timeout-code", b"", 1011),
    ],
)
def test_close_codes(faulty: Faulty, name: str, frame: bytes, code: int) -> None:
    with RawClient(faulty(name)) as client:
        client.read_frame()
        client.write(frame)
        assert client.read_close() == code


@pytest.mark.parametrize("name", ["expiry-close-code-2000", "token-in-close-reason"])
def test_expiry(start: Start, profile: Profile, name: str) -> None:
    tokens = replace(profile.tokens, expiring_after=0.1)
    with RawClient(start(faults=(name,), profile=replace(profile, tokens=tokens)), "expiring-token") as client:
        client.read_frame()
        frame = client.read_frame()
        expected = {"expiry-close-code-2000": struct.pack(">H", 2000), "token-in-close-reason": b"expiring-token"}
        assert expected[name] in frame.data


def test_a_fault_of_one_message_leaves_the_rest_alone(faulty: Faulty) -> None:
    url = faulty("third-payload-as-string")
    with connect(f"{url}?access_token=alice-token") as client:
        client.send(json.dumps({"event": "join_channel", "payload": {"channelId": "room"}}))
        assert "connection_ack" in str(client.recv(timeout=TIMEOUT))
        kinds = []
        for number in range(4):
            post = {"channelId": "room", "text": str(number)}
            client.send(json.dumps({"event": "send_message", "payload": post}))
            kinds.append(type(json.loads(client.recv(timeout=TIMEOUT))["payload"]))
        assert kinds == [dict, dict, str, dict]
