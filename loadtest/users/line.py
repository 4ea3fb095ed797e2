"""A virtual user's line to its endpoint: a non-blocking socket, through a proxy and TLS if need be.

A reactor drives it. It connects, writes what waits, and ends; what is read and what it means is `loadtest.users.link`'s
matter.
"""

import _socket
import errno
import os
import socket
import ssl
import struct
import time
from collections.abc import Callable
from typing import Protocol

from conformance.transport.exchange import Problem, Received, Refused
from conformance.transport.proxy import TunnelError
from conformance.transport.sockets import narrow
from conformance.transport.target import Target, socket_problem, was_taken
from conformance.transport.troubles import own_trouble
from contract.findings import Phrase, phrase
from loadtest.settings.sources import Place
from loadtest.users.reactor import Reactor, Watch
from loadtest.users.tls_stream import TlsSocket

MAX_UNSENT_BYTES = 4_194_304
"""What may wait for an endpoint that reads too slowly; more ends the connection."""

NOT_YET = frozenset((errno.EAGAIN, errno.ENOTCONN, errno.EINPROGRESS))
"""What sending says before there is a connection."""

NONBLOCKING = getattr(socket, "SOCK_NONBLOCK", 0)
"""Makes a socket that does not block, where the system can do it at once."""

PlainSocket = _socket.SocketType
"""The interpreter's own socket: under Locust, `socket.socket` is one of gevent's, which would block its greenlet."""

_monotonic = time.monotonic


class User(Protocol):
    """Whose connection it is. Times are in seconds, monotonic."""

    def opened(self, t: float) -> None:
        """The handshake was accepted."""

    def refused(self, refused: Refused) -> None:
        """It was not, or no connection came about."""

    def message(self, data: bytes, t: float) -> None:
        """A whole text message."""

    def strange(self, happening: Received, t: float) -> None:
        """A message that is not one unfragmented frame of text."""

    def pinged(self, t: float) -> None:
        """A ping frame, which is answered here."""

    def ended(self, code: int | None, how: Phrase, t: float) -> None:
        """It is over; `code` of the server's close frame (1005: it held none), None without such a frame."""


