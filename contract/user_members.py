"""What a contract asks of each user: the members that its first message and its path refer to, as `${user.MEMBER}`."""

from collections.abc import Iterable, Iterator
from typing import Any

from contract.fixtures import User
from contract.redaction import LEAST_ENCODED
from contract.roles import Roles
from contract.templates import references

PUBLIC = ("id", "name")
"""Members that messages show to others."""


def asked_members(roles: Roles) -> frozenset[str]:
    """The members that each user needs, `token` for `${token}`."""
    sent = roles.acknowledgement.send if roles.acknowledgement is not None else None
    found = references([sent, roles.path])
    members = {name.split(".")[1] for name in found if name.startswith("user.")}
    return frozenset(members | ({"token"} if "token" in found else set()))


def hidden_texts(users: Iterable[User], roles: Roles) -> tuple[str, ...]:
    """What users send by those members, apart from what messages show: credentials, which are shown nowhere.

    A shorter text would be found by chance in anything.
    """
    names = asked_members(roles).difference(PUBLIC)
    found = [text for user in users for name in names for text in _texts(user.members.get(name))]
    return tuple(dict.fromkeys(text for text in found if len(text) >= LEAST_ENCODED))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for member in value.values():
            yield from _texts(member)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
