"""One connection: frames and messages between the library and the core."""

import asyncio
import logging

from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.http11 import Request
from websockets.protocol import CONNECTING, OPEN

from reference_server.core.exchange import Account, Binary, Close, ControlPong, Frame, Lost, Opened, Outgoing, Text
from reference_server.network.connections import Hall
from reference_server.network.protocol import Wire
from reference_server.network.upgrade import Reception
from wire.close_codes import CloseCode
from wire.frames import FINAL_TEXT, MASK, Opcode, header, payload_span
from wire.masking import KEY_BYTES, mask

logger = logging.getLogger("wsproof.reference_server")

BATCH = 65_536
"""Bytes that are collected for a connection before they are written without waiting for the loop's turn to end."""

OPENING = 10.0
"""Seconds that a client has for its handshake."""


class Link(asyncio.Protocol):
    """One connection: puts messages together, and writes without ever waiting for a slow reader.

    Frames are collected, and written when the loop has handled all that had come: many to one connection are one
    system call.
    """

    transport: asyncio.Transport

    def __init__(self, hall: Hall, reception: Reception) -> None:
        self.hall = hall
        self.key = hall.new_key()
        self.is_plain = False
        self._reception = reception
        self._limit = hall.assembly.profile.limits.message_bytes
        self._wire = Wire(self, self._limit)
        self._message = bytearray()
        self._is_text = True
        self._opened = False
        self._dropped = False
        self._frames = bytearray()
        self._end_timer: asyncio.TimerHandle | None = None

    @property
    def ends_tcp(self) -> bool:
        """Whether nothing keeps this connection open after the closing handshake."""
        return all(hook.ends_tcp(self.key) for hook in self.hall.assembly.hooks)

    @property
    def waiting(self) -> int:
        """Bytes that the socket has not taken yet."""
        return len(self._frames) + self.transport.get_write_buffer_size()

    # From the core

    def perform(self, outgoing: Outgoing) -> None:
        """Do what the core wants; what a closing connection cannot take any more is left out."""
        match outgoing:
            case Frame():
                self._write(outgoing)
            case Close(code=code, reason=reason) if self._wire.state is OPEN:
                logger.info("connection %d: closing with %d", self.key, code)
                self._wire.send_close(code, reason)
                self.send_data()
                self._expect_end()
            case Close():
                pass
            case _:
                self.flush()
                self.transport.abort()

    def _write(self, frame: Frame) -> None:
        wire = self._wire
        if wire.state is not OPEN or self._dropped or self.transport.is_closing():
            return
        if self.is_plain and frame.opcode == Opcode.TEXT:
            self.collect(header(FINAL_TEXT, len(frame.data)) + frame.data)
            return
        match frame.opcode:
            case Opcode.TEXT:
                wire.send_text(frame.data, frame.final)
            case Opcode.BINARY:
                wire.send_binary(frame.data, frame.final)
            case Opcode.CONT:
                wire.send_continuation(frame.data, frame.final)
            case _:
                wire.send_ping(frame.data)

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
        for data in self._wire.data_to_send():
            if self.transport.is_closing():
                return
            if data:
                self.transport.write(data)
            elif self.transport.can_write_eof():
                self.transport.write_eof()
            else:
                self.transport.close()

    def cut(self, *, handshaking: bool) -> None:
        """End the TCP connection without a close frame."""
        if not handshaking or self._wire.state is CONNECTING:
            self.transport.abort()

    def _expect_end(self, *, always: bool = False) -> None:
        if self._end_timer is None and (always or self.ends_tcp):
            self._end_within(self.hall.settings.close_timeout)

    def _end_within(self, seconds: float) -> None:
        self._end_timer = asyncio.get_running_loop().call_later(seconds, self.transport.abort)

    def _stop_timer(self) -> None:
        if self._end_timer is not None:
            self._end_timer.cancel()
            self._end_timer = None

    # To the core

    def opened(self, account: Account) -> None:
        """The handshake is done."""
        self._opened = True
        self.is_plain = not self._wire.extensions and not self.hall.assembly.hooks
        for coder in self._wire.extensions:
            for hook in self.hall.assembly.hooks:
                assert isinstance(coder, PerMessageDeflate)
                hook.compression(self.key, coder)
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
                self._is_text = frame.opcode == Opcode.TEXT
            case Opcode.CONT:
                self._message += frame.data
            case Opcode.CLOSE:
                self.lost(clean=True)
            case Opcode.PONG:
                self.hall.handle(ControlPong(self.key))
        if frame.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            if len(self._message) > self._limit:
                self._wire.fail(CloseCode.MESSAGE_TOO_BIG, f"more than {self._limit} bytes")
            elif frame.final:
                self._end_message()

    def _end_message(self) -> None:
        message, self._message = bytes(self._message), bytearray()
        if self._is_text:
            self._deliver(message)
        else:
            self.hall.handle(Binary(self.key, message))

    def _deliver(self, message: bytes) -> None:
        for hook in self.hall.assembly.hooks:
            message = hook.text_in(self.key, message)
        try:
            text = message.decode()
        except UnicodeDecodeError as error:
            self._wire.fail(CloseCode.INVALID_DATA, f"{error.reason} at position {error.start}")
        else:
            self.hall.handle(Text(self.key, text))

    def _take_texts(self, data: bytes) -> bytes:
        """Handle the text messages that the data begins with; what is left is for the library."""
        size, at = len(data), 0
        while at < size and data[at] == FINAL_TEXT and self.is_plain:
            span = payload_span(data, at, MASK)
            if span is None:
                break
            start, end = span
            if end > size or end - start > self._limit:
                break
            self._deliver(mask(data[start:end], data[start - KEY_BYTES : start]))
            at = end
        return data[at:]

    # From asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A TCP connection, with TLS where there is to be any."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.set_write_buffer_limits(self.hall.settings.write_buffer)
        self._end_within(OPENING)
        self.hall.enter(self.key, self)

    def data_received(self, data: bytes) -> None:
        """Bytes from the client. A peer that is told to go gets `close_timeout` seconds for it."""
        wire = self._wire
        if self.is_plain and wire.between_messages:
            data = self._take_texts(data)
            if not data and wire.state is OPEN:
                return
        if wire.state is CONNECTING:
            self._handshake(data)
        else:
            for hook in self.hall.assembly.hooks:
                data = hook.bytes_in(self.key, data)
            wire.receive_data(data)
            wire.events_received()  # every frame was handled in its place
        self.send_data()
        if wire.close_expected():
            self._expect_end()

    def _handshake(self, data: bytes) -> None:
        wire = self._wire
        wire.receive_data(data)
        requests = wire.events_received()
        if wire.eof_sent:  # no request, or something behind it that must wait for the answer
            self._stop_timer()
        elif requests and isinstance(requests[0], Request):
            self._stop_timer()
            response, account = self._reception.receive(wire, requests[0])
            if response is None:
                return
            wire.send_response(response)
            if account is not None and wire.state is OPEN:
                self.send_data()
                self.opened(account)

    def eof_received(self) -> None:
        """The client has ended its half: so do we, and asyncio closes."""
        self._wire.receive_eof()
        self.send_data()

    def pause_writing(self) -> None:
        """The write buffer is full: this reader is too slow, and waiting for it would slow all the others."""
        if not self._dropped:
            self._dropped, self.is_plain = True, False
            asyncio.get_running_loop().call_soon(self._drop)

    def _drop(self) -> None:
        """Queue nothing more, and close: who reads what is queued sees why, who does not is cut off."""
        logger.warning("connection %d: closed, it does not read", self.key)
        self._frames.clear()
        self._wire.fail(self.hall.assembly.profile.close_codes["policy"], "messages are not read fast enough")
        self.send_data()
        self._expect_end(always=True)

    def connection_lost(self, exc: Exception | None) -> None:
        """The end of the TCP connection."""
        self._wire.receive_eof()
        self._stop_timer()
        self.hall.leave(self.key)
        self.lost(clean=False)
