"""The transport against real sockets."""

import socket
import threading
import time
from collections.abc import Generator

import pytest
from websockets.exceptions import ConnectionClosedError
from websockets.sync.server import ServerConnection

from conformance.transport.bounds import Bounds
from conformance.transport.exchange import (
    Action,
    Close,
    CloseReceived,
    Drop,
    Ended,
    Happening,
    Open,
    Opened,
    OutFrame,
    Received,
    Request,
    Send,
    Tick,
    Wait,
)
from conformance.transport.sockets import StoppedError, Transport
from conformance.transport.target import resolve
from tests.conformance.servers import (
    PATIENCE,
    drain,
    raw_server,
    reset,
    upgrade,
    websocket_server,
)
from wire.frames import Opcode

Script = Generator[Action, Happening, list[Happening]]
OPEN = Open("alice", Request("/v1/socket"))


def text(data: bytes) -> Send:
    return Send("alice", (OutFrame(Opcode.TEXT, data),))


def server_text(data: bytes) -> bytes:
    return OutFrame(Opcode.TEXT, data, masked=False).encode()


def until(kind: type[Happening], *actions: Action) -> Script:
    """Perform some actions, and collect happenings until one of a kind came."""
    found: list[Happening] = []
    for action in actions:  # noqa: UP028  # what comes back is sent in, which a tuple cannot take
        yield action
    deadline = time.monotonic() + PATIENCE
    while not any(isinstance(one, kind) for one in found):
        found.append((yield Wait(deadline)))
        assert not isinstance(found[-1], Tick) or kind is Tick, f"only {found} came"
    return found


def run(url: str, script: Script, bounds: Bounds | None = None) -> list[Happening]:
    return Transport(resolve(url), bounds).run(script)


def echo(connection: ServerConnection) -> None:
    for message in connection:
        connection.send(message)


class TestMessages:
    def test_round_trip(self) -> None:
        def script() -> Script:
            found = yield from until(Opened, OPEN)
            found += yield from until(Received, text("あ😀".encode()))
            found += yield from until(Ended, Close("alice", 1000, "bye"))
            return found

        with websocket_server(echo) as url:
            opened, received, closed, ended = run(url, script())
        assert isinstance(opened, Opened)
        assert isinstance(received, Received)
        assert received.data == "あ😀".encode()
        assert isinstance(closed, CloseReceived)
        assert (closed.code, isinstance(ended, Ended)) == (1000, True)
        assert opened.t <= received.t <= closed.t <= ended.t

    def test_several_actors(self) -> None:
        def script() -> Script:
            for actor in ("alice", "bob"):
                yield from until(Opened, Open(actor, Request(f"/{actor}")))
            found = yield from until(Received, Send("bob", (OutFrame(Opcode.TEXT, b"b"),)))
            found += yield from until(Received, text(b"a"))
            return found

        with websocket_server(echo) as url:
            found = run(url, script())
        assert [(one.actor, one.data) for one in found if isinstance(one, Received)] == [
            ("bob", b"b"),
            ("alice", b"a"),
        ]

    def test_more_than_the_socket_takes_at_once(self) -> None:
        """16 MiB out while 16 MiB come back: nobody waits for the other."""
        size, count = 1_000_000, 16

        def script() -> Script:
            yield from until(Opened, OPEN)
            for number in range(count):
                yield text(bytes([65 + number]) * size)
            found: list[Happening] = []
            for _ in range(count):
                found += yield from until(Received)
            return found

        with websocket_server(echo) as url:
            found = run(url, script(), Bounds(total_bytes=32 * size))
        assert [(one.data[:1], len(one.data)) for one in found if isinstance(one, Received)] == [
            (bytes([65 + number]), size) for number in range(count)
        ]

    def test_in_pieces(self) -> None:
        def script() -> Script:
            yield from until(Opened, OPEN)
            found = yield from until(Received, Send("alice", (OutFrame(Opcode.TEXT, b"x" * 50),), pieces=1))
            return found

        with websocket_server(echo) as url:
            (received,) = [one for one in run(url, script()) if isinstance(one, Received)]
        assert received.data == b"x" * 50

    def test_what_came_in_time_is_found_by_a_late_wait(self) -> None:
        ready = threading.Event()

        def speak(connection: socket.socket) -> None:
            if upgrade(connection):
                connection.sendall(server_text(b"early"))
                ready.set()
                drain(connection)

        def script() -> Script:
            yield from until(Opened, OPEN)
            assert ready.wait(PATIENCE)
            long_ago = time.monotonic() - 100
            found = yield Wait(long_ago)
            return [found, (yield Wait(long_ago))]

        with raw_server(speak) as url:
            found = run(url, script())
        assert [type(one) for one in found] == [Received, Tick]


