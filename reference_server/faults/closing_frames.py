"""WIRE-06: what a client's close frame may hold."""

from collections.abc import Iterable
from dataclasses import replace

from reference_server.core.exchange import Frame
from reference_server.faults.fault import fault
from reference_server.faults.frames import Framing
from wire import close_codes
from wire.frames import Opcode, RawFrame


def code_of(frame: RawFrame) -> int | None:
    """The code of a close frame that has one."""
    return close_codes.code_of(frame.payload) if frame.opcode == Opcode.CLOSE else None


class _CloseIgnored(Framing):
    """Leaves some close frames out."""

    def ignores(self, frame: RawFrame) -> bool:
        """Whether it leaves out this close frame."""
        raise NotImplementedError

    def raw(self, session: int, frame: RawFrame) -> Iterable[RawFrame]:
        return () if frame.opcode == Opcode.CLOSE and self.ignores(frame) else (frame,)


@fault("one-byte-close-ignored", breaks="WIRE-06")
class OneByteCloseIgnored(_CloseIgnored):
    """A close frame of one byte is left out."""

    def ignores(self, frame: RawFrame) -> bool:
        return len(frame.payload) == 1


@fault("illegal-close-code-ignored", breaks="WIRE-06")
class IllegalCloseCodeIgnored(_CloseIgnored):
    """A close frame with an illegal code is left out."""

    def ignores(self, frame: RawFrame) -> bool:
        code = code_of(frame)
        return code is not None and not close_codes.is_legal_code(code)


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
            frame.payload[2:].decode()
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
        return () if frame.opcode == Opcode.CLOSE and frame.session in self._refused else (frame,)


@fault("close-codes-1012-to-1014-refused", breaks="WIRE-06")
class CloseCodes1012To1014Refused(_CloseRefused):
    """The codes that IANA added to those of RFC 6455 are not answered."""

    codes = range(1012, 1015)


@fault("library-close-codes-refused", breaks="WIRE-06")
class LibraryCloseCodesRefused(_CloseRefused):
    """Close codes from 3000 to 3999 are not answered."""

    codes = range(3000, 4000)


@fault("private-close-codes-refused", breaks="WIRE-06")
class PrivateCloseCodesRefused(_CloseRefused):
    """Close codes from 4000 to 4999 are not answered."""

    codes = range(4000, 5000)


@fault("illegal-close-answered", breaks="CLOSE-04")
class IllegalCloseAnswered(Framing):
    """A close frame that is illegal in any way is answered with 1000, as if all were well."""

    def raw(self, session: int, frame: RawFrame) -> Iterable[RawFrame]:
        if frame.opcode != Opcode.CLOSE or close_codes.is_legal_payload(frame.payload):
            return (frame,)
        return (replace(frame, payload=b"\x03\xe8"),)


@fault("illegal-close-code-echoed", breaks="CLOSE-02", entails="CLOSE-04")
class IllegalCloseCodeEchoed(Framing):
    """A close frame with an illegal code is answered with the same code."""

    def __init__(self) -> None:
        super().__init__()
        self._codes: dict[int, bytes] = {}

    def raw(self, session: int, frame: RawFrame) -> Iterable[RawFrame]:
        code = code_of(frame)
        if code is None or close_codes.is_legal_code(code):
            return (frame,)
        self._codes[session] = frame.payload[:2]
        return (replace(frame, payload=b"\x03\xe8"),)

    def control_out(self, frame: Frame) -> Iterable[Frame]:
        data = self._codes.get(frame.session)
        return (replace(frame, data=data) if frame.opcode == Opcode.CLOSE and data is not None else frame,)
