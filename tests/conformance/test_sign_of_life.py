"""Whether anybody is there: a process that is dying still takes connections."""

import socket

import pytest

from conformance.target import resolve, sign_of_life
from tests.conformance.servers import Talk, raw_server


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