class TestTime:
    def test_a_server_that_never_answers(self) -> None:
        def script() -> Script:
            deadline = time.monotonic() + 0.05
            yield OPEN
            found = yield Wait(deadline)
            assert found.t >= deadline
            return [found]

        with raw_server(drain) as url:
            (found,) = run(url, script())
        assert isinstance(found, Tick)

    def test_stop_from_another_thread(self) -> None:
        code: list[int | None] = []

        def listen(connection: ServerConnection) -> None:
            for _ in connection:
                transport.stop()
            code.append(connection.close_code)

        def script() -> Script:
            yield from until(Opened, OPEN)
            return (yield from until(Received, text(b"stop me")))

        with websocket_server(listen) as url:
            transport = Transport(resolve(url))
            with pytest.raises(StoppedError):
                transport.run(script())
        assert code == [1000]

    def test_the_script_is_told_its_end(self) -> None:
        """Whatever ends a run, the script is closed and so are its sockets."""
        over = []

        def script() -> Script:
            try:
                yield from until(Opened, OPEN)
                raise RuntimeError("a fault")
            finally:
                over.append(True)

        with websocket_server(echo) as url, pytest.raises(RuntimeError, match="a fault"):
            run(url, script())
        assert over == [True]


class TestEnd:
    @pytest.mark.parametrize("how", ["eof", "reset"])
    def test_the_servers(self, how: str) -> None:
        def leave(connection: socket.socket) -> None:
            if upgrade(connection):
                connection.recv(4_096)
                if how == "reset":
                    reset(connection)

        def script() -> Script:
            yield from until(Opened, OPEN)
            return (yield from until(Ended, text(b"leave")))

        with raw_server(leave) as url:
            (ended,) = run(url, script())
        assert isinstance(ended, Ended)
        assert ended.how == how

    def test_a_reset_of_ours(self) -> None:
        seen: list[object] = []

        def listen(connection: ServerConnection) -> None:
            connection.send("hello")
            with pytest.raises(ConnectionClosedError) as closed:
                connection.recv(PATIENCE)
            seen.append(closed.value.rcvd)

        def script() -> Script:
            yield from until(Received, OPEN)
            yield Drop("alice", "reset")
            yield text(b"nobody hears it")
            return [(yield Wait(0.0))]

        with websocket_server(listen) as url:
            assert [type(one) for one in run(url, script())] == [Tick]
        assert seen == [None]

    def test_silence_of_ours(self) -> None:
        """The server's messages stay unread, and the connection stays."""
        spoken, heard = threading.Event(), []

        def speak(connection: socket.socket) -> None:
            if upgrade(connection):
                heard.append(connection.recv(4_096))
                connection.sendall(server_text(b"are you there?"))
                spoken.set()
                heard.append(connection.recv(4_096))

        def script() -> Script:
            yield from until(Opened, OPEN)
            yield text(b"1")
            yield Drop("alice", "silence")
            assert spoken.wait(PATIENCE)
            found = yield Wait(time.monotonic() + 0.05)
            assert len(heard) == 1
            return [found]

        with raw_server(speak) as url:
            assert [type(one) for one in run(url, script())] == [Tick]

    def test_connecting_anew_forgets_the_former_connection(self) -> None:
        def script() -> Script:
            yield from until(Opened, OPEN)
            yield text(b"first")
            yield from until(Opened, OPEN)
            return (yield from until(Received, text(b"second")))

        with websocket_server(echo) as url:
            found = run(url, script())
        assert [one.data for one in found if isinstance(one, Received)] == [b"second"]
