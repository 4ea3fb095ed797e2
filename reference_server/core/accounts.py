"""Tokens: where a request carries one, and whose it is (AUTH)."""

import base64
import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Literal
from urllib.parse import parse_qsl

from contract.choices import Auth
from contract.fixtures import User
from contract.profile import Profile
from reference_server.core.exchange import Account

Denial = Literal["missing_token", "invalid_token", "expired_token"]


class Accounts:
    """The users of a profile, and the tokens that are no user's."""

    def __init__(self, profile: Profile) -> None:
        self._accounts = {user.token: _account(user) for user in reversed(tuple(profile.users.values()))}
        tokens = profile.tokens
        if tokens.expiring:
            self._accounts[tokens.expiring] = Account("user-expiring", "Expiring", None, tokens.expiring_after)
        self._expired = tokens.expired
        self._load = _load_pattern(tokens.load)

    def find(self, token: str | None) -> Account | Denial:
        """The account of a token, or why there is none."""
        if not token:
            return "missing_token"
        if token == self._expired:
            return "expired_token"
        if token in self._accounts:
            return self._accounts[token]
        load = self._load.fullmatch(token) if self._load else None
        if load is not None:
            number = int(load[1])
            return Account(f"user-load-{number}", f"Load User {number}")
        return "invalid_token"


def _account(user: User) -> Account:
    return Account(user.id or f"user-{user.key}", user.name or user.key, user.key)


def _load_pattern(pattern: str | None) -> re.Pattern[str] | None:
    if pattern is None:
        return None
    before, _, after = pattern.partition("{n}")
    return re.compile(re.escape(before) + r"([0-9]{1,9})" + re.escape(after))


def read_token(auth: Auth, target: str, headers: Iterable[tuple[str, str]], offered: Iterable[str]) -> str | None:
    """The token of a handshake request.

    - `query`: the parameter `auth.name` of the request target (RFC 6750 §2.3);
    - `header`: the header `auth.name`; in `Authorization` behind the scheme `Bearer` (RFC 6750 §2.1);
    - `basic`: `user:password` in the header `auth.name`, in Base64 behind the scheme `Basic` (RFC 7617);
    - `cookie`: the cookie `auth.name`;
    - `subprotocol`: the client offers two subprotocols, `auth.name` and right behind it the token; the server
      selects `auth.name`, so that the token does not stand in its answer (AUTH-06).

    One that stands twice counts as none, since nobody could say which one was meant.
    """
    match auth.where:
        case "query":
            query = target.partition("?")[2]
            found = [value for name, value in parse_qsl(query) if name == auth.name]
        case "header":
            values = [value.strip() for name, value in headers if name.lower() == auth.name.lower()]
            found = [_bearer(value) for value in values] if auth.name.lower() == "authorization" else values
        case "basic":
            found = [_basic(value) for name, value in headers if name.lower() == auth.name.lower()]
        case "cookie":
            found = [value for name, value in _cookies(headers) if name == auth.name]
        case "subprotocol":
            names = list(offered)
            found = [token for name, token in pairwise(names) if name == auth.name]
    return found[0] if len(found) == 1 else None


def _bearer(value: str) -> str:
    scheme, _, token = value.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _basic(value: str) -> str:
    scheme, _, credentials = value.strip().partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        text = base64.b64decode(credentials.strip(), validate=True).decode()
    except ValueError:
        return ""
    # A client writes a name without a password so.
    return text.removesuffix(":")


def _cookies(headers: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for header, values in headers:
        if header.lower() == "cookie":
            for pair in values.split(";"):
                name, _, value = pair.strip().partition("=")
                yield name, value
