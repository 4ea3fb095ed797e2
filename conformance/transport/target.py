"""An endpoint as it is reached: its address, TLS, the proxy on the way, and whether anybody is there."""

import errno
import re
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from websockets.exceptions import InvalidURI
from websockets.uri import WebSocketURI, parse_uri

from conformance.transport.proxy import Proxy, Tunnel, TunnelError, proxy_for
from conformance.transport.tls import client_context
from conformance.transport.troubles import OwnTroubleError, own_troubles, refuse_own
from conformance.transport.urls import ascii_url
from contract.choices import Tls
from contract.findings import Phrase, phrase
from contract.profile import Profile

FAREWELL_SECONDS = 1.0
"""How long the trial of TLS waits for what the server has to say."""

UNWELCOME = re.compile("ALERT_(?:.*CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED|HANDSHAKE_FAILURE|INSUFFICIENT_SECURITY)")
"""The alerts that say that a client is not let in."""


class UnreachableError(Exception):
    """No TCP (or TLS) connection to the endpoint could be made."""


@dataclass(frozen=True, slots=True)
class Target:
    """A resolved endpoint. `target` is the path and query without any token.

    `address` is that of the `proxy`, where there is one. `tls_name` is the name that its certificate must have; None:
    the URL's.
    """

    uri: WebSocketURI
    family: socket.AddressFamily
    address: tuple[object, ...]
    tls: ssl.SSLContext | None
    tls_name: str | None = None
    proxy: Proxy | None = None

    @property
    def path(self) -> str:
        """Path and query of the request line."""
        return self.uri.resource_name

    @property
    def server_name(self) -> str:
        """The name that TLS asks for (SNI)."""
        return self.tls_name or self.uri.host

    def tunnel(self) -> Tunnel | None:
        """The way through the proxy, to be made on a new connection; None where there is no proxy."""
        return None if self.proxy is None else Tunnel(self.proxy, self.uri.host, self.uri.port)


def target_for(url: str, profile: Profile, *, embedded: bool = False) -> Target:
    """The endpoint as the profile wants it to be reached; `embedded`: the reference server of this run, which no proxy
    stands before.

    Raises as `resolve` does, and `ContractError` for a proxy that cannot be used.
    """
    uri = _parsed(url)
    proxy = None if embedded else proxy_for(uri.host, uri.port, secure=uri.secure, setting=profile.access.proxy)
    return resolve(url, profile.tls, proxy=proxy, timeout=profile.response_timeout)


def resolve(url: str, tls: Tls | None = None, *, proxy: Proxy | None = None, timeout: float = 5.0) -> Target:
    """Find an address of the endpoint that accepts connections within `timeout` seconds.

    Raises `UnreachableError` where there is none, ValueError where `url` is no WebSocket URL, `OwnTroubleError` where
    this machine gives no socket, and `ContractError` where a file of the profile's `tls` is not what it should be.
    """
    uri = _parsed(url)
    tls = tls or Tls()
    context = client_context(tls) if uri.secure else None
    host, port = (uri.host, uri.port) if proxy is None else (proxy.host, proxy.port)
    before = "" if proxy is None else f"{proxy}: "
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise UnreachableError(f"{before}{host}: {error.strerror or error}") from None
    problems = []
    for family, kind, protocol, _, address in found:
        target = Target(uri, family, address, context, tls.server_name, proxy)
        with own_troubles():
            trial = socket.socket(family, kind, protocol)
        with trial:
            try:
                _lead(trial, target, timeout)
                if context is not None:
                    _try_tls(context, trial, target.server_name, timeout)
            except TunnelError as error:
                problems.append(f"{before}{error}")
                continue
            except OSError as error:
                if context is None and was_taken(error.errno):
                    return target
                problems.append(f"{address[0]!s} port {address[1]!s}: {_why_unreachable(error)}")
                continue
        return target
    raise UnreachableError("; ".join(problems) or f"{before}{host} has no address")


def _parsed(url: str) -> WebSocketURI:
    try:
        return parse_uri(ascii_url(url))
    except InvalidURI as error:
        raise ValueError(error.msg) from None


