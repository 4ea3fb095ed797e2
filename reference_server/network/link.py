"""One connection: frames and messages between the library and the core."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any, ClassVar

from websockets.asyncio.server import Server, ServerConnection
from websockets.exceptions import ProtocolError
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame as LibraryFrame
from websockets.frames import Opcode
from websockets.protocol import CONNECTING, OPEN, Event
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from reference_server.exchange import (
    BINARY,
    CONTINUATION,
    TEXT,
    Account,
    Binary,
    Close,
    ControlPong,
    Frame,
    Lost,
    Opened,
    Outgoing,
    Text,
)
from reference_server.network.hall import Hall

logger = logging.getLogger("wsproof.reference_server")

# The library's own log holds request targets and headers, and with them tokens.
library_logger = logging.getLogger("wsproof.reference_server.websockets")
library_logger.setLevel(logging.WARNING)

CAUSES = {1002: "protocol_error", 1007: "invalid_utf8", 1009: "too_large", 1011: "internal_error"}
"""Why the library fails a connection; the profile names the code."""


class Wire(ServerProtocol):
    """The library's protocol with the profile's close codes, and with every frame handled in its place.

    The library answers all pings of a read before the application sees its first message; here an answer to a
    message precedes the pong to a ping that came after it, so that a pong proves what came before it handled.
    """

    link: "Link"

    def select_subprotocol(self, subprotocols: Sequence[Subprotocol]) -> Subprotocol | None:
        """Select the one that announces a token, where the profile has tokens travel so."""
        selected = self.link.hall.assembly.door.subprotocol(subprotocols)
        return Subprotocol(selected) if selected is not None else None

    def recv_frame(self, frame: LibraryFrame) -> None:
        """Process a frame, and hand it on at once."""
        if self.state is CONNECTING:
            raise ProtocolError("a frame before the handshake was answered")  # RFC 6455 §4.1
        frames: list[Frame] = [Frame(self.link.key, int(frame.opcode), bytes(frame.data), frame.fin)]
        for seam in self.link.hall.assembly.seams:
            frames = [out for one in frames for out in seam.frame_in(one)]
        for one in frames:
            super().recv_frame(LibraryFrame(Opcode(one.opcode), one.data, one.final))
            self.link.received(one)

    def send_frame(self, frame: LibraryFrame) -> None:
        """Write a frame; control frames pass the seams."""
        if frame.opcode < Opcode.CLOSE:
            super().send_frame(frame)
            return
        frames: list[Frame] = [Frame(self.link.key, int(frame.opcode), bytes(frame.data))]
        for seam in self.link.hall.assembly.seams:
            frames = [out for one in frames for out in seam.control_out(one)]
        for one in frames:
            super().send_frame(LibraryFrame(Opcode(one.opcode), one.data))

    def send_eof(self) -> None:
        """End our half of the TCP connection."""
        if self.link.ends_tcp:
            super().send_eof()
        else:
            self.eof_sent = True

    def fail(self, code: int, reason: str = "") -> None:
        """Fail the connection (RFC 6455 §7.1.7) with the profile's code for the cause (CLOSE-04)."""
        cause = CAUSES.get(code)
        super().fail(self.link.hall.assembly.profile.close_codes[cause] if cause else code, reason)
        self.link.lost(clean=False)


