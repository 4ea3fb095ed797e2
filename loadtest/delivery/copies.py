"""Recognises deliveries that somebody here has got already: most of what comes where many receive the same.

The copies of a delivery differ in their number alone, if they have one. So a valid delivery is remembered by all of
its bytes but the digits of its number; a message that has the same, and other digits there, is as valid and says the
same to somebody else, and need not be decoded. A member's name in quotation marks is in no text: it is escaped there.
"""

from dataclasses import dataclass
from typing import Any

from loadtest.delivery.deliveries import Known
from loadtest.delivery.entries import Stream

MAX_BYTES = 2_048
"""Bytes of a message that is remembered."""

MAX_COPIES = 20_000
"""Deliveries that are remembered of one term."""

MAX_DIGITS = 15
"""Digits of a number: as many as any reader of JSON takes exactly."""

NAME = b'"sequence":'
SIZE = len(NAME)
ZERO = b"0"[0]

Fields = tuple[Any, ...]
"""A delivery's number (an integer, if it has one), channel, text, author, author's name, id and timestamp."""


@dataclass(slots=True, eq=False)
class Copy:
    """A delivery without anything wrong in it. `prefix` and `number` are of its stamp."""

    fields: Fields
    prefix: bytes
    number: int
    stream: Stream
    known: Known


class Copies:
    """What was delivered lately in one process. `sequence` is the number in the message that was found last."""

    def __init__(self) -> None:
        self._young: dict[bytes, Copy] = {}
        self._old: dict[bytes, Copy] = {}
        self.sequence: int | None = None
        self.kept = False
        """Whether anything is remembered."""

    def find(self, data: bytes) -> Copy | None:
        """What a message is a copy of; None if that is not certain."""
        key = self._key(data)
        return self._young.get(key) or self._old.get(key)

    def _key(self, data: bytes) -> bytes:
        """A message without the digits of its number, which is `sequence` then; all of it if they are not plain."""
        self.sequence = None
        at = data.rfind(NAME)
        if at < 0:
            return data
        start = at + SIZE
        if data[start : start + 1] == b" ":
            start += 1
        end = data.find(b",", start)
        if end < 0:
            end = len(data) - 1
        digits = data[start:end]
        if not digits.isdigit() or len(digits) > MAX_DIGITS or (digits[0] == ZERO and len(digits) > 1):
            return data
        self.sequence = int(digits)
        return data[:start] + data[end:]

    def keep(self, data: bytes, fields: Fields, stream: Stream, number: int, known: Known) -> None:
        """Remember a valid delivery: the `number`th post of a stream."""
        if len(data) > MAX_BYTES or data.count(NAME) > 1:
            return
        key = self._key(data)
        if self.sequence != (fields[0] if type(fields[0]) is int else None):
            return
        if len(self._young) >= MAX_COPIES:
            self.forget()
        self.kept = True
        self._young[key] = Copy(fields, stream.prefix, number, stream, known)

    def forget(self) -> None:
        """A term is over: forget what came in the one before."""
        self._old, self._young = self._young, {}
        self.kept = bool(self._old)
