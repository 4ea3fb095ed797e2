"""Every example server starts by its script and speaks the chat protocol's first words.

Whether it conforms is for the conformance suite to say; here an ordinary client has to get along
with it.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.examples.needs import PROGRAMS, lacking
from tests.slow import slow_but

SERVERS = Path(__file__).parents[2] / "examples" / "servers"

PATIENCE = 10  # seconds: bounds a hang, measures nothing


@contextmanager
def running(name: str, log: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Starts a server on a free port; yields its process and URL, and ends it."""
    environment = {**os.environ, "PORT": "0", "PYTHON": sys.executable}
    with (
        log.open("w") as stderr,
        subprocess.Popen(
            [SERVERS / name / "start"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("listening on ws://127.0.0.1:"), line + log.read_text()
            assert line.endswith("/v1/socket\n"), line
            yield process, line.removeprefix("listening on ").rstrip()
        finally:
            process.terminate()


@pytest.fixture(scope="module", params=slow_but(["aiohttp"], sorted(PROGRAMS)))
def server(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    missing = lacking(name)
    if missing is not None:
        pytest.skip(missing)
    return name


@pytest.fixture(scope="module")
def url(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(server, tmp_path_factory.mktemp(server) / "stderr.txt") as (_, url):
        yield url


def send(connection: ClientConnection, event: str, **payload: str) -> None:
    connection.send(json.dumps({"event": event, "payload": payload}))


def receive(connection: ClientConnection) -> dict[str, Any]:
    """The next message that is no `ping`: those come when they like."""
    while True:
        message: dict[str, Any] = json.loads(connection.recv(timeout=PATIENCE))
        if message["event"] != "ping":
            return message


def test_every_server_is_tested() -> None:
    assert sorted(PROGRAMS) == sorted(start.parent.name for start in SERVERS.glob("*/start"))


def test_ack_comes_first(url: str) -> None:
    with connect(f"{url}?access_token=alice-token") as alice:
        ack = json.loads(alice.recv(timeout=PATIENCE))
    assert ack["event"] == "connection_ack"
    assert ack["payload"]["sessionId"]


@pytest.mark.parametrize("token", ["", "no-such-token", "expired-token"])
def test_bad_token_gets_no_ack(url: str, token: str) -> None:
    """A server may refuse the handshake, or accept it and close at once."""
    with (
        pytest.raises((InvalidStatus, ConnectionClosed)) as refused,
        connect(f"{url}?access_token={token}") as stranger,
    ):
        stranger.recv(timeout=PATIENCE)

    match refused.value:
        case InvalidStatus(response=response):
            assert response.status_code in (401, 403)
        case ConnectionClosed(rcvd=close):
            assert close is not None
            assert close.code == 4401


def test_post_reaches_the_channel(url: str) -> None:
    channel, text = f"wsproof-{uuid4().hex}", "こんにちは 👋"
    with (
        connect(f"{url}?access_token=alice-token") as alice,
        connect(f"{url}?access_token=bob-token") as bob,
    ):
        for member in (alice, bob):
            assert receive(member)["event"] == "connection_ack"
            send(member, "join_channel", channelId=channel)
            # A post of its own that comes back shows that the join is in force.
            send(member, "send_message", channelId=channel, text="here")
            assert receive(member)["payload"]["message"]["text"] == "here"
        assert receive(alice)["payload"]["message"]["author"]["id"] == "user-002"

        send(alice, "send_message", channelId=channel, text=text)
        posts = [receive(member) for member in (alice, bob)]

    for post in posts:
        assert post["event"] == "new_message"
        assert post["payload"]["channelId"] == channel
        assert post["payload"]["message"]["text"] == text
        assert post["payload"]["message"]["author"] == {"id": "user-001", "name": "Taro Yamada"}
    assert posts[0]["payload"] == posts[1]["payload"]


@pytest.mark.parametrize(
    ("text", "code", "event"),
    [
        ("{", "INVALID_JSON", None),
        ('{"event": "pong"}', "INVALID_MESSAGE", "pong"),
        ('{"event": "wave", "payload": {}}', "UNKNOWN_EVENT", "wave"),
        ('{"event": "join_channel", "payload": {}}', "INVALID_PAYLOAD", "join_channel"),
        (
            '{"event": "join_channel", "payload": {"channelId": "channel-private"}}',
            "PERMISSION_DENIED",
            "join_channel",
        ),
        (
            '{"event": "join_channel", "payload": {"channelId": "missing-1"}}',
            "CHANNEL_NOT_FOUND",
            "join_channel",
        ),
        (
            '{"event": "send_message", "payload": {"channelId": "lobby", "text": "hi"}}',
            "NOT_JOINED",
            "send_message",
        ),
    ],
)
def test_mistake_gets_an_error(url: str, text: str, code: str, event: str | None) -> None:
    with connect(f"{url}?access_token=alice-token") as alice:
        assert receive(alice)["event"] == "connection_ack"
        alice.send(text)
        error = receive(alice)
    assert error["event"] == "error"
    assert error["payload"]["code"] == code
    assert error["payload"]["message"]
    assert error["payload"].get("originalEvent") == event


def test_sigterm_says_going_away(server: str, tmp_path: Path) -> None:
    with (
        running(server, tmp_path / "stderr.txt") as (process, url),
        connect(f"{url}?access_token=alice-token") as alice,
    ):
        assert receive(alice)["event"] == "connection_ack"
        process.send_signal(signal.SIGTERM)
        with pytest.raises(ConnectionClosed) as closed:
            receive(alice)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1001
        assert process.stdout is not None
        assert process.stdout.read() == ""  # "listening" was all it said
        assert process.wait(PATIENCE) in (0, 143, -signal.SIGTERM)
