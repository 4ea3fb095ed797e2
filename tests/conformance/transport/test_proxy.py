"""The way through a proxy: which one is taken, what it may answer, and that its troubles are nobody else's."""

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from conformance.play.context import Script
from conformance.transport.exchange import Happening, Open, Opened, Refused, Request, Wait
from conformance.transport.proxy import MAX_HEAD_BYTES, Proxy, Tunnel, TunnelError, parse_proxy, proxy_for
from conformance.transport.sockets import Transport
from conformance.transport.target import Target, UnreachableError, resolve, sign_of_life
from conformance.transport.troubles import OwnTroubleError
from contract.choices import Tls
from contract.errors import ContractError
from contract.findings import Phrase
from reference_server.core.settings import ServerSettings
from reference_server.network import running
from tests.conformance.certificates import certificate, server_context
from tests.conformance.connect_proxy import ConnectProxy, refusing
from tests.conformance.servers import PATIENCE, raw_server
from tests.evidence.edge import edge_before, port_of

NAME = "chat.example.test"
"""Nobody but the proxy knows this name."""


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


class TestWhichOne:
    def chosen(self, host: str = NAME, port: int = 443, *, secure: bool = True, setting: str | None = None) -> str:
        found = proxy_for(host, port, secure=secure, setting=setting)
        return "" if found is None else f"{found.host}:{found.port}"

    def test_none_by_default(self) -> None:
        assert self.chosen() == ""

    @pytest.mark.parametrize(
        ("secure", "variables", "found"),
        [
            (True, {"HTTPS_PROXY": "http://p:1", "HTTP_PROXY": "http://q:2"}, "p:1"),
            (False, {"HTTPS_PROXY": "http://p:1", "HTTP_PROXY": "http://q:2"}, "q:2"),
            (False, {"HTTPS_PROXY": "http://p:1"}, ""),
            (True, {"ALL_PROXY": "http://p:1"}, "p:1"),
            (True, {"ALL_PROXY": "http://p:1", "HTTPS_PROXY": "http://q:2"}, "q:2"),
            (True, {"https_proxy": "p:1"}, "p:1"),
            (True, {"https_proxy": "http://p"}, "p:80"),
            (True, {"HTTPS_PROXY": ""}, ""),
        ],
    )
    def test_by_the_environment(
        self, secure: bool, variables: dict[str, str], found: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        assert self.chosen(secure=secure) == found

    @pytest.mark.parametrize(
        ("exceptions", "host", "direct"),
        [
            ("*", NAME, True),
            (NAME, NAME, True),
            ("example.test", NAME, True),
            (".example.test", NAME, True),
            ("*.example.test", NAME, True),
            ("EXAMPLE.test", NAME, True),
            ("other, example.test", NAME, True),
            ("ample.test", NAME, False),
            ("example.test:443", NAME, True),
            ("example.test:8443", NAME, False),
            ("10.0.0.0/8", "10.1.2.3", True),
            ("10.0.0.0/8", "11.1.2.3", False),
            ("10.1.2.3", "10.1.2.3", True),
            ("10.1.2.3:443", "10.1.2.3", True),
            ("10.1.2.3:80", "10.1.2.3", False),
            ("fd00::/8", "fd00::1", True),
            ("[fd00::1]", "fd00::1", True),
            ("[fd00::1]:443", "fd00::1", True),
            ("[fd00::1]:80", "fd00::1", False),
            ("fd00::1", "fd00::1", True),
            ("", NAME, False),
            (",:,", NAME, False),
        ],
    )
    def test_exceptions(self, exceptions: str, host: str, direct: bool, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HTTPS_PROXY", "http://p:1")
        monkeypatch.setenv("NO_PROXY", exceptions)
        assert self.chosen(host) == ("" if direct else "p:1")

    @pytest.mark.parametrize("host", ["localhost", "api.localhost", "127.0.0.1", "127.1.2.3", "::1"])
    def test_none_could_reach_this_machine_for_us(self, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ALL_PROXY", "http://p:1")
        assert self.chosen(host) == ""
        assert self.chosen(host, setting="http://q:2") == "q:2"

    def test_the_setting_is_about_this_endpoint(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HTTPS_PROXY", "http://p:1")
        assert self.chosen(setting="none") == ""
        monkeypatch.setenv("NO_PROXY", "*")
        assert self.chosen(setting="http://q:2") == "q:2"

    def test_credentials(self) -> None:
        found = parse_proxy("http://us%40er:s3cret%3A@[fd00::1]:3128/", "proxy")
        assert found == Proxy("fd00::1", 3128, "us@er:s3cret:")
        assert str(found) == "the proxy http://[fd00::1]:3128"
        assert "s3cret" not in repr(found)
        assert parse_proxy("http://user@p", "proxy").credentials == "user:"

    @pytest.mark.parametrize(
        ("url", "message"),
        [
            ("socks5://u:s3cret@p:1", "SOCKS proxies are not supported; expected http://HOST:PORT"),
            ("https://u:s3cret@p:1", "TLS to the proxy itself is not supported; expected http://HOST:PORT"),
            ("ftp://u:s3cret@p", "not a proxy URL; expected"),
            ("http://u:s3cret@p/path", "not a proxy URL; expected"),
            ("http://u:s3cret@p:port", "not a URL; expected"),
            ("http://", "not a proxy URL; expected"),
        ],
    )
    def test_one_that_cannot_be_used(self, url: str, message: str) -> None:
        with pytest.raises(ContractError, match=f"^HTTPS_PROXY: {message}") as caught:
            parse_proxy(url, "HTTPS_PROXY")
        assert "s3cret" not in str(caught.value)


class TestAnswers:
    """Over a pair of sockets, one of which is the proxy's."""

    def asked(self, *pieces: bytes, end: bool = False) -> Tunnel:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.setblocking(False)
            tunnel = Tunnel(Proxy("p", 1, "u:p"), "fd00::1", 443)
            assert not tunnel.advance(ours)
            request = theirs.recv(4_096)
            assert request == (
                b"CONNECT [fd00::1]:443 HTTP/1.1\r\nHost: [fd00::1]:443\r\nProxy-Authorization: Basic dTpw\r\n\r\n"
            )
            for piece in pieces[:-1]:
                theirs.sendall(piece)
                assert not tunnel.advance(ours)
            for piece in pieces[-1:]:
                theirs.sendall(piece)
            if end:
                theirs.shutdown(socket.SHUT_WR)
            assert tunnel.advance(ours)
        return tunnel

    @pytest.mark.parametrize(
        "pieces",
        [
            (b"HTTP/1.1 200 Connection established\r\n\r\n",),
            (b"HTTP/1.0 200 OK\r\nVia: x\r\n\r\n",),
            (b"HTTP/1.1 204\r\n\r\n",),
            (b"HT", b"TP/1.1 200 OK\r\nA:", b" b\r\n\r", b"\n"),
        ],
    )
    def test_a_way(self, pieces: tuple[bytes, ...]) -> None:
        self.asked(*pieces)

    @pytest.mark.parametrize(
        ("answer", "code"),
        [
            (b"HTTP/1.1 407 s3cret\r\n\r\n", "proxy-refused"),
            (b"HTTP/1.1 999 s3cret\r\nContent-Length: 1\r\n\r\nx", "proxy-refused"),
            (b"SSH-2.0-s3cret\r\n\r\n", "proxy-not-http"),
            (b"HTTP/1.1 200 OK\r\n\r\nmore", "proxy-not-http"),
            (b"HTTP/1.1 200 OK\r\nX: " + b"x" * MAX_HEAD_BYTES, "proxy-not-http"),
            (b"HTTP/1.1 200 OK\r\n", "proxy-silent"),
            (b"", "proxy-silent"),
        ],
    )
    def test_none(self, answer: bytes, code: str) -> None:
        with pytest.raises(TunnelError) as caught:
            self.asked(answer, end=True)
        assert caught.value.problem.code == code
        assert "s3cret" not in str(caught.value)


def opening(request: Request) -> Script[Happening]:
    """Shake hands once, and wait for what comes of it."""
    now = (yield Open("alice", request)).t
    happening: Happening = yield Wait(now + PATIENCE)
    while not isinstance(happening, Opened | Refused):
        happening = yield Wait(now + PATIENCE)
    return happening


def opened(target: Target) -> Happening:
    return Transport(target).run(opening(Request(f"{target.path}?access_token=alice-token")))


def through(proxy: ConnectProxy) -> Proxy:
    return Proxy("127.0.0.1", proxy.port, proxy.credentials)


def test_a_name_that_only_the_proxy_knows() -> None:
    with running(ServerSettings(port=0)) as server, ConnectProxy(port_of(server.url), "u:p").running() as proxy:
        target = resolve(f"ws://{NAME}/v1/socket", proxy=through(proxy))
        assert isinstance(opened(target), Opened)
        assert sign_of_life(target) == "answers"
        assert proxy.asked == [f"{NAME}:80"] * 3


def test_tls_begins_behind_the_proxy(tmp_path: Path) -> None:
    own = certificate(tmp_path, NAME)
    with (
        running(ServerSettings(port=0)) as server,
        edge_before(server.url, tls=server_context(own, name=NAME)) as url,
        ConnectProxy(port_of(url)).running() as proxy,
    ):
        target = resolve(f"wss://{NAME}/v1/socket", Tls(ca=str(own.cert)), proxy=through(proxy))
        assert isinstance(opened(target), Opened)
        assert proxy.asked == [f"{NAME}:443"] * 2


def test_a_proxy_that_refuses_is_told_before_the_run() -> None:
    with ConnectProxy(1, "u:p").running() as proxy:
        way = replace(through(proxy), credentials="u:s3cret")
        with pytest.raises(UnreachableError) as caught:
            resolve(f"ws://{NAME}/v1/socket", proxy=way)
        problem = "the proxy refused to connect to the endpoint: 407 Proxy Authentication Required"
        assert str(caught.value) == f"the proxy http://127.0.0.1:{proxy.port}: {problem}"


def test_where_no_proxy_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(UnreachableError, match=f"^the proxy http://127.0.0.1:{port}: .* failed .ECONNREFUSED.$"):
        resolve(f"ws://{NAME}/v1/socket", proxy=Proxy("127.0.0.1", port))


def problem_of(target: Target) -> Phrase:
    found = opened(target)
    assert isinstance(found, Refused)
    assert found.problem == "proxy"
    return found.detail


def test_what_a_proxy_does_later_is_no_answer_of_the_endpoint() -> None:
    """It refuses, it ends the connection, and it is gone."""
    with running(ServerSettings(port=0)) as server, ConnectProxy(port_of(server.url)).running() as proxy:
        target = resolve(f"ws://{NAME}/v1/socket", proxy=through(proxy))
        proxy.answer = refusing(502)
        assert problem_of(target).code == "proxy-refused"
        assert sign_of_life(target) == "refuses"
        proxy.answer = refusing(407)
        with pytest.raises(OwnTroubleError, match="407 Proxy Authentication Required"):
            sign_of_life(target)
        proxy.answer = lambda number: b""
        assert problem_of(target).code == "proxy-silent"
    assert problem_of(target).code == "proxy-lost"
    with pytest.raises(OwnTroubleError, match="the connection to the proxy failed"):
        sign_of_life(target)


def test_a_proxy_that_sends_without_end_is_left() -> None:
    def talk(connection: socket.socket) -> None:
        while connection.recv(65_536):
            connection.sendall(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 10 * MAX_HEAD_BYTES)

    with raw_server(talk) as url, pytest.raises(UnreachableError, match="did not answer CONNECT with an HTTP response"):
        resolve(f"ws://{NAME}/v1/socket", proxy=Proxy("127.0.0.1", port_of(url)))
