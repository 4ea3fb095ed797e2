"""One connection's bytes, against `websockets`' server protocol and bytes written by hand."""

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from websockets.frames import Frame
from websockets.frames import Opcode as LibraryOpcode

from conformance.transport.exchange import (
    Close,
    CloseReceived,
    Control,
    Ended,
    Happening,
    OutFrame,
    Received,
    Request,
)
from conformance.transport.protocol import Wire
from contract.findings import Phrase, phrase
from tests.conformance.pair import LIMIT, Pair, server_frame
from wire.deflate import Deflate
from wire.frames import Opcode


@pytest.fixture
def pair() -> Pair:
    made = Pair()
    made.open()
    return made


def accepted() -> Wire:
    made = Pair()
    made.open()
    return made.wire


class TestFrames:
    @pytest.mark.parametrize("compressed", [False, True])
    @pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536])
    def test_round_trip(self, size: int, compressed: bool) -> None:
        made = Pair(Request("/", deflate=Deflate() if compressed else None), deflate=compressed)
        made.open()
        assert made.wire.send((OutFrame(Opcode.TEXT, b"x" * size),))
        (frame,) = made.to_server()
        assert isinstance(frame, Frame)
        assert (frame.opcode, bytes(frame.data)) == (LibraryOpcode.TEXT, b"x" * size)
        made.server.send_binary(b"y" * size)
        assert made.to_client() == [Received(1.0, "alice", Opcode.BINARY, b"y" * size, (size,))]

    def test_fragments_are_put_together_around_control_frames(self, pair: Pair) -> None:
        data = server_frame(1, b"a", fin=False) + server_frame(9, b"p") + server_frame(0, b"", fin=False)
        data += server_frame(10, b"q") + server_frame(0, b"b")
        assert list(pair.wire.feed(data, 2.0)) == [
            Control(2.0, "alice", Opcode.PING, b"p"),
            Control(2.0, "alice", Opcode.PONG, b"q"),
            Received(2.0, "alice", Opcode.TEXT, b"ab", (1, 0, 1)),
        ]

    @pytest.mark.parametrize("answers", [True, False])
    def test_control_pings_are_answered_where_they_shall_be(self, answers: bool) -> None:
        made = Pair(Request("/", answer_control_pings=answers))
        made.open()
        made.server.send_ping(b"p")
        made.to_client()
        pongs = [frame for frame in made.to_server() if isinstance(frame, Frame)]
        assert [bytes(one.data) for one in pongs] == ([b"p"] if answers else [])

    def test_raw_and_legal_frames_keep_their_order(self, pair: Pair) -> None:
        first, third = OutFrame(1, b"1", raw=True), OutFrame(1, b"3", raw=True)
        pair.wire.send((first, OutFrame(1, b"2"), third, OutFrame(1, b"4")))
        frames = [frame for frame in pair.to_server() if isinstance(frame, Frame)]
        assert [bytes(frame.data) for frame in frames] == [b"1", b"2", b"3", b"4"]


