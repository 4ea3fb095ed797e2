"""A virtual user's connection: a non-blocking socket, driven by a reactor, with a fast path for what is usual.

An answer to the handshake that is known (`opening.py`), and whole, unfragmented frames of text, nearly all there is,
are taken apart here; anything else goes through `conformance.transport.protocol`, the same wire state that the
conformance suite has, which is there only while it is needed.
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

from conformance.transport.exchange import (
    Close,
    CloseReceived,
    Control,
    Ended,
    Happening,
    Opened,
    Problem,
    Received,
    Refused,
)
from conformance.transport.protocol import Wire
from conformance.transport.proxy import TunnelError
from conformance.transport.sockets import narrow
from conformance.transport.target import Target, socket_problem, was_taken
from conformance.transport.troubles import own_trouble
from contract.findings import Phrase, phrase
from loadtest.opening import HEADERS_END, MAX_MESSAGE_BYTES, Opening
from loadtest.sources import Place
from loadtest.tls import TlsSocket
from wire.close_codes import CloseCode
from wire.frames import FINAL_TEXT, Opcode, masked_text, payload_span

READ_BYTES = 65_536
MAX_UNSENT_BYTES = 4_194_304
"""What may wait for an endpoint that reads too slowly; more ends the connection."""

NOT_YET = frozenset((errno.EAGAIN, errno.ENOTCONN, errno.EINPROGRESS))
"""What sending says before there is a connection."""

PlainSocket = _socket.SocketType
"""The interpreter's own socket: under Locust, `socket.socket` is one of gevent's, which would block its greenlet."""

_monotonic = time.monotonic


class Watch(Protocol):
    """Calls back while a descriptor is readable, or writable."""

    def stop(self) -> None: ...  # said above


class Reactor(Protocol):
    """What drives connections: gevent's loop under Locust, a selector in tests."""

    def reader(self, descriptor: int, callback: Callable[[], None]) -> Watch:
        """Call back whenever the descriptor can be read."""

    def writer(self, descriptor: int, callback: Callable[[], None]) -> Watch:
        """Call back whenever the descriptor can be written."""

    def later(self, seconds: float, callback: Callable[[], None]) -> Watch:
        """Call back once, after so many seconds; a millisecond later at the most where nothing else is to do."""


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


