"""What a hostile peer may do to the transport, and TLS."""

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.transport.bounds import Bounds
from conformance.transport.exchange import Ended, Happening, Opened, Received, Refused
from conformance.transport.sockets import Transport
from conformance.transport.target import UnreachableError, resolve
from contract.choices import Tls
from contract.errors import ContractError
from tests.conformance.certificates import certificate as made
from tests.conformance.servers import (
    Talk,
    drain,
    raw_server,
    read_request,
    upgrade,
    websocket_server,
)
from tests.conformance.transport.test_sockets import OPEN, Script, echo, run, server_text, text, until


def flood(data: bytes, first: bytes = b"") -> Talk:
    def talk(connection: socket.socket) -> None:
        if upgrade(connection):
            connection.sendall(first)
            while True:
                connection.sendall(data)

    return talk


class TestFlood:
    @pytest.mark.parametrize(
        ("data", "bounds"),
        [
            (server_text(b""), Bounds(happenings=100)),
            (b"\x89\x00", Bounds(happenings=100)),
            (server_text(b"x" * 1_000), Bounds(total_bytes=100_000)),
            (b"\x00\x00" * 50_000, Bounds(total_bytes=100_000)),
            (server_text(b"x" * 1_001), Bounds(message_bytes=1_000)),
        ],
        ids=["messages", "pings", "bytes", "empty fragments", "one message"],
    )
    def test_it_ends_the_connection(self, data: bytes, bounds: Bounds) -> None:
        first = b"\x01\x00" if data.startswith(b"\x00") else b""
        with raw_server(flood(data, first)) as url:
            found = run(url, until(Ended, OPEN), bounds)
        ended = found[-1]
        assert isinstance(ended, Ended)
        assert ended.how == "flood"

    def test_after_the_flood_nothing_more_comes(self) -> None:
        def script() -> Script:
            found = yield from until(Ended, OPEN)
            return [one for one in found if isinstance(one, Ended)]

        with raw_server(flood(server_text(b""))) as url:
            assert len(run(url, script(), Bounds(happenings=10))) == 1

    def test_an_endless_refusal_ends(self) -> None:
        def talk(connection: socket.socket) -> None:
            if read_request(connection):
                connection.sendall(b"HTTP/1.1 500 No\r\n\r\n")
                while True:
                    connection.sendall(b"x" * 65_536)

        def script() -> Script:
            found: list[Happening] = yield from until(Refused, OPEN)
            return found

        with raw_server(talk) as url:
            found = run(url, script(), Bounds(total_bytes=4_000_000))
        assert isinstance(found[-1], Refused)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of `localhost`; its key lies beside it."""
    return made(tmp_path_factory.mktemp("tls"), "localhost").cert


@pytest.fixture
def secure(certificate: Path) -> Iterator[str]:
    """The URL of an echoing server behind TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    with websocket_server(echo, tls=context) as url:
        yield url


class TestTls:
    @pytest.mark.parametrize("size", [1, 16_384, 500_000])
    def test_round_trip(self, secure: str, certificate: Path, size: int) -> None:
        def script() -> Script:
            yield from until(Opened, OPEN)
            return (yield from until(Received, text(b"x" * size)))

        target = resolve(secure, Tls(ca=str(certificate)))
        (received,) = Transport(target).run(script())
        assert isinstance(received, Received)
        assert len(received.data) == size

    def test_an_unknown_certificate_is_refused(self, secure: str) -> None:
        with pytest.raises(UnreachableError, match="its certificate is not trusted"):
            resolve(secure)

    def test_unless_it_is_not_verified(self, secure: str) -> None:
        target = resolve(secure, Tls(verify=False))
        (opened,) = Transport(target).run(until(Opened, OPEN))
        assert isinstance(opened, Opened)

    def test_another_host_is_refused(self, secure: str, certificate: Path) -> None:
        with pytest.raises(UnreachableError, match="its certificate is not trusted"):
            resolve(secure.replace("localhost", "127.0.0.1"), Tls(ca=str(certificate)))

    def test_a_certificate_that_changes_is_refused(self, secure: str, certificate: Path) -> None:
        """The trial connection is not the only one that is checked."""
        target = resolve(secure, Tls(verify=False))
        strict = resolve(secure, Tls(ca=str(certificate)))
        assert strict.tls is not None
        changed = ssl.create_default_context()
        other = type(target)(target.uri, target.family, target.address, changed)
        (refused,) = Transport(other).run(until(Refused, OPEN))
        assert isinstance(refused, Refused)
        assert refused.problem == "tls"
        assert refused.detail.code == "tls"
        assert "certificate" in str(refused.detail).lower()

    def test_a_server_without_tls(self) -> None:
        def talk(connection: socket.socket) -> None:
            if connection.recv(1):
                connection.sendall(b"HTTP/1.1 400 No\r\n\r\n")
                drain(connection)

        with raw_server(talk) as url, pytest.raises(UnreachableError, match="port"):
            resolve(url.replace("ws://", "wss://"), Tls(verify=False))


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_a_ca_file_without_certificates_is_the_profiles_fault(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(ContractError, match=r"ca\.pem: tls\.ca contains no certificates"):
        resolve("wss://127.0.0.1:1/", Tls(ca=str(path)))
