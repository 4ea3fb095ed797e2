"""Invalid messages: one thing is wrong in each, and its cause is one of `errors.reactions`."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from itertools import islice
from typing import Any

from conformance.generated.harmless import Sendable, any_message, bases
from contract.json_text import type_name
from contract.model import Contract
from contract.roles import Request

UNKNOWN = "wsproof-unknown"
"""A name that no contract has."""

MOST_OF_MESSAGE = 12
"""Members of one message that are taken away, or are of another type."""

MOST_OTHERS = 3
"""Messages of servers that are sent back."""

MOST_DEEP = 3
"""Members inside of members."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """An invalid message: a value, a `text` that is none, or `binary`.

    `kind` says what is wrong, of the message `name`, at the path `member`. `request` is what its valid form would be.
    """

    cause: str
    kind: str
    name: str = ""
    member: str = ""
    value: Any = None
    text: str | None = None
    binary: str | None = None
    request: Request | None = None

    @property
    def id(self) -> str:
        """A readable part of a scenario's id."""
        return "-".join(part for part in (self.kind, self.name, self.member) if part)


def mistakes(contract: Contract) -> Iterator[Mistake]:
    """All that are tried, those that concern no message first."""
    known = bases(contract)
    if contract.codec.is_json:
        yield Mistake("not-json", "not-json", text='{"wsproof": ')
        yield Mistake("malformed", "malformed", value=42)
    yield Mistake("binary", "binary", binary="wsproof")
    yield from islice(_unknown(contract, known), 1)
    yield from islice(_others(contract), MOST_OTHERS)
    for one in known.values():
        yield from islice(_broken(contract, one), MOST_OF_MESSAGE)


def _unknown(contract: Contract, known: dict[str, Sendable]) -> Iterator[Mistake]:
    """A message that bears a name which the contract does not have."""
    for name in (*known, *contract.named("client")):
        message = known[name].message if name in known else any_message(contract, name)
        request = known[name].request if name in known else None
        for path, value in _leaves(message):
            if not isinstance(value, str):
                continue
            changed = _changed(message, path, UNKNOWN)
            if contract.name_of(changed, "client") not in contract.events:
                yield Mistake("unknown-name", "unknown-name", value=changed, request=request)


def _others(contract: Contract) -> Iterator[Mistake]:
    """Messages that only servers send."""
    for name in contract.named("server"):
        message = None if contract.events[name].from_client else any_message(contract, name)
        # What a server would take for a client's message is no mistake.
        if message is not None and contract.name_of(message, "client") not in contract.named("client"):
            yield Mistake("other-direction", "other-direction", name, value=message)


def _broken(contract: Contract, one: Sendable) -> Iterator[Mistake]:
    """A message without one of its members, and with one of another type."""
    for kind, changes in (("missing", _shortened(one.message)), ("type", _retyped(one.message))):
        for path, changed in changes:
            member = ".".join(map(str, path))
            if one.request is not None and member == one.request.id:
                continue  # without its id it asks for nothing
            if contract.name_of(changed, "client") != one.name:
                continue
            if contract.check_envelope(changed):
                yield Mistake("malformed", kind, one.name, member, changed, request=one.request)
            elif contract.check_payload(one.name, changed):
                yield Mistake("invalid-payload", kind, one.name, member, changed, request=one.request)


Path = tuple[str | int, ...]


def _members(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """The members of a value and of its members, each with its path."""
    if len(path) >= MOST_DEEP:
        return
    items: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in items:
        yield (*path, key), member
        yield from _members(member, (*path, key))


def _leaves(value: Any) -> Iterator[tuple[Path, Any]]:
    return ((path, one) for path, one in _members(value) if not isinstance(one, dict | list))


def _shortened(message: Any) -> Iterator[tuple[Path, Any]]:
    for path, _ in _members(message):
        changed = deepcopy(message)
        parent = _parent(changed, path)
        # Inside a list, only the last item can go without moving the others.
        if isinstance(parent, dict) or path[-1] == len(parent) - 1:
            del parent[path[-1]]
            yield path, changed


def _retyped(message: Any) -> Iterator[tuple[Path, Any]]:
    for path, value in _members(message):
        other: Any = {"wsproof": True} if type_name(value) in ("string", "null") else "wsproof"
        yield path, _changed(message, path, other)


def _changed(message: Any, path: Path, value: Any) -> Any:
    changed = deepcopy(message)
    _parent(changed, path)[path[-1]] = value
    return changed


def _parent(message: Any, path: Path) -> Any:
    for part in path[:-1]:
        message = message[part]
    return message
