"""One connection's wire: bytes in, happenings out. Sans-I/O, over `websockets`' `ClientProtocol`.

The library does the handshake, framing, masking and RFC 7692. What it must not do for a tester is changed
here: pings may stay unanswered, any frame may be written, and illegal close codes are seen, not hidden.
"""

import logging
import os
import zlib
from base64 import b64encode
from collections.abc import Generator, Iterator

from websockets.client import ClientProtocol
from websockets.exceptions import (
    InvalidHeader,
    InvalidMessage,
    InvalidStatus,
    NegotiationError,
    PayloadTooBig,
)
from websockets.frames import Frame
from websockets.http11 import Request as HttpRequest
from websockets.http11 import Response
from websockets.protocol import SEND_EOF, State
from websockets.streams import StreamReader
from websockets.typing import Subprotocol
from websockets.uri import WebSocketURI
from websockets.utils import accept_key

from conformance.transport.exchange import (
    Close,
    CloseReceived,
    Control,
    Ended,
    Happening,
    Opened,
    OutFrame,
    Problem,
    Received,
    Refused,
    Request,
)
from conformance.transport.responses import MAX_SHOWN, StatusLine, about, header_problem
from contract.findings import Phrase, phrase
from wire.close_codes import code_of, is_legal_code
from wire.deflate import Offer
from wire.frames import Opcode

# The library logs frames, and with them tokens; transcripts are our log.
_SILENT = logging.getLogger("wsproof.wire")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False
_SILENT.setLevel(logging.CRITICAL + 1)

MAX_CONTROL_BYTES = 125
"""Of a control frame's payload (RFC 6455 §5.5)."""

MAX_BODY_BYTES = 65_536
"""Bytes that are kept of a refusal's body."""


def new_key() -> str:
    """The key of a handshake (RFC 6455 §4.1); the library's own asks three modules for its random bytes."""
    return b64encode(os.urandom(16)).decode()


def accept_value(key: str) -> str:
    """What a server answers to it (RFC 6455 §4.2.2)."""
    return accept_key(key)


class HeadReader(StreamReader):
    """The library's reader, which remembers the first two bytes of the frame that is being read."""

    head = b""

    def read_exact(self, n: int) -> Generator[None, None, bytearray]:
        """Read so many bytes. Raises `EOFError` where the stream ends before."""
        data = yield from super().read_exact(n)
        self.head = self.head or bytes(data)
        return data


class TesterProtocol(ClientProtocol):
    """`ClientProtocol` that shows what the server did instead of repairing it."""

    answer_pings = True
    close_payload: bytes | None = None

    def parse(self) -> Generator[None]:
        """Parse what arrives, with a reader that knows where a frame began."""
        self.reader = self.heads = HeadReader()
        return (yield from super().parse())

    def recv_frame(self, frame: Frame) -> None:
        """Keep every frame for the tester, also one that the library refuses afterwards."""
        if frame.opcode is Opcode.CLOSE:
            self.close_payload = bytes(frame.data)
        super().recv_frame(frame)
        self.heads.head = b""

    def send_frame(self, frame: Frame) -> None:
        """Send, but leave the library's own pong out where pings are to stay unanswered."""
        if frame.opcode is Opcode.PONG and not self.answer_pings:
            return
        super().send_frame(frame)


