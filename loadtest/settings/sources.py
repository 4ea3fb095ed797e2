"""Where connections come from: this machine's addresses in turn, and ports that need not be searched for.

A connection to one endpoint needs a port of its own for each source address. The kernel finds one quickly while half of
its range is free; after that it tries nearly all of them for every connection: on 28,000 ports, the 19,000th connection
costs 2 ms, a hundred times what the first one does. So from a quarter of the range on, ports are named here: in turn,
and those that were given back last come last, when their TIME_WAIT is over. Where some in a row are taken by others,
the kernel searches all the same.

Several addresses (`--source-address`) have a range each. On Linux, 127.0.0.2 and all others of 127.0.0.0/8 are there
for local endpoints.
"""

import socket
import sys
from array import array
from collections import deque
from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from itertools import cycle
from pathlib import Path
from typing import Protocol

from loadtest.settings.settings import LoadError

IP_BIND_ADDRESS_NO_PORT = 24
"""Linux: an address is bound now, and the port is chosen with the peer's address known."""

SEARCHED_SHARE = 4
"""One part in so many of the range is left to the kernel, by all processes of this machine together."""

TRIES = 8
"""Ports in a row that others may have taken, until the kernel searches for one."""

_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_RESERVED = Path("/proc/sys/net/ipv4/ip_local_reserved_ports")


class Bindable(Protocol):
    """A socket without an address yet."""

    def bind(self, address: tuple[object, ...]) -> None: ...  # as a socket's

    def setsockopt(self, level: int, name: int, value: int) -> None: ...  # as a socket's


class Place:
    """The ports of one source address; None: the kernel chooses the address. A port is 0 where the kernel chose it."""

    def __init__(self, address: str | None, wildcard: str, ports: Iterator[int], searched: float) -> None:
        self._address = address
        self._wildcard = wildcard
        self._fresh = ports
        self._used: deque[int] = deque()
        self._searched = searched
        self._open = 0

    def bind(self, made: Bindable) -> int:
        """Give a socket its address and port. Raises OSError."""
        port = self._named(made) if self._open >= self._searched else 0
        if not port and self._address is not None:
            if sys.platform == "linux":
                made.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
            made.bind((self._address, 0))
        self._open += 1
        return port

    def _named(self, made: Bindable) -> int:
        """The port that the socket has been given; 0 where others have those that were tried."""
        for _ in range(TRIES):
            port = next(self._fresh, 0) or (self._used.popleft() if self._used else 0)
            if not port:
                break
            try:
                made.bind((self._address or self._wildcard, port))
            except OSError:
                self._used.append(port)
            else:
                return port
        return 0

    def release(self, port: int) -> None:
        """A connection is over."""
        self._open -= 1
        if port:
            self._used.append(port)


class Sources:
    """The places of one process. `number` of `processes`: which of them on this machine it is, from 0."""

    def __init__(self, addresses: Sequence[str], family: int, number: int = 0, processes: int = 1) -> None:
        ports, wildcard = local_ports(), "::" if family == socket.AF_INET6 else "0.0.0.0"
        searched = len(ports) / SEARCHED_SHARE / processes if ports else float("inf")
        begin = len(ports) * number // processes
        own = array("H", [*ports[begin:], *ports[:begin]])
        self._places = cycle([Place(one, wildcard, iter(own), searched) for one in (addresses or (None,))])

    def next(self) -> Place:
        """Where the next connection comes from."""
        return next(self._places)


def local_ports() -> Sequence[int]:
    """The ports that connections of this machine may have; none where that is not known."""
    try:
        low, high = map(int, _RANGE.read_text(encoding="ascii").split())
        reserved = set(_numbers(_RESERVED.read_text(encoding="ascii").strip()))
    except (OSError, ValueError):
        return ()
    return [port for port in range(low, high + 1) if port not in reserved]


def _numbers(ranges: str) -> Iterator[int]:
    for part in filter(None, ranges.split(",")):
        low, _, high = part.partition("-")
        yield from range(int(low), int(high or low) + 1)


def check_source(address: str, family: int | None = None) -> None:
    """Raises `LoadError` where it is no address of this machine, or not of the endpoint's family."""
    try:
        parsed = ip_address(address)
    except ValueError:
        raise LoadError(f"--source-address {address}: expected an IP address, such as 127.0.0.2") from None
    own = socket.AF_INET6 if parsed.version == 6 else socket.AF_INET
    try:
        with socket.socket(own, socket.SOCK_STREAM) as trial:
            trial.bind((address, 0))
    except OSError as error:
        raise LoadError(
            f"--source-address {address}: not an address of this machine ({error.strerror or error})"
        ) from None
    if family is not None and own != family:
        reached = "IPv6" if family == socket.AF_INET6 else "IPv4"
        raise LoadError(
            f"--source-address {address}: is IPv{parsed.version}, but the endpoint is reached over {reached}"
        )
