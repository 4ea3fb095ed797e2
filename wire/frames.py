"""Frames as they stand on the wire (RFC 6455 §5.2), for both sides.

`RawFrame` is any frame, legal or not. Nearly all traffic is whole text messages in one frame each, for which `header`,
`masked_text` and `payload_span` do without an object a frame.
"""

import struct
import sys
from dataclasses import dataclass

from websockets.frames import Opcode

from wire.masking import KEY_BYTES, mask, new_key

__all__ = [
    "FIN",
    "FINAL_TEXT",
    "MASK",
    "RSV1",
    "Opcode",
    "RawFrame",
    "decode",
    "header",
    "masked_close",
    "masked_text",
    "payload_span",
]

FIN = 0x80
"""The bit of a frame's first byte that ends a message."""

MASK = 0x80
"""The bit of a frame's second byte that says that its payload is masked, as a client's has to be (§5.1)."""

RSV1 = 4
"""The first of the three reserved bits, as `RawFrame.rsv` counts them: the one that compression takes (RFC 7692 §6)."""

FINAL_TEXT = FIN | Opcode.TEXT
"""The first byte of a whole, uncompressed text message."""

FINAL_CLOSE = FIN | Opcode.CLOSE
"""The first byte of a close frame."""

_pack_7 = struct.Struct("!BB").pack
_pack_16 = struct.Struct("!BBH").pack
_pack_64 = struct.Struct("!BBQ").pack


@dataclass(frozen=True, slots=True)
class RawFrame:
    """A frame, legal or not: `opcode` from 0 to 15, `rsv` the reserved bits, from 0 to 7."""

    opcode: int
    payload: bytes
    fin: bool = True
    rsv: int = 0
    masked: bool = True

    @property
    def is_control(self) -> bool:
        """Whether the opcode is that of a control frame, reserved ones included (§5.5)."""
        return self.opcode >= Opcode.CLOSE

    @property
    def starts(self) -> bool:
        """Whether a message begins with it."""
        return self.opcode in (Opcode.TEXT, Opcode.BINARY)

    def encode(self, key: bytes | None = None) -> bytes:
        """The frame's bytes; where it is masked, with `key`, or without one with a fresh key."""
        first = (FIN if self.fin else 0) | self.rsv << 4 | self.opcode
        if not self.masked:
            return header(first, len(self.payload)) + self.payload
        key = key if key is not None else new_key()
        return header(first, len(self.payload), MASK) + key + mask(self.payload, key)


def header(first: int, size: int, mask_bit: int = 0) -> bytes:
    """A frame's bytes in front of masking key and payload: its first byte, and the payload's `size` in bytes."""
    if size < 126:
        return _pack_7(first, mask_bit | size)
    if size < 65_536:
        return _pack_16(first, mask_bit | 126, size)
    return _pack_64(first, mask_bit | 127, size)


def masked_text(payload: bytes) -> bytes:
    """A client's frame with a whole text message."""
    key, size = new_key(), len(payload)
    start = _pack_16(FINAL_TEXT, MASK | 126, size) if 126 <= size < 65_536 else header(FINAL_TEXT, size, MASK)
    return start + key + mask(payload, key)


def masked_close(payload: bytes) -> bytes:
    """A client's close frame with this payload, of at most 125 bytes."""
    key = new_key()
    return _pack_7(FINAL_CLOSE, MASK | len(payload)) + key + mask(payload, key)


def payload_span(data: bytes | bytearray, at: int, mask_bit: int = 0) -> tuple[int, int] | None:
    """Where the payload of the frame that begins at `at` starts and ends; None if its header is not whole.

    The end may lie behind the data. `mask_bit` says whether the frame has to be masked; where it is the other way
    round (§5.1), the end is `sys.maxsize`, which exceeds any limit. The masking key stands in front of the payload.
    """
    try:
        length = data[at + 1] ^ mask_bit
        if length < 126:
            start = at + 2
        elif length == 126:
            start, length = at + 4, data[at + 2] << 8 | data[at + 3]
        elif length == 127:
            start = at + 10
            if start > len(data):
                return None
            length = int.from_bytes(data[at + 2 : start], "big")
        else:
            return at, sys.maxsize
    except IndexError:
        return None
    if mask_bit:
        start += KEY_BYTES
    return start, start + length


def decode(data: bytes | bytearray, at: int = 0) -> tuple[RawFrame, int] | None:
    """The frame that begins at `at`, unmasked, and where the next one begins; None if it is not whole."""
    if len(data) < at + 2:
        return None
    mask_bit = data[at + 1] & MASK
    span = payload_span(data, at, mask_bit)
    if span is None or span[1] > len(data):
        return None
    start, end = span
    payload = bytes(data[start:end])
    if mask_bit:
        payload = mask(payload, bytes(data[start - KEY_BYTES : start]))
    first = data[at]
    return RawFrame(first & 15, payload, bool(first & FIN), first >> 4 & 7, bool(mask_bit)), end
