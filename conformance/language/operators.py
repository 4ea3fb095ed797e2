"""What the operators of expectations may hold: `{$in: […]}` is a list, `{$regex: …}` a regular expression."""

from collections.abc import Callable, Mapping
from typing import Any

from conformance.language.matching import comparable
from contract.json_text import type_name
from contract.plain_words import near
from contract.regular import regular_problem

TYPES = ("object", "array", "string", "integer", "number", "boolean", "null")
OF_STRINGS = ("$nonempty", "$contains", "$length", "$error_code", "$regex", "$prefix", "$between")
"""Operators that only strings fit; some of them fit other types as well, if what they hold is of another type."""


SIZED = frozenset({"$fill", "$pad"})
"""Texts of a certain size; what else is wrong with them, `samples.size_flaws` says."""


def is_sized(value: Any) -> bool:
    """Whether a value stands for a text of a certain size."""
    return isinstance(value, Mapping) and bool(value) and value.keys() <= SIZED


def wanted_flaw(name: str, wanted: Any) -> str | None:
    """Why an operator cannot hold this; None where it can."""
    check = _CHECKS.get(name)
    problem = check(wanted) if check is not None else None
    return f"{name}: {problem}" if problem else None


def _text(wanted: Any) -> str | None:
    return None if isinstance(wanted, str) or is_sized(wanted) else f"expected a string; got {type_name(wanted)}"


def _list(wanted: Any) -> str | None:
    return None if isinstance(wanted, list) else f"expected a list; got {type_name(wanted)}"


def _count(wanted: Any) -> str | None:
    return None if type_name(wanted) == "integer" else f"expected a whole number; got {type_name(wanted)}"


def _text_or_list(wanted: Any) -> str | None:
    fits = isinstance(wanted, str | list) or is_sized(wanted)
    return None if fits else f"expected a string or a list; got {type_name(wanted)}"


def _type(wanted: Any) -> str | None:
    known = near(wanted, TYPES) or "; known: " + ", ".join(TYPES)
    return None if wanted in TYPES else f"unknown type {wanted!r}{known}"


def _regular(wanted: Any) -> str | None:
    return None if isinstance(wanted, str) and "${" in wanted else regular_problem(wanted)


def _bounds(wanted: Any) -> str | None:
    if not isinstance(wanted, list) or len(wanted) != 2 or wanted == [None, None]:
        return "expected a lower and an upper bound, such as [1, 10]; null is no bound"
    known = [one for one in wanted if one is not None and not (isinstance(one, str) and "${" in one)]
    ordered = [one for one in map(comparable, known) if one is not None]
    if len(ordered) < len(known) or len({kind for kind, _ in ordered}) > 1:
        return "expected two numbers, or two date-times such as 2026-01-31T12:00:00Z"
    return None if len(known) < 2 or ordered[0][1] <= ordered[1][1] else "expected the lower bound first"


_CHECKS: Mapping[str, Callable[[Any], str | None]] = {
    "$all": _list,
    "$between": _bounds,
    "$contains": _text,
    "$error_code": _text,
    "$in": _list,
    "$length": _count,
    "$prefix": _text_or_list,
    "$regex": _regular,
    "$schema": _text,
    "$type": _type,
    "$unordered": _list,
}
