"""The one transport: non-blocking sockets, a selector, TLS, and a `Wire` per actor.

It performs a script's actions and tells it what happens. It runs unchanged in a thread and in a greenlet, and
bounds everything that a peer can do: message size, bytes and messages in all, header sizes, time.
"""

import _socket
import errno
import math
import os
import selectors
import socket
import ssl
import struct
import time
from collections import deque
from collections.abc import Generator
from contextlib import suppress
from typing import TypeVar

from conformance.transport.bounds import FRAME_WEIGHT, Bounds, Share, weight
from conformance.transport.exchange import (
    Action,
    Close,
    Drop,
    Ended,
    Happening,
    Open,
    Problem,
    Reading,
    Refused,
    Request,
    Send,
    Tick,
    Wait,
)
from conformance.transport.protocol import Wire
from conformance.transport.proxy import Tunnel, TunnelError
from conformance.transport.target import Target, socket_problem, was_taken
from conformance.transport.troubles import own_troubles, refuse_own
from contract.findings import Phrase, phrase

Result = TypeVar("Result")
Script = Generator[Action, Happening, Result]

READ_BYTES = 65_536
PIECE_BYTES = 4_096
"""What was read is parsed piece by piece, so that little of a flood, or of what a bomb inflates to, is ever there."""

NARROW_BUFFER_BYTES = 4_096
NARROW_SEGMENT_BYTES = 1_024
"""Of a narrow connection: what our socket holds unread, and what a TCP segment to us may hold. Linux gives a socket a
send buffer of so many segments: 3 MB where a segment is as large as the loopback takes it, 100 kB with these."""

WIDE_BUFFER_BYTES = 1_048_576
"""What it may hold once its actor reads on."""

STOP_CHECK_SECONDS = 0.25

PARTING_SECONDS = 1.0
"""How long a script that is stopped waits for the answers to its close frames."""


class StoppedError(Exception):
    """The run was interrupted while this script was playing."""


def narrow(plain: _socket.socket) -> None:
    """Make a socket that has not connected yet, and its peer's, hold little of what is not read; see `widen`."""
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, NARROW_BUFFER_BYTES)
    with suppress(OSError):  # not every system takes it, and then the peer's buffer is a larger one
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, NARROW_SEGMENT_BYTES)


def widen(plain: _socket.socket) -> None:
    """Let a narrow socket hold more. Half a megabyte through 4 KiB is 150 turns of two processes, seconds on a busy
    machine, and the endpoint would be charged with them.
    """
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WIDE_BUFFER_BYTES)