class Line:
    """One socket. `_readable` is called when there is something to read, once the request is on its way."""

    __slots__ = (
        *("_early", "_place", "_port", "_reader", "_sock", "_target", "_tunnel", "_unsent", "_user", "_writer"),
        *("connected", "over", "reactor", "tls"),
    )

    def __init__(
        self, user: User, reactor: Reactor, target: Target, request: bytes, place: Place | None, *, narrowed: bool
    ) -> None:
        self._user = user
        self._target = target
        self.reactor = reactor
        self.over = False
        self.connected = False
        self.tls: TlsSocket | None = None
        self._unsent = request
        self._reader: Watch | None = None
        self._writer: Watch | None = None
        self._early = 0
        self._place = place
        self._port = 0
        self._tunnel = target.tunnel()
        self._sock: PlainSocket | TlsSocket = self._socket(narrowed=narrowed)
        if self.tls is None and self._tunnel is None and self._sent_at_once():
            self.connected = True
            self._reader = reactor.reader(self._sock.fileno(), self._readable)
        else:
            self._writer = reactor.writer(self._sock.fileno(), self._connecting)

    def _readable(self) -> None:
        raise NotImplementedError

    def _socket(self, *, narrowed: bool) -> "PlainSocket | TlsSocket":
        made = PlainSocket(self._target.family, socket.SOCK_STREAM | NONBLOCKING)
        if not NONBLOCKING:
            made.setblocking(False)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if narrowed:
            narrow(made)
        try:
            if self._place is not None:
                self._port = self._place.bind(made)
            result = made.connect_ex(self._target.address)
            if result not in (0, errno.EINPROGRESS):
                self._leave_place()
                raise OSError(result, os.strerror(result))
        except OSError:
            made.close()
            raise
        if self._target.tls is not None:
            self.tls = TlsSocket(made, self._target.tls, self._target.server_name)
        return made

    # Connecting

    def _sent_at_once(self) -> bool:
        """Whether the request is sent already: on the same machine, a connection is there at once."""
        try:
            sent = self._sock.send(self._unsent)
        except OSError as error:
            if error.errno not in NOT_YET:
                # The socket does not tell it a second time; the user hears of it in the loop's next turn.
                self._early = error.errno or 0
            return False
        self._unsent = self._unsent[sent:]
        return not self._unsent

    def _connecting(self) -> None:
        """The socket became writable."""
        t = _monotonic()
        try:
            failure = self._early or self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            # What was taken and reset before we looked ends as if it had been reset a moment later.
            if failure and not (was_taken(failure) and self._tunnel is None and self.tls is None):
                raise OSError(failure, os.strerror(failure))
            self.connected = True
            self._stop_writer()
            if self._tunnel is not None:
                self._watch(self._through_proxy)
                self._through_proxy()
            else:
                self._begin()
        except OSError as error:
            self._fail(error, t)

    def _watch(self, callback: Callable[[], None]) -> None:
        """From now on, this is what happens when there is something to read."""
        if self._reader is not None:
            self._reader.stop()
        self._reader = self.reactor.reader(self._sock.fileno(), callback)

    def _through_proxy(self) -> None:
        """Ask the proxy for the way, or read its answer."""
        tunnel, t = self._tunnel, _monotonic()
        assert tunnel is not None
        try:
            if not tunnel.advance(self._sock):
                return
            self._tunnel = None
            self._begin()
        except (TunnelError, OSError) as error:
            self._fail(error, t)

    def _begin(self) -> None:
        """The socket leads to the endpoint. Raises OSError."""
        if self.tls is not None:
            self._watch(self._tls_handshake)
            self._tls_handshake()
        else:
            self._watch(self._readable)
            self._flush()

    def _tls_handshake(self) -> None:
        assert self.tls is not None
        t = _monotonic()
        try:
            if not self.tls.handshake():
                return
            self._sock = self.tls
            self._watch(self._readable)
            self._flush()
        except OSError as error:
            self._fail(error, t)
            return
        self._readable()

    def _fail(self, error: OSError | TunnelError, t: float) -> None:
        """No connection came about."""
        self.shut()
        problem: Problem = "tls" if isinstance(error, ssl.SSLError) else "lost"
        trouble = own_trouble(error) if isinstance(error, OSError) else None
        if trouble is not None:
            detail = trouble
        elif isinstance(error, TunnelError):
            problem, detail = "proxy", error.problem
        elif self._tunnel is not None:
            problem, detail = "proxy", phrase("proxy-lost", error=socket_problem(error))
        else:
            detail = socket_problem(error)
        self._user.refused(Refused(t, "user", problem, None, (), b"", detail))

    # Reading

    def stop_reading(self) -> None:
        """Take nothing more from the socket; only once the handshake is over."""
        if self._reader is not None:
            self._reader.stop()
            self._reader = None

    def read_on(self) -> None:
        """Read again after `stop_reading`."""
        if self._reader is None and not self.over:
            self._reader = self.reactor.reader(self._sock.fileno(), self._readable)

    # Writing

    def _write(self, data: bytes) -> None:
        if self._unsent or not self.connected or (self.tls is not None and self._sock is not self.tls):
            self._unsent += data
            if len(self._unsent) > MAX_UNSENT_BYTES:
                self.shut()
                detail = phrase("reads-too-slowly", bytes=len(self._unsent))
                # Not now: the user is just about to send.
                self.reactor.later(0, lambda: self._user.ended(None, detail, _monotonic()))
            return
        try:
            sent = self._sock.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            return  # what the server sent before it left is still to be read, and the end after it
        if sent < len(data) or (self.tls is not None and self.tls.unsent):
            self._unsent = data[sent:]
            if self._writer is None:
                self._writer = self.reactor.writer(self._sock.fileno(), self._flush)

    def _flush(self) -> None:
        """Write what waits."""
        try:
            if self.tls is not None:
                self.tls.flush()
            while self._unsent:
                self._unsent = self._unsent[self._sock.send(self._unsent) :]
        except BlockingIOError:
            if self._writer is None:
                self._writer = self.reactor.writer(self._sock.fileno(), self._flush)
            return
        except OSError:
            self._unsent = b""
        if self.tls is None or not self.tls.unsent:
            self._stop_writer()

    def _stop_writer(self) -> None:
        if self._writer is not None:
            self._writer.stop()
            self._writer = None

    # Ending

    def drop(self) -> None:
        """Reset the TCP connection; the user hears nothing of it."""
        if not self.over:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.shut()

    def shut(self) -> None:
        """Close the socket; idempotent."""
        if self.over:
            return
        self.over = True
        self._stop_writer()
        if self._reader is not None:
            self._reader.stop()
            self._reader = None
        self._sock.close()
        self._leave_place()

    def _leave_place(self) -> None:
        place, self._place = self._place, None
        if place is not None:
            place.release(self._port)
