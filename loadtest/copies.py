"""Recognises deliveries that somebody here has got already: most of what comes where many receive the same.

The copies of a delivery differ in their number alone, if they have one. So what a valid delivery has from its payload
on is remembered with what it says; a message that ends in the same bytes, and begins as that one did but for the
number's digits, says the same to somebody else. It is as valid, and need not be decoded.
"""

from dataclasses import dataclass
from typing import Any

from msgspec import UNSET

from loadtest.deliveries import Known
from loadtest.entries import Stream

MAX_BYTES = 2_048
"""Bytes of a payload that is remembered."""

MAX_COPIES = 20_000
"""Deliveries that are remembered of one term."""

MAX_DIGITS = 15
"""Digits of a number: as many as any reader of JSON takes exactly."""

PAYLOAD = b'"payload"'

Fields = tuple[Any, ...]
"""A delivery's number (`UNSET` if it has none), channel, text, author, author's name, id and timestamp."""


@dataclass(slots=True, eq=False)
class Head:
    """What stands before the payload: `before` and `after` the number; of messages without one, all in `before`."""

    before: bytes
    after: bytes | None


@dataclass(slots=True, eq=False)
class Copy:
    """A delivery without anything wrong in it. `prefix` and `number` are of its stamp."""

    head: Head
    fields: Fields
    prefix: bytes
    number: int
    stream: Stream
    known: Known


class Copies:
    """What was delivered lately in one process. `sequence` is the number in the message that was found last."""

    def __init__(self) -> None:
        self._head = Head(b"", None)
        self._young: dict[bytes, Copy] = {}
        self._old: dict[bytes, Copy] = {}
        self.sequence: int | None = None
        self.kept = False
        """Whether anything is remembered."""

    def find(self, data: bytes) -> Copy | None:
        """What a message is a copy of; None if that is not certain."""
        at = data.find(PAYLOAD)
        tail = data[at:]
        copy = self._young.get(tail) or self._old.get(tail)
        if copy is None:
            return None
        head = copy.head
        before, after = head.before, head.after
        if after is None:
            self.sequence = None
            return copy if data[:at] == before else None
        size = len(before)
        digits = data[size : at - len(after)]
        if not digits.isdigit() or data[:size] != before or data[at - len(after) : at] != after:
            return None
        if len(digits) > MAX_DIGITS or (digits[0] == 48 and len(digits) > 1):
            return None
        self.sequence = int(digits)
        return copy

    def keep(self, data: bytes, fields: Fields, stream: Stream, number: int, known: Known) -> None:
        """Remember a valid delivery: the `number`th post of a stream."""
        at = data.find(PAYLOAD)
        if at < 0 or len(data) - at > MAX_BYTES or not self._begins(data[:at], fields[0]):
            return
        if len(self._young) >= MAX_COPIES:
            self.forget()
        self.kept = True
        self._young[data[at:]] = Copy(self._head, fields, stream.prefix, number, stream, known)

    def _begins(self, whole: bytes, sequence: Any) -> bool:
        """Take what stands before a payload for the head; False if it is not plain where the number stands."""
        head = self._head
        if sequence is UNSET:
            if head.after is not None or head.before != whole:
                self._head = Head(whole, None)
            return True
        digits = b"%d" % sequence
        before, _, after = whole.partition(digits)
        if whole.count(digits) != 1 or not after.startswith(b",") or not before.rstrip().endswith(b":"):
            return False
        if head.before != before or head.after != after:
            self._head = Head(before, after)
        return True

    def forget(self) -> None:
        """A term is over: forget what came in the one before."""
        self._old, self._young = self._young, {}
        self.kept = bool(self._old)
