"""WIRE-01 to WIRE-04: frames that must fail the connection, and do not."""

from collections.abc import Iterable
from dataclasses import replace

from reference_server.faults.fault import fault
from reference_server.faults.frames import Framing, legal
from wire.frames import RSV1, Opcode, RawFrame

# WIRE-01: masking


@fault("unmasked-accepted", breaks="WIRE-01")
class UnmaskedAccepted(Framing):
    """Unmasked frames are processed like masked ones."""

    def raw(self, session: int, frame: RawFrame) -> Iterable[RawFrame]:
        return (replace(frame, masked=True),)


@fault("unmasked-control-accepted", breaks="WIRE-01")
class UnmaskedControlAccepted(Framing):
    """Unmasked control frames are processed; unmasked data frames are not."""

    def raw(self, session: int, frame: RawFrame) -> Iterable[RawFrame]:
        return (replace(frame, masked=frame.masked or frame.is_control),)


@fault("unmasked-continuation-accepted", breaks="WIRE-01")
class UnmaskedContinuationAccepted(Framing):
    """Only the first frame of a message must be masked."""

    def raw(self, session: int, frame: RawFrame) -> Iterable[RawFrame]:
        return (replace(frame, masked=frame.masked or frame.opcode == Opcode.CONT),)


@fault("unmasked-accepted-later", breaks="WIRE-01")
class UnmaskedAcceptedLater(Framing):
    """Whether frames are masked is looked at in a connection's first frame only."""

    def raw(self, session: int, frame: RawFrame) -> Iterable[RawFrame]:
        return (replace(frame, masked=frame.masked or self.count.get(session, 0) > 0),)


@fault("unmasked-ignored", breaks="WIRE-01")
class UnmaskedIgnored(Framing):
    """Unmasked frames are left out, and the connection goes on."""

    def raw(self, session: int, frame: RawFrame) -> Iterable[RawFrame]:
        return (frame,) if frame.masked else ()


# WIRE-02: reserved bits and opcodes


class _BitsIgnored(Framing):
    """Clears reserved bits, but for the one that compression takes."""

    mask = 7

    def concerns(self, frame: RawFrame) -> bool:
        """Whether the fault touches such a frame."""
        return True

    def raw(self, session: int, frame: RawFrame) -> Iterable[RawFrame]:
        used = frame.rsv & RSV1 if session in self.compressing else 0
        return (replace(frame, rsv=frame.rsv & ~self.mask | used),) if self.concerns(frame) else (frame,)


@fault("reserved-bits-ignored", breaks="WIRE-02")
class ReservedBitsIgnored(_BitsIgnored):
    """Nobody looks at the reserved bits."""


@fault("rsv1-ignored", breaks="WIRE-02")
class Rsv1Ignored(_BitsIgnored):
    """The bit that compression would take is ignored where none was negotiated."""

    mask = RSV1


@fault("rsv2-ignored", breaks="WIRE-02")
class Rsv2Ignored(_BitsIgnored):
    """The second reserved bit is ignored."""

    mask = 2


@fault("rsv3-ignored-of-control-frames", breaks="WIRE-02")
class Rsv3IgnoredOfControlFrames(_BitsIgnored):
    """The third reserved bit of control frames is ignored."""

    mask = 1

    def concerns(self, frame: RawFrame) -> bool:
        return frame.is_control


@fault("reserved-bits-ignored-of-continuations", breaks="WIRE-02")
class ReservedBitsIgnoredOfContinuations(_BitsIgnored):
    """The reserved bits of continuation frames are ignored."""

    def concerns(self, frame: RawFrame) -> bool:
        return frame.opcode == Opcode.CONT


class _OpcodesIgnored(Framing):
    """Leaves out the frames of some opcodes."""

    opcodes: frozenset[int] = frozenset()

    def raw(self, session: int, frame: RawFrame) -> Iterable[RawFrame]:
        return () if frame.opcode in self.opcodes else (frame,)


@fault("reserved-data-opcodes-ignored", breaks="WIRE-02")
class ReservedDataOpcodesIgnored(_OpcodesIgnored):
    """Frames of the reserved opcodes 3 to 7 are left out."""

    opcodes = frozenset(range(3, 8))


@fault("reserved-control-opcodes-ignored", breaks="WIRE-02")
class ReservedControlOpcodesIgnored(_OpcodesIgnored):
    """Frames of the reserved opcodes 11 to 15 are left out."""

    opcodes = frozenset(range(11, 16))


@fault("opcode-15-ignored", breaks="WIRE-02")
class Opcode15Ignored(_OpcodesIgnored):
    """Frames of the last reserved opcode are left out."""

    opcodes = frozenset({15})


