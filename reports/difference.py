"""What was expected beside what came, laid out member by member, with what differs marked.

An expectation is a pattern: members that it does not name may be there, and a value such as
``<a text with 12>`` stands for all that fit its words.
"""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Final

MAX_CHARACTERS: Final = 8_000
MAX_DEPTH: Final = 16
MAX_LINES: Final = 200
"""What is longer, deeper or has more lines is shown as it came, without marks."""
ALIKE: Final = 0.5
"""Texts of which less is the same have no differing part: they are different altogether."""

Path = tuple[str | int, ...]

_INDENT: Final = "  "
_POINTER: Final = re.compile(r"(/\S*): ")
_OPERATOR: Final = re.compile(r"<(.*)>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Piece:
    text: str
    marked: bool = False


Line = tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """Both sides, line by line."""

    expected: tuple[Line, ...]
    received: tuple[Line, ...]


class _Number(str):
    """A number as it was written, which Python's own would change."""

    __slots__ = ()


def difference(expected: str | None, received: str | None) -> Difference | None:
    """Both sides with what differs marked; None where no part of them can be held against one another."""
    if expected is None or received is None or max(len(expected), len(received)) > MAX_CHARACTERS:
        return None
    try:
        return _of_values(expected, received) or _of_pointer(expected, received) or _of_texts(expected, received)
    except (ValueError, RecursionError):
        return None


def _of_values(expected: str, received: str) -> Difference | None:
    wanted, values = _parsed(expected), _parsed(received)
    if not wanted or not values or not isinstance(wanted[0], dict | list):
        return None
    pattern = wanted[0]
    nearest = min(values, key=lambda value: len(differing(pattern, value)))
    paths = differing(pattern, nearest)
    if not paths or () in paths:
        return None
    there = [path for path in paths if _existing(nearest, path) == path]
    shown = [line for value in values for line in lines(value, there if value is nearest else ())]
    return _bounded(lines(pattern, paths), shown)


def _of_pointer(expected: str, received: str) -> Difference | None:
    """Where the contract names the member that breaks it: ``/sessionId: expected string, got integer``."""
    pointer, values = _POINTER.match(expected), _parsed(received)
    if pointer is None or not values or not isinstance(values[0], dict):
        return None
    names = [part.replace("~1", "/").replace("~0", "~") for part in pointer[1].split("/")[1:]]
    path = _existing(values[0], ["payload", *names]) or _existing(values[0], names)
    if not path:
        return None
    return _bounded([(Piece(expected),)], [line for value in values for line in lines(value, (path,))])


def _of_texts(expected: str, received: str) -> Difference | None:
    start = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(expected, received, strict=False)))
    rest = min(len(expected), len(received)) - start
    backwards = zip(reversed(expected), reversed(received), strict=False)
    end = min(sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], backwards)), rest)
    if expected == received or start + end < ALIKE * max(len(expected), len(received)):
        return None
    return Difference((_split(expected, start, end),), (_split(received, start, end),))


def _split(text: str, start: int, end: int) -> Line:
    stop = len(text) - end
    pieces = (Piece(text[:start]), Piece(text[start:stop], marked=True), Piece(text[stop:]))
    return tuple(piece for piece in pieces if piece.text)


def _bounded(expected: Sequence[Line], received: Sequence[Line]) -> Difference | None:
    if max(len(expected), len(received)) > MAX_LINES:
        return None
    return Difference(tuple(expected), tuple(received))


def _parsed(text: str) -> list[Any]:
    """The JSON values of a text, several of them between semicolons; none where it is no such text."""
    decoder = json.JSONDecoder(
        parse_float=_Number, parse_int=_Number, parse_constant=_Number, object_pairs_hook=_object
    )
    values: list[Any] = []
    position = 0
    while position < len(text):
        try:
            value, position = decoder.raw_decode(text, position)
        except ValueError:
            return []
        values.append(value)
        if _depth(value) > MAX_DEPTH or (position < len(text) and not text.startswith("; ", position)):
            return []
        position += 2
    return values


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a member that stands there twice would be lost")
    return found


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level:
        depth += 1
        level = [inner for outer in level for inner in _inner(outer)]
    return depth


