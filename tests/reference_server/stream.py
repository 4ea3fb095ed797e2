"""A tour through what clients may write on the wire, legal and not, for faults that lie there."""

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from reference_server.core.exchange import Frame
from reference_server.core.hooks import Hook
from wire.frames import Opcode, RawFrame

TEXTS = (
    *(b"{}", b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xed\xa0\xbd\xed\xb8\x80", b"\xf4\x90\x80\x80", b"\xe3\x81"),
    *(b"\xe9a", b"\xf0", "\ufffe".encode(), "\U0010fffd".encode(), b"\xff"),
)

NO_KEY = bytes(4)

OFFERS = ("wsproof", "server_max_window_bits=16", "a_takeover; a_takeover", "a_takeover=1")


@dataclass
class Coder:
    """What the library keeps of one connection's compression."""

    local_no_context_takeover: bool
    remote_no_context_takeover: bool
    local_max_window_bits: int
    remote_max_window_bits: int = 15
    encoder: Any = field(default_factory=lambda: zlib.compressobj(wbits=-9))
    decoder: Any = field(default_factory=lambda: zlib.decompressobj(wbits=-15))


def frames() -> Iterator[tuple[RawFrame, ...]]:
    """Short streams of frames."""
    for opcode, final, bits, masked in product(range(16), (True, False), (0, 1, 2, 4), (True, False)):
        yield (RawFrame(1, b"{}"), RawFrame(opcode, b"{}", final, bits, masked))
    for opcode in (0, 1, 2, 8, 9, 10):
        yield (RawFrame(opcode, b"x" * 200),)
        yield (RawFrame(1, b"{", fin=False), RawFrame(opcode, b"}"))
        yield (RawFrame(1, b"{", fin=False, rsv=4), RawFrame(opcode, b"}", rsv=4))
    for code in (999, 1000, 1013, 1015, 3500, 4500):
        yield (RawFrame(Opcode.CLOSE, code.to_bytes(2, "big") + b"\xff"),)
        yield (RawFrame(Opcode.CLOSE, code.to_bytes(2, "big")),)
    yield (RawFrame(Opcode.CLOSE, b"\x03"),)


def stream(hooks: Iterable[Hook]) -> Iterator[object]:
    """What the hooks make of it all."""
    for session, (sent, compressing) in enumerate(product(frames(), (False, True)), start=1000):
        data, coder = b"".join(frame.encode(NO_KEY) for frame in sent), Coder(True, False, 9)
        answer = [Frame(session, Opcode.CLOSE, b"\x03\xe8")]
        for hook in hooks:
            if compressing:
                hook.compression(session, coder)
            data = hook.bytes_in(session, data)
            answer = [out for one in answer for out in hook.control_out(one)]
        yield data, answer
    yield from messages(hooks)
    for bits, keeps in product((9, 15), (True, False)):
        coder = Coder(not keeps, not keeps, bits)
        kinds = type(coder.encoder), type(coder.decoder)
        before = coder.encoder, coder.decoder
        for hook in hooks:
            hook.compression(1, coder)
        yield coder.local_no_context_takeover, coder.remote_no_context_takeover, coder.local_max_window_bits
        yield kinds, before[0] is coder.encoder, before[1] is coder.decoder


def messages(hooks: Iterable[Hook]) -> Iterator[object]:
    """What becomes of texts, whole and in fragments."""
    for session, (text, bits, final) in enumerate(product(TEXTS, (0, 4), (True, False)), start=5000):
        for hook in hooks:
            hook.bytes_in(session, RawFrame(1, text, final, bits).encode(NO_KEY))
            if list(hook.frame_in(Frame(session, 1, text, final))) != [Frame(session, 1, text, final)]:
                yield session
            yield from (number for number in range(5) if hook.text_in(session, text) != text)
