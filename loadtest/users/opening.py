"""Opening handshakes as bytes: rendered once for all users, and answers that are known are not read again.

Every user of a journey sends the same request, but for its token and its key; a server answers all of them the same,
but for the accept header that follows from the key (RFC 6455 §4.2.2) and, once a second, the date. Making the one and
reading the other with the library took more than half of what a connection costs.

So `Openings` renders a request for two users and compares: where the bytes are the same but for the token, it puts the
other tokens in their place; where they are not (a token that is escaped on its way, a nonce in the path), each user's
request is rendered. And what `conformance.transport.protocol` has once accepted is accepted again if it is the same to
the byte, with the accept value of this key; anything else goes through the wire, which knows what is wrong with it.
"""

import re
import secrets
from collections.abc import Callable
from typing import Any

from conformance.language.deeds import Connect
from conformance.play.handshakes import request_for
from conformance.transport.exchange import Request
from conformance.transport.protocol import Wire, accept_value, new_key
from conformance.transport.target import Target
from contract.profile import Profile

MAX_MESSAGE_BYTES = 1_048_576

MAX_KNOWN = 64
"""Answers that are remembered; servers give few."""

MAX_HEAD_BYTES = 4096
"""Longer answers are read each time."""

HEADERS_END = b"\r\n\r\n"

_TOKEN, _KEY = b"\0T", b"\0K"
"""Stand where a user's own are; no request holds such bytes."""

_UNESCAPED = re.compile(r"[A-Za-z0-9._-]+")
"""Tokens that are written the same wherever they travel."""


class Known:
    """Answers that were accepted, without their accept values."""

    def __init__(self) -> None:
        self._shapes: set[bytes] = set()

    def has(self, head: bytes, key: bytes) -> bool:
        """Whether this is such an answer to the request with this key."""
        return _shape(head, key) in self._shapes

    def add(self, head: bytes, key: bytes) -> None:
        """It was accepted."""
        shape = _shape(head, key)
        if shape is not None and len(head) <= MAX_HEAD_BYTES:
            if len(self._shapes) >= MAX_KNOWN:
                self._shapes.clear()
            self._shapes.add(shape)


def _shape(head: bytes, key: bytes) -> bytes | None:
    """An answer with nothing where the accept value stood; None: it has none."""
    before, found, after = head.partition(accept_value(key.decode()).encode())
    return before + b"\0" + after if found else None


class Opening:
    """One handshake. `data` is what is sent."""

    __slots__ = ("_key", "_known", "_request", "_target", "data", "narrow")

    def __init__(
        self, target: Target, request: Callable[[], Request], known: Known, data: bytes, key: bytes, *, narrow: bool
    ) -> None:
        self._target = target
        self._request = request
        self._known = known
        self._key = key
        self.data = data
        self.narrow = narrow

    def wire(self) -> Wire:
        """What reads an answer; the request is behind it."""
        wire = Wire("user", self._target.uri, self._request(), MAX_MESSAGE_BYTES, self._key.decode())
        wire.out()
        return wire

    def is_known(self, head: bytes) -> bool:
        """Whether the wire has accepted such an answer before."""
        return self._known.has(head, self._key)

    def accepted(self, head: bytes) -> None:
        """The wire has accepted this answer."""
        self._known.add(head, self._key)


class Handshakes:
    """Makes the handshakes of all users of a process with an endpoint."""

    def __init__(self, target: Target, profile: Profile) -> None:
        self._target = target
        self._profile = profile
        self._known = Known()
        self._common: dict[int, bytes | None] = {}

    def opening(self, deed: Connect, token: str, render: Callable[[Any], Any]) -> Opening:
        """The handshake of a step, which lives as long as the process does, with the token and values of a user."""

        def request() -> Request:
            return request_for(deed, self._profile, self._target.path, token, render)

        common = self._common_of(deed)
        if common is None or not _UNESCAPED.fullmatch(token):
            return opening_of(self._target, request(), self._known)
        key = _new_key()
        data = common.replace(_TOKEN, token.encode()).replace(_KEY, key)
        return Opening(self._target, request, self._known, data, key, narrow=deed.narrow)

    def _common_of(self, deed: Connect) -> bytes | None:
        """What all users send for a step; None where that is not the same but for the token and the key."""
        found = self._common.get(id(deed), b"")
        if found == b"":
            # A path or headers of its own may hold anything of a user's.
            own = deed.path is not None or deed.headers or self._profile.path is not None
            found = self._common[id(deed)] = None if own else self._compared(deed)
        return found

    def _compared(self, deed: Connect) -> bytes | None:
        key, one, other = _new_key(), secrets.token_hex(12).encode(), secrets.token_hex(20).encode()
        first, second = (
            opening_of(
                self._target,
                request_for(deed, self._profile, self._target.path, token.decode(), str),
                key=key,
            ).data
            for token in (one, other)
        )
        if first.replace(one, other) != second:
            return None
        return first.replace(one, _TOKEN).replace(key, _KEY)


def opening_of(target: Target, request: Request, known: Known | None = None, key: bytes | None = None) -> Opening:
    """A handshake that is rendered for itself."""
    key = key or _new_key()
    data, _ = Wire("user", target.uri, request, MAX_MESSAGE_BYTES, key.decode()).out()
    return Opening(target, lambda: request, known or Known(), data, key, narrow=request.narrow)


def _new_key() -> bytes:
    return new_key().encode()
