"""What a profile cannot mean, though each of its values is legal: it would convict a right server.

Two roles with one token, for instance, are one user to the endpoint, which then rightly says so. Placeholders that
nothing replaces are refused as well: every handshake would fail for a reason that has nothing to do with the endpoint.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from itertools import combinations
from typing import Any

from contract.choices import Limits, Reconnect
from contract.defaults import with_defaults
from contract.durations import seconds
from contract.mistakes import Mistake, Where, mistake, place
from contract.plain_words import members, near, quoted_name

NONCE_LENGTH = 16
MAX_CHANNEL = 128
"""Code points of a channel's name."""

ENVELOPE_BYTES = 1_024
"""What stands around a text in a message, at most: the channel's name, and the JSON."""

LONGEST_S = 86_400.0

_SHELL = re.compile(r"\$\(?([A-Za-z_][A-Za-z0-9_]*)\)?|%([A-Za-z_][A-Za-z0-9_]*)%")
_TEMPLATE = re.compile(r"\$?\{\{.*\}\}|\$\{.*|<[^<>]*>")
_VARIABLE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
_SECRETS = ("users", "tokens", "headers", "cookies", "basic", "proxy")


def contradictions(
    value: Mapping[str, Any],
    written: Mapping[str, Any],
    standing: Mapping[str, Any],
    causes: Collection[str],
    asked: Collection[str] = (),
) -> Iterator[Mistake]:
    """What a profile that keeps its schema cannot mean.

    `written`: as the file has it, with its variables; `standing`: the defaults of the contract, whose errors have
    `causes`, and which needs the members `asked` of each user.
    """
    whole, fixtures = with_defaults(value, standing), _Fixtures(standing)
    yield from _placeholders(written)
    yield from _durations(value)
    yield from _same_user(value)
    yield from _roles(value, fixtures)
    yield from _lacking(value, whole, asked)
    yield from _causes(value.get("error_codes"), causes)
    yield from _limits(whole, value.get("limits") or {})
    yield from _channels(value, fixtures)


def _placeholders(written: Mapping[str, Any]) -> Iterator[Mistake]:
    """Texts that stand for something else in a shell, a CI or a manual, and for themselves here."""
    parts = [((name,), written[name]) for name in (*_SECRETS, "endpoint") if name in written]
    for where, text in (leaf for part in parts for leaf in _texts(*part)):
        shell = _SHELL.fullmatch(text)
        if shell is not None:
            name = shell[1] or shell[2]
            yield mistake(where, f"is taken literally; write ${{{name}}} for the environment variable {name}")
        elif _TEMPLATE.fullmatch(text) and not _VARIABLE.fullmatch(text):
            yield mistake(
                where, "is a placeholder that is not replaced here; write ${NAME} for an environment variable"
            )


def _texts(where: Where, value: Any) -> Iterator[tuple[Where, str]]:
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from _texts((*where, name), member)


def _durations(value: Mapping[str, Any]) -> Iterator[Mistake]:
    """Those that are texts, whose size no schema can judge."""
    for names in (
        ("ack_timeout",),
        ("response_timeout",),
        ("quiet_period",),
        ("heartbeat", "interval"),
        ("heartbeat", "timeout"),
        ("reconnect", "base"),
        ("reconnect", "cap"),
        ("tokens", "expiring", "after"),
    ):
        found = _at(value, names)
        if isinstance(found, str) and not 0 < seconds(found) <= LONGEST_S:
            yield mistake(names, f"expected more than 0s and at most 24h; got {found}")
    reconnect = value.get("reconnect") or {}
    base = seconds(reconnect.get("base", Reconnect().base))
    cap = seconds(reconnect.get("cap", Reconnect().cap))
    if cap < base:
        yield mistake(("reconnect",), f"expected a cap that is at least the base; got {cap:g} s and {base:g} s")


def _at(value: Any, names: tuple[str, ...]) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _same_user(value: Mapping[str, Any]) -> Iterator[Mistake]:
    """Tokens that two roles have in common, or that are good and bad at once."""
    users = _users(value)
    for member, meaning in (("token", "each user needs its own"), ("id", "this is the same user")):
        for first, second in combinations([key for key, user in users.items() if user.get(member)], 2):
            if users[first][member] == users[second][member]:
                yield mistake(("users", second, member), f"same value as users.{first}.{member}; {meaning}")
    tokens = value.get("tokens") or {}
    expiring = _at(tokens, ("expiring", "token")) or tokens.get("expiring")
    for name, token in (("invalid", tokens.get("invalid")), ("expired", tokens.get("expired")), ("expiring", expiring)):
        for key, user in users.items():
            if token is not None and token == user.get("token"):
                yield mistake(("tokens", name), f"same value as users.{key}.token, which must be valid")
        if name != "expiring" and token is not None and token == expiring:
            yield mistake(("tokens", name), "same value as tokens.expiring, which must be valid at first")