def _lead(plain: socket.socket, target: Target, timeout: float) -> None:
    """Connect a socket to the endpoint's port, through the proxy where there is one. Raises OSError, `TunnelError`."""
    plain.settimeout(timeout)
    tunnel = target.tunnel()
    if tunnel is None:
        plain.connect(target.address)
        return
    try:
        plain.connect(target.address)
        tunnel.advance(plain)
    except OSError as error:
        raise TunnelError(phrase("proxy-lost", error=socket_problem(error))) from None


def was_taken(error: int | None) -> bool:
    """Whether a connection that failed with this error while it was being made had come about.

    Where nobody listens, TCP refuses. A reset says that somebody took the connection and ended it; whether that shows
    while connecting or only while reading is a matter of who was faster.
    """
    return error in (errno.ECONNRESET, errno.EPIPE)


def _try_tls(context: ssl.SSLContext, plain: socket.socket, host: str, timeout: float) -> None:
    """Shake hands, and hear the server out. Raises `OSError`.

    In TLS 1.3 it judges the client's certificate only after the client's own handshake (RFC 8446 §4.4.2.4). Nothing is
    sent meanwhile but the end of the stream: it would be answered with a reset, which overtakes the alert.
    """
    with context.wrap_socket(plain, server_hostname=host) as secure:
        secure.settimeout(min(timeout, FAREWELL_SECONDS))
        with suppress(OSError):
            socket.socket.shutdown(secure, socket.SHUT_WR)  # its own would forget TLS
        try:
            secure.recv(1)
        except OSError as error:
            # That it says nothing, or complains of the end, is no matter here.
            if isinstance(error, ssl.SSLError) and UNWELCOME.search(error.reason or ""):
                raise


def _why_unreachable(error: OSError) -> str:
    match error:
        case ssl.SSLCertVerificationError():
            return f"its certificate is not trusted ({error.verify_message}): see tls.ca and tls.verify"
        case ssl.SSLError() if "CERTIFICATE_REQUIRED" in (error.reason or ""):
            return f"it requires a client certificate ({error.reason}): see tls.cert and tls.key"
        case ssl.SSLError() if "ALERT" in (error.reason or ""):
            return f"it refused the TLS connection ({error.reason}); it may require a (different) client certificate"
        case ssl.SSLError():
            return f"the TLS connection failed ({error.reason}): if the port does not use TLS, write ws: in the URL"
        case _:
            return str(error.strerror or error)


Sign = Literal["answers", "ends", "refuses"]


def sign_of_life(target: Target, timeout: float = 1.0, headers: Mapping[str, str] | None = None) -> Sign:
    """What becomes of a plain GET with these headers at the endpoint, within `timeout` seconds.

    A process that is dying still takes connections for a moment, and ends them: only an answer, or that the connection
    stays, shows that somebody is there. Raises `OwnTroubleError`.
    """
    given = {name.title(): value for name, value in (headers or {}).items()}
    sent = {"Host": target.uri.host, **given, "Connection": "close"}
    lines = [f"GET {target.uri.path or '/'} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items())]
    request = "\r\n".join((*lines, "", ""))
    with own_troubles():
        made = socket.socket(target.family, socket.SOCK_STREAM)
    with made as plain:
        try:
            _lead(plain, target, timeout)
        except TunnelError as error:
            if not error.of_endpoint:
                raise OwnTroubleError(phrase("trouble-proxy", detail=error.problem)) from None
            return "refuses"
        except OSError as error:
            refuse_own(error)
            return "ends" if was_taken(error.errno) else "refuses"
        try:
            probe = plain if target.tls is None else target.tls.wrap_socket(plain, server_hostname=target.server_name)
            with probe:
                probe.sendall(request.encode())
                return "answers" if probe.recv(1) else "ends"
        except TimeoutError:
            return "answers"
        except OSError:
            return "ends"


def socket_problem(error: OSError) -> Phrase:
    """Why a socket failed, by the name of its error."""
    if isinstance(error, ssl.SSLError):
        return phrase("tls", error=error.reason or type(error).__name__)
    return phrase("socket", error=errno.errorcode.get(error.errno or 0, type(error).__name__))
