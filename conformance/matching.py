"""Matches received values against expected ones. Members that an expectation does not name are free."""

from collections.abc import Mapping
from typing import Any

from contract.json_text import type_name

OPERATORS = frozenset(
    {"$any", "$type", "$not", "$nonempty", "$in", "$contains", "$optional", "$absent", "$error_code", "$length"}
)

ABSENT = object()
"""Stands for a member that is not there."""


def matches(expected: Any, value: Any, error_codes: Mapping[str, str] | None = None) -> bool:
    """Whether a value is what an expectation asks for.

    Objects match when every named member does, lists when they are equal in length and member by member,
    and anything else when it is equal and of the same JSON type (`1` is not `true`).
    """
    if isinstance(expected, dict):
        if any(name in OPERATORS for name in expected):
            return all(_operator(name, wanted, value, error_codes or {}) for name, wanted in expected.items())
        return isinstance(value, dict) and all(
            matches(wanted, value.get(name, ABSENT), error_codes) for name, wanted in expected.items()
        )
    if isinstance(expected, list):
        return (
            isinstance(value, list)
            and len(value) == len(expected)
            and all(matches(wanted, one, error_codes) for wanted, one in zip(expected, value, strict=True))
        )
    return value is not ABSENT and type_name(expected) == type_name(value) and bool(expected == value)


def _operator(name: str, wanted: Any, value: Any, error_codes: Mapping[str, str]) -> bool:
    if name == "$absent":
        return (value is ABSENT) is bool(wanted)
    if name == "$optional":
        return value is ABSENT or matches(wanted, value, error_codes)
    if value is ABSENT:
        return False
    match name:
        case "$any":
            return True
        case "$type":
            return bool(type_name(value) == wanted)
        case "$not":
            return not matches(wanted, value, error_codes)
        case "$nonempty":
            return isinstance(value, str) and bool(value)
        case "$in":
            return any(matches(one, value, error_codes) for one in wanted)
        case "$contains":
            return isinstance(value, str) and str(wanted) in value
        case "$length":
            return isinstance(value, str) and len(value) == int(wanted)
        case _:
            # A profile that does not know the cause leaves its code free.
            return isinstance(value, str) and (wanted not in error_codes or value == error_codes[wanted])


def describe(expected: Any, error_codes: Mapping[str, str]) -> Any:
    """An expectation as it is shown to people: operators are put into words."""
    if isinstance(expected, dict):
        if any(name in OPERATORS for name in expected):
            return " and ".join(_in_words(name, wanted, error_codes) for name, wanted in expected.items())
        return {name: describe(wanted, error_codes) for name, wanted in expected.items()}
    if isinstance(expected, list):
        return [describe(wanted, error_codes) for wanted in expected]
    return expected


def _in_words(name: str, wanted: Any, error_codes: Mapping[str, str]) -> str:
    words = {
        "$any": "anything",
        "$type": f"a value of type {wanted}",
        "$not": f"anything but {wanted}",
        "$nonempty": "a non-empty string",
        "$in": f"one of {wanted}",
        "$contains": f"a text with {wanted}",
        "$optional": f"absent, or {describe(wanted, error_codes)}",
        "$absent": "absent" if wanted else "present",
        "$length": f"a text of {wanted} characters",
        "$error_code": error_codes.get(str(wanted), "any code"),
    }
    return f"<{words[name]}>"
