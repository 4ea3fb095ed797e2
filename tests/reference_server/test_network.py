"""Real servers on free ports, with real clients."""

import json
import socket
import ssl
import struct
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import replace
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from contract.choices import Auth, Limits
from contract.profile import Profile
from reference_server.core.settings import ServerSettings
from reference_server.network import running
from tests.reference_server.raw import RawClient

Start = Callable[..., str]
TIMEOUT = 20


def dial(url: str, token: str | None = "alice-token", **options: Any) -> ClientConnection:
    target = f"{url}?access_token={token}" if token is not None else url
    client: ClientConnection = connect(target, open_timeout=TIMEOUT, ping_interval=None, **options)
    return client


def read(client: ClientConnection) -> dict[str, Any]:
    message = client.recv(timeout=TIMEOUT)
    assert isinstance(message, str)
    parsed: dict[str, Any] = json.loads(message)
    return parsed


def send(client: ClientConnection, event: str, **payload: Any) -> None:
    client.send(json.dumps({"event": event, "payload": payload}))


def close_code(client: ClientConnection) -> int | None:
    with suppress(ConnectionClosed):
        while True:
            client.recv(timeout=TIMEOUT)
    return client.close_code


def assert_lives(url: str) -> None:
    with dial(url) as client:
        assert read(client)["event"] == "connection_ack"


def get(url: str, target: str, **headers: str) -> tuple[int, dict[str, str], str]:
    parts = urlsplit(url)
    http = HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT)
    http.request("GET", target, headers=headers)
    response = http.getresponse()
    body = response.read().decode()
    http.close()
    return response.status, {name.lower(): value for name, value in response.getheaders()}, body


# Talking


def test_two_clients_talk(start: Start) -> None:
    url = start()
    with dial(url) as alice, dial(url, "bob-token") as bob:
        assert read(alice)["event"] == read(bob)["event"] == "connection_ack"
        for client in (alice, bob):
            send(client, "join_channel", channelId="room")
            send(client, "send_message", channelId="room", text=f"barrier {client.id}")
            assert read(client)["event"] == "new_message"
        send(alice, "send_message", channelId="room", text="こんにちは \U0001f600")
        assert read(alice)["payload"]["message"]["text"].startswith("barrier")
        assert read(alice)["payload"] == read(bob)["payload"]


def test_answers_and_pongs_keep_the_order_of_what_they_answer(start: Start) -> None:
    """Also where messages and pings arrive in one read: a pong proves what came before it handled."""
    with RawClient(start()) as client:
        client.read_frame()
        client.write(client.text("?") + client.ping(b"1") + client.text("??") + client.ping(b"2"))
        opcodes = [client.read_frame().opcode for _ in range(4)]
        assert opcodes == [1, 10, 1, 10]


def test_fragments_with_a_ping_between_them_are_one_message(start: Start) -> None:
    with RawClient(start()) as client:
        client.read_frame()
        client.post_in_fragments("room", "caf\u00e9 \U0001f600")
        frames = [client.read_frame()]
        while frames[-1].opcode != 1:
            frames.append(client.read_frame())
        assert json.loads(frames[-1].data)["payload"]["message"]["text"] == "caf\u00e9 \U0001f600"
        assert all(frame.opcode == 10 for frame in frames[:-1])


@pytest.mark.parametrize("compression", ["deflate", None])
def test_compression(start: Start, compression: str | None) -> None:
    with dial(start(), compression=compression) as client:
        assert client.response is not None
        assert ("Sec-WebSocket-Extensions" in client.response.headers) is (compression is not None)
        read(client)
        send(client, "join_channel", channelId="room")
        for number in range(3):
            send(client, "send_message", channelId="room", text=f"{number}" * 1000)
            assert read(client)["payload"]["message"]["text"] == f"{number}" * 1000


# The handshake


@pytest.mark.parametrize("token", [None, "", "wsproof-invalid-token", "expired-token"])
def test_bad_tokens_get_401(start: Start, token: str | None) -> None:
    url = start()
    with pytest.raises(InvalidStatus) as refused, dial(url, token):
        pass
    response = refused.value.response
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    if token:
        assert token not in repr(response.headers) + bytes(response.body or b"").decode()


@pytest.mark.parametrize("target", ["/", "/v1", "/v1/socket/", "/v1/socket/x", "/v1/other"])
def test_other_paths_get_404(start: Start, target: str) -> None:
    parts = urlsplit(start())
    url = f"ws://{parts.netloc}{target}"
    with pytest.raises(InvalidStatus) as refused, dial(url):
        pass
    assert refused.value.response.status_code == 404


