"""How many messages a server delivers in a second, and in a second of CPU, beside Node's `ws`.

`python -m benchmarks.fanout` lets 50 users post, each the next message as soon as its own has come back, in channels
of 1, 10, 100 and 1,000 members. The reference server and the example on Node's `ws` take turns; a figure is the median
of the rounds. The server has one core and the clients another; the clients only count. `--posting 1` shows what one
post alone costs, `--deaf 10` that members who never read cost the others nothing. The exit code is 1 where a server
delivers another number of messages than it must.
"""

import argparse
import os
import selectors
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from benchmarks.servers import SERVERS, Measured, absent, cores, serving
from tests.reference_server.raw import RawClient
from tests.reference_server.test_network_bounds import join_and_wait

LENGTH = 100
PATIENCE = 30.0
"""Seconds without a delivery after which a server counts as stuck."""

DELIVERY = b'"new_message"'


@dataclass(frozen=True, slots=True)
class Figures:
    """What one round measured; rates per second and per CPU second of the server, CPU as a share of a core."""

    rate: float
    per_cpu: float
    busy: float


class Member:
    """A client that counts deliveries, and posts the next message when its own has come."""

    def __init__(self, url: str, number: int, channel: str) -> None:
        self.client = RawClient(url, f"load-{number}")
        join_and_wait(self.client, channel)
        text = f"{number:012}"
        self._own = f'"{text}'.encode()  # as long as DELIVERY, so that one rest serves to find both
        self._post = self.client.message("send_message", channelId=channel, text=text.ljust(LENGTH, "."))
        self._rest = b""
        self.client.socket.setblocking(False)

    def post(self) -> None:
        """Send one message."""
        self.client.socket.sendall(self._post)

    def read(self) -> tuple[int, int]:
        """How many deliveries have come, and how many of them are posts of its own."""
        data = self.client.socket.recv(262_144)
        if not data:
            raise RuntimeError("the server has closed a connection")
        data = self._rest + data
        self._rest = data[1 - len(DELIVERY) :]
        return data.count(DELIVERY), data.count(self._own)


class Crowd:
    """All clients of one server: `posting` users in channels of `fanout`; `deaf` more in the first never read."""

    def __init__(self, url: str, fanout: int, posting: int, deaf: int) -> None:
        self._fanout = fanout
        self._deaf = [RawClient(url, receive_buffer=4096) for _ in range(deaf)]
        for client in self._deaf:
            join_and_wait(client, "fanout-0")
        self._selector = selectors.DefaultSelector()
        count = max(fanout, posting - posting % fanout)
        self.members = [Member(url, number, f"fanout-{number // fanout}") for number in range(count)]
        self._posting = set(self.members[:posting])
        for member in self.members:
            self._selector.register(member.client.socket, selectors.EVENT_READ, member)
        self.posted = 0
        self.delivered = 0

    def begin(self) -> None:
        """Let everybody who posts send the first message."""
        for member in self._posting:
            member.post()
        self.posted += len(self._posting)

    def play(self, seconds: float) -> None:
        """Receive and post for a while."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._turn(posting=True)

    def drain(self) -> None:
        """Receive until nothing is missing."""
        while self.delivered < self.posted * self._fanout:
            self._turn(posting=False)

    def _turn(self, *, posting: bool) -> None:
        ready = self._selector.select(PATIENCE)
        if not ready:
            raise RuntimeError(f"{self.posted * self._fanout - self.delivered} deliveries did not come")
        for key, _ in ready:
            member: Member = key.data
            delivered, own = member.read()
            self.delivered += delivered
            if own and posting:
                member.post()
                self.posted += 1

    def close(self) -> None:
        """Hang up."""
        self._selector.close()
        for client in (*self._deaf, *(member.client for member in self.members)):
            client.close()


def measured(server: Measured, fanout: int, options: argparse.Namespace) -> Figures:
    """One round. Raises `RuntimeError` where deliveries are missing or too many."""
    crowd, seconds = Crowd(server.url, fanout, options.posting, options.deaf), options.seconds
    try:
        crowd.begin()
        crowd.play(seconds / 4)  # warms up
        began, cpu, delivered = time.monotonic(), server.cpu(), crowd.delivered
        crowd.play(seconds)
        took, cpu, delivered = time.monotonic() - began, server.cpu() - cpu, crowd.delivered - delivered
        crowd.drain()
        if crowd.delivered != crowd.posted * fanout:
            raise RuntimeError(f"{crowd.delivered} deliveries where {crowd.posted * fanout} were due")
    finally:
        crowd.close()
    return Figures(delivered / took, delivered / max(cpu, 0.01), cpu / took)


def median(rounds: Sequence[Figures]) -> Figures:
    """The median of each figure."""
    return Figures(*(statistics.median(getattr(one, name) for one in rounds) for name in Figures.__slots__))


@contextmanager
def all_servers() -> Iterator[dict[str, Measured]]:
    """Those that can be started here; of the others the reason is printed."""
    with ExitStack() as stack:
        servers = {}
        for name in SERVERS:
            reason = absent(name)
            if reason is not None:
                print(f"{name} is left out: {reason}")
            else:
                servers[name] = stack.enter_context(serving(name))
        yield servers


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fanout", type=int, nargs="+", default=[1, 10, 100, 1000])
    parser.add_argument("--posting", type=int, default=50, help="how many users post at the same time")
    parser.add_argument("--deaf", type=int, default=0, help="how many members of the first channel never read")
    parser.add_argument("--seconds", type=float, default=2.0, help="of each round")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print("| fan-out | server | deliveries/s | per CPU second | busy |\n| ---: | --- | ---: | ---: | ---: |")
    with all_servers() as servers:
        os.sched_setaffinity(0, cores()[1])
        for fanout in options.fanout:
            found: dict[str, list[Figures]] = {name: [] for name in servers}
            for _ in range(options.rounds):
                for name, server in servers.items():
                    found[name].append(measured(server, fanout, options))
            for name, rounds in found.items():
                one = median(rounds)
                print(f"| {fanout:,} | {name} | {one.rate:,.0f} | {one.per_cpu:,.0f} | {one.busy:.0%} |", flush=True)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RuntimeError as error:
        sys.exit(f"fanout: {error}")
