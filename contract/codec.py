"""How the text of a message becomes a value, and back: JSON, plain text, or a pattern such as Engine.IO's `42["x"]`.

A pattern's groups become members of an object; those that are named in `json` hold JSON texts. An optional group that
took no part, or a JSON group that is empty, is no member.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from contract.findings import phrase
from contract.json_text import JsonTextError, dump_json, parse_json
from contract.roles import Messages


class Codec(Protocol):
    """Reads and writes the texts of messages."""

    is_json: bool
    """Whether a text is one JSON text."""
    members: frozenset[str]
    """Members of every value that the codec makes by itself, whatever the message."""

    def decode(self, text: str) -> Any:
        """The value of a text. Raises `JsonTextError`."""

    def encode(self, value: Any) -> str:
        """The text of a value. Raises `ValueError` for one that has none."""


class JsonCodec:
    """One JSON text."""

    is_json = True
    members: frozenset[str] = frozenset()

    def decode(self, text: str) -> Any:
        """The JSON value."""
        return parse_json(text)

    def encode(self, value: Any) -> str:
        """Compact JSON."""
        return dump_json(value)


class TextCodec:
    """The text itself."""

    is_json = False
    members: frozenset[str] = frozenset()

    def decode(self, text: str) -> Any:
        """The text."""
        return text

    def encode(self, value: Any) -> str:
        """The text; what is none is written as JSON."""
        return value if isinstance(value, str) else dump_json(value)


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of a pattern: a literal text, or a group."""

    literal: str = ""
    group: str | None = None


class PatternCodec:
    """A regular expression with named groups, and literal text between them."""

    is_json = False

    def __init__(self, pattern: str, json: tuple[str, ...]) -> None:
        """Raises `ValueError` for a pattern that cannot be read, or that cannot be written back."""
        try:
            self._pattern = re.compile(pattern, re.DOTALL)
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from None
        unknown = [name for name in json if name not in self._pattern.groupindex]
        if unknown:
            raise ValueError(f"the pattern has no group {unknown[0]!r}")
        self.members = frozenset(self._pattern.groupindex)
        self._json = frozenset(json)
        self._parts = _parts(pattern, self._pattern.groupindex)

    def decode(self, text: str) -> Any:
        """The groups as an object."""
        found = self._pattern.fullmatch(text)
        if found is None:
            raise JsonTextError(phrase("text-pattern"))
        members = {name: value for name, value in found.groupdict().items() if value is not None}
        return {
            name: parse_json(value) if name in self._json else value
            for name, value in members.items()
            if value or name not in self._json
        }

    def encode(self, value: Any) -> str:
        """The literal parts with the members between them."""
        if not isinstance(value, Mapping):
            raise ValueError("expected an object with the members of the pattern")
        return "".join(part.literal if part.group is None else self._member(part.group, value) for part in self._parts)

    def _member(self, name: str, value: Mapping[str, Any]) -> str:
        if name not in value:
            return ""
        inner = value[name]
        return dump_json(inner) if name in self._json else str(inner)


def _parts(pattern: str, groups: Mapping[str, int]) -> tuple[_Part, ...]:
    """The pattern as literal texts and groups, so that a value can be written. Raises `ValueError`."""
    parts: list[_Part] = []
    position = 0
    for name in sorted(groups, key=groups.__getitem__):
        start = pattern.index(f"(?P<{name}>", position)
        parts.append(_Part(_literal(pattern[position:start])))
        position = _end_of_group(pattern, start)
        parts.append(_Part(group=name))
    return (*parts, _Part(_literal(pattern[position:])))


def _literal(piece: str) -> str:
    text = re.sub(r"\\(.)", r"\1", piece.removeprefix("^").removesuffix("$"))
    if re.search(r"(?<!\\)[\[\](){}*+?|.^$]", piece.removeprefix("^").removesuffix("$")):
        raise ValueError(f"expected literal text between the named groups, got {piece!r}")
    return text


def _end_of_group(pattern: str, start: int) -> int:
    """The place behind a group and its quantifier. The pattern has been compiled, so its brackets are in pairs."""
    depth, at, in_set = 0, start, False
    while True:
        character = pattern[at]
        if character == "\\":
            at += 1
        elif in_set:
            in_set = character != "]"
        elif character == "[":
            in_set = True
        elif character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
            if depth == 0:
                break
        at += 1
    at += 1
    return at + 1 if pattern[at : at + 1] in ("?", "*") else at


def codec_of(messages: Messages) -> Codec:
    """The codec that a contract declares. Raises `ValueError` for a pattern that cannot be read."""
    if messages.codec == "pattern":
        return PatternCodec(messages.pattern or "", messages.json)
    return TextCodec() if messages.codec == "text" else JsonCodec()
