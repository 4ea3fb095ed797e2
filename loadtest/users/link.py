"""A virtual user's connection: what comes over its line (`loadtest.users.line`), with a fast path for what is usual.

An answer to the handshake that is known (`opening.py`), and whole, unfragmented frames of text, nearly all there is,
are taken apart here; anything else goes through `conformance.transport.protocol`, the same wire state that the
conformance suite has, which is there only while it is needed.
"""

import ssl
import time

from conformance.transport.exchange import (
    Close,
    CloseReceived,
    Control,
    Ended,
    Happening,
    Opened,
    Received,
    Refused,
)
from conformance.transport.protocol import Wire
from conformance.transport.target import Target
from contract.findings import Phrase, phrase
from loadtest.settings.sources import Place
from loadtest.users.line import Line, User
from loadtest.users.opening import HEADERS_END, MAX_MESSAGE_BYTES, Opening
from loadtest.users.reactor import Reactor
from wire.close_codes import CloseCode
from wire.frames import FINAL_TEXT, Opcode, RawFrame, masked_close, masked_text, payload_span

READ_BYTES = 65_536

FAREWELL = RawFrame(Opcode.CLOSE, int(CloseCode.NORMAL_CLOSURE).to_bytes(2, "big"), masked=False).encode()
"""How nearly every server answers our close frame, when a user leaves in good order."""

EOF, RESET = phrase("tcp-eof"), phrase("tcp-reset")

_monotonic = time.monotonic


class Link(Line):
    """One connection. The user hears what happens to it, and nothing any more once it is `over`."""

    __slots__ = (
        *("_head", "_open", "_opening", "_raw", "_rest", "_wire"),
        *("accepted", "code", "legal", "reset", "violation"),
    )

    def __init__(
        self, user: User, reactor: Reactor, target: Target, opening: Opening, place: Place | None = None
    ) -> None:
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
        self._open = False
        """Whether messages can be sent: the handshake was accepted, and no close frame has gone either way."""
        self._raw = False
        self._opening: Opening | None = opening
        self._wire: Wire | None = None
        super().__init__(user, reactor, target, opening.data, place, narrowed=opening.narrow)

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
        """Take frames apart. What is not whole yet is kept; what comes after a close frame is no message."""
        if self.code is not None and self._wire is None:
            return
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
            elif data[at:end] == FAREWELL and self._wire is None and not self._open:
                self.code = int(CloseCode.NORMAL_CLOSURE)
                return
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
            self.accepted = self._open = True
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
            if self._open:
                self._wire = None
            if data[split:]:
                self._frames(data[split:], t)
        elif data[split:]:
            self._raw = True
            self._happen(data[split:], t)

    def _open_wire(self) -> Wire:
        if self._wire is None:
            self._wire = Wire("user", self._target.uri, None, MAX_MESSAGE_BYTES)
            if not self._open:
                # Our close frame went out without a wire.
                self._wire.close(Close("user", CloseCode.NORMAL_CLOSURE))
                self._wire.out()
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
                self.accepted, self._open, self._opening = True, True, None
                self._user.opened(t)
            case Refused():
                self.shut()
                self._user.refused(happening)
            case Received():
                self._user.strange(happening, t)
            case Control(opcode=Opcode.PING):
                self._user.pinged(t)
            case CloseReceived(code=code, legal=legal):
                self._open = False
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
        self._user.ended(self.code, RESET if reset else EOF, t)

    def _end_tls(self, error: ssl.SSLError) -> None:
        """TLS failed; where no answer came, it is the handshake's end: a client's certificate is judged after it."""
        if self.accepted:
            self._end(_monotonic(), reset=True)
        else:
            self._fail(error, _monotonic())

    # Writing

    def send_text(self, payload: bytes) -> None:
        """Send a message of text; after a close frame, nothing is sent."""
        if self._open:
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
        if not self._open:
            return
        if self._wire is None and code == CloseCode.NORMAL_CLOSURE:
            self._open = False
            self._write(masked_close(FAREWELL[2:]))
            return
        wire = self._open_wire()
        self._open = False
        wire.close(Close("user", code))
        self._write_wire(wire)

    def _write_wire(self, wire: Wire) -> None:
        data, _ = wire.out()
        if data and not self.over:
            self._write(data)

    # Ending

    def shut(self) -> None:
        """Close the socket; idempotent."""
        super().shut()
        self._open = False
        if self._wire is not None:
            self._wire.release()
        self._wire = self._opening = None
