"""The references `${…}` of a step, and those among them that stand for nothing."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from conformance.language.satisfiable import Flaw, Where
from conformance.language.spelling import CODES, SPELLINGS
from conformance.language.values import ENDPOINT_PARTS, OF_ALL
from contract.plain_words import near
from contract.templates import REFERENCE

KINDS = ("nonce", "channel", "token", "endpoint", "user", "value", "uuid", "counter")
"""What stands before the dot of a reference that needs no capture."""

EXPECTED = ("match", "of", "checks", "reply")
"""Members of a step that say what is expected."""


def references(value: Any, path: Where = ()) -> Iterator[tuple[Where, str]]:
    """The names of all `${…}` in a value, each with its place."""
    if isinstance(value, Mapping):
        for key, member in value.items():
            yield from (((*path, key), name) for name in REFERENCE.findall(str(key)))
            yield from references(member, (*path, key))
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from references(member, (*path, index))
    elif isinstance(value, str) and "${" in value:
        yield from ((path, name) for name in REFERENCE.findall(value))


def reference_flaws(
    body: Mapping[str, Any],
    captured: Collection[str],
    given: Collection[str],
    users: Collection[str],
    *,
    sent: bool = False,
) -> Iterator[Flaw]:
    """What no reference of a step can mean.

    `captured` before it; `given`: names that variants and calls replaced, which may have been meant; `users` that
    every profile has. `sent`: the step sends a message, in which `${token}` and `${user.MEMBER}` are its actor's own.
    """
    for path, whole in references(body):
        spelling, colon, name = whole.rpartition(":")
        if colon and spelling not in (*CODES, *SPELLINGS):
            yield path, f"${{{whole}}}: unknown spelling {spelling!r}{meant(spelling, (*CODES, *SPELLINGS))}"
        if name in captured:
            continue
        problem = _flaw(name, path, captured, given, users, own=sent and path[:1] != ("reply",))
        if problem is not None:
            yield path, f"${{{whole}}}{problem}"
    token = body.get("token")
    known = (*users, "none")
    if isinstance(token, str) and token not in known and near(token, known):
        yield ("token",), f"unknown user {token!r}{near(token, known)}"


def _flaw(
    name: str, path: Where, captured: Collection[str], given: Collection[str], users: Collection[str], *, own: bool
) -> str | None:
    kind, _, rest = name.partition(".")
    if own and (name == "token" or (kind == "user" and rest)):
        user = rest.partition(".")[0]
        meant_user = near(user, users) if "." in rest and user not in users else ""
        return f": unknown user {user!r}{meant_user}" if meant_user else None
    if name in OF_ALL:
        again = path and path[0] in EXPECTED
        return f" is a new one each time; give it a name, such as ${{{name}.a}}, to expect it" if again else None
    if not rest or kind not in KINDS:
        near_by = near(name, {*captured, *given, *(f"{one}.{rest}" for one in KINDS)})
        return f": no step before this one captures it{near_by}"
    if kind == "endpoint" and rest not in ENDPOINT_PARTS:
        return f": unknown part {rest!r} of the endpoint{meant(rest, ENDPOINT_PARTS)}"
    user, _, member = rest.partition(".")
    if kind == "user" and not member:
        return f": expected a user's name and a member, such as ${{user.{user}.id}}"
    if kind in ("user", "token") and user not in users and near(user, users):
        return f": unknown user {user!r}{near(user, users)}"
    return None


def meant(name: str, known: Collection[str]) -> str:
    """What a misspelt name was meant to be, or else all that are known."""
    return near(name, known) or f"; known: {', '.join(known)}"