class Wire:
    """The wire state of one actor. `feed` and `eof` take what arrived; `out` gives what must be written.

    Without a request it takes up a connection whose handshake is over, with no extension, between two frames. `key` is
    that of the handshake; None: a new one.
    """

    def __init__(
        self, actor: str, uri: WebSocketURI, request: Request | None, max_message_bytes: int, key: str | None = None
    ) -> None:
        self.actor = actor
        self._max_message_bytes = max_message_bytes
        self._request_made = request
        self._raw_writes: list[bytes] = []
        self._message = bytearray()
        self._opcode = 0
        self._sizes: list[int] = []
        self.frames = 0
        """Frames of any kind that were received so far."""
        self._over = False
        self._status_line = StatusLine()
        self._response: Response | None = None
        self.protocol = TesterProtocol(
            uri,
            extensions=[Offer(request.deflate)] if request is not None and request.deflate is not None else None,
            subprotocols=[Subprotocol(name) for name in request.subprotocols] or None if request is not None else None,
            state=State.CONNECTING if request is not None else State.OPEN,
            max_size=max_message_bytes,
            logger=_SILENT,
        )
        if key is not None:
            self.protocol.key = key
        if request is not None:
            self.protocol.answer_pings = request.answer_control_pings
            self.protocol.send_request(self._request(request))

    @property
    def is_open(self) -> bool:
        """Whether messages can be sent."""
        return self.protocol.state is State.OPEN

    @property
    def between_messages(self) -> bool:
        """Whether no message and no closing is under way; what was fed so far has to end with a frame."""
        return self.protocol.state is State.OPEN and self.protocol.current_size is None

    @property
    def handshaking(self) -> bool:
        """Whether no answer to the handshake has been read yet."""
        return self.protocol.state is State.CONNECTING and self.protocol.handshake_exc is None

    def _request(self, request: Request) -> HttpRequest:
        built = self.protocol.connect()
        built.path = request.target
        for name, value in request.headers:
            if name in built.headers:
                del built.headers[name]
            built.headers[name] = value
        if not request.upgrade:
            for name in [name for name in built.headers if name.lower() != "host"]:
                if name.lower() in ("upgrade", "connection") or name.lower().startswith("sec-websocket"):
                    del built.headers[name]
        return built

    def send(self, frames: tuple[OutFrame, ...]) -> bool:
        """Queue frames. False: the connection is closing or closed and takes none any more."""
        if self.protocol.state is not State.OPEN:
            return False
        for frame in frames:
            if frame.raw:
                self._raw_writes.extend(self.protocol.data_to_send())
                self._raw_writes.append(frame.encode())
            else:
                self.protocol.send_frame(Frame(Opcode(frame.opcode), frame.payload, frame.fin))
        return True

    def close(self, close: Close) -> bool:
        """Queue a close frame. False: the connection is not open."""
        if self.protocol.state is not State.OPEN:
            return False
        self.protocol.send_close(close.code, close.reason)
        return True

    def out(self) -> tuple[bytes, bool]:
        """What to write now, and whether our half of the connection ends after it."""
        writes = self._raw_writes + self.protocol.data_to_send()
        self._raw_writes = []
        return b"".join(writes), SEND_EOF in writes

    def feed(self, data: bytes, t: float) -> Iterator[Happening]:
        """Bytes from the server, read at time `t`."""
        if self._over:
            return
        if self.handshaking:
            data = self._status_line.take(data)
        if data:
            self.protocol.receive_data(data)
        yield from self._happenings(t)

    def eof(self, t: float, *, reset: bool = False) -> Iterator[Happening]:
        """The server's end of the stream: a FIN, or a reset."""
        if self._over:
            return
        handshaking = self.handshaking
        if handshaking and (held := self._status_line.rest()):
            self.protocol.receive_data(held)
        self.protocol.receive_eof()
        yield from self._happenings(t)
        if self._over:
            return
        self._over = True
        if handshaking:
            yield Refused(t, self.actor, "lost", None, (), b"", phrase("handshake-unanswered"))
        else:
            yield Ended(t, self.actor, "reset" if reset else "eof")

    def release(self) -> None:
        """Nothing more will be read: give back what was, which cycles would keep until the next collection."""
        self._over = True
        self.protocol.parser.close()
        self.protocol.reader.buffer.clear()
        self._message = bytearray()

    def _happenings(self, t: float) -> Iterator[Happening]:
        refused = self.protocol.handshake_exc
        for event in self.protocol.events_received():
            if isinstance(event, Response):
                self._response = event
                if refused is None:
                    headers = tuple(event.headers.raw_items())
                    protocol, note = self.protocol, self._status_line.note
                    yield Opened(t, self.actor, headers, protocol.subprotocol, bool(protocol.extensions), note)
            elif isinstance(event, Frame):
                self.frames += 1
                yield from self._frame(event, t)
        if refused is not None:
            self._over = True
            yield self._refusal(refused, t)
            return
        problem = self.protocol.parser_exc
        if problem is None or isinstance(problem, EOFError):
            return
        if self.protocol.close_payload is not None:
            yield self._close_received(self.protocol.close_payload, t)
        self._over = True
        too_big = isinstance(problem, PayloadTooBig)
        detail = phrase("message-too-big", bytes=self._max_message_bytes) if too_big else self._broken(problem)
        yield Ended(t, self.actor, "flood" if too_big else "violation", detail)

    def _broken(self, problem: Exception) -> Phrase:
        """What is wrong with the frame that the library refused (RFC 6455 §5, RFC 7692 §6)."""
        if isinstance(problem.__cause__, zlib.error):
            return phrase("frame-inflate")
        first, second, *_ = *self.protocol.heads.head, 0, 0
        opcode, fin, length = first & 0x0F, first & 0x80, second & 0x7F
        control, unfinished = opcode & 0x08, self.protocol.current_size is not None
        if opcode not in Opcode._value2member_map_:
            return phrase("frame-opcode", opcode=f"{opcode:x}")
        if second & 0x80:
            return phrase("frame-masked")
        if first & 0x30 or (first & 0x40 and (control or opcode == Opcode.CONT or not self.protocol.extensions)):
            return phrase("frame-reserved-bits")
        if control and not fin:
            return phrase("frame-control-cut")
        if control and length > MAX_CONTROL_BYTES:
            return phrase("frame-control-long")
        if opcode == Opcode.CLOSE:
            return phrase("frame-close-too-early" if unfinished else "frame-close")
        if control:
            return phrase("frame-other")
        return phrase("frame-nothing-to-continue" if opcode == Opcode.CONT else "frame-unfinished-message")

    def _frame(self, frame: Frame, t: float) -> Iterator[Happening]:
        data = bytes(frame.data)
        if frame.opcode in (Opcode.PING, Opcode.PONG):
            yield Control(t, self.actor, int(frame.opcode), data)
        elif frame.opcode is Opcode.CLOSE:
            yield self._close_received(data, t)
            self.protocol.close_payload = None
        else:
            if frame.opcode is not Opcode.CONT:
                self._message, self._opcode, self._sizes = bytearray(), int(frame.opcode), []
            self._sizes.append(len(data))
            if frame.fin and len(self._sizes) == 1:
                yield Received(t, self.actor, self._opcode, data, (len(data),))
                return
            # No list of fragments: a peer may send a million of a byte.
            self._message += data
            if frame.fin:
                yield Received(t, self.actor, self._opcode, bytes(self._message), tuple(self._sizes))
                self._message = bytearray()

    def _close_received(self, payload: bytes, t: float) -> CloseReceived:
        code = code_of(payload)
        if code is None:
            return CloseReceived(t, self.actor, None, "", legal=not payload)
        reason = payload[2:].decode("utf-8", "replace")
        return CloseReceived(t, self.actor, code, reason, is_legal_code(code))

    def _refusal(self, error: Exception, t: float) -> Refused:
        response = self._response
        status = response.status_code if response is not None else None
        headers = tuple(response.headers.raw_items()) if response is not None else ()
        body = bytes(response.body or b"")[:MAX_BODY_BYTES] if response is not None else b""
        problem, detail = self._diagnosed(error)
        more = about(response, body) if response is not None and problem == "status" else None
        return Refused(t, self.actor, problem, status, headers, body, detail, more, self._status_line.note)

    def _diagnosed(self, error: Exception) -> tuple[Problem, Phrase]:
        """What is wrong with the answer to the handshake (RFC 6455 §4.2.2, RFC 7692 §7.1)."""
        response = self._response
        if isinstance(error, InvalidMessage) and isinstance(error.__cause__, EOFError):
            return "lost", phrase("handshake-unanswered")
        if response is None:
            return "response", phrase("answer-not-http")
        if isinstance(error, InvalidStatus):
            reason = response.reason_phrase[:MAX_SHOWN]
            return "status", phrase("answer-status", status=response.status_code, reason=reason)
        if isinstance(error, NegotiationError):
            return "negotiation", self._not_negotiated(response)
        if isinstance(error, InvalidHeader):
            problem: Problem = "accept" if error.name == "Sec-WebSocket-Accept" else "response"
            return problem, header_problem(response, error.name, error.value)
        return "response", phrase("answer-wrong")

    def _not_negotiated(self, response: Response) -> Phrase:
        if len(response.headers.get_all("Sec-WebSocket-Protocol")) > 1:
            return header_problem(response, "Sec-WebSocket-Protocol", None)
        extensions = ", ".join(response.headers.get_all("Sec-WebSocket-Extensions"))[:MAX_SHOWN]
        subprotocols = ", ".join(response.headers.get_all("Sec-WebSocket-Protocol"))[:MAX_SHOWN]
        request = self._request_made
        offered = request.subprotocols if request is not None else ()
        if extensions and (not subprotocols or subprotocols in offered):
            known = request is not None and request.deflate is not None and "permessage-deflate" in extensions.lower()
            return phrase("answer-extension" if known else "answer-extension-not-offered", extensions=extensions)
        return phrase("answer-subprotocol", subprotocol=subprotocols)
