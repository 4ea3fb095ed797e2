"""The library's protocol, bent to the profile and to the hooks."""

import logging
from collections.abc import Mapping, Sequence
from typing import Protocol

from websockets.exceptions import ProtocolError
from websockets.extensions.permessage_deflate import enable_server_permessage_deflate
from websockets.frames import Frame as LibraryFrame
from websockets.protocol import CONNECTING, OPEN
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from reference_server.core.exchange import Frame
from reference_server.network.connections import Hall
from wire.close_codes import CloseCode
from wire.frames import Opcode

# The library's own log holds request targets and headers, and with them tokens.
library_logger = logging.getLogger("wsproof.reference_server.websockets")
library_logger.setLevel(logging.WARNING)

CAUSES: Mapping[int, str] = {
    CloseCode.PROTOCOL_ERROR: "protocol_error",
    CloseCode.INVALID_DATA: "invalid_utf8",
    CloseCode.MESSAGE_TOO_BIG: "too_large",
    CloseCode.INTERNAL_ERROR: "internal_error",
}
"""Why the library fails a connection; the profile names the code."""


EXTENSIONS = enable_server_permessage_deflate(None)
"""What may be negotiated. The factories keep nothing of a connection."""


class Owner(Protocol):
    """The connection that a wire belongs to."""

    key: int

    @property
    def hall(self) -> Hall:
        """Where it is one of many."""

    @property
    def ends_tcp(self) -> bool:
        """Whether nothing keeps it open after the closing handshake."""

    def received(self, frame: Frame) -> None:
        """A frame that the library found legal."""

    def lost(self, *, clean: bool) -> None:
        """It is over, or as good as over."""

    def collect(self, framed: bytes) -> None:
        """Write a whole frame, soon."""


class Wire(ServerProtocol):
    """The library's protocol with the profile's close codes, and with every frame handled in its place.

    The library answers all pings of a read before the application sees its first message; here an answer to a
    message precedes the pong to a ping that came after it, so that a pong proves what came before it handled.
    """

    between_messages = False
    """Whether the library has taken all that came, and is neither inside a frame nor inside a message."""

    def __init__(self, link: Owner, message_bytes: int) -> None:
        # What does not compress takes a little more on the wire than the limit that counts after inflating.
        most = message_bytes + message_bytes // 1000 + 64
        super().__init__(extensions=EXTENSIONS, max_size=most, logger=library_logger)
        self.link = link
        self._inside_message = False

    def select_subprotocol(self, subprotocols: Sequence[Subprotocol]) -> Subprotocol | None:
        """Select the one that announces a token, where the profile has tokens travel so."""
        selected = self.link.hall.assembly.door.subprotocol(subprotocols)
        return Subprotocol(selected) if selected is not None else None

    def receive_data(self, data: bytes | bytearray) -> None:
        """Take what came."""
        self.between_messages = False
        super().receive_data(data)

    def recv_frame(self, frame: LibraryFrame) -> None:
        """Process a frame, and hand it on at once."""
        if self.state is CONNECTING:
            raise ProtocolError("a frame before the handshake was answered")  # RFC 6455 §4.1
        frames: list[Frame] = [Frame(self.link.key, int(frame.opcode), bytes(frame.data), frame.fin)]
        for hook in self.link.hall.assembly.hooks:
            frames = [out for one in frames for out in hook.frame_in(one)]
        for one in frames:
            super().recv_frame(LibraryFrame(Opcode(one.opcode), one.data, one.final))
            self.link.received(one)
            if one.opcode < Opcode.CLOSE:
                self._inside_message = not one.final
        self.between_messages = not self.reader.buffer and not self._inside_message and self.state is OPEN

    def send_frame(self, frame: LibraryFrame) -> None:
        """Write a frame, in its place among those that pass the library by; control frames pass the hooks."""
        written = [frame]
        if frame.opcode >= Opcode.CLOSE:
            frames: list[Frame] = [Frame(self.link.key, int(frame.opcode), bytes(frame.data))]
            for hook in self.link.hall.assembly.hooks:
                frames = [out for one in frames for out in hook.control_out(one)]
            written = [LibraryFrame(Opcode(one.opcode), one.data) for one in frames]
        for one in written:
            super().send_frame(one)
            self.link.collect(self.writes.pop())

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
