"""What was expected beside what came, laid out member by member, with what differs marked."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Final

from reports.shared.documents import Document
from reports.shared.patterns import Number, Operator, Path, differing, existing, parsed, pattern
from reports.text.phrases import items, phrase, rendered

MAX_CHARACTERS: Final = 8_000
MAX_LINES: Final = 200
"""What is longer or has more lines is shown as it came, without marks."""
ALIKE: Final = 0.5
"""Texts of which less is the same have no differing part: they are different altogether."""

_INDENT: Final = "  "


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


def difference(failure: Document) -> Difference | None:
    """What a failure expected and received, with what differs marked; None where they cannot be held side by side."""
    expected, received = failure["expected"], failure["received"]
    if expected is None or received is None or max(len(expected), len(received)) > MAX_CHARACTERS:
        return None
    try:
        return _of_values(failure) or _of_pointer(failure) or _of_texts(expected, received)
    except (ValueError, LookupError, TypeError, RecursionError):
        return None


def _of_values(failure: Document) -> Difference | None:
    patterns = [pattern(item) for item in items(failure, "expected")]
    came = items(failure, "received")
    values = {number: value for number, item in enumerate(came) if (value := _value(item)) is not None}
    if not patterns or not values or not all(isinstance(one, dict | list) for one in patterns):
        return None
    nearest = min(values, key=lambda number: len(differing(patterns[0], values[number])))
    paths = differing(patterns[0], values[nearest])
    if not paths or () in paths:
        return None
    there = [found for path in paths if len(found := existing(values[nearest], path)) == len(path)]
    expected = [line for number, one in enumerate(patterns) for line in lines(one, () if number else paths)]
    received: list[Line] = []
    for number, item in enumerate(came):
        marked = there if number == nearest else ()
        received += lines(values[number], marked) if number in values else [(Piece(rendered(item, "")),)]
    return _bounded(expected, received)


def _value(item: Any) -> Any:
    """The JSON object or array of a text; None where it is none."""
    value = parsed(item) if isinstance(item, str) else None
    return value if isinstance(value, dict | list) else None


def _of_pointer(failure: Document) -> Difference | None:
    """Where the contract names the place that breaks it, such as ``/sessionId`` of a payload."""
    written = phrase(failure, "expected")
    if written is None or written["code"] != "at":
        return None
    place, value = written["params"]["place"], _value(failure["received"])
    if not isinstance(place, str) or not isinstance(value, dict):
        return None
    names = [part.replace("~1", "/").replace("~0", "~") for part in place.removeprefix("payload").split("/")[1:]]
    path = existing(value, ["payload", *names]) or existing(value, names)
    if not path:
        return None
    return _bounded([(Piece(failure["expected"]),)], lines(value, (path,)))


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
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, Operator):
        return json.dumps(value.text, ensure_ascii=False)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_compact(name)}: {_compact(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_compact, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
