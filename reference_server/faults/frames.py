"""For faults of the framing: reads a client's frames before the library does, and writes them anew for it.

The library accepts no illegal frame. A fault that does so hands it a legal one in its place.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from reference_server.exchange import BINARY, CLOSE, CONTINUATION, TEXT
from reference_server.seams import Coder, Seam

RSV1 = 4
"""The first of the three reserved bits: the one that compression takes."""


@dataclass(frozen=True, slots=True)
class RawFrame:
    """A frame as it stands on the wire; `bits` are the reserved ones."""

    opcode: int
    data: bytes
    final: bool = True
    bits: int = 0
    masked: bool = True

    @property
    def is_control(self) -> bool:
        """Whether the opcode is that of a control frame, reserved ones included."""
        return self.opcode >= CLOSE

    @property
    def starts(self) -> bool:
        """Whether a message begins with it."""
        return self.opcode in (TEXT, BINARY)

    def __bytes__(self) -> bytes:
        """The frame, masked with zeroes where it is masked."""
        head = bytes([(0x80 if self.final else 0) | self.bits << 4 | self.opcode])
        mask_bit, size = (0x80 if self.masked else 0), len(self.data)
        if size < 126:
            head += bytes([mask_bit | size])
        elif size < 65_536:
            head += bytes([mask_bit | 126]) + size.to_bytes(2, "big")
        else:
            head += bytes([mask_bit | 127]) + size.to_bytes(8, "big")
        return head + (bytes(4) if self.masked else b"") + self.data


def take(buffer: bytearray) -> RawFrame | None:
    """Take the first whole frame out of a buffer."""
    if len(buffer) < 2:
        return None
    size, start = buffer[1] & 127, 2
    if size > 125:
        start = 4 if size == 126 else 10
        size = int.from_bytes(buffer[2:start], "big")
    masked = bool(buffer[1] & 128)
    start += 4 if masked else 0
    if len(buffer) < start + size:
        return None
    data = bytes(buffer[start : start + size])
    if masked:
        key = bytes(buffer[start - 4 : start]) * (size // 4 + 1)
        data = (int.from_bytes(data, "big") ^ int.from_bytes(key[:size], "big")).to_bytes(size, "big")
    frame = RawFrame(buffer[0] & 15, data, bool(buffer[0] & 128), buffer[0] >> 4 & 7, masked)
    del buffer[: start + size]
    return frame


class Framing(Seam):
    """Shows a fault every frame of a client; `raw` is what it overrides."""

    def __init__(self) -> None:
        super().__init__()
        self.compressing: set[int] = set()
        self.open: set[int] = set()
        self.count: dict[int, int] = {}
        self._buffers: dict[int, bytearray] = {}

    def compression(self, session: int, coder: Coder) -> None:
        self.compressing.add(session)

    def bytes_in(self, session: int, data: bytes) -> bytes:
        buffer = self._buffers.setdefault(session, bytearray())
        buffer += data
        written = b""
        while (frame := take(buffer)) is not None:
            written += b"".join(bytes(one) for one in self.raw(session, frame))
            self.count[session] = self.count.get(session, 0) + 1
            if frame.starts and not frame.final:
                self.open.add(session)
            elif frame.opcode == CONTINUATION and frame.final:
                self.open.discard(session)
        return written

    def raw(self, session: int, frame: RawFrame) -> Iterable[RawFrame]:
        """What the library gets in place of a frame. `open` and `count` do not count the frame yet."""
        return (frame,)


def legal(frame: RawFrame) -> RawFrame:
    """The frame, masked and without reserved bits."""
    return replace(frame, masked=True, bits=0)
