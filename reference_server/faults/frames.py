"""For faults of the framing: reads a client's frames before the library does, and writes them anew for it.

The library accepts no illegal frame. A fault that does so hands it a legal one in its place.
"""

from collections.abc import Iterable
from dataclasses import replace

from reference_server.core.hooks import Coder, Hook
from wire.frames import Opcode, RawFrame, decode
from wire.masking import KEY_BYTES

_NO_KEY = bytes(KEY_BYTES)
"""Masks nothing: the library reads it back at once."""


def take(buffer: bytearray) -> RawFrame | None:
    """Take the first whole frame out of a buffer."""
    found = decode(buffer)
    if found is None:
        return None
    frame, end = found
    del buffer[:end]
    return frame


class Framing(Hook):
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
            written += b"".join(one.encode(_NO_KEY) for one in self.raw(session, frame))
            self.count[session] = self.count.get(session, 0) + 1
            if frame.starts and not frame.fin:
                self.open.add(session)
            elif frame.opcode == Opcode.CONT and frame.fin:
                self.open.discard(session)
        return written

    def raw(self, session: int, frame: RawFrame) -> Iterable[RawFrame]:
        """What the library gets in place of a frame. `open` and `count` do not count the frame yet."""
        return (frame,)


def legal(frame: RawFrame) -> RawFrame:
    """The frame, masked and without reserved bits."""
    return replace(frame, masked=True, rsv=0)