@fault("reserved-opcodes-as-text", breaks="WIRE-02")
class ReservedOpcodesAsText(Framing):
    """Frames of the reserved opcodes 3 to 7 are taken for text."""

    def raw(self, session: int, frame: RawFrame) -> Iterable[RawFrame]:
        return (replace(frame, opcode=Opcode.TEXT) if 3 <= frame.opcode <= 7 else frame,)


# WIRE-03: control frames


@fault("long-ping-answered", breaks="WIRE-03")
class LongPingAnswered(Framing):
    """A ping of more than 125 bytes is answered with a pong of its first 125."""

    def raw(self, session: int, frame: RawFrame) -> Iterable[RawFrame]:
        return (replace(frame, payload=frame.payload[:125]) if frame.opcode == Opcode.PING else frame,)


@fault("long-pong-ignored", breaks="WIRE-03")
class LongPongIgnored(Framing):
    """A pong of more than 125 bytes is ignored like any other."""

    def raw(self, session: int, frame: RawFrame) -> Iterable[RawFrame]:
        return (replace(frame, payload=frame.payload[:125]) if frame.opcode == Opcode.PONG else frame,)


@fault("long-close-ignored", breaks="WIRE-03")
class LongCloseIgnored(Framing):
    """A close frame of more than 125 bytes is left out."""

    def raw(self, session: int, frame: RawFrame) -> Iterable[RawFrame]:
        return () if frame.opcode == Opcode.CLOSE and len(frame.payload) > 125 else (frame,)


@fault("fragmented-ping-answered", breaks="WIRE-03")
class FragmentedPingAnswered(Framing):
    """The first fragment of a ping is answered like a whole one."""

    def raw(self, session: int, frame: RawFrame) -> Iterable[RawFrame]:
        return (replace(frame, fin=frame.fin or frame.opcode == Opcode.PING),)


@fault("fragmented-control-ignored", breaks="WIRE-03")
class FragmentedControlIgnored(Framing):
    """Control frames without the final bit are left out."""

    def raw(self, session: int, frame: RawFrame) -> Iterable[RawFrame]:
        return (frame,) if frame.fin or frame.opcode not in (Opcode.CLOSE, Opcode.PING, Opcode.PONG) else ()


# WIRE-04: fragments


@fault("stray-continuation-ignored", breaks="WIRE-04")
class StrayContinuationIgnored(Framing):
    """A continuation with nothing to continue is left out."""

    def raw(self, session: int, frame: RawFrame) -> Iterable[RawFrame]:
        return () if frame.opcode == Opcode.CONT and session not in self.open else (frame,)


@fault("stray-continuation-as-text", breaks="WIRE-04")
class StrayContinuationAsText(Framing):
    """A continuation with nothing to continue is taken for a text message."""

    def raw(self, session: int, frame: RawFrame) -> Iterable[RawFrame]:
        stray = frame.opcode == Opcode.CONT and session not in self.open
        return (replace(frame, opcode=Opcode.TEXT, fin=True) if stray else frame,)


class _Held(Framing):
    """Keeps the fragments of a message back until it is whole."""

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[int, list[RawFrame]] = {}

    def inside(self, session: int, frame: RawFrame) -> Iterable[RawFrame]:
        """What becomes of a data frame inside a message."""
        raise NotImplementedError

    def raw(self, session: int, frame: RawFrame) -> Iterable[RawFrame]:
        if frame.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT) or legal(frame) != frame:
            return (frame,)
        if frame.starts and session in self.held:
            return self.inside(session, frame)
        if frame.fin:
            return (*self.held.pop(session, ()), frame)
        if frame.starts or session in self.held:
            self.held.setdefault(session, []).append(frame)
            return ()
        return (frame,)


@fault("message-inside-replaces", breaks="WIRE-04")
class MessageInsideReplaces(_Held):
    """A new data frame inside a fragmented message takes its place."""

    def inside(self, session: int, frame: RawFrame) -> Iterable[RawFrame]:
        del self.held[session]
        return self.raw(session, frame)


@fault("message-inside-handled-first", breaks="WIRE-04")
class MessageInsideHandledFirst(_Held):
    """A whole message inside a fragmented one is handled at once, and the other one goes on."""

    def inside(self, session: int, frame: RawFrame) -> Iterable[RawFrame]:
        return (frame,) if frame.fin else (*self.held.pop(session), frame)


@fault("message-inside-appended", breaks="WIRE-04")
class MessageInsideAppended(Framing):
    """A new data frame inside a fragmented message is taken for its continuation."""

    def raw(self, session: int, frame: RawFrame) -> Iterable[RawFrame]:
        if not frame.starts or session not in self.open:
            return (frame,)
        if frame.fin:
            self.open.discard(session)
        return (replace(frame, opcode=Opcode.CONT),)
