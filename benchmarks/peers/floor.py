"""What plain Python can do: `selectors`, raw sockets, frames made by hand, nothing checked and nothing measured.

    python -m benchmarks.peers.floor URL roundtrip|idle|fanout USERS SECONDS RATE SIZE

prints how many messages came. The frames are masked with zeroes and made once. A server that sends anything else than
what the benchmark expects breaks it: this is a yardstick, and no client.
"""

import selectors
import socket
import sys
import time
from urllib.parse import urlsplit

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
AT_A_TIME = 100


def frame(text: str) -> bytes:
    """A text frame of a client, its mask all zeroes."""
    data = text.encode()
    head = bytes((0x81, 0x80 | len(data))) if len(data) < 126 else b"\x81\xfe" + len(data).to_bytes(2, "big")
    return head + bytes(4) + data


class Peer:
    """A connection that has joined its channel, and the frame that it posts."""

    def __init__(self, url: str, number: int, channel: str, size: int) -> None:
        parts = urlsplit(url)
        self.socket = socket.create_connection((parts.hostname or "", parts.port or 80))
        self.socket.sendall(
            f"GET {parts.path}?access_token=load-{number} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        text = f"{number:08}".ljust(size, ".")
        self.join = frame(f'{{"event":"join_channel","payload":{{"channelId":"{channel}"}}}}')
        self.post = frame(f'{{"event":"send_message","payload":{{"channelId":"{channel}","text":"{text}"}}}}')
        self.rest = b""

    def settle(self) -> None:
        """Wait for the acknowledgement."""
        data = b""
        while b"connection_ack" not in data or not data.endswith(b"}"):
            data += self.socket.recv(4096)
        self.socket.setblocking(False)

    def read(self) -> int:
        """How many frames have come; a server's frames are not masked, and none here is longer than 65,535 bytes."""
        data = self.rest + self.socket.recv(262_144)
        count, at, end = 0, 0, len(data)
        while at + 4 <= end:
            length = data[at + 1]
            after = at + 2 + length if length < 126 else at + 4 + int.from_bytes(data[at + 2 : at + 4], "big")
            if after > end:
                break
            count, at = count + 1, after
        self.rest = data[at:]
        return count


def connected(url: str, users: int, size: int, *, shared: bool) -> list[Peer]:
    """All users, some on their way at a time; each in a channel of its own, or all in one."""
    peers: list[Peer] = []
    while len(peers) < users:
        numbers = range(len(peers), min(len(peers) + AT_A_TIME, users))
        group = [Peer(url, number, f"floor-{0 if shared else number:05}", size) for number in numbers]
        for peer in group:
            peer.settle()
        peers += group
    return peers


def roundtrips(peers: list[Peer], seconds: float) -> int:
    """Each posts as soon as its own message has come."""
    selector, count = selectors.DefaultSelector(), 0
    for peer in peers:
        selector.register(peer.socket, selectors.EVENT_READ, peer)
        peer.socket.send(peer.join + peer.post)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for key, _ in selector.select(1.0):
            if got := key.data.read():
                count += got
                key.data.socket.send(key.data.post)
    return count


def fanout(peers: list[Peer], seconds: float, rate: float) -> int:
    """All are in one channel, and post in turns, each at the rate."""
    selector, count, posted = selectors.DefaultSelector(), 0, 0
    for peer in peers:
        selector.register(peer.socket, selectors.EVENT_READ, peer)
        peer.socket.send(peer.join)
    began, step = time.monotonic(), 1 / (rate * len(peers))
    while (now := time.monotonic() - began) < seconds:
        while posted * step <= now:
            peers[posted % len(peers)].socket.send(peers[posted % len(peers)].post)
            posted += 1
        for key, _ in selector.select(max(posted * step - now, 0.0)):
            count += key.data.read()
    return count


def main() -> None:
    """Play, and print the count."""
    url, mode, users, seconds, rate, size = sys.argv[1:]
    peers = connected(url, int(users), int(size), shared=mode == "fanout")
    if mode == "roundtrip":
        print(roundtrips(peers, float(seconds)))
    elif mode == "fanout":
        print(fanout(peers, float(seconds), float(rate)))
    else:
        time.sleep(float(seconds))


if __name__ == "__main__":
    main()
