"""A stream of frames over the network means the same however it is cut and compressed."""

import json
from collections.abc import Callable

import pytest
from websockets.sync.client import connect

from tests.reference_server.raw import TIMEOUT, RawClient


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
