"""The fixtures that an endpoint offers: users, tokens and channels."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from contract.commands import Command, command_of
from contract.durations import seconds
from contract.paths import value_at

Names = Literal["any", "pattern"]


@dataclass(frozen=True, slots=True)
class User:
    """A fixture user; `key` is its role in scenarios. `members` are what a contract of one's own asks of a user."""

    key: str
    token: str | None = field(default=None, repr=False)
    id: str | None = None
    name: str | None = None
    members: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def member(self, path: str) -> Any:
        """What stands at a path of what the profile says of the user; None: nothing."""
        return value_at({"id": self.id, "name": self.name, "token": self.token, **self.members}, path)


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens that are no user's. `expiring_after` in seconds from connecting; None: not offered.

    Where a command prints the expiring one, `expiring_command` is run for each connection that needs it, since the time
    counts from then; `minted` are all that it printed.
    """

    invalid: str = field(default="wsproof-invalid-token", repr=False)
    expired: str | None = field(default=None, repr=False)
    expiring: str | None = field(default=None, repr=False)
    expiring_after: float = 2.0
    load: str | None = field(default=None, repr=False)
    expiring_command: Command | None = field(default=None, repr=False)
    minted: list[str] = field(default_factory=list, repr=False, compare=False)

    def fresh_expiring(self) -> str | None:
        """The token that expires, anew where a command prints it. Raises `CommandError`."""
        if self.expiring_command is None:
            return self.expiring
        self.minted.append(self.expiring_command.fresh())
        return self.minted[-1]


@dataclass(frozen=True, slots=True)
class Channels:
    """`open`: a pattern with `{nonce}` where users create channels, or the closed list of usable ones.

    `names`: `any` where a user may create a channel of any name of 1 to 128 code points, `pattern` where only what
    `open` says is one.
    """

    open: str | tuple[str, ...] = "wsproof-{nonce}"
    private: str | None = None
    private_members: tuple[str, ...] = ()
    missing: str | None = None
    names: Names = "pattern"


def read_users(value: Mapping[str, Any]) -> dict[str, User]:
    """By their roles, without those that the profile sets to null."""
    return {key: _user(key, one) for key, one in value.items() if one is not None}


def _user(key: str, one: Mapping[str, Any]) -> User:
    known = {name: one[name] for name in ("token", "id", "name") if name in one}
    return User(key, **known, members={name: member for name, member in one.items() if name not in known})


def read_tokens(value: Mapping[str, Any]) -> Tokens:
    """Those of a profile; a token that expires is a text, or one with the time after which it does."""
    expiring = value.get("expiring")
    if isinstance(expiring, str):
        expiring = {"token": expiring}
    after = seconds((expiring or {}).get("after", 2))
    return Tokens(
        invalid=value.get("invalid") or Tokens().invalid,
        expired=value.get("expired"),
        expiring=(expiring or {}).get("token"),
        expiring_after=after,
        load=value.get("load"),
    )


def renewed(tokens: Tokens, written: Mapping[str, Any], folder: Path) -> Tokens:
    """The tokens with the command that prints the expiring one, where `written` has one."""
    expiring = written.get("expiring")
    command = command_of(expiring.get("token"), folder) if isinstance(expiring, dict) else None
    return replace(tokens, expiring_command=command)


def read_channels(value: Mapping[str, Any], members: Iterable[str] = ()) -> Channels:
    """Those of a profile; a private channel is a name, or one with its members (default: `members`)."""
    private = value.get("private")
    if isinstance(private, str):
        private = {"name": private}
    opened = value.get("open", Channels().open)
    return Channels(
        open=tuple(opened) if isinstance(opened, list) else opened,
        names=value.get("names", "pattern"),
        private=(private or {}).get("name"),
        private_members=tuple(private.get("members", members)) if private else (),
        missing=value.get("missing"),
    )