@pytest.mark.parametrize("query", ["", "?access_token=alice-token", "?access_token=nobody"])
def test_plain_get_gets_426(start: Start, query: str) -> None:
    status, headers, body = get(start(), "/v1/socket" + query)
    assert status == 426
    assert headers["upgrade"] == "websocket"
    assert headers["content-type"] == "application/json"
    assert json.loads(body) == {"error": "upgrade_required"}


def test_broken_handshake_gets_400_without_an_echo(start: Start) -> None:
    status, headers, body = get(
        start(),
        "/v1/socket?access_token=alice-token",
        Connection="Upgrade",
        Upgrade="websocket",
        **{
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "alice-token",
            "Sec-WebSocket-Protocol": "alice-token alice-token",
        },
    )
    assert status == 400
    assert "alice-token" not in str(headers) + body


@pytest.mark.parametrize("data", [b"\x00\x01garbage\r\n\r\n", b"GET /v1/socket HTTP/2\r\n\r\n"])
def test_garbage_does_no_harm(start: Start, data: bytes) -> None:
    url = start()
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), TIMEOUT) as peer:
        peer.sendall(data)
        while peer.recv(1000):
            pass
    assert_lives(url)


def test_frames_before_the_answer_do_no_harm(start: Start) -> None:
    url = start()
    client = RawClient(url, early=RawClient.masked(0x81, b'{"event":"pong","payload":{}}'))
    client.close()
    assert_lives(url)


def test_token_in_a_header(start: Start, profile: Profile) -> None:
    url = start(profile=replace(profile, auth=Auth("header", "Authorization")))
    headers = {"Authorization": "Bearer alice-token"}
    with connect(url, additional_headers=headers) as client:
        assert read(client)["event"] == "connection_ack"
    with pytest.raises(InvalidStatus), dial(url):
        pass


def test_token_as_a_subprotocol(start: Start, profile: Profile) -> None:
    url = start(profile=replace(profile, auth=Auth("subprotocol", "access_token")))
    offered = [Subprotocol("access_token"), Subprotocol("alice-token")]
    with connect(url, subprotocols=offered) as client:
        assert client.subprotocol == "access_token"
        assert read(client)["event"] == "connection_ack"
    with pytest.raises(InvalidStatus), connect(url, subprotocols=offered[1:]):
        pass
    with pytest.raises(InvalidStatus), connect(url):
        pass


def test_no_subprotocol_that_was_not_asked_for(start: Start) -> None:
    with dial(start(), subprotocols=[Subprotocol("chat")]) as client:
        assert client.subprotocol is None


# Limits and closes


def post_of(size: int) -> str:
    """A valid post of exactly so many bytes, padded by a member that the server ignores."""
    envelope = {"event": "send_message", "payload": {"channelId": "room", "text": "x"}, "pad": ""}
    envelope["pad"] = "." * (size - len(json.dumps(envelope)))
    return json.dumps(envelope)


@pytest.mark.parametrize("compression", ["deflate", None])
def test_exactly_the_limit_is_accepted(start: Start, compression: str | None) -> None:
    with dial(start(), compression=compression, max_size=None) as client:
        read(client)
        send(client, "join_channel", channelId="room")
        client.send(post_of(65_536))
        assert read(client)["event"] == "new_message"
        client.send(iter([post_of(65_536)[:30_000], post_of(65_536)[30_000:]]))
        assert read(client)["event"] == "new_message"
        client.send(post_of(65_537))
        assert close_code(client) == 1009


def test_many_fragments_over_the_limit(start: Start) -> None:
    with dial(start(), compression=None) as client:
        with suppress(ConnectionClosed):  # the server may close while the client still sends
            client.send(iter(["." * 1000] * 80))
        assert close_code(client) == 1009


def test_inflated_size_counts(start: Start) -> None:
    with dial(start()) as client:
        client.send("0" * 10_000_000)
        assert close_code(client) == 1009


def test_own_limits_and_codes(start: Start, profile: Profile) -> None:
    codes = {**profile.close_codes, "too_large": 4009, "invalid_utf8": 4007, "protocol_error": 4002}
    own = replace(profile, limits=Limits(2048, 300), close_codes=codes)
    url = start(profile=own)
    with dial(url) as client:
        client.send(post_of(2049))
        assert close_code(client) == 4009
    with RawClient(url) as raw:
        raw.read_frame()
        raw.write(raw.masked(0x81, b"\xff"))
        assert raw.read_close() == 4007
    with RawClient(url) as raw:
        raw.read_frame()
        raw.write(raw.masked(0x83, b""))
        assert raw.read_close() == 4002


