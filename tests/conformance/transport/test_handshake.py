"""How connecting may fail: names, ports, answers that are none."""

import socket
import threading
import time
from collections.abc import Callable

import pytest

from conformance.transport.exchange import Refused, Wait
from conformance.transport.sockets import Transport
from conformance.transport.target import UnreachableError, resolve
from contract.findings import phrase
from tests.conformance.servers import PATIENCE, drain, endless_header, raw_server, read_request, reset
from tests.conformance.transport.test_sockets import OPEN, Script, run, until


def nothing(connection: socket.socket) -> None:
    read_request(connection)


def half_an_answer(connection: socket.socket) -> None:
    if read_request(connection):
        connection.sendall(b"HTTP/1.1 101 Switching Pro")


def reset_at_once(connection: socket.socket) -> None:
    if read_request(connection):
        reset(connection)


def many_headers(connection: socket.socket) -> None:
    if read_request(connection):
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\n")
        while True:
            connection.sendall(b"X: y\r\n" * 1_000)


class TestHandshake:
    @pytest.mark.parametrize(
        ("talk", "problem"),
        [
            (nothing, "lost"),
            (half_an_answer, "lost"),
            (reset_at_once, "lost"),
            (endless_header, "response"),
            (many_headers, "response"),
        ],
    )
    def test_refused(self, talk: Callable[[socket.socket], None], problem: str) -> None:
        with raw_server(talk) as url:
            (refused,) = run(url, until(Refused, OPEN))
        assert isinstance(refused, Refused)
        assert (refused.problem, refused.status) == (problem, None)

    def test_a_status(self) -> None:
        def refuse(connection: socket.socket) -> None:
            if read_request(connection):
                connection.sendall(b"HTTP/1.1 401 No\r\nContent-Length: 2\r\nX: y\r\n\r\nno")
                drain(connection)

        with raw_server(refuse) as url:
            (refused,) = run(url, until(Refused, OPEN))
        assert isinstance(refused, Refused)
        assert (refused.status, refused.body) == (401, b"no")

    def test_a_port_where_nobody_listens(self) -> None:
        with raw_server(drain) as url:
            target = resolve(url)
        with pytest.raises(UnreachableError, match=r"127\.0\.0\.1 port \d+: "):
            resolve(url)
        (refused,) = Transport(target).run(until(Refused, OPEN))
        assert isinstance(refused, Refused)
        assert (refused.problem, refused.detail) == ("not-listening", phrase("socket", error="ECONNREFUSED"))

    @pytest.mark.parametrize(("said", "status"), [(b"", None), (b"HTTP/1.1 503 Busy\r\n\r\n", 503)])
    def test_a_reset_before_we_look_is_none_of_nobody_listening(self, said: bytes, status: int | None) -> None:
        """The same as one a moment later: what was sent before it is read."""
        over = threading.Semaphore(0)

        def talk(connection: socket.socket) -> None:
            connection.sendall(said)
            reset(connection)
            over.release()

        def look_late() -> Script:
            yield OPEN
            assert over.acquire(timeout=PATIENCE)
            return [(yield Wait(time.monotonic() + PATIENCE))]

        with raw_server(talk) as url:
            target = resolve(url)
            assert over.acquire(timeout=PATIENCE)
            (refused,) = Transport(target).run(look_late())
        assert isinstance(refused, Refused)
        assert (refused.problem, refused.status) == ("lost" if status is None else "status", status)

    @pytest.mark.parametrize(
        ("url", "reason"),
        [
            ("http://127.0.0.1/", "scheme isn't ws or wss"),
            ("ws:///", "hostname isn't provided"),
            ("127.0.0.1:80", "scheme isn't ws or wss"),
            ("", "scheme isn't ws or wss"),
            ("ws://127.0.0.1:99999/", "Port out of range"),
            ("ws://127.0.0.1/#part", "fragment"),
            ("ws://[::1/", "Invalid IPv6"),
        ],
    )
    def test_no_websocket_url(self, url: str, reason: str) -> None:
        with pytest.raises(ValueError, match=reason):
            resolve(url)

    def test_a_host_that_does_not_exist(self) -> None:
        with pytest.raises(UnreachableError, match=r"nowhere\.invalid"):
            resolve("ws://nowhere.invalid/")
