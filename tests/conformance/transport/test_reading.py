"""The transport where it does not read: against real sockets."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from conformance.transport.exchange import Happening, Open, Opened, OutFrame, Reading, Received, Request, Send
from tests.conformance.servers import PATIENCE, drain, raw_server, upgrade
from tests.conformance.transport.test_sockets import Script, run, until
from wire.frames import Opcode

MESSAGE = OutFrame(Opcode.TEXT, b"x" * 9_000, masked=False).encode()
LOT = 4_000


class Pusher:
    """A server that sends all it can, then says how many messages that were, and goes on when it is told to."""

    def __init__(self) -> None:
        self.blocked = threading.Event()
        self.sent = 0

    def talk(self, connection: socket.socket) -> None:
        if not upgrade(connection):
            return
        connection.recv(65_536)
        connection.setblocking(False)
        rest = self._push(connection)
        self.blocked.set()
        connection.settimeout(PATIENCE)
        connection.sendall(rest)
        drain(connection)

    def _push(self, connection: socket.socket) -> bytes:
        for _ in range(LOT):
            try:
                taken = connection.send(MESSAGE)
            except BlockingIOError:
                return b""
            self.sent += 1
            if taken < len(MESSAGE):
                return MESSAGE[taken:]
        return b""


@contextmanager
def pusher() -> Iterator[tuple[Pusher, str]]:
    made = Pusher()
    with raw_server(made.talk) as url:
        yield made, url


@pytest.mark.parametrize("narrow", [True, False])
def test_what_was_not_read_is_there_when_it_reads_on(narrow: bool) -> None:
    with pusher() as (server, url):

        def script() -> Script:
            yield from until(Opened, Open("alice", Request("/v1/socket", narrow=narrow)))
            yield Reading("alice", on=False)
            yield Send("alice", (OutFrame(Opcode.TEXT, b"go"),))
            assert server.blocked.wait(PATIENCE), "the server sends without end"
            yield Reading("alice", on=True)
            found: list[Happening] = []
            for _ in range(server.sent):
                found += yield from until(Received)
            return found

        found = run(url, script())
    assert [len(one.data) for one in found if isinstance(one, Received)] == [9_000] * server.sent
    if narrow:
        assert server.sent * len(MESSAGE) < 500_000