def test_binary_gets_1003(start: Start) -> None:
    with dial(start()) as client:
        client.send(b"{}")
        assert close_code(client) == 1003


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        (b"\x81\x01x", 1002),  # not masked
        (RawClient.masked(0xC1, b"x"), 1002),  # a reserved bit
        (RawClient.masked(0x83, b""), 1002),  # a reserved opcode
        (RawClient.masked(0x09, b""), 1002),  # a fragmented ping
        (RawClient.masked(0x80, b"x"), 1002),  # a continuation of nothing
        (RawClient.masked(0x01, b"x") + RawClient.masked(0x81, b"x"), 1002),
        (RawClient.masked(0x81, b"\xff\xfe"), 1007),
        (RawClient.masked(0x01, b"\xe3\x81") + RawClient.masked(0x80, b"x"), 1007),
        (RawClient.masked(0x88, struct.pack(">H", 1005)), 1002),
        (RawClient.masked(0x88, b"x"), 1002),
        (RawClient.masked(0x88, struct.pack(">H", 1000) + b"\xff"), 1007),
    ],
)
def test_violations_of_the_transport(start: Start, frames: bytes, code: int) -> None:
    url = start()
    with RawClient(url) as client:
        client.read_frame()
        client.write(frames)
        assert client.read_close() == code
        assert client.at_end()
    assert_lives(url)


def test_a_clients_close_is_answered_and_tcp_ends(start: Start) -> None:
    with RawClient(start()) as client:
        client.read_frame()
        client.write(client.masked(0x88, struct.pack(">H", 4000) + b"bye"))
        assert client.read_close() == 4000
        assert client.at_end()


def test_heartbeat_on_the_wire(start: Start, profile: Profile) -> None:
    rules = replace(profile.heartbeat, interval=0.05, timeout=0.2)
    with dial(start(profile=replace(profile, heartbeat=rules))) as client:
        assert [read(client)["event"] for _ in range(3)] == ["connection_ack", "ping", "ping"]
        assert close_code(client) == 4408


def test_heartbeat_in_control_frames(start: Start, profile: Profile) -> None:
    rules = replace(profile.heartbeat, interval=0.05, timeout=0.2, form="control")
    url = start(profile=replace(profile, heartbeat=rules))
    with RawClient(url) as client:
        client.read_frame()
        for _ in range(8):
            ping = client.read_frame()
            assert ping.opcode == 9
            client.write(client.masked(0x8A, ping.data))
        assert client.read_close() == 4408


def test_token_expires_on_the_wire(start: Start, profile: Profile) -> None:
    tokens = replace(profile.tokens, expiring_after=0.1)
    with dial(start(profile=replace(profile, tokens=tokens)), "expiring-token") as client:
        assert close_code(client) == 4401


# Starting


def test_the_port_is_free_again_afterwards(profile: Profile) -> None:
    settings = ServerSettings(profile=profile, port=0)
    with running(settings) as server:
        url = server.url
        port = urlsplit(url).port or 0
        with pytest.raises(OSError, match="in use"), running(replace(settings, port=port)):
            pass
    with running(replace(settings, port=port)) as server:
        assert server.url == url
        assert "token" not in server.url


def test_a_broken_certificate_is_told(profile: Profile, tmp_path: Any) -> None:
    broken = tmp_path / "certificate.pem"
    broken.write_text("no certificate")
    with (
        pytest.raises(ssl.SSLError),
        running(ServerSettings(profile=profile, port=0, certificate=broken)),
    ):
        pass


def test_stopping_closes_everybody_with_1001(profile: Profile) -> None:
    with ExitStack() as stack:
        with running(ServerSettings(profile=profile, port=0)) as server:
            clients = [stack.enter_context(dial(server.url)) for _ in range(3)]
        assert [close_code(client) for client in clients] == [1001] * 3


def test_stopping_does_not_wait_for_those_who_never_answer(profile: Profile) -> None:
    with running(ServerSettings(profile=profile, port=0, close_timeout=0.2)) as server:
        parts = urlsplit(server.url)
        idle = socket.create_connection((parts.hostname, parts.port), TIMEOUT)
        deaf = RawClient(server.url)
        deaf.read_frame()
    assert deaf.read_close() == 1001
    assert idle.recv(1) == b""
    idle.close()
    deaf.close()
