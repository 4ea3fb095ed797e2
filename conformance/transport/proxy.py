"""The way through an HTTP proxy: which one, and a tunnel by CONNECT (RFC 9110 §9.3.6)."""

import base64
import ipaddress
import re
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies_environment

from contract.errors import ContractError
from contract.findings import Phrase, phrase

DIRECT = "none"
"""The profile's word for no proxy at all."""

EXPECTED = "expected http://HOST:PORT or http://USER:PASSWORD@HOST:PORT"

GATEWAY = (502, 503, 504)
"""What a proxy answers where it cannot reach an endpoint."""

MAX_HEAD_BYTES = 16_384
READ_BYTES = 4_096

_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})(?: [^\r\n]*)?\r\n")


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where it listens. `credentials` is `user:password`."""

    host: str
    port: int
    credentials: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        """As people read it, without credentials."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"the proxy http://{host}:{self.port}"


class TunnelError(Exception):
    """The proxy made no way; `of_endpoint`: because nobody answered it there."""

    def __init__(self, problem: Phrase, *, of_endpoint: bool = False) -> None:
        super().__init__(str(problem))
        self.problem = problem
        self.of_endpoint = of_endpoint


class Stream(Protocol):
    """A connected socket."""

    def send(self, data: bytes, /) -> int: ...  # as sockets do

    def recv(self, size: int, /) -> bytes: ...  # as sockets do


def proxy_for(host: str, port: int, *, secure: bool, setting: str | None = None) -> Proxy | None:
    """The proxy for an endpoint: the one of the profile's `setting`, or that of the environment.

    The environment's is not for this machine itself, which no proxy could reach for us, nor for what NO_PROXY names.
    Raises `ContractError` for one that cannot be used.
    """
    if setting == DIRECT:
        return None
    if setting is not None:
        return parse_proxy(setting, "proxy")
    known = getproxies_environment()
    name = next((one for one in ("https" if secure else "http", "all") if known.get(one)), None)
    if name is None or _is_here(host) or _is_excepted(host, port, known.get("no", "")):
        return None
    return parse_proxy(known[name], f"{name.upper()}_PROXY")


def parse_proxy(url: str, setting: str) -> Proxy:
    """The proxy of a URL, or of `HOST:PORT`; `setting` is whose value it is. Raises `ContractError`."""
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        port = parts.port or 80
    except ValueError:
        raise ContractError(f"{setting}: not a URL; {EXPECTED}") from None
    if parts.scheme.startswith("socks"):
        raise ContractError(f"{setting}: SOCKS proxies are not supported; {EXPECTED}")
    if parts.scheme == "https":
        raise ContractError(f"{setting}: TLS to the proxy itself is not supported; {EXPECTED}")
    if parts.scheme != "http" or not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment:
        raise ContractError(f"{setting}: not a proxy URL; {EXPECTED}")
    return Proxy(parts.hostname, port, _credentials(parts))


def _credentials(parts: SplitResult) -> str | None:
    if parts.username is None:
        return None
    return f"{unquote(parts.username)}:{unquote(parts.password or '')}"


def _is_here(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    address = _address(host)
    return address is not None and address.is_loopback


def _is_excepted(host: str, port: int, exceptions: str) -> bool:
    """Whether NO_PROXY has a name, a domain, an address or a network for it, or `*`; each may have a port behind it."""
    address = _address(host)
    for one in exceptions.lower().split(","):
        named, _, only = one.strip().rpartition(":")
        if not only.isdigit() or _network(one) is not None:
            named, only = one.strip(), ""
        if only and int(only) != port:
            continue
        network = _network(named)
        if named == "*" or (address is not None and network is not None and address in network):
            return True
        domain = named.lstrip("*.")
        if domain and (host == domain or host.endswith(f".{domain}")):
            return True
    return False


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text.strip().strip("[]"), strict=False)
    except ValueError:
        return None


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


class Tunnel:
    """Asks a proxy for the way to an endpoint, over a connection to it; blocking or not."""

    def __init__(self, proxy: Proxy, host: str, port: int) -> None:
        name = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        lines = [f"CONNECT {name} HTTP/1.1", f"Host: {name}"]
        if proxy.credentials is not None:
            encoded = base64.b64encode(proxy.credentials.encode()).decode()
            lines.append(f"Proxy-Authorization: Basic {encoded}")
        self.unsent = "\r\n".join((*lines, "", "")).encode()
        self._head = b""

    def advance(self, stream: Stream) -> bool:
        """Write and read what can be; whether the way is there. Raises `TunnelError`, and OSError as a stream does."""
        try:
            while self.unsent:
                self.unsent = self.unsent[stream.send(self.unsent) :]
            while not self._receive(stream.recv(READ_BYTES)):
                pass
        except (BlockingIOError, InterruptedError):
            return False
        return True

    def _receive(self, data: bytes) -> bool:
        if not data:
            raise TunnelError(phrase("proxy-silent"))
        self._head += data
        head, end, rest = self._head.partition(b"\r\n\r\n")
        status = _STATUS.match(head + b"\r\n")
        if len(self._head) > MAX_HEAD_BYTES or (end and status is None):
            raise TunnelError(phrase("proxy-not-http"))
        if not end or status is None:
            return False
        if not status[1].startswith(b"2"):
            problem = phrase("proxy-refused", status=_named(int(status[1])))
            raise TunnelError(problem, of_endpoint=int(status[1]) in GATEWAY)
        # The endpoint speaks only when it was spoken to.
        if rest:
            raise TunnelError(phrase("proxy-not-http"))
        return True


def _named(status: int) -> str:
    """A status with the name that everybody gives it; the proxy's own words may repeat what it was sent."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