class Link:
    """One connection. The user hears what happens to it, and nothing any more once it is `over`."""

    __slots__ = (
        *(
            "_early",
            "_place",
            "_port",
            "_head",
            "_opening",
            "_raw",
            "_reader",
            "_rest",
            "_sock",
            "_target",
            "_tunnel",
            "_unsent",
            "_user",
            "_wire",
            "_writer",
        ),
        *("accepted", "code", "connected", "legal", "over", "reactor", "reset", "tls", "violation"),
    )

    def __init__(
        self, user: User, reactor: Reactor, target: Target, opening: Opening, place: Place | None = None
    ) -> None:
        self._user = user
        self._target = target
        self.reactor = reactor
        self.over = False
        self.connected = False
        self.tls: TlsSocket | None = None
        self.code: int | None = None
        self.legal = True
        """Whether the server's close frame had a code that is legal there, or none."""
        self.reset = False
        """Whether TCP was reset."""
        self.violation: Phrase | None = None
        """The server's frames broke the rules, and the connection was ended for that."""
        self._rest = b""
        self._head = b""
        self.accepted = False
        self._raw = False
        self._opening: Opening | None = opening
        self._wire: Wire | None = None
        self._unsent = opening.data
        self._reader: Watch | None = None
        self._writer: Watch | None = None
        self._early = 0
        self._place = place
        self._port = 0
        self._tunnel = target.tunnel()
        self._sock: PlainSocket | TlsSocket = self._socket(narrowed=opening.narrow)
        if self.tls is None and self._tunnel is None and self._sent_at_once():
            self.connected = True
            self._reader = reactor.reader(self._sock.fileno(), self._readable)
        else:
            self._writer = reactor.writer(self._sock.fileno(), self._connecting)

    def _socket(self, *, narrowed: bool) -> "PlainSocket | TlsSocket":
        made = PlainSocket(self._target.family, socket.SOCK_STREAM)
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

    def _readable(self) -> None:
        while not self.over:
            try:
                data = self._sock.recv(READ_BYTES)
            except (BlockingIOError, InterruptedError):
                return
            except ssl.SSLError as error:
                self._end_tls(error)
                return
            except OSError:
                self._end(_monotonic(), reset=True)
                return
            t = _monotonic()
            if not data:
                self._end(t)
                return
            if self._wire is not None:
                self._through_wire(data, t)
            elif self._opening is not None:
                self._answered(self._opening, data, t)
            else:
                if self._rest:
                    data = self._rest + data
                    self._rest = b""
                self._frames(data, t)
            if self.tls is None:
                return

    def _frames(self, data: bytes, t: float) -> None:
        """Take frames apart. What is not whole yet is kept."""
        size, at = len(data), 0
        message = self._user.message
        while at < size:
            span = payload_span(data, at)
            if span is None:
                break
            start, end = span
            if end - start > MAX_MESSAGE_BYTES:  # or masked, which the wire refuses
                self._raw = True
                self._rest = b""
                self._open_wire()
                self._through_wire(data[at:], t)
                return
            if end > size:
                break
            if data[at] == FINAL_TEXT and self._wire is None:
                message(data[start:end], t)
            else:
                self._open_wire()
                self._happen(data[at:end], t)
            if self.over:
                return
            at = end
        self._rest = data[at:] if at < size else b""

    def _answered(self, opening: Opening, data: bytes, t: float) -> None:
        """The first that comes: usually a whole answer, and one that is known."""
        size = data.find(HEADERS_END) + len(HEADERS_END)
        head = data[:size]
        whole = size >= len(HEADERS_END)
        if whole and opening.is_known(head):
            self._opening = None
            self.accepted = True
            self._user.opened(t)
            if len(data) > size and not self.over:
                self._frames(data[size:], t)
            return
        self._wire = opening.wire()
        self._through_wire(data, t)
        if self.accepted and whole:
            opening.accepted(head)

    def _through_wire(self, data: bytes, t: float) -> None:
        if self._raw:
            self._happen(data, t)
        elif self.accepted:
            whole, self._rest = self._rest + data, b""
            self._frames(whole, t)
        else:
            self._handshake(data, t)

    def _handshake(self, data: bytes, t: float) -> None:
        """The response's headers go to the wire, and what is behind them is told apart from them."""
        seen = self._head + data
        found = seen.find(HEADERS_END)
        if found < 0:
            self._head = seen[-len(HEADERS_END) + 1 :]
            self._happen(data, t)
            return
        split = found + len(HEADERS_END) - len(self._head)
        self._head = b""
        self._happen(data[:split], t)
        if self.over:
            return
        if self.accepted:
            self._wire = None
            if data[split:]:
                self._frames(data[split:], t)
        elif data[split:]:
            self._raw = True
            self._happen(data[split:], t)

    def _open_wire(self) -> Wire:
        if self._wire is None:
            self._wire = Wire("user", self._target.uri, None, MAX_MESSAGE_BYTES)
        return self._wire

    def _happen(self, data: bytes, t: float) -> None:
        """Feed the wire, and tell what comes of it."""
        wire = self._wire
        assert wire is not None
        for happening in wire.feed(data, t):
            self._tell(happening, t)
            if self.over:
                return
        self._write_wire(wire)
        if self._wire is wire and self.accepted and not self._raw and wire.between_messages:
            self._wire = None

    def _tell(self, happening: Happening, t: float) -> None:
        match happening:
            case Opened():
                self.accepted, self._opening = True, None
                self._user.opened(t)
            case Refused():
                self.shut()
                self._user.refused(happening)
            case Received():
                self._user.strange(happening, t)
            case Control(opcode=Opcode.PING):
                self._user.pinged(t)
            case CloseReceived(code=code, legal=legal):
                self.code = code if code is not None else int(CloseCode.NO_STATUS_RCVD)
                self.legal = legal
            case Ended(how=how, detail=detail):
                self.shut()
                self.reset = how == "reset"
                if how == "violation":
                    self.violation = detail or phrase("frame-other")
                self._user.ended(self.code, detail or phrase(f"tcp-{how}"), t)
            case _:
                pass

    def _end(self, t: float, *, reset: bool = False) -> None:
        """The server's end of the stream."""
        if self._opening is not None:
            self._wire = self._wire or self._opening.wire()
            for happening in self._wire.eof(t, reset=reset):
                self._tell(happening, t)
            if not self.over:
                self.shut()
                self._user.refused(Refused(t, "user", "lost", None, (), b"", phrase("handshake-unanswered")))
            return
        self.shut()
        self.reset = reset
        self._user.ended(self.code, phrase("tcp-reset" if reset else "tcp-eof"), t)

    def stop_reading(self) -> None:
        """Take nothing more from the socket; only once the handshake is over."""
        if self._reader is not None:
            self._reader.stop()
            self._reader = None

    def read_on(self) -> None:
        """Read again after `stop_reading`."""
        if self._reader is None and not self.over:
            self._reader = self.reactor.reader(self._sock.fileno(), self._readable)

    def _end_tls(self, error: ssl.SSLError) -> None:
        """TLS failed; where no answer came, it is the handshake's end: a client's certificate is judged after it."""
        if self.accepted:
            self._end(_monotonic(), reset=True)
        else:
            self._fail(error, _monotonic())

    # Writing

    def send_text(self, payload: bytes) -> None:
        """Send a message of text; after a close frame, nothing is sent."""
        if self._opening is None and (self._wire is None or (self._wire.is_open and not self.over)):
            frame = masked_text(payload)
            if self._unsent or self.tls is not None or not self.connected:
                self._write(frame)
                return
            try:
                sent = self._sock.send(frame)
            except OSError:
                sent = 0  # as yet, or never more: writing what waits tells
            if sent < len(frame):
                self._write(frame[sent:])

    def close(self, code: int | None = 1000) -> None:
        """Send a close frame."""
        if self.over or not self.accepted:
            return
        wire = self._open_wire()
        wire.close(Close("user", code))
        self._write_wire(wire)

    def _write_wire(self, wire: Wire) -> None:
        data, _ = wire.out()
        if data and not self.over:
            self._write(data)

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
        if self._wire is not None:
            self._wire.release()
        self._wire = self._opening = None
        self._sock.close()
        self._leave_place()

    def _leave_place(self) -> None:
        place, self._place = self._place, None
        if place is not None:
            place.release(self._port)
