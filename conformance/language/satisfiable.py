"""What of an expectation no valid message can be: operators that there are not, members and values that none has."""

from collections.abc import Iterator
from typing import Any

from conformance.language.matching import ABSENT, OPERATORS, matches
from contract.declared import Declared
from contract.json_text import type_name
from contract.plain_words import near

Where = tuple[str | int, ...]
Flaw = tuple[Where, str]

TYPES = ("object", "array", "string", "integer", "number", "boolean", "null")
SIZED = frozenset({"$fill", "$pad"})
"""Texts of a certain size; what else is wrong with them, `samples.size_flaws` says."""

_OF_STRINGS = ("$nonempty", "$contains", "$length", "$error_code")


def flaws(expected: Any, declared: Declared, where: Where = ()) -> Iterator[Flaw]:
    """What can never match where the contract declares `declared`, each with its place in the expectation."""
    if isinstance(expected, dict) and expected and expected.keys() <= SIZED:
        if not declared.permits_type("string"):
            yield where, _never("a string", where)
    elif isinstance(expected, dict):
        if any(str(name).startswith("$") for name in expected):
            yield from _of_operators(expected, declared, where)
        else:
            yield from _of_members(expected, declared, where)
    elif isinstance(expected, list):
        if not declared.permits_type("array"):
            yield where, _never("a list", where)
        for index, item in enumerate(expected):
            yield from flaws(item, declared.item(index), (*where, index))
    elif isinstance(expected, str) and "${" in expected:
        # What was captured may be anything; nonces, channels and tokens, and what they stand in, are texts.
        is_text = not expected.startswith("${") or "." in expected.partition("}")[0]
        if is_text and not declared.permits_type("string"):
            yield where, _never("a string", where)
    elif not declared.permits(expected):
        yield where, f"{_place(where)} is never {expected!r} in a valid message"


def _of_operators(expected: dict[str, Any], declared: Declared, where: Where) -> Iterator[Flaw]:
    for name, wanted in expected.items():
        here = (*where, name)
        if name not in OPERATORS:
            known = f"; known: {', '.join(sorted(OPERATORS))}"
            what = f"unknown operator {name!r}" if name.startswith("$") else f"member {name!r} beside an operator"
            yield here, what + (near(name, OPERATORS) or known)
        elif name in ("$optional", "$not"):
            yield from flaws(wanted, declared, here)
        elif name == "$in":
            if not isinstance(wanted, list):
                yield here, f"$in: expected a list; got {type_name(wanted)}"
                continue
            for index, item in enumerate(wanted):
                yield from flaws(item, declared, (*here, index))
        elif name == "$type":
            if wanted not in TYPES:
                yield here, f"$type: unknown type {wanted!r}{near(wanted, TYPES) or '; known: ' + ', '.join(TYPES)}"
            elif not declared.permits_type(wanted):
                yield here, _never(f"of the type {wanted}", where)
        elif name in _OF_STRINGS:
            if name in ("$contains", "$error_code") and not isinstance(wanted, str):
                yield here, f"{name}: expected a string; got {type_name(wanted)}"
            elif name == "$length" and type_name(wanted) != "integer":
                yield here, f"$length: expected a whole number; got {type_name(wanted)}"
            elif not declared.permits_type("string") and not (
                name == "$error_code" and declared.permits_type("integer")
            ):
                yield here, _never("a string", where)


def _of_members(expected: dict[str, Any], declared: Declared, where: Where) -> Iterator[Flaw]:
    if not declared.permits_type("object"):
        yield where, _never("an object", where)
        return
    for name, wanted in expected.items():
        here = (*where, name)
        if name in declared.names or declared.anything:
            yield from flaws(wanted, declared.member(name), here)
        elif not matches(wanted, ABSENT):
            known = f"; known: {', '.join(sorted(declared.names))}"
            yield here, f"the contract has no member {name!r} in {_place(where)}{near(name, declared.names) or known}"


def _never(what: str, where: Where) -> str:
    return f"{_place(where)} is never {what} in a valid message"


def _place(where: Where) -> str:
    names = [str(part) for part in where if not str(part).startswith("$")]
    return f"`{'.'.join(names)}`" if names else "the message"