class Connection:
    """One actor's socket and wire."""

    def __init__(
        self, actor: str, target: Target, request: Request, bounds: Bounds, share: Share | None = None
    ) -> None:
        self.actor = actor
        self.bounds = bounds
        self.share = share
        self.wire = Wire(actor, target.uri, request, bounds.message_bytes)
        self.closed = False
        self.silent = False
        self.reading = True
        self._received_bytes = 0
        self._happenings = 0
        self._pending, self._half_close = self.wire.out()
        self._connecting = True
        self._tunnel = target.tunnel()
        self.connect_by = math.inf
        self._handshaking_tls = target.tls is not None
        self._tls_wants_write = False
        with own_troubles():
            plain = socket.socket(target.family, socket.SOCK_STREAM)
        plain.setblocking(False)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if request.narrow:
            narrow(plain)
        self.sock: socket.socket = plain
        # The selector watches the number: TLS wraps the socket object later, the descriptor stays.
        self.descriptor = plain.fileno()
        result = plain.connect_ex(target.address)
        self._failure = result if result not in (0, errno.EINPROGRESS, errno.EWOULDBLOCK) else 0
        self._tls, self._host = target.tls, target.server_name

    def read(self, *, on: bool) -> None:
        """Read, or leave unread, what comes."""
        if on:
            widen(self.sock)
        self.reading = on

    @property
    def interest(self) -> int:
        """The selector events to watch for."""
        if self.silent:
            return 0
        if self._connecting or self._failure:
            return selectors.EVENT_WRITE
        if self._tunnel is not None:
            return selectors.EVENT_WRITE if self._tunnel.unsent else selectors.EVENT_READ
        if self._handshaking_tls:
            return selectors.EVENT_WRITE if self._tls_wants_write else selectors.EVENT_READ
        return (selectors.EVENT_READ if self.reading else 0) | (selectors.EVENT_WRITE if self._pending else 0)

    def ready(self, mask: int, t: float) -> list[Happening]:
        """The selector reported the socket; read and write what can be. Raises `OwnTroubleError`."""
        try:
            if self._connecting or self._failure:
                self._finish_connecting()
            if self._tunnel is not None and not self._finish_tunnel(self._tunnel):
                return []
            if self._handshaking_tls and not self._finish_tls():
                return []
            self.flush()
            return self._read(t) if self.reading else []
        except ssl.SSLEOFError as error:
            return self._lost(t, "lost", socket_problem(error))
        except ssl.SSLError as error:
            return self._lost(t, "tls", socket_problem(error))
        except TunnelError as error:
            return self._lost(t, "proxy", error.problem)
        except OSError as error:
            refuse_own(error)
            if self._tunnel is not None:
                return self._lost(t, "proxy", phrase("proxy-lost", error=socket_problem(error)))
            problem: Problem = "not-listening" if error.errno == errno.ECONNREFUSED else "unreachable"
            if self._handshaking_tls and not self._connecting:
                problem = "lost"
            return self._lost(t, problem, socket_problem(error))

    def give_up(self, t: float) -> list[Happening]:
        """What becomes of a connection that should be there by now."""
        if not self._connecting or self.closed or t < self.connect_by:
            return []
        timed_out = phrase("socket", error="ETIMEDOUT")
        if self._tunnel is not None:
            return self._lost(t, "proxy", phrase("proxy-lost", error=timed_out))
        return self._lost(t, "unreachable", timed_out)

    def _finish_connecting(self) -> None:
        failure = self._failure or self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        taken = was_taken(failure)
        if failure and not taken:
            raise OSError(failure, os.strerror(failure))
        self._connecting, self._failure = False, 0
        if taken and (self._tunnel is not None or self._tls is not None):
            raise OSError(failure, os.strerror(failure))
        # If it was taken and reset before we looked, what was sent before the reset is still to be read.
        if self._tunnel is None:
            self._begin_tls()

    def _finish_tunnel(self, tunnel: Tunnel) -> bool:
        if not tunnel.advance(self.sock):
            return False
        self._tunnel = None
        self._begin_tls()
        return True

    def _begin_tls(self) -> None:
        if self._tls is not None:
            self.sock = self._tls.wrap_socket(self.sock, server_hostname=self._host, do_handshake_on_connect=False)

    def _finish_tls(self) -> bool:
        assert isinstance(self.sock, ssl.SSLSocket)
        try:
            self.sock.do_handshake()
        except ssl.SSLWantReadError:
            self._tls_wants_write = False
            return False
        except ssl.SSLWantWriteError:
            self._tls_wants_write = True
            return False
        self._handshaking_tls = False
        return True

    def flush(self, pieces: int | None = None) -> None:
        """Write what is queued, as far as the socket takes it; in pieces of so many bytes where asked.

        A failed write is silent: what the server sent before it left is still to be read, and the end after it.
        """
        if self.closed or self._connecting or self._tunnel is not None or self._handshaking_tls:
            return
        try:
            self._write_out(pieces)
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            return
        except OSError as error:
            refuse_own(error)
            self._pending = b""

    def _write_out(self, pieces: int | None) -> None:
        more, half_close = self.wire.out()
        self._pending += more
        self._half_close = self._half_close or half_close
        while self._pending:
            sent = self.sock.send(self._pending[:pieces])
            self._pending = self._pending[sent:]
        if self._half_close and not isinstance(self.sock, ssl.SSLSocket):
            self._half_close = False
            self.sock.shutdown(socket.SHUT_WR)

    def _read(self, t: float) -> list[Happening]:
        try:
            data = self.sock.recv(READ_BYTES)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return []
        except ssl.SSLEOFError:
            data = b""
        found = self._feed(data, t) if data else list(self.wire.eof(t))
        if any(isinstance(one, Ended | Refused) for one in found):
            self.shut()
        else:
            self.flush()
        return found

    def _feed(self, data: bytes, t: float) -> list[Happening]:
        """What the data bring; where they exceed the bounds, the end of the connection."""
        found: list[Happening] = []
        for start in range(0, len(data), PIECE_BYTES):
            piece = data[start : start + PIECE_BYTES]
            frames = self.wire.frames
            happened = list(self.wire.feed(piece, t))
            found += happened
            if any(isinstance(one, Ended | Refused) for one in happened):
                break
            self._received_bytes += len(piece)
            self._happenings += len(happened)
            if self._received_bytes > self.bounds.total_bytes or self._happenings > self.bounds.happenings:
                detail = phrase("flood", bytes=self.bounds.total_bytes, messages=self.bounds.happenings)
                return [*found, Ended(t, self.actor, "flood", detail)]
            taken = len(piece) + FRAME_WEIGHT * (self.wire.frames - frames) + sum(map(weight, happened))
            if self.share is not None and not self.share.take(taken):
                detail = phrase("flood-in-a-scenario", bytes=self._received_bytes)
                return [*found, Ended(t, self.actor, "flood", detail)]
        return found

    def _lost(self, t: float, problem: Problem, detail: Phrase) -> list[Happening]:
        """The socket failed: a reset, or a refused connection."""
        refused = self._connecting or self._failure or self._tunnel is not None or self._handshaking_tls
        # In TLS 1.3 the server refuses a client's certificate only after the client's own handshake.
        if refused or (problem == "tls" and self.wire.handshaking):
            found: list[Happening] = [Refused(t, self.actor, problem, None, (), b"", detail)]
        else:
            found = list(self.wire.eof(t, reset=True))
        self.shut()
        return found

    def drop(self, how: str) -> None:
        """Vanish: reset the TCP connection, or fall silent with the socket still open."""
        if how == "silence":
            self.silent = True
            return
        linger = struct.pack("ii", 1, 0)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.shut()

    def shut(self) -> None:
        """Close the socket; idempotent."""
        self.closed = True
        self.sock.close()
        self.wire.release()


