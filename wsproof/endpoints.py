"""The endpoint of a command: the given one, or the reference server started for the occasion."""

import contextlib
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

from contract.profile import Profile
from reference_server.network import running
from reference_server.settings import ServerSettings


class EndpointError(Exception):
    """The URL is not one that can be used."""


def check_url(url: str, profile: Profile) -> None:
    """Raise `EndpointError` for what is no WebSocket URL, and for a token in it (it would stand in argv)."""
    parts = urlsplit(url)
    if parts.scheme not in ("ws", "wss") or not parts.hostname:
        raise EndpointError(f"{url}: expected a WebSocket URL such as wss://example.com/v1/socket")
    if profile.auth.where == "query" and profile.auth.name in parse_qs(parts.query):
        shown = url.partition("?")[0]
        raise EndpointError(f"{shown}?…: a token does not belong into the URL; put it into the profile's users")
    if parts.username is not None:
        raise EndpointError(f"{parts.scheme}://…@{parts.hostname}: credentials do not belong into the URL")


@contextlib.contextmanager
def endpoint(url: str | None, profile: Profile) -> Iterator[str]:
    """The URL to test. Without one, the reference server runs on a free port while the block does."""
    if url is not None:
        check_url(url, profile)
        yield url
        return
    with running(ServerSettings(profile=profile, port=0)) as server:
        yield server.url
