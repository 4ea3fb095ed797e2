"""The door: what a handshake request gets, decided without any I/O (CONN-01, CONN-08, CONN-09, AUTH-01 to AUTH-04).

The order is path, WebSocket handshake (the library judges it), token. No answer repeats anything of the request.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from contract.choices import Auth
from reference_server.core.accounts import Accounts, Denial, read_token
from reference_server.core.exchange import Account


@dataclass(frozen=True, slots=True)
class Request:
    """A handshake request. `target` is the path with its query; `subprotocols` are those offered."""

    target: str
    headers: tuple[tuple[str, str], ...] = ()
    subprotocols: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """The path alone; the query may hold a token and is never logged."""
        return self.target.partition("?")[0]


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP response, without the headers that every response has."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""


Verdict = Account | Denial

BODIES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    426: "upgrade_required",
    500: "internal_error",
    503: "shutting_down",
}


class Door:
    """Judges requests for one endpoint."""

    def __init__(self, path: str, auth: Auth, accounts: Accounts, subprotocols: Sequence[str] = ()) -> None:
        self._path = path
        self._auth = auth
        self._subprotocols = subprotocols
        self._accounts = accounts

    def is_endpoint(self, request: Request) -> bool:
        """Whether the request is for the endpoint's path."""
        return request.path == self._path

    def verdict(self, request: Request) -> Verdict:
        """The account that the request's token names, or why it names none."""
        token = read_token(self._auth, request.target, request.headers, request.subprotocols)
        return self._accounts.find(token)

    def subprotocol(self, offered: Sequence[str]) -> str | None:
        """The subprotocol to select, only of those that were offered (CONN-07): one of the profile's, or the one that
        announces the token."""
        announcing = (self._auth.name,) if self._auth.where == "subprotocol" else ()
        return next((name for name in offered if name in (*self._subprotocols, *announcing)), None)


def denial(reason: Denial) -> Answer:
    """The refusal of a token (AUTH-04; RFC 9110 §15.5.2 asks for the challenge)."""
    detail = "" if reason == "missing_token" else ', error="invalid_token"'
    return refusal(401, reason, (("WWW-Authenticate", f'Bearer realm="wsproof"{detail}'),))


def refusal(status: int, error: str | None = None, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    """An HTTP error with a small JSON body."""
    body = json.dumps({"error": error or BODIES.get(status, "refused")}) + "\n"
    return Answer(status, (*headers, ("Content-Type", "application/json")), body)
