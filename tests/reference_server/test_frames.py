"""The short ways past the library write and read what the library does, however a stream is cut."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.sync.client import connect

from reference_server.network.frames import take_text, text_header
from tests.reference_server.raw import TIMEOUT, RawClient

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


@pytest.mark.parametrize("piece", [1, 2, 3, 5, 8, 13, 40, 89, 144, 10_000])
def test_a_stream_means_the_same_however_it_is_cut(start: Callable[..., str], piece: int) -> None:
    with RawClient(start()) as client:
        assert client.read_frame().opcode == 1
        stream = client.message("join_channel", channelId="room")
        for number in range(6):
            post = client.message("send_message", channelId="room", text=f"{number}" * 30 * number or "none")
            stream += post + client.text("?") + client.ping(b"%d" % number) + post
            stream += client.masked(0x01, b"{") + client.ping(b"inside") + client.masked(0x80, b"")
        for place in range(0, len(stream), piece):
            client.write(stream[place : place + piece])
        found = [client.read_frame() for _ in range(6 * 6)]
    kinds = [json.loads(frame.data)["event"] if frame.opcode == 1 else frame.data.decode() for frame in found]
    assert kinds == [
        kind for number in range(6) for kind in ("new_message", "error", f"{number}", "new_message", "inside", "error")
    ]
    sequence = [json.loads(frame.data)["sequence"] for frame in found if frame.opcode == 1]
    assert sequence == list(range(2, 26))


def test_a_broadcast_reaches_compressed_and_plain_connections(start: Callable[..., str]) -> None:
    target = f"{start()}?access_token=alice-token"
    with connect(target) as packed, connect(target, compression=None) as plain:
        for client in (packed, plain):
            client.recv(timeout=TIMEOUT)
            client.send('{"event":"join_channel","payload":{"channelId":"room"}}')
            client.ping().wait(TIMEOUT)
        for number in range(12):
            post = {"channelId": "room", "text": f"{number}" * 500}
            packed.send(json.dumps({"event": "send_message", "payload": post}))
        for number in range(12):
            first, second = (json.loads(client.recv(timeout=TIMEOUT)) for client in (packed, plain))
            assert first == second
            assert (first["payload"]["message"]["text"], first["sequence"]) == (f"{number}" * 500, number + 2)