def _inner(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _existing(value: Any, names: Sequence[str | int]) -> Path:
    """The path along these names as far as it exists."""
    path: list[str | int] = []
    for name in names:
        if isinstance(value, dict) and name in value:
            path.append(name)
            value = value[name]
        elif isinstance(value, list) and re.fullmatch(r"\d{1,6}", str(name)) and int(name) < len(value):
            path.append(int(name))
            value = value[int(name)]
        else:
            break
    return tuple(path)


def differing(pattern: Any, value: Any, path: Path = ()) -> tuple[Path, ...]:
    """The paths of a pattern at which a value is another one, or nothing."""
    if isinstance(pattern, dict) and isinstance(value, dict):
        return tuple(found for name in pattern for found in _member(pattern[name], value, name, path))
    if isinstance(pattern, list) and isinstance(value, list) and len(pattern) == len(value):
        pairs = enumerate(zip(pattern, value, strict=True))
        return tuple(found for index, (one, other) in pairs for found in differing(one, other, (*path, index)))
    return () if _fits(pattern, value) else (path,)


def _member(pattern: Any, value: dict[str, Any], name: str, path: Path) -> tuple[Path, ...]:
    if name in value:
        return differing(pattern, value[name], (*path, name))
    operator = _OPERATOR.fullmatch(pattern) if type(pattern) is str else None
    return () if operator and operator[1].startswith("absent") else ((*path, name),)


def _fits(pattern: Any, value: Any) -> bool:
    if type(pattern) is str and _OPERATOR.fullmatch(pattern):
        return all(_holds(f"<{words}>", value) for words in pattern[1:-1].split("> and <"))
    if isinstance(pattern, _Number) and isinstance(value, _Number):
        return pattern == value or (math.isfinite(float(pattern)) and float(pattern) == float(value))
    return type(pattern) is type(value) and bool(pattern == value)


def _holds(operator: str, value: Any) -> bool:
    """Whether a value is what an operator asks for; one that is not known holds."""
    for words, test in _TESTS.items():
        if found := re.fullmatch(words, operator, re.DOTALL):
            return test(value, *found.groups())
    return " " in operator or operator == f"<{value}>"


def _type_of(value: Any) -> str:
    if isinstance(value, _Number):
        return "integer" if re.fullmatch(r"-?\d+", value) else "number"
    names = {str: "string", bool: "boolean", dict: "object", list: "array"}
    return names.get(type(value), "null")


_TESTS: Final[Mapping[str, Callable[..., bool]]] = {
    r"<(?:anything|present)>": lambda value: True,
    r"<absent>": lambda value: False,
    r"<(?:a non-empty string|any code)>": lambda value: type(value) is str and value != "",
    r"<a text with (.*)>": lambda value, part: type(value) is str and part in value,
    r"<a text of (\d{1,9}) characters>": lambda value, length: type(value) is str and len(value) == int(length),
    r"<a value of type (.*)>": lambda value, names: _type_of(value) in re.findall(r"\w+", names),
    r"<one of (.*)>": lambda value, listed: str(value) in listed,
    r"<anything but (.*)>": lambda value, other: str(value) != other,
}
"""The operators of the scenario language, in the words in which a document shows them."""


def lines(value: Any, marked: Sequence[Path]) -> list[Line]:
    """A JSON value over several lines, the members at these paths marked."""
    found: list[list[Piece]] = [[]]
    for piece in _pieces(value, frozenset(marked), (), ""):
        if piece is None:
            found.append([])
        else:
            found[-1].append(piece)
    return [_joined(line) for line in found]


def _pieces(value: Any, marked: frozenset[Path], path: Path, indent: str) -> Iterator[Piece | None]:
    """A value's pieces; None ends a line. Only what holds a mark takes more than one."""
    if path in marked or not any(one[: len(path)] == path for one in marked):
        yield Piece(_compact(value), path in marked)
        return
    named = isinstance(value, dict)
    entries = list(value.items()) if isinstance(value, dict) else list(enumerate(value))
    yield Piece("{" if named else "[")
    deeper = indent + _INDENT
    for number, (name, inner) in enumerate(entries):
        yield None
        place = (*path, name)
        yield Piece(deeper)
        if named:
            yield Piece(f"{_compact(name)}: ", place in marked)
        yield from _pieces(inner, marked, place, deeper)
        if number < len(entries) - 1:
            yield Piece(",")
    yield None
    yield Piece(f"{indent}{'}' if named else ']'}")


def _joined(pieces: Sequence[Piece]) -> Line:
    found: list[Piece] = []
    for piece in pieces:
        if found and found[-1].marked is piece.marked:
            piece = Piece(found.pop().text + piece.text, piece.marked)
        found.append(piece)
    return tuple(found)


def _compact(value: Any) -> str:
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_compact(name)}: {_compact(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_compact, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
