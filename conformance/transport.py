"""The one transport: non-blocking sockets, a selector, TLS, and a `Wire` per actor.

It performs a script's actions and tells it what happens. It runs unchanged in a thread and in a greenlet, and
bounds everything that a peer can do: message size, bytes and messages in all, header sizes, time.
"""

import _socket
import errno
import math
import os
import re
import selectors
import socket
import ssl
import struct
import time
from collections import deque
from collections.abc import Generator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, TypeVar

from websockets.exceptions import InvalidURI
from websockets.uri import WebSocketURI, parse_uri

from conformance.actions import (
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
from conformance.bounds import FRAME_WEIGHT, Bounds, Share, weight
from conformance.proxy import Proxy, Tunnel, TunnelError, proxy_for
from conformance.tls import client_context
from conformance.troubles import OwnTroubleError, own_troubles, refuse_own
from conformance.urls import ascii_url
from conformance.wire import Wire
from contract.choices import Tls
from contract.findings import Phrase, phrase
from contract.profile import Profile

Result = TypeVar("Result")
Script = Generator[Action, Happening, Result]

READ_BYTES = 65_536
PIECE_BYTES = 4_096
"""What was read is parsed piece by piece, so that little of a flood, or of what a bomb inflates to, is ever there."""

NARROW_BUFFER_BYTES = 4_096
NARROW_SEGMENT_BYTES = 1_024
"""Of a narrow connection: what our socket holds unread, and what a TCP segment to us may hold. Linux gives a socket a
send buffer of so many segments: 3 MB where a segment is as large as the loopback takes it, 100 kB with these."""

STOP_CHECK_SECONDS = 0.25

FAREWELL_SECONDS = 1.0
"""How long the trial of TLS waits for what the server has to say."""

UNWELCOME = re.compile("ALERT_(?:.*CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED|HANDSHAKE_FAILURE|INSUFFICIENT_SECURITY)")
"""The alerts that say that a client is not let in."""

PARTING_SECONDS = 1.0
"""How long a script that is stopped waits for the answers to its close frames."""


class StoppedError(Exception):
    """The run was interrupted while this script was playing."""


class UnreachableError(Exception):
    """No TCP (or TLS) connection to the endpoint could be made."""


@dataclass(frozen=True, slots=True)
class Target:
    """A resolved endpoint. `target` is the path and query without any token.

    `address` is that of the `proxy`, where there is one. `tls_name` is the name that its certificate must have; None:
    the URL's.
    """

    uri: WebSocketURI
    family: socket.AddressFamily
    address: tuple[object, ...]
    tls: ssl.SSLContext | None
    tls_name: str | None = None
    proxy: Proxy | None = None

    @property
    def path(self) -> str:
        """Path and query of the request line."""
        return self.uri.resource_name

    @property
    def server_name(self) -> str:
        """The name that TLS asks for (SNI)."""
        return self.tls_name or self.uri.host

    def tunnel(self) -> Tunnel | None:
        """The way through the proxy, to be made on a new connection; None where there is no proxy."""
        return None if self.proxy is None else Tunnel(self.proxy, self.uri.host, self.uri.port)


def target_for(url: str, profile: Profile, *, embedded: bool = False) -> Target:
    """The endpoint as the profile wants it to be reached; `embedded`: the reference server of this run, which no proxy
    stands before.

    Raises as `resolve` does, and `ContractError` for a proxy that cannot be used.
    """
    uri = _parsed(url)
    proxy = None if embedded else proxy_for(uri.host, uri.port, secure=uri.secure, setting=profile.access.proxy)
    return resolve(url, profile.tls, proxy=proxy, timeout=profile.response_timeout)


def resolve(url: str, tls: Tls | None = None, *, proxy: Proxy | None = None, timeout: float = 5.0) -> Target:
    """Find an address of the endpoint that accepts connections within `timeout` seconds.

    Raises `UnreachableError` where there is none, ValueError where `url` is no WebSocket URL, `OwnTroubleError` where
    this machine gives no socket, and `ContractError` where a file of the profile's `tls` is not what it should be.
    """
    uri = _parsed(url)
    tls = tls or Tls()
    context = client_context(tls) if uri.secure else None
    host, port = (uri.host, uri.port) if proxy is None else (proxy.host, proxy.port)
    before = "" if proxy is None else f"{proxy}: "
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise UnreachableError(f"{before}{host}: {error.strerror or error}") from None
    problems = []
    for family, kind, protocol, _, address in found:
        target = Target(uri, family, address, context, tls.server_name, proxy)
        with own_troubles():
            trial = socket.socket(family, kind, protocol)
        with trial:
            try:
                _lead(trial, target, timeout)
                if context is not None:
                    _try_tls(context, trial, target.server_name, timeout)
            except TunnelError as error:
                problems.append(f"{before}{error}")
                continue
            except OSError as error:
                problems.append(f"{address[0]!s} port {address[1]!s}: {_why_unreachable(error)}")
                continue
        return target
    raise UnreachableError("; ".join(problems) or f"{before}{host} has no address")


def _parsed(url: str) -> WebSocketURI:
    try:
        return parse_uri(ascii_url(url))
    except InvalidURI as error:
        raise ValueError(error.msg) from None


def _lead(plain: socket.socket, target: Target, timeout: float) -> None:
    """Connect a socket to the endpoint's port, through the proxy where there is one. Raises OSError, `TunnelError`."""
    plain.settimeout(timeout)
    tunnel = target.tunnel()
    if tunnel is None:
        plain.connect(target.address)
        return
    try:
        plain.connect(target.address)
        tunnel.advance(plain)
    except OSError as error:
        raise TunnelError(phrase("proxy-lost", error=socket_problem(error))) from None


def _try_tls(context: ssl.SSLContext, plain: socket.socket, host: str, timeout: float) -> None:
    """Shake hands, and hear the server out. Raises `OSError`.

    In TLS 1.3 it judges the client's certificate only after the client's own handshake (RFC 8446 §4.4.2.4). Nothing is
    sent meanwhile but the end of the stream: it would be answered with a reset, which overtakes the alert.
    """
    with context.wrap_socket(plain, server_hostname=host) as secure:
        secure.settimeout(min(timeout, FAREWELL_SECONDS))
        with suppress(OSError):
            socket.socket.shutdown(secure, socket.SHUT_WR)  # its own would forget TLS
        try:
            secure.recv(1)
        except OSError as error:
            # That it says nothing, or complains of the end, is no matter here.
            if isinstance(error, ssl.SSLError) and UNWELCOME.search(error.reason or ""):
                raise


def _why_unreachable(error: OSError) -> str:
    match error:
        case ssl.SSLCertVerificationError():
            return f"its certificate is not trusted ({error.verify_message}): see tls.ca and tls.verify"
        case ssl.SSLError() if "CERTIFICATE_REQUIRED" in (error.reason or ""):
            return f"it demands a client certificate ({error.reason}): see tls.cert and tls.key"
        case ssl.SSLError() if "ALERT" in (error.reason or ""):
            return f"it refuses the TLS connection ({error.reason}); it may demand a client certificate, or another one"
        case ssl.SSLError():
            return f"no TLS connection ({error.reason}): where the port speaks no TLS, the URL begins with ws:"
        case _:
            return str(error.strerror or error)


Sign = Literal["answers", "ends", "refuses"]


def sign_of_life(target: Target, timeout: float = 1.0, headers: Mapping[str, str] | None = None) -> Sign:
    """What becomes of a plain GET with these headers at the endpoint, within `timeout` seconds.

    A process that is dying still takes connections for a moment, and ends them: only an answer, or that the connection
    stays, shows that somebody is there. Raises `OwnTroubleError`.
    """
    given = {name.title(): value for name, value in (headers or {}).items()}
    sent = {"Host": target.uri.host, **given, "Connection": "close"}
    lines = [f"GET {target.uri.path or '/'} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items())]
    request = "\r\n".join((*lines, "", ""))
    with own_troubles():
        made = socket.socket(target.family, socket.SOCK_STREAM)
    with made as plain:
        try:
            _lead(plain, target, timeout)
        except TunnelError as error:
            if not error.of_endpoint:
                raise OwnTroubleError(phrase("trouble-proxy", detail=error.problem)) from None
            return "refuses"
        except OSError as error:
            refuse_own(error)
            return "refuses"
        try:
            probe = plain if target.tls is None else target.tls.wrap_socket(plain, server_hostname=target.server_name)
            with probe:
                probe.sendall(request.encode())
                return "answers" if probe.recv(1) else "ends"
        except TimeoutError:
            return "answers"
        except OSError:
            return "ends"


def socket_problem(error: OSError) -> Phrase:
    """Why a socket failed, by the name of its error."""
    if isinstance(error, ssl.SSLError):
        return phrase("tls", error=error.reason or type(error).__name__)
    return phrase("socket", error=errno.errorcode.get(error.errno or 0, type(error).__name__))


def narrow(plain: _socket.socket) -> None:
    """Make a socket that has not connected yet, and its peer's, hold little of what is not read."""
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, NARROW_BUFFER_BYTES)
    with suppress(OSError):  # not every system takes it, and then the peer's buffer is a larger one
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, NARROW_SEGMENT_BYTES)


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
        if failure:
            raise OSError(failure, os.strerror(failure))
        self._connecting = False
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
                connection.reading = action.on
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
