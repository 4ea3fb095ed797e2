"""WIRE-05: faults of UTF-8."""

import codecs
import re
from collections.abc import Iterable
from dataclasses import replace

from reference_server.core.exchange import Frame
from reference_server.core.hooks import Hook
from reference_server.faults.fault import fault
from reference_server.faults.frames import Framing
from wire.frames import RSV1, Opcode, RawFrame

BAD = b"\xff"
"""Fails the connection, wherever it stands in a text message."""


def lenient(message: bytes, errors: str = "replace") -> bytes:
    """The message with what is not UTF-8 replaced."""
    return message.decode("utf-8", errors).encode()


@fault("utf-8-replaced", breaks="WIRE-05")
class Utf8Replaced(Hook):
    """Whatever is not UTF-8 becomes a replacement character."""

    def text_in(self, session: int, message: bytes) -> bytes:
        return lenient(message)


@fault("utf-8-left-out", breaks="WIRE-05")
class Utf8LeftOut(Hook):
    """Whatever is not UTF-8 is left out."""

    def text_in(self, session: int, message: bytes) -> bytes:
        return lenient(message, "ignore")


@fault("latin-1-guessed", breaks="WIRE-05")
class Latin1Guessed(Hook):
    """A text message that is not UTF-8 is taken for Latin-1."""

    def text_in(self, session: int, message: bytes) -> bytes:
        try:
            return message.decode().encode()
        except UnicodeDecodeError:
            return message.decode("latin-1").encode()


@fault("utf-8-unchecked-later", breaks="WIRE-05")
class Utf8UncheckedLater(Hook):
    """UTF-8 is checked in the first three messages of a connection only."""

    def __init__(self) -> None:
        super().__init__()
        self._count: dict[int, int] = {}

    def text_in(self, session: int, message: bytes) -> bytes:
        self._count[session] = self._count.get(session, 0) + 1
        return lenient(message) if self._count[session] > 3 else message


class _SomeAccepted(Hook):
    """Accepts one kind of invalid sequence."""

    pattern = re.compile(rb"(?!)")

    def text_in(self, session: int, message: bytes) -> bytes:
        return self.pattern.sub("\ufffd".encode(), message)


@fault("overlong-utf-8-accepted", breaks="WIRE-05")
class OverlongUtf8Accepted(_SomeAccepted):
    """Characters in more bytes than they need are accepted."""

    pattern = re.compile(rb"[\xc0\xc1][\x80-\xbf]|\xe0[\x80-\x9f][\x80-\xbf]|\xf0[\x80-\x8f][\x80-\xbf]{2}")


@fault("surrogates-accepted", breaks="WIRE-05")
class SurrogatesAccepted(_SomeAccepted):
    """Surrogates are accepted, single ones and pairs."""

    pattern = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")


@fault("surrogate-pairs-accepted", breaks="WIRE-05")
class SurrogatePairsAccepted(_SomeAccepted):
    """Pairs of surrogates (CESU-8) are accepted; single ones are not."""

    pattern = re.compile(rb"\xed[\xa0-\xaf][\x80-\xbf]\xed[\xb0-\xbf][\x80-\xbf]")


@fault("beyond-unicode-accepted", breaks="WIRE-05")
class BeyondUnicodeAccepted(_SomeAccepted):
    """Code points beyond U+10FFFF are accepted."""

    pattern = re.compile(rb"\xf4[\x90-\xbf][\x80-\xbf]{2}|[\xf5-\xf7][\x80-\xbf]{3}")


@fault("cut-off-utf-8-accepted", breaks="WIRE-05")
class CutOffUtf8Accepted(Hook):
    """A message may end inside a character."""

    def text_in(self, session: int, message: bytes) -> bytes:
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            return decoder.decode(message).encode()
        except UnicodeDecodeError:
            return message


class _Kinds(Framing):
    """Checks UTF-8 in one kind of message only."""

    def __init__(self) -> None:
        super().__init__()
        self._unchecked: dict[int, bool] = {}

    def unchecked(self, frame: RawFrame) -> bool:
        """Whether a message that begins with this frame goes unchecked."""
        raise NotImplementedError

    def raw(self, session: int, frame: RawFrame) -> Iterable[RawFrame]:
        if frame.starts:
            self._unchecked[session] = self.unchecked(frame)
        return (frame,)

    def text_in(self, session: int, message: bytes) -> bytes:
        return lenient(message) if self._unchecked.get(session) else message


@fault("utf-8-unchecked-in-fragments", breaks="WIRE-05")
class Utf8UncheckedInFragments(_Kinds):
    """UTF-8 is not checked in a fragmented message."""

    def unchecked(self, frame: RawFrame) -> bool:
        return not frame.fin


@fault("utf-8-unchecked-when-compressed", breaks="WIRE-05")
class Utf8UncheckedWhenCompressed(_Kinds):
    """UTF-8 is not checked in a compressed message."""

    def unchecked(self, frame: RawFrame) -> bool:
        return frame.rsv == RSV1


class _FragmentJudged(Hook):
    """Spoils a text message by a look at each fragment alone."""

    def __init__(self) -> None:
        super().__init__()
        self._text: dict[int, bool] = {}

    def frame_in(self, frame: Frame) -> Iterable[Frame]:
        if frame.opcode in (Opcode.TEXT, Opcode.BINARY):
            self._text[frame.session] = frame.opcode == Opcode.TEXT
        is_text = frame.opcode in (Opcode.TEXT, Opcode.CONT) and self._text.get(frame.session, False)
        return (replace(frame, data=BAD) if is_text and self.refused(frame.data) else frame,)

    def refused(self, data: bytes) -> bool:
        """Whether a fragment is refused."""
        raise NotImplementedError


@fault("utf-8-checked-by-fragment", breaks="WIRE-05")
class Utf8CheckedByFragment(_FragmentJudged):
    """Each fragment must be valid UTF-8 in itself."""

    def refused(self, data: bytes) -> bool:
        try:
            data.decode()
        except UnicodeDecodeError:
            return True
        return False


@fault("character-split-after-its-first-byte-refused", breaks="WIRE-05")
class SplitAfterFirstByteRefused(_FragmentJudged):
    """A fragment may not end with the first byte of a character of four."""

    def refused(self, data: bytes) -> bool:
        return bool(data) and data[-1] >= 0xF0


@fault("non-characters-refused", breaks="WIRE-05")
class NonCharactersRefused(Hook):
    """Code points that are no characters, such as U+FFFE, fail the connection like invalid UTF-8."""

    def text_in(self, session: int, message: bytes) -> bytes:
        found = re.search("[\ufdd0-\ufdef\ufffe\uffff]", message.decode("utf-8", "replace"))
        return BAD if found else message


@fault("last-plane-refused", breaks="WIRE-05")
class LastPlaneRefused(Hook):
    """Code points from U+100000 on fail the connection like invalid UTF-8."""

    def text_in(self, session: int, message: bytes) -> bytes:
        return BAD if re.search(rb"\xf4[\x80-\x8f]", message) else message
