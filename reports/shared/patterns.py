"""What was expected as a pattern, and where what came does not fit it.

Members that a pattern does not name may be there, and a phrase in it, such as ``<a text with 12>``, stands for all that
fit. Numbers stay as they were written.
"""

import json
import math
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from contract.paths import by_index
from contract.regular import found_in
from reports.shared.documents import Document
from reports.text.phrases import rendered

MAX_DEPTH: Final = 16
"""What is nested deeper is nothing to be held against anything."""

Path = tuple[str | int, ...]


class Operator:
    """What stands in a pattern for all that fit it."""

    def __init__(self, written: Document) -> None:
        self.code = str(written["code"])
        self.params: Mapping[str, Any] = written["params"]
        self.text = rendered(written, self.code)


class Number(str):
    """A number as it was written, which Python's own would change."""

    __slots__ = ()


def pattern(expected: str | Document) -> Any:
    """The value of an expectation, with an `Operator` wherever a phrase stands in its JSON text."""
    if isinstance(expected, str):
        return parsed(expected)
    if expected["code"] != "parts":
        return Operator(expected)
    found = {secrets.token_hex(8): part for part in expected["params"]["parts"] if isinstance(part, dict)}
    names = iter(found)
    text = "".join(part if isinstance(part, str) else next(names) for part in expected["params"]["parts"])
    return _with_operators(parsed(text), found)


def _with_operators(value: Any, found: Mapping[str, Document]) -> Any:
    if isinstance(value, dict):
        return {name: _with_operators(inner, found) for name, inner in value.items()}
    if isinstance(value, list):
        return [_with_operators(inner, found) for inner in value]
    return pattern(found[value]) if type(value) is str and value in found else value


def differing(wanted: Any, value: Any, path: Path = ()) -> tuple[Path, ...]:
    """The paths of a pattern at which a value is another one, or nothing."""
    if isinstance(wanted, dict) and isinstance(value, dict):
        return tuple(found for name in wanted for found in _member(wanted[name], value, name, path))
    if isinstance(wanted, dict) and isinstance(value, list) and by_index(wanted):
        there = {name: value[int(name)] for name in wanted if -len(value) <= int(name) < len(value)}
        return tuple(found for name in wanted for found in _member(wanted[name], there, name, path))
    if isinstance(wanted, list) and isinstance(value, list) and len(wanted) == len(value):
        pairs = enumerate(zip(wanted, value, strict=True))
        return tuple(found for index, (one, other) in pairs for found in differing(one, other, (*path, index)))
    return () if _fits(wanted, value) else (path,)


def _member(wanted: Any, value: dict[str, Any], name: str, path: Path) -> tuple[Path, ...]:
    if name in value:
        return differing(wanted, value[name], (*path, name))
    return () if isinstance(wanted, Operator) and wanted.code in _MAY_LACK else ((*path, name),)


def _fits(wanted: Any, value: Any) -> bool:
    if isinstance(wanted, Operator):
        test = _TESTS.get(wanted.code)
        return test is None or test(value, **wanted.params)
    if isinstance(wanted, Number) and isinstance(value, Number):
        return wanted == value or (math.isfinite(float(wanted)) and float(wanted) == float(value))
    return type(wanted) is type(value) and bool(wanted == value)


def _is(expected: str | Document, value: Any) -> bool:
    return not differing(pattern(expected), value)


def _type_of(value: Any) -> str:
    if isinstance(value, Number):
        return "integer" if re.fullmatch(r"-?\d+", value) else "number"
    names = {str: "string", bool: "boolean", dict: "object", list: "array"}
    return names.get(type(value), "null")


def _begins(items: Sequence[Any], value: Any) -> bool:
    return (
        type(value) is list
        and len(value) >= len(items)
        and all(_is(item, one) for item, one in zip(items, value, strict=False))
    )


def _are(items: Sequence[Any], value: Any) -> bool:
    """Whether a list has as many items, each of which is expected and all of which are there."""
    return (
        type(value) is list
        and len(value) == len(items)
        and all(any(_is(item, one) for item in items) for one in value)
        and all(any(_is(item, one) for one in value) for item in items)
    )


def _within(value: Any, low: str = "-Infinity", high: str = "Infinity") -> bool:
    """Whether a number is within two bounds; of date-times, nothing is said."""
    try:
        return not isinstance(value, Number) or float(low) <= float(value) <= float(high)
    except ValueError:
        return False


_MAY_LACK: Final = ("match-absent", "match-optional")
_TESTS: Final[Mapping[str, Callable[..., bool]]] = {
    "match-absent": lambda value: False,
    "match-any-code": lambda value: type(value) is str and value != "",
    "match-nonempty": lambda value: type(value) is str and value != "",
    "match-code": lambda value, code: bool(value == code),
    "match-contains": lambda value, wanted: type(value) is str and wanted in value,
    "match-between": lambda value, low, high: _within(value, low, high),
    "match-least": lambda value, low: _within(value, low=low),
    "match-most": lambda value, high: _within(value, high=high),
    "match-prefix": lambda value, wanted: type(value) is str and value.startswith(wanted),
    "match-prefix-list": lambda value, items: _begins(items, value),
    "match-regex": lambda value, wanted: type(value) is str and found_in(wanted, value),
    "match-unordered": lambda value, items: _are(items, value),
    "match-length": lambda value, wanted: type(value) is str and len(value) == int(wanted),
    "match-type": lambda value, wanted: _type_of(value) == wanted,
    "match-in": lambda value, items: any(_is(item, value) for item in items),
    "match-not": lambda value, wanted: not _is(wanted, value),
    "match-optional": lambda value, wanted: _is(wanted, value),
    "all-of": lambda value, items: all(_is(item, value) for item in items),
}
"""The operators of the scenario language, by the codes of their phrases; what is none of these holds."""


def parsed(text: str) -> Any:
    """The JSON value of a text; None where it is no JSON, or nested too deep."""
    decoder = json.JSONDecoder(parse_float=Number, parse_int=Number, parse_constant=Number, object_pairs_hook=_object)
    try:
        value = decoder.decode(text)
    except ValueError:
        return None
    return value if _depth(value) <= MAX_DEPTH else None


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


def existing(value: Any, names: Sequence[str | int]) -> Path:
    """The path along these names as far as it exists."""
    path: list[str | int] = []
    for name in names:
        if isinstance(value, dict) and name in value:
            path.append(name)
            value = value[name]
        elif (
            isinstance(value, list)
            and re.fullmatch(r"-?\d{1,6}", str(name))
            and (-len(value) <= int(name) < len(value))
        ):
            path.append(int(name) % len(value))
            value = value[int(name)]
        else:
            break
    return tuple(path)
