"""The endpoint of a command: the given one, or the reference server started for the occasion."""

import contextlib
import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

from conformance.transport.urls import ascii_url
from contract.escaping import visible
from contract.profile import Profile
from reference_server.core.settings import ServerSettings
from reference_server.network import running


class EndpointError(Exception):
    """The URL is not one that can be used."""


def check_url(url: str, profile: Profile) -> None:
    """Raise `EndpointError` for what is no WebSocket URL, and for a secret in it (it would stand in argv)."""
    try:
        _check_parts(url, profile)
        ascii_url(url)
    except ValueError as error:
        raise EndpointError(f"{_shown(url)}: {error}") from None


def _check_parts(url: str, profile: Profile) -> None:
    if any(one.isspace() or not one.isprintable() for one in url):
        raise ValueError("expected a URL without spaces; write a space as %20")
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise ValueError("credentials do not belong in the URL; put them in the profile's `basic`")
    if parts.scheme in ("http", "https"):
        raise ValueError(f"expected a WebSocket URL: write {parts.scheme.replace('http', 'ws')}:// for it")
    if parts.scheme not in ("ws", "wss") or not parts.hostname:
        raise ValueError("expected a WebSocket URL such as wss://example.com/v1/socket")
    if "#" in url:
        raise ValueError("expected a URL without a fragment; write # as %23 if it belongs to the path")
    if profile.auth.where == "query" and profile.auth.name in parse_qs(parts.query, keep_blank_values=True):
        raise ValueError("a token does not belong in the URL; put it in the profile's users")


def _shown(url: str) -> str:
    """A URL without what may be a secret: credentials, query and fragment."""
    start = re.split(r"[?#]", url, maxsplit=1)[0]
    scheme, separator, rest = start.rpartition("://")
    host, slash, path = rest.partition("/")
    shown = f"{scheme}{separator}{'…@' if '@' in host else ''}{host.rpartition('@')[2]}{slash}{path}"
    return visible(shown) + ("" if start == url else f"{url[len(start)]}…")


@contextlib.contextmanager
def endpoint(url: str | None, profile: Profile) -> Iterator[str]:
    """The URL to test. Without one, the reference server runs on a free port while the block does."""
    if url is not None:
        check_url(url, profile)
        yield url
        return
    with running(ServerSettings(profile=profile, port=0)) as server:
        yield server.url
