"""The frame codec against RFC 6455 §5.2, read by hand, and against what `websockets` writes."""

import struct
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from websockets.frames import Frame

from wire.frames import FINAL_TEXT, MASK, Opcode, RawFrame, decode, header, masked_text, payload_span
from wire.masking import KEY_BYTES, mask

SIZES = st.sampled_from([0, 1, 125, 126, 127, 65_535, 65_536, 70_000])

frames = st.builds(
    RawFrame, st.integers(0, 15), st.binary(max_size=300), st.booleans(), st.integers(0, 7), st.booleans()
)


class TestEncode:
    @given(frames)
    @example(RawFrame(1, b"\0" * 65_536))
    @example(RawFrame(1, b"\0\1" * 32_767))
    def test_any_frame(self, frame: RawFrame) -> None:
        data = frame.encode()
        assert data[0] == (frame.fin << 7) | (frame.rsv << 4) | frame.opcode
        assert bool(data[1] & 0x80) is frame.masked
        length, start = data[1] & 0x7F, 2
        if length == 126:
            (length,), start = struct.unpack("!H", data[2:4]), 4
            assert length > 125
        elif length == 127:
            (length,), start = struct.unpack("!Q", data[2:10]), 10
            assert length > 65_535
        body = data[start:]
        if frame.masked:
            key, body = body[:4], body[4:]
            body = bytes(byte ^ key[index % 4] for index, byte in enumerate(body))
        assert (length, body) == (len(frame.payload), frame.payload)

    def test_with_a_key_of_ones_own(self) -> None:
        assert RawFrame(1, b"ab").encode(b"\0\1\2\3") == b"\x81\x82\0\1\2\3ac"

    @given(SIZES)
    def test_a_servers_text_as_the_library_writes_it(self, size: int) -> None:
        assert header(FINAL_TEXT, size) + b"x" * size == Frame(Opcode.TEXT, b"x" * size).serialize(mask=False)

    @given(SIZES)
    def test_a_clients_text(self, size: int) -> None:
        assert decode(data := masked_text(b"x" * size)) == (RawFrame(Opcode.TEXT, b"x" * size), len(data))


class TestDecode:
    @given(frames, st.binary(max_size=9), st.binary(max_size=9))
    @example(RawFrame(2, b"y" * 65_536, masked=False), b"a", b"b")
    def test_what_was_encoded(self, frame: RawFrame, before: bytes, after: bytes) -> None:
        data = before + frame.encode()
        assert decode(data + after, len(before)) == (frame, len(data))
        assert decode(bytearray(data), len(before)) == (frame, len(data))

    @given(frames, st.data())
    def test_what_is_not_whole(self, frame: RawFrame, data: st.DataObject) -> None:
        whole = frame.encode()
        assert decode(whole[: data.draw(st.integers(0, len(whole) - 1))]) is None

    @pytest.mark.parametrize(
        ("opcode", "is_control", "starts"), [(0, False, False), (1, False, True), (2, False, True), (11, True, False)]
    )
    def test_kinds(self, opcode: int, is_control: bool, starts: bool) -> None:
        frame = RawFrame(opcode, b"")
        assert (frame.is_control, frame.starts) == (is_control, starts)


class TestPayloadSpan:
    @given(SIZES, st.binary(max_size=9), st.booleans())
    def test_where_the_library_writes_it(self, size: int, rest: bytes, masked: bool) -> None:
        written = rest + Frame(Opcode.TEXT, b"y" * size).serialize(mask=masked)
        span = payload_span(written + rest, len(rest), MASK if masked else 0)
        assert span == (len(written) - size, len(written))
        if masked:
            start, end = span
            assert mask(written[start:end], written[start - KEY_BYTES : start]) == b"y" * size

    @given(SIZES, st.booleans(), st.data())
    def test_of_a_header_that_is_not_whole(self, size: int, masked: bool, data: st.DataObject) -> None:
        head = header(FINAL_TEXT, size, MASK if masked else 0)
        cut = data.draw(st.integers(0, len(head) - 1))
        assert payload_span(head[:cut], 0, MASK if masked else 0) is None

    @pytest.mark.parametrize("size", [0, 125, 126, 65_536])
    @pytest.mark.parametrize("expected", [0, MASK])
    def test_the_wrong_masking_has_no_end(self, size: int, expected: int) -> None:
        """Whatever the limit, it is exceeded."""
        data = header(FINAL_TEXT, size, MASK - expected) + bytes(14)
        assert payload_span(data, 0, expected) == (0, sys.maxsize)
