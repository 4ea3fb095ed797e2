"""Short ways past the library for the frames that nearly all traffic consists of: whole text messages.

They are exactly what the library would write and read, and whatever is not so plain is left to it.
"""

from enum import IntEnum
from typing import NamedTuple

from websockets.frames import apply_mask  # type: ignore[attr-defined]  # in C where it was built


class Opcode(IntEnum):
    """RFC 6455 §5.2; a raw frame may carry any number from 0 to 15."""

    CONT = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


TEXT_HEAD = 0x81
"""A final text frame without reserved bits (RFC 6455 §5.2)."""


class Taken(NamedTuple):
    """A message, and where the next frame begins."""

    message: bytes
    end: int


def text_header(size: int) -> bytes:
    """The header of a server's text frame of so many bytes."""
    if size < 126:
        return bytes((TEXT_HEAD, size))
    if size < 65_536:
        return bytes((TEXT_HEAD, 126)) + size.to_bytes(2, "big")
    return bytes((TEXT_HEAD, 127)) + size.to_bytes(8, "big")


def take_text(data: bytes, start: int, limit: int) -> Taken | None:
    """The text message that begins at `start`; None where something else does, or it is not whole, or over `limit`."""
    if len(data) < start + 6 or data[start] != TEXT_HEAD or data[start + 1] < 0x80:
        return None
    size, mask = data[start + 1] & 0x7F, start + 2
    if size == 126:
        size, mask = int.from_bytes(data[mask : mask + 2], "big"), mask + 2
    elif size == 127:
        return None
    end = mask + 4 + size
    if end > len(data) or size > limit:
        return None
    return Taken(apply_mask(data[mask + 4 : end], data[mask : mask + 4]), end)
