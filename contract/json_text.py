"""Strict, bounded JSON text (RFC 8259), for messages that come from a hostile peer."""

import json
import re
from math import isinf
from typing import Any, NoReturn

from contract.findings import Phrase, phrase

type_names = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}

MAX_DIGITS = 400
"""Longest run of digits taken as a number; a longer one is refused before it costs quadratic time."""

MAX_DEPTH = 64
"""Deepest nesting of arrays and objects that is accepted."""


MAX_VALUES = 100_000
"""Most values that are read: an empty object takes a hundred times the memory of its two characters."""

_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"', re.DOTALL)


class JsonTextError(ValueError):
    """The text is not JSON, or is JSON beyond the bounds of depth and digits; `problem` says which."""

    def __init__(self, problem: Phrase) -> None:
        super().__init__(problem)
        self.problem = problem


def _refuse_constant(name: str) -> NoReturn:
    raise JsonTextError(phrase("json-constant", constant=name))


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:  # a sign counts as one
        raise JsonTextError(phrase("json-digits", digits=len(digits), most=MAX_DIGITS))
    return int(digits)


def _number(text: str) -> float:
    value = float(text)
    if isinf(value):
        raise JsonTextError(phrase("json-range"))
    return value


# Made once: the functions of `json` make one anew for every text.
_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_int=_integer, parse_float=_number)
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return
    raise JsonTextError(phrase("json-depth", most=MAX_DEPTH))


def _check_values(text: str) -> None:
    if len(text) > MAX_VALUES and _marks(text) > MAX_VALUES and _marks(_STRING.sub("", text)) > MAX_VALUES:
        raise JsonTextError(phrase("json-values", most=MAX_VALUES))


def _marks(text: str) -> int:
    return text.count(",") + text.count("[") + text.count("{")


def parse_json(text: str) -> Any:
    """Parse one JSON text. Raises `JsonTextError`, also for NaN, Infinity, and what exceeds the bounds."""
    _check_values(text)
    try:
        value = _DECODER.decode(text)
    except JsonTextError:
        raise
    except RecursionError:
        raise JsonTextError(phrase("json-depth", most=MAX_DEPTH)) from None
    except json.JSONDecodeError as error:
        raise JsonTextError(phrase("json-syntax", line=error.lineno, column=error.colno)) from None
    if text.count("[") + text.count("{") > MAX_DEPTH:  # with fewer, nothing is nested deeper
        _check_depth(value)
    return value


def dump_json(value: Any) -> str:
    """Write compact JSON with characters beyond ASCII as they are."""
    return _ENCODER.encode(value)


def code_text(value: Any) -> str | None:
    """An error's code as contracts and profiles write it: a text, or the digits of a whole number; None for others."""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value}"
    return value if isinstance(value, str) else None


def type_name(value: Any) -> str:
    """The JSON name of a parsed value's type."""
    return "null" if value is None else type_names.get(type(value), type(value).__name__)
