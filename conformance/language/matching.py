"""Matches received values against expected ones. Members that an expectation does not name are free."""

from collections.abc import Iterator, Mapping
from typing import Any

from contract.findings import Phrase, Text, phrase, words
from contract.json_text import code_text, dump_json, type_name

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
            code = code_text(value)
            return code is not None and (wanted not in error_codes or code == error_codes[wanted])


def mismatches(
    expected: Any, value: Any, error_codes: Mapping[str, str], path: str = ""
) -> Iterator[tuple[str, Any, Any]]:
    """Where a value is not what an expectation asks for: the dotted path, what is expected and what is there."""
    if isinstance(expected, dict) and isinstance(value, dict) and not OPERATORS & expected.keys():
        for name, wanted in expected.items():
            yield from mismatches(wanted, value.get(name, ABSENT), error_codes, f"{path}.{name}" if path else name)
    elif not matches(expected, value, error_codes):
        yield path, expected, value


def described(expected: Any, error_codes: Mapping[str, str]) -> Text:
    """An expectation as it is shown to people: operators are put into words."""
    return words(_in_words(expected, error_codes))


def _in_words(expected: Any, error_codes: Mapping[str, str]) -> Any:
    if isinstance(expected, dict):
        found = [
            _operator_in_words(name, wanted, error_codes) for name, wanted in expected.items() if name in OPERATORS
        ]
        if found:
            return found[0] if len(found) == 1 else phrase("all-of", items=found)
        return {name: _in_words(wanted, error_codes) for name, wanted in expected.items()}
    if isinstance(expected, list):
        return [_in_words(wanted, error_codes) for wanted in expected]
    return expected


def _operator_in_words(name: str, wanted: Any, error_codes: Mapping[str, str]) -> Phrase:
    match name:
        case "$optional":
            return phrase("match-optional", wanted=described(wanted, error_codes))
        case "$absent":
            return phrase("match-absent" if wanted else "match-present")
        case "$error_code":
            code = error_codes.get(str(wanted))
            return phrase("match-any-code") if code is None else phrase("match-code", code=code)
        case "$in":
            return phrase("match-in", items=[described(one, error_codes) for one in wanted])
        case "$not":
            return phrase("match-not", wanted=described(wanted, error_codes))
        case "$any" | "$nonempty":
            return phrase(f"match-{name[1:]}")
        case _:
            return phrase(f"match-{name[1:]}", wanted=wanted if isinstance(wanted, str) else dump_json(wanted))
