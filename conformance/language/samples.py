"""Sample values for what only a play decides, and sizes that no profile knows."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from conformance.language.satisfiable import Flaw
from conformance.language.values import Values
from contract.choices import Limits
from contract.plain_words import near
from contract.profile import Profile
from contract.roles import Probe

SIZES = {
    "$fill": ("length", {"prefix", "with", "noise", "length", "offset", "at_most"}),
    "$pad": ("bytes", {"json", "probe", "part", "bytes", "offset", "at_most"}),
}
"""By operator, the member that says how much there must be, and all that it may have."""

LIMITS = (*(one.name for one in fields(Limits)), "probe_text", "message_size")
"""Sizes that have a name; `probe_text` is that of the probe's text, `message_size` a load test's."""

SAMPLE = 100
"""The size of a text whose limit only a load test knows."""


class Samples(Values):
    """Values as they may be in some play of some profile."""

    def __init__(self, probe: Probe | None = None) -> None:
        super().__init__(Profile(), lambda name: f"channel-{name}", target="/v1/socket", probe=probe)

    def _resolve(self, name: str) -> Any:
        # An actor's own token has no name.
        return self.token("own") if name == "token" else super()._resolve(name)

    def token(self, name: str) -> str:
        """Any token."""
        return f"token-{name}"

    def user(self, path: str) -> Any:
        """A text; a profile may have a value of any type."""
        return path

    def value(self, path: str) -> Any:
        """A text; a profile may have a value of any type."""
        return path

    def length(self, value: int | str) -> int:
        """A number, or a limit that a profile may have."""
        return SAMPLE if value == "message_size" else super().length(value)


def size_flaws(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[Flaw]:
    """What is wrong with each `$fill` and `$pad` in a value."""
    if isinstance(value, Mapping):
        for name, (size, members) in SIZES.items():
            if name in value:
                yield from _size_flaws(value[name], name, size, members, (*path, name))
        for name, member in value.items():
            yield from size_flaws(member, (*path, name))
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from size_flaws(member, (*path, index))


def _size_flaws(value: Any, name: str, size: str, members: set[str], path: tuple[str | int, ...]) -> Iterator[Flaw]:
    if not isinstance(value, Mapping):
        yield path, f"{name}: expected a mapping of names to values"
        return
    for member in value:
        if member not in members:
            yield (*path, member), f"{name}: unknown member {member!r}{near(member, members) or _known(members)}"
    what = () if name != "$pad" or "probe" in value else ("json",)
    needed = (*what, size)
    missing = [member for member in needed if member not in value and not any(near(one, [member]) for one in value)]
    if missing:
        yield path, f"{name}: expected the member {missing[0]!r}"
    elif name == "$fill" and not {"with", "noise"} & {*value}:
        yield path, "$fill: expected the member 'with' or 'noise'"
    for member in (size, "at_most"):
        named = value.get(member)
        if isinstance(named, str) and named not in LIMITS:
            yield (*path, member), f"{name}: unknown limit {named!r}{near(named, LIMITS) or _known(LIMITS)}"


def _known(names: object) -> str:
    return f"; known: {', '.join(sorted(names))}"  # type: ignore[call-overload]
