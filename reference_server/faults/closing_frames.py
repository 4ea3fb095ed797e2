"""WIRE-06: what a client's close frame may hold."""

from collections.abc import Iterable
from dataclasses import replace

from reference_server.exchange import CLOSE, Frame
from reference_server.faults.fault import fault
from reference_server.faults.frames import Framing, RawFrame


def code_of(frame: RawFrame) -> int | None:
    """The code of a close frame that has one."""
    return int.from_bytes(frame.data[:2], "big") if frame.opcode == CLOSE and len(frame.data) >= 2 else None


def is_legal(code: int) -> bool:
    """Whether a code may stand on the wire (CLOSE-02)."""
    return (1000 <= code <= 1014 and code not in (1004, 1005, 1006)) or 3000 <= code <= 4999


class _CloseIgnored(Framing):
    """Leaves some close frames out."""

    def ignores(self, frame: RawFrame) -> bool:
        """Whether it leaves out this close frame."""
        raise NotImplementedError

    def raw(self, session: int, frame: RawFrame) -> Iterable[RawFrame]:
        return () if frame.opcode == CLOSE and self.ignores(frame) else (frame,)


@fault("one-byte-close-ignored", breaks="WIRE-06")
class OneByteCloseIgnored(_CloseIgnored):
    """A close frame of one byte is left out."""

    def ignores(self, frame: RawFrame) -> bool:
        return len(frame.data) == 1


@fault("illegal-close-code-ignored", breaks="WIRE-06")
class IllegalCloseCodeIgnored(_CloseIgnored):
    """A close frame with an illegal code is left out."""

    def ignores(self, frame: RawFrame) -> bool:
        code = code_of(frame)
        return code is not None and not is_legal(code)


@fault("close-code-1015-ignored", breaks="WIRE-06")
class CloseCode1015Ignored(_CloseIgnored):
    """A close frame with 1015, which stands for a failure of TLS, is left out."""

    def ignores(self, frame: RawFrame) -> bool:
        return code_of(frame) == 1015


@fault("close-reason-not-utf-8-ignored", breaks="WIRE-06")
class CloseReasonNotUtf8Ignored(_CloseIgnored):
    """A close frame whose reason is not UTF-8 is left out."""

    def ignores(self, frame: RawFrame) -> bool:
        try:
            frame.data[2:].decode()
        except UnicodeDecodeError:
            return True
        return False


class _CloseRefused(Framing):
    """Ends the TCP connection over close frames with some legal codes, without answering them."""

    codes = range(0)

    def __init__(self) -> None:
        super().__init__()
        self._refused: set[int] = set()

    def raw(self, session: int, frame: RawFrame) -> Iterable[RawFrame]:
        if code_of(frame) in self.codes:
            self._refused.add(session)
        return (frame,)

    def control_out(self, frame: Frame) -> Iterable[Frame]:
        return () if frame.opcode == CLOSE and frame.session in self._refused else (frame,)


@fault("close-codes-1012-to-1014-refused", breaks="WIRE-06")
class CloseCodes1012To1014Refused(_CloseRefused):
    """The codes that IANA added to those of RFC 6455 are not answered."""

    codes = range(1012, 1015)


@fault("library-close-codes-refused", breaks="WIRE-06", entails="CLOSE-01")
class LibraryCloseCodesRefused(_CloseRefused):
    """Close codes from 3000 to 3999 are not answered."""

    codes = range(3000, 4000)


@fault("private-close-codes-refused", breaks="WIRE-06", entails="CLOSE-01")
class PrivateCloseCodesRefused(_CloseRefused):
    """Close codes from 4000 to 4999 are not answered."""

    codes = range(4000, 5000)


@fault("illegal-close-answered", breaks="CLOSE-04")
class IllegalCloseAnswered(Framing):
    """A close frame that is illegal in any way is answered with 1000, as if all were well."""

    def raw(self, session: int, frame: RawFrame) -> Iterable[RawFrame]:
        if frame.opcode != CLOSE or not frame.data:
            return (frame,)
        code = code_of(frame)
        legal = code is not None and is_legal(code)
        return (frame if legal and _is_utf_8(frame.data[2:]) else replace(frame, data=b"\x03\xe8"),)


@fault("illegal-close-code-echoed", breaks="CLOSE-02", entails="CLOSE-04")
class IllegalCloseCodeEchoed(Framing):
    """A close frame with an illegal code is answered with the same code."""

    def __init__(self) -> None:
        super().__init__()
        self._codes: dict[int, bytes] = {}

    def raw(self, session: int, frame: RawFrame) -> Iterable[RawFrame]:
        code = code_of(frame)
        if code is None or is_legal(code):
            return (frame,)
        self._codes[session] = frame.data[:2]
        return (replace(frame, data=b"\x03\xe8"),)

    def control_out(self, frame: Frame) -> Iterable[Frame]:
        data = self._codes.get(frame.session)
        return (replace(frame, data=data) if frame.opcode == CLOSE and data is not None else frame,)


def _is_utf_8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
