"""Ten thousand idle connections: how regular the server's pings stay, and what they cost it.

`python -m benchmarks.idle` opens them from this process (the server has another, and a core of its own), answers every
ping, and reports the periods between the pings of each connection, the CPU that the server needed for them, and its
memory. `--server node-ws` measures the example on Node's `ws`. With `--at-once` all connections are opened before the
first is accepted, as after a restart. The exit code is 1 where a connection is lost, or a period is out of the
tolerance.
"""

import argparse
import os
import resource
import selectors
import socket
import statistics
import sys
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

from benchmarks.servers import SERVERS, Measured, absent, cores, serving
from tests.reference_server.raw import RawClient

INTERVAL = 5.0
TOLERANCE = 0.2
SPARE = 100
"""File descriptors for everything but the connections."""
PER_ADDRESS = 5_000
"""Connections from one address of the loopback, so that no range of ephemeral ports is too small."""

PING, PONG = b'"ping"', RawClient.masked(0x81, b'{"event":"pong","payload":{}}')
ACK = b'"connection_ack"'


class Idler:
    """A connection that only answers pings."""

    def __init__(self, url: str, number: int) -> None:
        parts = urlsplit(url)
        self.socket = socket.socket()
        self.socket.bind((f"127.0.0.{2 + number // PER_ADDRESS}", 0))
        self.socket.setblocking(False)
        self.socket.connect_ex((parts.hostname, parts.port))
        self.request = (
            f"GET {parts.path}?access_token=load-{number} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        ).encode()
        self.acknowledged = False
        self.pings: list[float] = []

    def write(self) -> None:
        """The connection stands: ask for the handshake."""
        self.socket.send(self.request)

    def read(self, now: float) -> None:
        """Answer what came at `now`. A message is never cut: it is small, and the only one on its way."""
        data = self.socket.recv(4096)
        if not data:
            raise RuntimeError("the server has closed a connection")
        self.acknowledged = self.acknowledged or ACK in data
        for _ in range(data.count(PING)):
            self.pings.append(now)
            self.socket.send(PONG)


class Idlers:
    """All of them."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._selector = selectors.DefaultSelector()
        self.all: list[Idler] = []

    def open(self, count: int, *, at_once: bool) -> None:
        """Open so many, a hundred on their way at a time or all."""
        step = count if at_once else 100
        while len(self.all) < count:
            for number in range(len(self.all), min(len(self.all) + step, count)):
                idler = Idler(self._url, number)
                self.all.append(idler)
                self._selector.register(idler.socket, selectors.EVENT_WRITE, idler)
            while not all(idler.acknowledged for idler in self.all[-step:]):
                self._turn(30.0)

    def idle(self, seconds: float) -> None:
        """Answer pings for a while."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._turn(left)

    def _turn(self, patience: float) -> None:
        ready = self._selector.select(patience)
        for key, events in ready:
            if events & selectors.EVENT_WRITE:
                key.data.write()
                self._selector.modify(key.fileobj, selectors.EVENT_READ, key.data)
            else:
                key.data.read(time.monotonic())

    def periods(self) -> list[float]:
        """Seconds between a connection's pings, of all connections."""
        return [
            after - before for idler in self.all for before, after in zip(idler.pings, idler.pings[1:], strict=False)
        ]

    def close(self) -> None:
        """Hang up."""
        self._selector.close()
        for idler in self.all:
            idler.socket.close()


def allow_descriptors(count: int) -> None:
    """Raise this process's limit of open files, which the server inherits. Raises `RuntimeError`."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < count + SPARE:
        raise RuntimeError(f"{count} connections need {count + SPARE} file descriptors; the hard limit is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (count + SPARE, hard))


def spread(periods: Sequence[float]) -> str:
    """Least, median, and what 99.9 % stay below, greatest; in seconds."""
    ordered = sorted(periods)
    high = ordered[int(len(ordered) * 0.999)]
    return f"min {ordered[0]:.3f}, median {statistics.median(ordered):.3f}, p99.9 {high:.3f}, max {ordered[-1]:.3f} s"


def report(server: Measured, options: argparse.Namespace) -> bool:
    """Measure and print; whether all is within the tolerance."""
    empty = server.memory()
    idlers = Idlers(server.url)
    began, cpu = time.monotonic(), server.cpu()
    idlers.open(options.connections, at_once=options.at_once)
    opening = time.monotonic() - began
    each = (server.cpu() - cpu) / options.connections
    print(f"opened     {options.connections:,} in {opening:.1f} s, {each * 1e6:.0f} µs of the server's CPU for each")
    cpu, began = server.cpu(), time.monotonic()
    idlers.idle(options.seconds)
    busy = (server.cpu() - cpu) / (time.monotonic() - began)
    periods = idlers.periods()
    if not periods:
        raise RuntimeError(f"no connection has had two pings; --seconds must be over {2 * INTERVAL:.0f}")
    off = max(abs(one / INTERVAL - 1) for one in periods)
    print(
        f"pings      {sum(len(idler.pings) for idler in idlers.all):,}; every {spread(periods)} (asked: {INTERVAL} s)"
    )
    print(f"deviation  {off:.1%} at most, {TOLERANCE:.0%} allowed")
    print(f"CPU        {busy:.1%} of a core while idle")
    print(f"memory     {(server.memory() - empty) / options.connections / 1024:.1f} kB for each connection")
    idlers.close()
    return off <= TOLERANCE


def main() -> int:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=21.0, help="of idling")
    parser.add_argument("--at-once", action="store_true")
    parser.add_argument("--server", choices=SERVERS, default=SERVERS[0])
    options = parser.parse_args()
    reason = absent(options.server)
    if reason is not None:
        print(f"not measured: {reason}")
        return 0
    allow_descriptors(options.connections)
    with serving(options.server, interval=INTERVAL, timeout=2 * INTERVAL) as server:
        os.sched_setaffinity(0, cores()[1])
        return 0 if report(server, options) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RuntimeError as error:
        sys.exit(f"idle: {error}")
