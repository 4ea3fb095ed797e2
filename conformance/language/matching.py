"""Matches received values against expected ones. Members that an expectation does not name are free."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from contract.json_text import code_text, type_name
from contract.paths import by_index
from contract.regular import found_in
from contract.schemas import is_date_time

OPERATORS = frozenset(
    {
        "$absent",
        "$all",
        "$any",
        "$between",
        "$contains",
        "$error_code",
        "$in",
        "$length",
        "$nonempty",
        "$not",
        "$optional",
        "$prefix",
        "$regex",
        "$schema",
        "$type",
        "$unordered",
    }
)

ABSENT = object()
"""Stands for a member that is not there."""

ANYTHING: Final[Mapping[str, Any]] = MappingProxyType({"$any": True})
"""What an expectation without `match` asks for."""


@dataclass(frozen=True, slots=True)
class Meanings:
    """What the endpoint and its contract say of an expectation's words.

    `error_codes`: the codes of errors by their causes; `keeps`: whether a value is valid for the schema of this name.
    """

    error_codes: Mapping[str, str] = field(default_factory=dict)
    keeps: Callable[[str, Any], bool] = lambda name, value: False


PLAIN = Meanings()


def has_operators(expected: Mapping[str, Any]) -> bool:
    """Whether a mapping of an expectation has operators, and no members."""
    return any(name in OPERATORS for name in expected)


def matches(expected: Any, value: Any, meanings: Meanings = PLAIN) -> bool:
    """Whether a value is what an expectation asks for.

    Objects match when every named member does, lists when they are equal in length and member by member, and anything
    else when it is equal and of the same JSON type (`1` is not `true`). Where the value is a list, a mapping whose
    names are all indices looks at those items; a negative index counts from the end.
    """
    if isinstance(expected, Mapping):
        if has_operators(expected):
            return all(_operator(name, wanted, value, meanings) for name, wanted in expected.items())
        inside = _inside(expected, value)
        return inside is not None and all(matches(wanted, one, meanings) for _, wanted, one in inside)
    if isinstance(expected, list):
        return isinstance(value, list) and len(value) == len(expected) and _begins(expected, value, meanings)
    return value is not ABSENT and type_name(expected) == type_name(value) and bool(expected == value)


def _inside(expected: Mapping[str, Any], value: Any) -> list[tuple[str, Any, Any]] | None:
    """What an expectation names inside of a value, what it expects and what is there; None: the value has no inside."""
    if isinstance(value, dict):
        return [(name, wanted, value.get(name, ABSENT)) for name, wanted in expected.items()]
    if isinstance(value, list) and by_index(expected):
        size = len(value)
        there = {name: -size <= int(name) < size for name in expected}
        return [(name, wanted, value[int(name)] if there[name] else ABSENT) for name, wanted in expected.items()]
    return None


def _begins(expected: list[Any], value: list[Any], meanings: Meanings) -> bool:
    return len(value) >= len(expected) and all(
        matches(wanted, one, meanings) for wanted, one in zip(expected, value, strict=False)
    )


def _operator(name: str, wanted: Any, value: Any, meanings: Meanings) -> bool:
    if name == "$absent":
        return (value is ABSENT) is bool(wanted)
    if name == "$optional":
        return value is ABSENT or matches(wanted, value, meanings)
    if name == "$all":
        return all(matches(one, value, meanings) for one in wanted)
    if value is ABSENT:
        return False
    if name in _OF_TEXTS:
        return isinstance(value, str) and _OF_TEXTS[name](wanted, value)
    match name:
        case "$any":
            return True
        case "$type":
            return bool(type_name(value) == wanted)
        case "$not":
            return not matches(wanted, value, meanings)
        case "$in":
            return any(matches(one, value, meanings) for one in wanted)
        case "$between":
            return _is_between(wanted, value)
        case "$prefix":
            return _has_prefix(wanted, value, meanings)
        case "$unordered":
            return isinstance(value, list) and _paired(wanted, value, meanings)
        case "$schema":
            return meanings.keeps(str(wanted), value)
        case _:
            # A profile that does not know the cause leaves its code free.
            known, code = meanings.error_codes, code_text(value)
            return code is not None and (wanted not in known or code == known[wanted])


_OF_TEXTS: Mapping[str, Callable[[Any, str], bool]] = {
    "$contains": lambda wanted, text: str(wanted) in text,
    "$length": lambda wanted, text: len(text) == int(wanted),
    "$nonempty": lambda wanted, text: bool(text),
    "$regex": lambda wanted, text: found_in(str(wanted), text),
}


def _has_prefix(wanted: Any, value: Any, meanings: Meanings) -> bool:
    if isinstance(wanted, list):
        return isinstance(value, list) and _begins(wanted, value, meanings)
    return isinstance(value, str) and value.startswith(str(wanted))


def _is_between(wanted: Any, value: Any) -> bool:
    """Whether a number or a date-time is within two bounds, both included; null is no bound."""
    found = comparable(value)
    bounds = [one if one is None else comparable(one) for one in wanted]
    if found is None or any(one is not None and one[0] != found[0] for one in bounds):
        return False
    low, high = bounds
    return (low is None or low[1] <= found[1]) and (high is None or found[1] <= high[1])


def comparable(value: Any) -> tuple[str, Any] | None:
    """A number, or the moment that a date-time names, with its kind; None for what is neither."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "number", value
    if not isinstance(value, str) or not is_date_time(value):
        return None
    text = value.upper()
    if text[17:19] == "60":
        text = f"{text[:17]}59{text[19:]}"  # Python knows no leap second
    try:
        return "moment", datetime.fromisoformat(text)
    except ValueError:
        return None  # the year 0


def _paired(wanted: list[Any], value: list[Any], meanings: Meanings) -> bool:
    """Whether each item of a list is one of those that are expected, in any order."""
    if len(wanted) != len(value):
        return False
    fits = [[number for number, one in enumerate(value) if matches(each, one, meanings)] for each in wanted]
    taken: dict[int, int] = {}

    def placed(index: int, tried: set[int]) -> bool:
        for number in fits[index]:
            if number in tried:
                continue
            tried.add(number)
            if number not in taken or placed(taken[number], tried):
                taken[number] = index
                return True
        return False

    return all(placed(index, set()) for index in range(len(wanted)))


def mismatches(expected: Any, value: Any, meanings: Meanings, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Where a value is not what an expectation asks for: the dotted path, what is expected and what is there."""
    inside = None if not isinstance(expected, Mapping) or has_operators(expected) else _inside(expected, value)
    if inside is not None:
        for name, wanted, one in inside:
            yield from mismatches(wanted, one, meanings, f"{path}.{name}" if path else name)
    elif not matches(expected, value, meanings):
        yield path, expected, value
