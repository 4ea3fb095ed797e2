"""Mistakes in the set-up are suspected, each in one sentence that names the setting; a right one is not."""

import itertools
import socket
from dataclasses import replace

import pytest
from websockets.sync.server import ServerConnection

from conformance.judge.hints import hints
from conformance.language.scenario import Scenario
from conformance.run.run import Run
from contract.findings import Phrase, phrase
from contract.profile import Profile
from reference_server.core.settings import ServerSettings
from reference_server.network import running
from tests.bundled import load_profile
from tests.conformance.chat import Chat
from tests.conformance.run.test_run import OPEN, PROFILE, named, plan
from tests.conformance.servers import accept, raw_server, read_request, websocket_server

TLS_ALERT = b"\x15\x03\x03\x00\x02\x02\x46"
TOKEN = "users.alice.token"


def suspected(
    url: str, profile: Profile = PROFILE, scenarios: list[Scenario] | None = None, *, secure: bool = False
) -> list[Phrase]:
    """What is suspected after five scenarios that connect."""
    run = Run(plan(url, profile), scenarios or [named(f"open-{number}", OPEN) for number in range(5)])
    run.start()
    return hints(run.verdicts(), run.plan.contract, profile, secure=secure)


def answering(answer: bytes) -> Phrase | None:
    """What is suspected where every handshake gets this answer; None: nothing."""

    def talk(connection: socket.socket) -> None:
        if read_request(connection):
            connection.sendall(answer)

    with raw_server(talk) as url:
        found = suspected(url)
    assert len(found) <= 1
    return found[0] if found else None


def status(code: int) -> bytes:
    return b"HTTP/1.1 %d Whatever\r\nContent-Length: 0\r\n\r\n" % code


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (status(401), phrase("hint-token", status=401, setting=TOKEN)),
        (status(403), phrase("hint-forbidden", setting=TOKEN)),
        (status(404), phrase("hint-path")),
        (status(302), phrase("hint-redirect", status=302)),
        (status(400), phrase("hint-tls")),
        (TLS_ALERT, phrase("hint-tls")),
        (b"", phrase("hint-tls")),
        (status(500), None),
    ],
    ids=["401", "403", "404", "302", "400", "tls", "end", "500"],
)
def test_every_good_handshake_is_refused(answer: bytes, expected: Phrase | None) -> None:
    assert answering(answer) == expected


def test_a_tls_port_is_not_suspected_of_tls() -> None:
    with raw_server(lambda connection: None) as url:
        assert suspected(url, secure=True) == []


def test_a_given_origin_is_not_asked_for() -> None:
    def talk(connection: socket.socket) -> None:
        if read_request(connection):
            connection.sendall(status(403))

    with raw_server(talk) as url:
        found = suspected(url, replace(PROFILE, origin="https://app.example.com"))
    assert found == [phrase("hint-token", status=403, setting=TOKEN)]


def test_the_origin_is_sent() -> None:
    heads = []

    def talk(connection: socket.socket) -> None:
        heads.append(read_request(connection))
        accept(connection, heads[-1])

    with raw_server(talk) as url:
        suspected(url, replace(PROFILE, origin="https://app.example.com", ack_timeout=0.2))
    assert all(b"\r\nOrigin: https://app.example.com\r\n" in head for head in heads if head)


def test_every_connection_is_closed_before_anything_came() -> None:
    def close(connection: ServerConnection) -> None:
        connection.close(4401, "token")

    with websocket_server(close) as url:
        assert suspected(url) == [phrase("hint-closed", code=4401, setting=TOKEN)]


def test_different_answers_are_no_mistake_of_the_set_up() -> None:
    answers = itertools.cycle([status(401), status(500)])

    def talk(connection: socket.socket) -> None:
        if read_request(connection):
            connection.sendall(next(answers))

    with raw_server(talk) as url:
        assert suspected(url) == []


def test_a_right_set_up() -> None:
    with Chat().serve() as url:
        assert suspected(url) == []


@pytest.mark.parametrize(
    ("interval", "pings", "stay", "code"),
    [(0.1, 60.0, 0.4, "hint-no-ping"), (3.0, 0.5, 2.6, "hint-heartbeat"), (0.5, 0.5, 2.6, None)],
)
def test_another_interval(interval: float, pings: float, stay: float, code: str | None) -> None:
    """The server pings every so many seconds, and the profile has another interval, or the same."""
    steps = [*OPEN, {"expect_open": {"actor": "alice", "for": stay}}]
    scenarios = [named(f"stay-{number}", steps) for number in range(5)]
    beat = replace(PROFILE.heartbeat, interval=interval, timeout=30.0)
    server = load_profile(None, {"heartbeat.interval": pings, "heartbeat.timeout": 60})
    with running(ServerSettings(profile=server, port=0)) as served:
        found = suspected(served.url, replace(PROFILE, heartbeat=beat), scenarios)
    assert [one.code for one in found] == ([code] if code else [])