class TestEnd:
    @pytest.mark.parametrize(
        ("code", "legal"),
        [(code, True) for code in (1000, 1003, 1007, 1011, 1012, 1014, 3000, 4999)]
        + [(code, False) for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535)],
    )
    def test_the_code_is_seen_whether_legal_or_not(self, pair: Pair, code: int, legal: bool) -> None:
        found = list(pair.wire.feed(server_frame(8, code.to_bytes(2, "big") + b"why"), 2.0))
        assert found[0] == CloseReceived(2.0, "alice", code, "why", legal)
        assert all(isinstance(one, Ended) and one.how == "violation" for one in found[1:])

    @pytest.mark.parametrize(("body", "legal"), [(b"", True), (b"\x03", False)])
    def test_a_close_frame_without_a_code(self, pair: Pair, body: bytes, legal: bool) -> None:
        found = list(pair.wire.feed(server_frame(8, body), 2.0))
        assert found[0] == CloseReceived(2.0, "alice", None, "", legal)

    @pytest.mark.parametrize("reset", [True, False])
    def test_the_end_of_tcp(self, pair: Pair, reset: bool) -> None:
        assert list(pair.wire.eof(3.0, reset=reset)) == [Ended(3.0, "alice", "reset" if reset else "eof")]
        assert list(pair.wire.eof(4.0)) == []
        assert not pair.wire.send((OutFrame(1, b"late"),))

    def test_ours(self, pair: Pair) -> None:
        assert pair.wire.close(Close("alice", 1000, "bye"))
        assert not pair.wire.close(Close("alice", 1000))
        assert not pair.wire.send((OutFrame(1, b"late"),))
        (frame,) = pair.to_server()
        assert isinstance(frame, Frame)
        assert bytes(frame.data) == b"\x03\xe8bye"
        (answer,) = pair.to_client()
        assert isinstance(answer, CloseReceived)
        assert list(pair.wire.eof(3.0)) == [Ended(3.0, "alice", "eof")]

    def test_messages_before_the_end_come_first(self, pair: Pair) -> None:
        data = server_frame(1, b"last") + server_frame(8, b"\x03\xe8")
        kinds = [type(one) for one in pair.wire.feed(data, 2.0)]
        assert kinds == [Received, CloseReceived]

    @pytest.mark.parametrize(
        ("data", "detail"),
        [
            (server_frame(3), phrase("frame-opcode", opcode="3")),
            (server_frame(15), phrase("frame-opcode", opcode="f")),
            (server_frame(1, rsv=4), phrase("frame-reserved-bits")),
            (server_frame(1, rsv=2), phrase("frame-reserved-bits")),
            (server_frame(2, rsv=1), phrase("frame-reserved-bits")),
            (server_frame(9, rsv=4), phrase("frame-reserved-bits")),
            (server_frame(9, b"x" * 126), phrase("frame-control-long")),
            (server_frame(8, b"\x03\xe8" + b"x" * 124), phrase("frame-control-long")),
            (server_frame(9, fin=False), phrase("frame-control-cut")),
            (server_frame(0, b"x"), phrase("frame-nothing-to-continue")),
            (server_frame(1, fin=False) + server_frame(1), phrase("frame-unfinished-message")),
            (server_frame(1, fin=False) + server_frame(9) + server_frame(2), phrase("frame-unfinished-message")),
            pytest.param(OutFrame(1, b"masked").encode(), phrase("frame-masked"), id="masked"),
        ],
    )
    @pytest.mark.parametrize("whole", [True, False])
    def test_broken_framing_is_a_violation(self, pair: Pair, data: bytes, detail: Phrase, whole: bool) -> None:
        """It is named, however its bytes came."""
        chunks = [data] if whole else [data[at : at + 1] for at in range(len(data))]
        *before, end = (one for chunk in chunks for one in pair.wire.feed(chunk, 2.0))
        assert all(isinstance(one, Control) for one in before)
        assert isinstance(end, Ended)
        assert (end.how, end.detail) == ("violation", detail)
        assert detail.is_known
        assert list(pair.wire.feed(server_frame(1), 3.0)) == []

    @pytest.mark.parametrize("body", [b"\x03", b"\x03\xe8\xff"])
    def test_a_close_frame_that_is_malformed(self, pair: Pair, body: bytes) -> None:
        *_, end = pair.wire.feed(server_frame(8, body), 2.0)
        assert isinstance(end, Ended)
        assert (end.how, end.detail) == ("violation", phrase("frame-close"))

    def test_a_close_frame_inside_of_a_message(self, pair: Pair) -> None:
        """RFC 6455 §5.5 permits it; where the library does not, that is what it says."""
        found = list(pair.wire.feed(server_frame(1, b"a", fin=False) + server_frame(8, b"\x03\xe8"), 2.0))
        assert found[0] == CloseReceived(2.0, "alice", 1000, "", True)
        assert [one.detail for one in found[1:] if isinstance(one, Ended)] in ([], [phrase("frame-close-too-early")])

    @pytest.mark.parametrize(
        ("frames", "code"),
        [
            (server_frame(1, b"\xff\xff\xff", rsv=4), "frame-inflate"),
            (server_frame(1, b"", fin=False, rsv=4) + server_frame(0, b"x", rsv=4), "frame-reserved-bits"),
            (server_frame(9, b"x", rsv=4), "frame-reserved-bits"),
            (server_frame(1, b"x", rsv=6), "frame-reserved-bits"),
        ],
    )
    def test_broken_compression(self, frames: bytes, code: str) -> None:
        made = Pair(Request("/", deflate=Deflate()), deflate=True)
        made.open()
        *_, end = made.wire.feed(frames, 2.0)
        assert isinstance(end, Ended)
        assert (end.how, end.detail) == ("violation", phrase(code))

    @pytest.mark.parametrize(
        "data",
        [
            server_frame(1, b"x" * (LIMIT + 1)),
            server_frame(1, b"x" * LIMIT, fin=False) + server_frame(0, b"y"),
            b"\x82\x7f" + (2**62).to_bytes(8, "big"),
        ],
    )
    def test_more_than_the_limit_is_a_flood(self, pair: Pair, data: bytes) -> None:
        *_, end = pair.wire.feed(data, 2.0)
        assert isinstance(end, Ended)
        assert (end.how, end.detail) == ("flood", phrase("message-too-big", bytes=LIMIT))


STREAM = b"".join(
    [
        server_frame(1, "あ😀".encode()),
        server_frame(9, b"ping"),
        server_frame(2, b"x" * 200, fin=False),
        server_frame(10),
        server_frame(0, b"y" * 70),
        server_frame(1, b"\xff"),
        server_frame(8, b"\x10\x00late"),
        server_frame(1, b"after the end"),
    ]
)


def happenings(chunks: Iterable[bytes]) -> list[Happening]:
    wire = accepted()
    return [one for chunk in chunks for one in wire.feed(chunk, 1.0)] + list(wire.eof(1.0))


@given(st.lists(st.integers(0, len(STREAM)), max_size=20))
@example(list(range(len(STREAM))))
def test_chunks_do_not_matter(cuts: list[int]) -> None:
    """Any chunking of the same bytes gives the same happenings."""
    edges = [0, *sorted(cuts), len(STREAM)]
    chunks = [STREAM[start:end] for start, end in pairwise(edges)]
    assert happenings(chunks) == happenings([STREAM])
    assert len(happenings([STREAM])) == 7
