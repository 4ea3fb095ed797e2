"""What a command says of an endpoint that lets nobody in."""

import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from websockets.sync.server import ServerConnection

from tests.conformance.certificates import Certificate, certificate
from tests.conformance.servers import raw_server, read_request, websocket_server
from tests.wsproof.command import read, wsproof


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate(tmp_path_factory.mktemp("tls"), "localhost")


def idle(connection: ServerConnection) -> None:
    connection.recv()


@pytest.mark.slow
class TestClientCertificates:
    @pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
    @pytest.mark.parametrize("command", [("check",), ("load", "--users", "2", "--time", "2s")])
    def test_a_demanded_one_is_named(
        self, own: Certificate, tmp_path: Path, version: ssl.TLSVersion, command: tuple[str, ...]
    ) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = context.maximum_version = version
        context.load_cert_chain(own.cert, own.key)
        context.load_verify_locations(own.cert)
        context.verify_mode = ssl.CERT_REQUIRED
        with websocket_server(idle, tls=context) as url:
            done = wsproof(*command, url, "--set", f"tls.ca={own.cert}", folder=tmp_path)
        assert (done.returncode, done.stdout) == (3, ""), done.stdout + done.stderr
        (line,) = done.stderr.splitlines()
        assert "cannot be reached" in line
        if version == ssl.TLSVersion.TLSv1_3:
            assert "it requires a client certificate (TLSV13_ALERT_CERTIFICATE_REQUIRED)" in line
        else:
            assert "it refused the TLS connection (SSLV3_ALERT_HANDSHAKE_FAILURE)" in line


def answering(answer: bytes) -> Callable[[socket.socket], None]:
    def talk(connection: socket.socket) -> None:
        if read_request(connection):
            connection.sendall(answer)

    return talk


def test_a_refusal_shows_its_text_without_the_token(tmp_path: Path) -> None:
    answer = b"HTTP/1.0 401 Unauthorized\r\n\r\nthe token alice-token is of another realm"
    with raw_server(answering(answer)) as url:
        done = wsproof("check", url, "--select", "CONN-01", "-q", folder=tmp_path)
    document = read(tmp_path / "wsproof-report" / "results.json")
    received = {one["received"] for each in document["scenarios"] for one in each["failures"]}
    assert "401 Unauthorized, body: the token ••• is of another realm" in received
    assert "alice-token" not in done.stdout + (tmp_path / "wsproof-report" / "report.html").read_text(encoding="utf-8")
    hints = [one["message"] for one in document["hints"]]
    assert "the handshake response was HTTP/1.0; wsproof accepted it, but other clients may not" in hints


@pytest.mark.slow
def test_a_redirect_shows_where_it_leads(tmp_path: Path) -> None:
    answer = b"HTTP/1.1 302 Found\r\nLocation: https://login.example/sso?state=secret\r\nContent-Length: 0\r\n\r\n"
    with raw_server(answering(answer)) as url:
        done = wsproof("check", url, "--select", "CONN-01", "-q", folder=tmp_path)
    assert "302 Found, redirected to https://login.example/sso?…" in " ".join(done.stdout.split())
    assert "secret" not in (tmp_path / "wsproof-report" / "results.json").read_text(encoding="utf-8")
