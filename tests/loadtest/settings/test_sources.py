"""Where connections come from: addresses in turn, and ports without a search."""

import errno
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from conformance.transport.exchange import Request
from conformance.transport.target import resolve
from contract.choices import Tls
from loadtest.settings.settings import LoadError
from loadtest.settings.sources import SEARCHED_SHARE, Place, Sources, check_source, local_ports
from loadtest.users.link import Link
from loadtest.users.opening import opening_of
from tests.conformance.servers import raw_server, upgrade
from tests.loadtest.reactor import SelectorReactor
from tests.loadtest.users.test_link import Heard

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs all of 127.0.0.0/8")


@contextmanager
def sockets() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def made(stack: ExitStack) -> socket.socket:
    return stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))


def free_ports(count: int) -> list[int]:
    """Ports that nobody had a moment ago."""
    with sockets() as stack:
        found = []
        for _ in range(count):
            one = made(stack)
            one.bind(("127.0.0.1", 0))
            found.append(one.getsockname()[1])
        return found


@linux
def test_addresses_take_turns() -> None:
    sources = Sources(("127.0.0.2", "127.0.0.3"), socket.AF_INET)
    with sockets() as stack, socket.create_server(("127.0.0.1", 0)) as server:
        seen = []
        for _ in range(4):
            one = made(stack)
            sources.next().bind(one)
            one.connect(server.getsockname())
            seen.append(stack.enter_context(server.accept()[0]).getpeername()[0])
    assert seen == ["127.0.0.2", "127.0.0.3"] * 2


def test_the_kernel_chooses_until_a_part_of_the_range_is_open_and_what_is_given_back_comes_last() -> None:
    ports = free_ports(4)
    place = Place("127.0.0.1", "0.0.0.0", iter(ports[:3]), searched=2)
    with sockets() as stack:
        assert [place.bind(made(stack)) for _ in range(4)] == [0, 0, ports[0], ports[1]]
    place.release(ports[0])
    place.release(ports[1])
    with sockets() as stack:
        assert [place.bind(made(stack)) for _ in range(3)] == [ports[2], ports[0], ports[1]]
        place.release(0)
        # Nothing is left to name: the kernel may still find one.
        one = made(stack)
        assert place.bind(one) == 0
        assert one.getsockname()[0] == "127.0.0.1"


def test_ports_that_others_have_are_passed_over_and_tried_again_later() -> None:
    taken, free = free_ports(2)
    place = Place("127.0.0.1", "0.0.0.0", iter((taken, free)), searched=0)
    with sockets() as stack:
        other = made(stack)
        other.bind(("127.0.0.1", taken))
        assert place.bind(made(stack)) == free
        other.close()
        assert place.bind(made(stack)) == taken


@linux
def test_each_process_begins_elsewhere_and_leaves_the_kernel_its_share() -> None:
    ports = local_ports()
    first, second = (Sources((), socket.AF_INET, number, 2).next() for number in (0, 1))
    assert (next(first._fresh), next(second._fresh)) == (ports[0], ports[len(ports) // 2])
    assert first._searched == len(ports) / SEARCHED_SHARE / 2
    low, high = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split())
    assert (ports[0], ports[-1]) == (low, high)


@linux
def test_a_connection_gives_its_place_back_when_it_is_over_and_when_none_came_about() -> None:
    port, other = free_ports(2)
    place, heard, reactor = Place("127.0.0.2", "0.0.0.0", iter((port, other)), searched=0), Heard(), SelectorReactor()

    def talk(connection: socket.socket) -> None:
        if upgrade(connection):
            connection.sendall(connection.getpeername()[0].encode())

    with raw_server(talk) as url:
        target = resolve(url, Tls())
        link = Link(heard, reactor, target, opening_of(target, Request(target.path)), place)
        assert (link._port, place._open) == (port, 1)
        reactor.run(lambda: bool(heard.accepted))
        link.shut()
        link.shut()
    assert (place._open, list(place._used)) == (0, [port])
    gone = Heard()
    Link(gone, reactor, target, opening_of(target, Request(target.path)), place)
    reactor.run(lambda: gone.over)
    assert (place._open, list(place._used)) == (0, [port, other])


def test_an_address_that_is_not_this_machines_is_told() -> None:
    check_source("127.0.0.1", socket.AF_INET)
    for address, family, expected in (
        ("192.0.2.7", None, "not an address of this machine"),
        ("localhost", None, "expected an IP address"),
        ("127.0.0.1", socket.AF_INET6, "is IPv4, but the endpoint is reached over IPv6"),
    ):
        with pytest.raises(LoadError, match=f"--source-address {address}: .*{expected}"):
            check_source(address, family)


def test_a_connection_without_an_address_costs_none() -> None:
    place = Place("192.0.2.7", "0.0.0.0", iter(()), searched=0)
    with sockets() as stack, pytest.raises(OSError, match=os.strerror(errno.EADDRNOTAVAIL)):
        place.bind(made(stack))
    assert place._open == 0
