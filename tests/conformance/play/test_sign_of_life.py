"""Whether anybody is there: a process that is dying still takes connections."""

import os
import select
import socket
from typing import Any

import pytest

from conformance.transport.target import UnreachableError, resolve, sign_of_life
from contract.choices import Tls
from tests.conformance.servers import Talk, raw_server, reset


def say_no(connection: socket.socket) -> None:
    connection.recv(65_536)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def say_nothing(connection: socket.socket) -> None:
    while connection.recv(65_536):
        pass


def leave(connection: socket.socket) -> None:
    """The process ends."""


@pytest.mark.parametrize(("talk", "sign"), [(say_no, "answers"), (say_nothing, "answers"), (leave, "ends")])
def test_whoever_takes_connections(talk: Talk, sign: str) -> None:
    with raw_server(talk) as url:
        assert sign_of_life(resolve(url), timeout=0.2) == sign


def test_nobody_listens() -> None:
    with raw_server(say_no) as url:
        target = resolve(url)
    assert sign_of_life(target) == "refuses"


class Late(socket.socket):
    """Sees what has become of a connection only when it is over, as on a busy machine."""

    def connect(self, address: Any) -> None:
        timeout = self.gettimeout()
        self.setblocking(False)
        self.connect_ex(address)
        over = select.poll()
        over.register(self, 0)  # its end, whatever it is
        over.poll()
        self.settimeout(timeout)
        failure = self.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if failure:
            raise OSError(failure, os.strerror(failure))


def test_who_resets_at_once_was_there_however_late_that_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    with raw_server(reset) as url, monkeypatch.context() as patched:
        patched.setattr(socket, "socket", Late)
        target = resolve(url)
        assert sign_of_life(target) == "ends"
        # There TLS is tried as well, and never comes about.
        with pytest.raises(UnreachableError, match="Connection reset by peer"):
            resolve(url.replace("ws://", "wss://"), Tls(verify=False))


def test_nobody_listens_however_late_that_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    with raw_server(reset) as url:
        target = resolve(url)
    monkeypatch.setattr(socket, "socket", Late)
    assert sign_of_life(target) == "refuses"
