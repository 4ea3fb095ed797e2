"""The short ways past the library write and read what the library does, however a stream is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from wire.frames import take_text, text_header

SIZES = st.sampled_from([0, 1, 125, 126, 127, 65_535, 65_536, 70_000])


@given(SIZES)
def test_a_text_is_written_as_the_library_does(size: int) -> None:
    assert text_header(size) + b"x" * size == Frame(Opcode.TEXT, b"x" * size).serialize(mask=False)


@given(SIZES, st.binary(max_size=9))
def test_a_text_is_read_as_the_library_writes_it(size: int, rest: bytes) -> None:
    data = Frame(Opcode.TEXT, b"y" * size).serialize(mask=True)
    taken = take_text(rest + data + rest, len(rest), 65_535)
    assert taken == ((b"y" * size, len(rest) + len(data)) if size < 65_536 else None)


@given(st.integers(0, 300), st.data())
def test_what_is_not_whole_is_left_alone(size: int, data: st.DataObject) -> None:
    frame = Frame(Opcode.TEXT, b"z" * size).serialize(mask=True)
    assert take_text(frame[: data.draw(st.integers(0, len(frame) - 1))], 0, 1000) is None


@pytest.mark.parametrize("head", [b"\x01\x80", b"\x80\x80", b"\x82\x80", b"\x89\x80", b"\xc1\x80", b"\x81\x00"])
def test_what_is_no_whole_text_is_left_alone(head: bytes) -> None:
    assert take_text(head + bytes(4), 0, 1000) is None
    assert take_text(b"\x81\x81" + bytes(4) + b"x", 0, 0) is None