def _users(value: Mapping[str, Any]) -> dict[str, Any]:
    return {key: user for key, user in (value.get("users") or {}).items() if user is not None}


def _roles(value: Mapping[str, Any], fixtures: "_Fixtures") -> Iterator[Mistake]:
    """A role that is nearly one of those the scenarios have. Scenarios of one's own may have any."""
    users = _users(value)
    for key in users:
        meant = near(key, (role for role in fixtures.users if role not in users), 0.8)
        if key not in fixtures.users and meant:
            yield mistake(("users", key), f"no scenario uses a user {quoted_name(key)}{meant}", ("users",))


def _lacking(value: Mapping[str, Any], whole: Mapping[str, Any], asked: Collection[str]) -> Iterator[Mistake]:
    """Users without a token, where the handshake carries one, or without what the contract's messages take of them."""
    in_handshake = (_at(whole, ("auth", "in")) or "query") not in ("message", "none")
    needed = dict.fromkeys([*(["token"] if in_handshake else []), *sorted(asked)])
    for key, user in _users(value).items():
        names = [name for name in needed if user.get(name) is None]
        if names:
            yield mistake(("users", key), f"expected {members(names)}")


def _causes(codes: Any, causes: Collection[str]) -> Iterator[Mistake]:
    for name in codes if isinstance(codes, dict) else ():
        if name not in causes:
            known = near(name, causes) or f"; causes: {', '.join(causes) or 'none'}"
            yield mistake(
                ("error_codes", name), f"{quoted_name(name)} is not a cause of an error{known}", ("error_codes",)
            )


def _limits(value: Mapping[str, Any], own: Mapping[str, Any]) -> Iterator[Mistake]:
    """The longest text must fit into a message, whatever its characters."""
    limits = value.get("limits") or {}
    text, message = limits.get("text_length", Limits().text_length), limits.get("message_bytes", Limits().message_bytes)
    needed = 4 * (text + 1) + ENVELOPE_BYTES
    if message < needed:
        yield mistake(
            ("limits", "message_bytes" if "message_bytes" in own else "text_length"),
            f"a text of {text} characters needs messages of up to {needed} bytes; got message_bytes {message}",
            ("limits",),
        )


class _Fixtures:
    """The fixtures that a contract's scenarios use: its users, and who of them is a member of the private channel."""

    def __init__(self, standing: Mapping[str, Any]) -> None:
        self.users = tuple(standing.get("users") or {})
        self.members = tuple(_at(standing, ("channels", "private", "members")) or ())
        self.stranger = next((one for one in self.users if one not in self.members), None)
        """Who must be refused by the private channel in the scenarios."""


def _channels(value: Mapping[str, Any], fixtures: _Fixtures) -> Iterator[Mistake]:
    channels = value.get("channels") or {}
    private = channels.get("private")
    named: dict[Where, str] = {}
    for where, name in _names(channels):
        length = len(name.replace("{nonce}", "0" * NONCE_LENGTH))
        if length > MAX_CHANNEL:
            yield mistake(where, f"expected a name of at most {MAX_CHANNEL} characters; got {length} with the nonce")
        same = next((place(other) for other, known in named.items() if known == name), None)
        if same is not None:
            yield mistake(where, f"same channel as {same}")
        named[where] = name
    if isinstance(private, dict) and "members" in private:
        yield from _members(private["members"], _users(value), fixtures)


def _names(channels: Mapping[str, Any]) -> Iterator[tuple[Where, str]]:
    opened = channels.get("open")
    for index, name in enumerate(opened if isinstance(opened, list) else ()):
        yield ("channels", "open", index), name
    private = channels.get("private")
    rest: dict[Where, Any] = {("open",): opened, ("private",): private, ("missing",): channels.get("missing")}
    if isinstance(private, dict):
        rest["private", "name"] = private["name"]
    yield from ((("channels", *where), name) for where, name in rest.items() if isinstance(name, str))


def _members(members: list[str], users: Mapping[str, Any], fixtures: _Fixtures) -> Iterator[Mistake]:
    where: Where = ("channels", "private", "members")
    for index, name in enumerate(members):
        if name == fixtures.stranger:
            yield mistake((*where, index), f"{name} is the user whose join must be refused, and cannot be a member")
        elif name not in users:
            known = near(name, users) or f"; users: {', '.join(users) or 'none'}"
            yield mistake((*where, index), f"the profile has no user {quoted_name(name)}{known}")
    for name in fixtures.members:
        if name in users and name not in members:
            yield mistake(where, f"expected {name} among the members: the scenarios let this user join")
