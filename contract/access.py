"""What stands before a server: headers, cookies, Basic, subprotocols, TLS and a proxy, the same for every handshake.

Everything in it may be a secret: no value is shown, in a `repr`, in an error, or in a report.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from contract.choices import Where
from contract.errors import ContractError
from contract.redaction import LEAST_ENCODED

Pairs = tuple[tuple[str, str], ...]
Complain = Callable[[str, tuple[str, ...]], ContractError]
"""Makes an error of a sentence and a place in the profile."""

MAX_VALUE_CHARACTERS = 8_192
"""Of a header's or a cookie's value, and of a token in either; usual servers take no longer line."""

OURS = ("connection", "content-length", "expect", "te", "trailer", "transfer-encoding", "upgrade")
"""Headers that make the handshake, or would break its framing; all that begin with Sec-WebSocket- are as well."""

ELSEWHERE = {"cookie": "cookies", "origin": "origin", "proxy-authorization": "proxy"}
"""Headers that a setting of their own is for."""

LINE_BREAK = "contains a line break; does the variable's value end with one?"

_LINE_BREAK = re.compile(r"[\r\n]")
_VISIBLE = re.compile(r"[\t\x20-\x7e]*")


@dataclass(frozen=True, slots=True)
class Access:
    """What every handshake has, whoever shakes hands, and the way it takes.

    `basic` is `user:password`; `proxy` is a URL, `none`, or None: the environment's.
    """

    headers: Pairs = field(default=(), repr=False)
    cookies: Pairs = field(default=(), repr=False)
    basic: str | None = field(default=None, repr=False)
    subprotocols: tuple[str, ...] = ()
    proxy: str | None = field(default=None, repr=False)

    def secrets(self) -> Iterator[str]:
        """What must not be shown. A shorter value would be found by chance in anything; it is in nothing we write."""
        values = [value for _, value in (*self.headers, *self.cookies)]
        if self.basic is not None:
            values += [self.basic, self.basic.partition(":")[2]]
        return (value for value in values if len(value) >= LEAST_ENCODED)


def read_access(value: Mapping[str, Any]) -> Access:
    """The part of a profile that the schema has accepted."""
    basic = value.get("basic")
    return Access(
        headers=tuple((value.get("headers") or {}).items()),
        cookies=tuple((value.get("cookies") or {}).items()),
        basic=f"{basic['user']}:{basic['password']}" if basic else None,
        subprotocols=tuple(value.get("subprotocols") or ()),
        proxy=value.get("proxy"),
    )


def check_access(access: Access, carrier: str | None, complain: Complain) -> None:
    """Raise what `complain` makes of the first value that cannot travel, and of two settings that want one header.

    `carrier` is the header in which users' tokens travel; None: there is none.
    """
    for name, value in access.headers:
        problem = _misplaced(name) or value_problem(value)
        if problem is not None:
            raise complain(f"headers: {name} {problem}", ("headers", name))
    for name, value in access.cookies:
        problem = value_problem(value, ";")
        if problem is not None:
            raise complain(f"cookies: {name} {problem}", ("cookies", name))
    if access.basic is not None and _LINE_BREAK.search(access.basic):
        raise complain(f"basic {LINE_BREAK}", ("basic",))
    taken: dict[str, str] = {}
    for header, setting in _claims(access, carrier):
        other = taken.setdefault(header.lower(), setting)
        if other != setting:
            place = tuple(other.split(": "))
            raise complain(f"{other} and {setting} both set the {header} header; give only one", place)


def _claims(access: Access, carrier: str | None) -> Iterator[tuple[str, str]]:
    """Each header that is set, and by which setting."""
    yield from ((name, f"headers: {name}") for name, _ in access.headers)
    if access.basic is not None:
        yield "Authorization", "basic"
    if carrier is not None:
        yield carrier, "auth"


def _misplaced(name: str) -> str | None:
    lower = name.lower()
    if lower == "sec-websocket-protocol":
        return "has its own setting: subprotocols"
    if lower in ELSEWHERE:
        return f"has its own setting: {ELSEWHERE[lower]}"
    return "is set by the handshake itself" if lower in OURS or lower.startswith("sec-websocket-") else None


def value_problem(value: str, forbidden: str = "") -> str | None:
    """Why a text cannot stand in a header, without showing it; None where it can."""
    if _LINE_BREAK.search(value):
        return LINE_BREAK
    if len(value) > MAX_VALUE_CHARACTERS:
        return f"is longer than {MAX_VALUE_CHARACTERS} characters"
    if not _VISIBLE.fullmatch(value) or value != value.strip():
        return "contains characters other than visible ASCII, or leading or trailing spaces"
    for character in forbidden:
        if character in value:
            return f"contains a character that is not allowed: {character!r}"
    return None


def token_problem(token: str, where: Where) -> str | None:
    """Why a token cannot travel there, without showing it; None where it can."""
    match where:
        case "query":
            return None  # whatever it is, it is escaped
        case "basic":
            return LINE_BREAK if _LINE_BREAK.search(token) else None
        case "header":
            return value_problem(token)
        case "cookie":
            return value_problem(token, ";")
        case "subprotocol":
            return value_problem(token, ", ")
        case "message" | "none":
            return None
