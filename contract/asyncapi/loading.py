"""Reads a file of an AsyncAPI document: YAML with aliases and merge keys, or JSON."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from contract.errors import ContractError
from contract.files import MAX_DEPTH, Document, parse_yaml, read_text

MAX_VALUES = 1_000_000
"""Most values of a file: a few lines with aliases can stand for any number."""

_MERGE = "<<"

_ESCAPE = re.compile(r"\\(?:u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})|.)", re.IGNORECASE | re.DOTALL)
"""An escape; JSON writes a character beyond U+FFFF as two, which YAML's parser refuses."""


def load(path: Path) -> Document:
    """Read a file; its aliases are written out. Raises `ContractError`."""
    text = read_text(path)
    if text.lstrip().startswith("{"):
        text = _ESCAPE.sub(_joined, text)
    document = parse_yaml(text, path, aliases=True)
    try:
        return Document(path, _Copy(path).of(document.value), document.node)
    except RecursionError:  # mappings that are merged into themselves
        raise ContractError("nested too deeply", path) from None


def _joined(found: re.Match[str]) -> str:
    pair = bytes.fromhex(found[1] + found[2]) if found[1] else b""
    return pair.decode("utf-16-be") if pair else found[0]


class _Copy:
    """Writes out what aliases stand for."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._values = 0

    def of(self, value: Any, depth: int = 0) -> Any:
        """A copy of a value, no part of which stands in it twice."""
        self._values += 1
        if depth > MAX_DEPTH:
            raise ContractError(f"nested more than {MAX_DEPTH} levels deep", self._path)
        if self._values > MAX_VALUES:
            raise ContractError(f"more than {MAX_VALUES} values, with the aliases written out", self._path)
        if isinstance(value, dict):
            return {name: self.of(inner, depth + 1) for name, inner in _merged(value)}
        if isinstance(value, list):
            return [self.of(inner, depth + 1) for inner in value]
        return value


def _merged(value: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The members of a mapping and, before them, those of the mappings that `<<` merges into it."""
    merged = value.get(_MERGE)
    parts = [merged] if isinstance(merged, dict) else merged if isinstance(merged, list) else []
    if not parts or not all(isinstance(part, dict) for part in parts):
        yield from value.items()
        return
    for part in reversed(parts):  # the first one wins
        yield from (member for member in _merged(part) if member[0] not in value)
    yield from (member for member in value.items() if member[0] != _MERGE)