class Transport:
    """Plays scripts against a target. One transport serves one thread or greenlet.

    What this machine lacks is raised as `OwnTroubleError`, by the constructor and by whatever plays a script.
    """

    def __init__(self, target: Target, bounds: Bounds | None = None, share: Share | None = None) -> None:
        self.target = target
        self.bounds = bounds or Bounds()
        self.share = share
        self.waiting: Wait | None = None
        self._active = time.monotonic()
        self._connections: dict[str, Connection] = {}
        self._watched: dict[str, int] = {}
        self._queue: deque[Happening] = deque()
        with own_troubles():
            self._selector = selectors.DefaultSelector()
        self._stopped = False

    @property
    def idle(self) -> float:
        """Seconds since anything was done, or happened."""
        return time.monotonic() - self._active

    def run(self, script: Script[Result]) -> Result:
        """Play a script to its end and give back what it returns. All sockets are closed afterwards."""
        try:
            return self.advance(script)
        finally:
            self.shut()

    def advance(self, script: Script[Result]) -> Result:
        """Play a script to its end and leave the sockets open, for another script that goes on with them."""
        try:
            action = next(script)
            while True:
                action = script.send(self._perform(action))
        except StopIteration as stop:
            result: Result = stop.value
            return result
        except StoppedError:
            self._part()
            raise
        finally:
            script.close()

    def stop(self) -> None:
        """End the script soon, from another thread: connections close with 1000, `run` raises `StoppedError`."""
        self._stopped = True

    def _part(self) -> None:
        """Close what is open with 1000, and read on for a moment: an early reset would overtake the close frame."""
        for actor in self._connections:
            self._write(Close(actor, 1000))
        until = time.monotonic() + PARTING_SECONDS
        while self._watched and (left := until - time.monotonic()) > 0:
            for key, mask in self._selector.select(left):
                connection: Connection = key.data
                connection.ready(mask, time.monotonic())
                # A handshake that was still under way has opened another one.
                self._write(Close(connection.actor, 1000))
                self._watch(connection)

    def shut(self) -> None:
        """Close all sockets."""
        for actor, connection in self._connections.items():
            self._unwatch(actor)
            connection.shut()
        self._connections.clear()
        self._queue.clear()
        self._selector.close()

    def _perform(self, action: Action) -> Happening:
        match action:
            case Wait():
                if self._stopped:
                    raise StoppedError
                self.waiting = action
                return self._wait(action.deadline)
            case Open():
                self._retire(action.actor)
                connection = Connection(action.actor, self.target, action.request, self.bounds, self.share)
                connection.connect_by = action.connect_by
                self._connections[action.actor] = connection
                self._watch(connection)
            case Send() | Close() | Drop() | Reading():
                self._write(action)
        self._active = time.monotonic()
        return Tick(self._active)

    def _write(self, action: Send | Close | Drop | Reading) -> None:
        connection = self._connections.get(action.actor)
        if connection is None or connection.closed:
            return
        match action:
            case Send():
                connection.wire.send(action.frames)
                connection.flush(action.pieces)
            case Close():
                connection.wire.close(action)
                connection.flush()
            case Drop():
                connection.drop(action.how)
            case Reading():
                connection.read(on=action.on)
        self._watch(connection)

    def _wait(self, deadline: float) -> Happening:
        while not self._queue:
            now = time.monotonic()
            late = now >= deadline
            # Even a late wait looks at the sockets once: what has arrived in time must not be lost
            # because this process was slow.
            ready = self._selector.select(0 if late else min(deadline - now, STOP_CHECK_SECONDS))
            if self._stopped:
                raise StoppedError
            t = time.monotonic()
            if ready:
                self._active = t
            for key, mask in ready:
                connection: Connection = key.data
                self._queue.extend(connection.ready(mask, t))
                self._watch(connection)
            for connection in self._connections.values():
                self._queue.extend(connection.give_up(t))
                self._watch(connection)
            if late and not self._queue:
                return Tick(t)
        return self._queue.popleft()

    def _watch(self, connection: Connection) -> None:
        actor, interest = connection.actor, 0 if connection.closed else connection.interest
        watched = self._watched.get(actor, 0)
        if interest == watched:
            return
        if not interest:
            self._unwatch(actor)
        elif not watched:
            self._selector.register(connection.descriptor, interest, connection)
        else:
            self._selector.modify(connection.descriptor, interest, connection)
        if interest:
            self._watched[actor] = interest

    def _unwatch(self, actor: str) -> None:
        if self._watched.pop(actor, 0):
            self._selector.unregister(self._connections[actor].descriptor)

    def _retire(self, actor: str) -> None:
        """An actor connects anew: its former connection is closed and its leftovers are forgotten."""
        if actor in self._connections:
            self._unwatch(actor)
            self._connections.pop(actor).shut()
            self._queue = deque(one for one in self._queue if isinstance(one, Tick) or one.actor != actor)
