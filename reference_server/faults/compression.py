"""WIRE-09: faults of permessage-deflate (RFC 7692)."""

import re
import zlib
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from reference_server.core.handshake import Answer, Request
from reference_server.core.hooks import Coder, Hook
from reference_server.faults.fault import answer_fault, fault
from reference_server.faults.frames import Framing
from wire.frames import RSV1, Opcode, RawFrame

EXTENSIONS = "Sec-WebSocket-Extensions"

# The coder


@fault("server-context-kept", breaks="WIRE-09")
class ServerContextKept(Hook):
    """The server refers back to earlier messages, though it agreed to do without."""

    def compression(self, session: int, coder: Coder) -> None:
        if coder.local_no_context_takeover:
            coder.local_no_context_takeover = False
            coder.encoder = zlib.compressobj(wbits=-coder.local_max_window_bits)


@fault("client-context-dropped", breaks="WIRE-09")
class ClientContextDropped(Hook):
    """The server forgets a client's earlier messages, though the client may refer to them."""

    def compression(self, session: int, coder: Coder) -> None:
        coder.remote_no_context_takeover = True


@fault("server-window-ignored", breaks="WIRE-09")
class ServerWindowIgnored(Hook):
    """The server compresses with the largest window, whatever was negotiated."""

    def compression(self, session: int, coder: Coder) -> None:
        coder.local_max_window_bits = 15
        if not coder.local_no_context_takeover:
            coder.encoder = zlib.compressobj(wbits=-15)


@fault("server-window-doubled", breaks="WIRE-09")
class ServerWindowDoubled(Hook):
    """The server compresses with a window one bit larger than negotiated, where that is a small one."""

    def compression(self, session: int, coder: Coder) -> None:
        if coder.local_max_window_bits <= 10 and not coder.local_no_context_takeover:
            coder.encoder = zlib.compressobj(wbits=-(coder.local_max_window_bits + 1))


@fault("client-window-too-small", breaks="WIRE-09")
class ClientWindowTooSmall(Hook):
    """The server inflates with a window of 512 bytes, whatever was negotiated."""

    def compression(self, session: int, coder: Coder) -> None:
        coder.remote_max_window_bits = 9
        if not coder.remote_no_context_takeover:
            coder.decoder = zlib.decompressobj(wbits=-9)


class _Decoder:
    """Inflates like zlib, but for what a fault does."""

    unconsumed_tail = b""

    def __init__(self, coder: Coder) -> None:
        self.inner: Any = zlib.decompressobj(wbits=-coder.remote_max_window_bits)
        self.calls = 0

    def decompress(self, data: bytes, max_length: int = 0) -> bytes:
        """Inflate one frame's data. Raises `zlib.error`."""
        self.calls += 1
        found: bytes = self.inner.decompress(data, max_length)
        self.unconsumed_tail = self.inner.unconsumed_tail
        return found


class _Tolerant(_Decoder):
    def decompress(self, data: bytes, max_length: int = 0) -> bytes:
        """Inflate; broken data is an empty message."""
        try:
            return super().decompress(data, max_length)
        except zlib.error:
            return b""


class _Forgetful(_Decoder):
    def decompress(self, data: bytes, max_length: int = 0) -> bytes:
        """Inflate, with the context lost at the tenth frame."""
        if self.calls == 9:
            self.inner = zlib.decompressobj(wbits=-15)
        return super().decompress(data, max_length)


@fault("broken-compression-ignored", breaks="WIRE-09")
class BrokenCompressionIgnored(Hook):
    """Invalid deflate data is taken for an empty message."""

    def compression(self, session: int, coder: Coder) -> None:
        if not coder.remote_no_context_takeover:
            coder.decoder = _Tolerant(coder)


@fault("context-lost-after-nine-frames", breaks="WIRE-09")
class ContextLostAfterNineFrames(Hook):
    """The server forgets a client's context once, after nine frames."""

    def compression(self, session: int, coder: Coder) -> None:
        if not coder.remote_no_context_takeover:
            coder.decoder = _Forgetful(coder)


# Frames


@fault("uncompressed-message-refused", breaks="WIRE-09")
class UncompressedMessageRefused(Framing):
    """Where compression was negotiated, every message is inflated, also one that says it is not compressed."""

    def raw(self, session: int, frame: RawFrame) -> Iterable[RawFrame]:
        plain = session in self.compressing and frame.starts and not frame.rsv
        return (replace(frame, rsv=RSV1) if plain else frame,)


@fault("compression-bit-of-control-frames-ignored", breaks="WIRE-09")
class CompressionBitOfControlFramesIgnored(Framing):
    """Where compression was negotiated, its bit is accepted on control frames."""

    def raw(self, session: int, frame: RawFrame) -> Iterable[RawFrame]:
        misplaced = session in self.compressing and frame.is_control and frame.rsv == RSV1
        return (replace(frame, rsv=0) if misplaced else frame,)


@fault("compression-bit-of-continuations-ignored", breaks="WIRE-09")
class CompressionBitOfContinuationsIgnored(Framing):
    """Where compression was negotiated, its bit is accepted on any fragment."""

    def raw(self, session: int, frame: RawFrame) -> Iterable[RawFrame]:
        misplaced = session in self.compressing and frame.opcode == Opcode.CONT and frame.rsv == RSV1
        return (replace(frame, rsv=0) if misplaced else frame,)


@fault("compressed-fragments-lost", breaks="WIRE-09")
class CompressedFragmentsLost(Framing):
    """Of a compressed message in fragments only the first one is inflated, and the others are left out."""

    def __init__(self) -> None:
        super().__init__()
        self._compressed: dict[int, bool] = {}

    def raw(self, session: int, frame: RawFrame) -> Iterable[RawFrame]:
        if frame.starts:
            self._compressed[session] = frame.rsv == RSV1
        lost = frame.opcode == Opcode.CONT and self._compressed.get(session, False)
        return (replace(frame, payload=b"") if lost else frame,)


# The negotiation


def _accepting(request: Request, answer: Answer, pattern: str) -> Answer:
    """Accept an offer with this in it, which the library declined."""
    offers = ", ".join(value for name, value in request.headers if name.lower() == EXTENSIONS.lower())
    declined = answer.status == 101 and not any(name == EXTENSIONS for name, _ in answer.headers)
    if not declined or not re.search(pattern, offers):
        return answer
    return replace(answer, headers=(*answer.headers, (EXTENSIONS, "permessage-deflate")))


@answer_fault("unknown-offer-parameter-accepted", breaks="WIRE-09")
def unknown_offer_parameter_accepted(request: Request, answer: Answer) -> Answer:
    """An offer of compression with a parameter that nobody knows is accepted."""
    return _accepting(request, answer, "wsproof")


@answer_fault("window-of-16-bits-accepted", breaks="WIRE-09")
def window_of_16_bits_accepted(request: Request, answer: Answer) -> Answer:
    """An offer of compression with a window larger than there is is accepted."""
    return _accepting(request, answer, "window_bits=16")


@answer_fault("doubled-offer-parameter-accepted", breaks="WIRE-09")
def doubled_offer_parameter_accepted(request: Request, answer: Answer) -> Answer:
    """An offer of compression that names a parameter twice is accepted."""
    return _accepting(request, answer, r"(\w+takeover|\w+bits=10); \1")


@answer_fault("offer-value-ignored", breaks="WIRE-09")
def offer_value_ignored(request: Request, answer: Answer) -> Answer:
    """An offer of compression with a value where none belongs is accepted."""
    return _accepting(request, answer, "takeover=")
