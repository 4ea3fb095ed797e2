"""One connection: frames and messages between the library and the core."""

import asyncio
import logging
from typing import Any, ClassVar

from websockets.asyncio.server import Server, ServerConnection
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Opcode
from websockets.protocol import CONNECTING, OPEN, Event
from websockets.server import ServerProtocol

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
from reference_server.network.frames import take_text, text_header
from reference_server.network.hall import Hall
from reference_server.network.wire import Wire, library_logger

logger = logging.getLogger("wsproof.reference_server")

BATCH = 65_536
"""Bytes that are collected for a connection before they are written without waiting for the loop's turn to end."""


class Link(ServerConnection):
    """One connection: puts messages together, and writes without ever waiting for a slow reader.

    Frames are collected, and written when the loop has handled all that had come: many to one connection are one
    system call.
    """

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
        self.is_plain = False
        self._frames = bytearray()
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
                self.flush()
                self.transport.abort()

    def _write(self, frame: Frame) -> None:
        protocol = self.protocol
        if protocol.state is not OPEN or self._dropped or self.transport.is_closing():
            return
        if self.is_plain and frame.opcode == TEXT:
            self.collect(text_header(len(frame.data)) + frame.data)
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

    def collect(self, framed: bytes) -> None:
        """Write a whole frame, soon."""
        if not self._frames:
            self.hall.flush_soon(self)
        self._frames += framed
        if len(self._frames) > BATCH:
            self.flush()

    def flush(self) -> None:
        """Write the frames that were collected."""
        if self._frames:
            frames, self._frames = self._frames, bytearray()
            if not self.transport.is_closing():
                self.transport.write(frames)

    def send_data(self) -> None:
        """Write at once, the end of our half of the connection too."""
        self.flush()
        super().send_data()

    def cut(self, *, handshaking: bool) -> None:
        """End the TCP connection without a close frame."""
        if not handshaking or self.state is CONNECTING:
            self.transport.abort()

    def _expect_end(self, *, always: bool = False) -> None:
        if self._end_timer is None and (always or self.ends_tcp):
            self._end_timer = self.loop.call_later(self.hall.settings.close_timeout, self.transport.abort)

    # To the core

    def opened(self, account: Account) -> None:
        """The handshake is done."""
        self._opened = True
        self.is_plain = not self.protocol.extensions and not self.hall.assembly.seams
        for coder in self.protocol.extensions:
            for seam in self.hall.assembly.seams:
                assert isinstance(coder, PerMessageDeflate)
                seam.compression(self.key, coder)
        logger.info("connection %d: opened for %s", self.key, account.id)
        self.hall.handle(Opened(self.key, account))

    def lost(self, *, clean: bool) -> None:
        """The connection is over, or as good as over. Only the first call counts."""
        if self._opened:
            self._opened = self.is_plain = False
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
                self._end_message()

    def _end_message(self) -> None:
        message, self._message = bytes(self._message), bytearray()
        if self._is_text:
            self._deliver(message)
        else:
            self.hall.handle(Binary(self.key, message))

    def _deliver(self, message: bytes) -> None:
        for seam in self.hall.assembly.seams:
            message = seam.text_in(self.key, message)
        try:
            text = message.decode()
        except UnicodeDecodeError as error:
            self.protocol.fail(1007, f"{error.reason} at position {error.start}")
        else:
            self.hall.handle(Text(self.key, text))

    def _take_texts(self, data: bytes) -> bytes:
        """Handle the text messages that the data begins with; what is left is for the library."""
        start = 0
        while start < len(data) and self.is_plain:
            taken = take_text(data, start, self._limit)
            if taken is None:
                break
            message, start = taken
            self._deliver(message)
        return data[start:]

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
        if self.is_plain and self.protocol.between_messages:
            data = self._take_texts(data)
            if not data and self.protocol.state is OPEN:
                return
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
            self._dropped, self.is_plain = True, False
            self.loop.call_soon(self._drop)

    def _drop(self) -> None:
        """Queue nothing more, and close: who reads what is queued sees why, who does not is cut off."""
        logger.warning("connection %d: closed, it does not read", self.key)
        self._frames.clear()
        self.protocol.fail(self.hall.assembly.profile.close_codes["policy"], "messages are not read fast enough")
        self.send_data()
        self._expect_end(always=True)

    def connection_lost(self, exc: Exception | None) -> None:
        """The end of the TCP connection."""
        super().connection_lost(exc)
        if self._end_timer is not None:
            self._end_timer.cancel()
        self.hall.leave(self.key)
        self.lost(clean=False)
