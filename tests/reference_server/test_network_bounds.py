"""What a server must survive: slow readers, floods, vanishing peers, signals; and what it must not tell."""

import json
import logging
import os
import signal
import ssl
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from websockets.sync.client import connect

from contract.profile import Profile
from reference_server.core.settings import ServerSettings
from reference_server.network import running
from tests.conformance.certificates import certificate
from tests.reference_server.raw import TIMEOUT, RawClient

ROOT = Path(__file__).parents[2]
DROPPED = "closed, it does not read"
BIG = "\u3042" * 4096

Start = Callable[..., str]


def join_and_wait(client: RawClient, channel: str) -> None:
    """Join, and wait until the join is in force."""
    client.write(client.message("join_channel", channelId=channel) + client.ping(b"joined"))
    while client.read_frame().opcode != 10:
        pass


def read_text(client: RawClient) -> str:
    frame = client.read_frame()
    assert frame.opcode == 1
    text: str = json.loads(frame.data)["payload"]["message"]["text"]
    return text


def drop(slow: RawClient, alice: RawClient, caplog: pytest.LogCaptureFixture) -> int:
    """Post to both until the one that does not read is closed; how many posts that took. Alice reads each at once."""
    caplog.set_level(logging.INFO)
    join_and_wait(slow, "room")
    join_and_wait(alice, "room")
    for number in range(5000):
        alice.write(alice.message("send_message", channelId="room", text=f"{number} {BIG[9:]}"))
        assert read_text(alice).startswith(f"{number} ")
        if DROPPED in caplog.text:
            return number + 1
    pytest.fail("the slow reader was not closed")


def test_slow_reader_is_closed_and_costs_nobody_else_anything(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    url = start(write_buffer=65_536, close_timeout=TIMEOUT)
    with RawClient(url, receive_buffer=4096) as slow, RawClient(url, "bob-token") as alice:
        posted = drop(slow, alice, caplog)
        for number in range(50):
            alice.write(alice.message("send_message", channelId="room", text=f"afterwards {number}"))
            assert read_text(alice) == f"afterwards {number}"
        # What is queued for it is all that it still gets, and why.
        for number in range(posted):
            frame = slow.read_frame()
            if frame.opcode == 8:
                break
            assert json.loads(frame.data)["payload"]["message"]["text"].startswith(f"{number} ")
        else:
            frame = slow.read_frame()
        assert (frame.opcode, frame.data[:2]) == (8, (1008).to_bytes(2, "big"))
        assert slow.at_end()


def test_who_never_reads_is_cut_off(profile: Profile, caplog: pytest.LogCaptureFixture) -> None:
    settings = ServerSettings(profile=profile, port=0, write_buffer=65_536, close_timeout=0.2)
    with running(settings) as server:
        slow, alice = RawClient(server.url, receive_buffer=4096), RawClient(server.url)
        drop(slow, alice, caplog)
        alice.close()
    # The server has ended: it waits for nobody longer than that, and had not read on.
    while True:
        try:
            assert slow.read_frame().opcode == 1
        except (EOFError, ConnectionError):
            break
    slow.close()


def flood_until_cut_off(flood: RawClient) -> None:
    """Write pings, and read no pong, until the server hangs up."""
    pings = flood.ping(b"." * 125) * 1000
    for _ in range(100_000):
        flood.write(pings)


def test_pings_without_reading_take_no_memory(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    url = start(write_buffer=65_536)
    with RawClient(url, receive_buffer=4096) as flood, pytest.raises(ConnectionError):
        flood_until_cut_off(flood)
    assert DROPPED in caplog.text


@pytest.mark.parametrize("vanish", [RawClient.reset, RawClient.close])
def test_a_vanished_client_disturbs_nobody(start: Start, vanish: Callable[[RawClient], None]) -> None:
    url = start()
    gone, alice = RawClient(url), RawClient(url, "bob-token")
    join_and_wait(gone, "room")
    join_and_wait(alice, "room")
    vanish(gone)
    for number in range(50):
        alice.write(alice.message("send_message", channelId="room", text=str(number)))
        assert read_text(alice) == str(number)
    alice.close()


def test_a_client_that_does_not_end_tcp_is_cut_off(start: Start) -> None:
    with RawClient(start(close_timeout=0.2)) as client:
        client.read_frame()
        client.write(client.masked(0x82, b"binary"))
        assert client.read_close() == 1003
        # It neither answers nor hangs up.
        assert client.at_end()


def test_no_token_is_ever_logged(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    url = start()
    for token in ("alice-token", "expired-token", "wsproof-invalid-token", "bad%"):
        with RawClient(url, token, headers="Authorization: Bearer header-token\r\n") as client:
            if b" 101 " in client.head:
                client.write(client.text("alice-token") + client.masked(0x83, b""))
                client.read_close()
    with RawClient(url, headers="Sec-WebSocket-Protocol: alice-token alice-token\r\n") as client:
        assert b" 400 " in client.head
    assert "opened for user-001" in caplog.text
    assert "refused with 401" in caplog.text
    for secret in ("token=", "alice-token", "expired-token", "invalid-token", "header-token", "?"):
        assert secret not in caplog.text


def test_sigterm_closes_with_1001(tmp_path: Path) -> None:
    script = (
        "from reference_server.network import serve_forever\n"
        "from reference_server.core.settings import ServerSettings\n"
        "serve_forever(ServerSettings(port=0), lambda url: print(url, flush=True))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for number in (signal.SIGTERM, signal.SIGINT):
        with subprocess.Popen(
            [sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=tmp_path, env=environment
        ) as process:
            assert process.stdout is not None
            url = process.stdout.readline().decode().strip()
            with RawClient(url) as client:
                client.read_frame()
                process.send_signal(number)
                assert client.read_close() == 1001
                client.write(client.masked(0x88, b"\x03\xe9"))
            assert process.wait(TIMEOUT) == 0


def test_tls(start: Start, tmp_path: Path) -> None:
    own = certificate(tmp_path, "127.0.0.1")
    url = start(certificate=own.cert, key=own.key)
    assert url.startswith("wss://127.0.0.1:")
    context = ssl.create_default_context(cafile=str(own.cert))
    with connect(f"{url}?access_token=alice-token", ssl=context) as client:
        assert "connection_ack" in str(client.recv(timeout=TIMEOUT))
        client.send(json.dumps({"event": "x", "payload": {}}))
        assert "UNKNOWN_EVENT" in str(client.recv(timeout=TIMEOUT))
    assert client.close_code == 1000


def test_slow_tls_reader_is_dropped(start: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    own = certificate(tmp_path, "127.0.0.1")
    url = start(certificate=own.cert, key=own.key, write_buffer=65_536)
    context = ssl.create_default_context(cafile=str(own.cert))
    with RawClient(url, tls=context) as flood, pytest.raises((ConnectionError, ssl.SSLError)):
        flood_until_cut_off(flood)
    assert DROPPED in caplog.text


def test_many_connections_at_once(start: Start, profile: Profile) -> None:
    url = start(profile=replace(profile, heartbeat=replace(profile.heartbeat, form="none")))
    clients = [RawClient(url, f"load-{number}") for number in range(200)]
    for client in clients:
        join_and_wait(client, "room")
    clients[0].write(clients[0].message("send_message", channelId="room", text="to all"))
    assert {read_text(client) for client in clients} == {"to all"}
    for client in clients:
        client.close()