class Link(ServerConnection):
    """One connection: puts messages together, and writes without ever waiting for a slow reader."""

    hall: ClassVar[Hall]
    protocol: Wire

    def __init__(self, protocol: ServerProtocol, server: Server, **options: Any) -> None:
        limit = self.hall.assembly.profile.limits.message_bytes
        # What does not compress takes a little more on the wire than the limit that counts after inflating.
        wire = Wire(
            extensions=protocol.available_extensions,
            max_size=limit + limit // 1000 + 64,
            logger=library_logger,
        )
        wire.link = self
        super().__init__(wire, server, **options)
        self.key = self.hall.new_key()
        self.account: Account | None = None
        self._limit = limit
        self._message = bytearray()
        self._is_text = True
        self._opened = False
        self._dropped = False
        self._end_timer: asyncio.TimerHandle | None = None

    @property
    def ends_tcp(self) -> bool:
        """Whether nothing keeps this connection open after the closing handshake."""
        return all(seam.ends_tcp(self.key) for seam in self.hall.assembly.seams)

    # From the core

    def perform(self, outgoing: Outgoing) -> None:
        """Do what the core wants; what a closing connection cannot take any more is left out."""
        match outgoing:
            case Frame():
                self._write(outgoing)
            case Close(code=code, reason=reason) if self.protocol.state is OPEN:
                logger.info("connection %d: closing with %d", self.key, code)
                self.protocol.send_close(code, reason)
                self.send_data()
                self._expect_end()
            case Close():
                pass
            case _:
                self.transport.abort()

    def _write(self, frame: Frame) -> None:
        protocol = self.protocol
        if protocol.state is not OPEN or self._dropped or self.transport.is_closing():
            return
        match frame.opcode:
            case 1:
                protocol.send_text(frame.data, frame.final)
            case 2:
                protocol.send_binary(frame.data, frame.final)
            case 0:
                protocol.send_continuation(frame.data, frame.final)
            case _:
                protocol.send_ping(frame.data)
        self.send_data()

    def cut(self, *, handshaking: bool) -> None:
        """End the TCP connection without a close frame."""
        if not handshaking or self.state is CONNECTING:
            self.transport.abort()

    def _expect_end(self) -> None:
        if self._end_timer is None and self.ends_tcp:
            self._end_timer = self.loop.call_later(self.hall.settings.close_timeout, self.transport.abort)

    # To the core

    def opened(self, account: Account) -> None:
        """The handshake is done."""
        self._opened = True
        for coder in self.protocol.extensions:
            for seam in self.hall.assembly.seams:
                assert isinstance(coder, PerMessageDeflate)
                seam.compression(self.key, coder)
        logger.info("connection %d: opened for %s", self.key, account.id)
        self.hall.handle(Opened(self.key, account))

    def lost(self, *, clean: bool) -> None:
        """The connection is over, or as good as over. Only the first call counts."""
        if self._opened:
            self._opened = False
            logger.info("connection %d: %s", self.key, "closed" if clean else "ended")
            self.hall.handle(Lost(self.key, clean))

    def received(self, frame: Frame) -> None:
        """A frame that the library found legal."""
        match Opcode(frame.opcode):
            case Opcode.TEXT | Opcode.BINARY:
                self._message = bytearray(frame.data)
                self._is_text = frame.opcode == TEXT
            case Opcode.CONT:
                self._message += frame.data
            case Opcode.CLOSE:
                self.lost(clean=True)
            case Opcode.PONG:
                self.hall.handle(ControlPong(self.key))
        if frame.opcode in (TEXT, BINARY, CONTINUATION):
            if len(self._message) > self._limit:
                self.protocol.fail(1009, f"more than {self._limit} bytes")
            elif frame.final:
                self._deliver(bytes(self._message))

    def _deliver(self, message: bytes) -> None:
        self._message = bytearray()
        if not self._is_text:
            self.hall.handle(Binary(self.key, message))
            return
        for seam in self.hall.assembly.seams:
            message = seam.text_in(self.key, message)
        try:
            text = message.decode()
        except UnicodeDecodeError as error:
            self.protocol.fail(1007, f"{error.reason} at position {error.start}")
        else:
            self.hall.handle(Text(self.key, text))

    # From asyncio

    def process_event(self, event: Event) -> None:
        """Take the handshake's request; frames were handled one by one before."""
        if self.request is None:
            super().process_event(event)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A TCP connection, with TLS where there is to be any."""
        super().connection_made(transport)
        self.hall.enter(self.key, self)

    def data_received(self, data: bytes) -> None:
        """Bytes from the client. A peer that is told to go gets `close_timeout` seconds for it."""
        if self.protocol.state is not CONNECTING:
            for seam in self.hall.assembly.seams:
                data = seam.bytes_in(self.key, data)
        super().data_received(data)
        if self.protocol.close_expected():
            self._expect_end()

    def pause_writing(self) -> None:
        """The write buffer is full: this reader is too slow, and waiting for it would slow all the others."""
        super().pause_writing()
        if not self._dropped:
            self._dropped = True
            logger.warning("connection %d: dropped, it does not read", self.key)
            self.loop.call_soon(self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """The end of the TCP connection."""
        super().connection_lost(exc)
        if self._end_timer is not None:
            self._end_timer.cancel()
        self.hall.leave(self.key)
        self.lost(clean=False)
