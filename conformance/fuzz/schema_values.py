"""Strategies for the values of a JSON Schema without references.

They know the keywords that say what to make: types, choices, bounds, lengths, patterns, formats, items, members. Those
that only forbid something (`not`, `if`, `contains`) they leave out. No wrong message comes of it: the contract's own
schemas judge each one before it is sent (`example.holds`), so a strategy that makes too much only costs time.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC
from decimal import Decimal
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from conformance.fuzz.example import MAX_EXACT, is_portable

SHORT: Final = 40
"""Characters of a generated text, unless its length is what matters."""

_MORE_ITEMS: Final = 3
"""Items of a generated array beyond those that it must have."""

Schema = Mapping[str, Any]
Values = SearchStrategy[Any]

_CHARACTERS: Final = st.characters(exclude_categories=["Cs"])
_IMPLIED: Final = {
    **dict.fromkeys(("properties", "required", "additionalProperties"), "object"),
    **dict.fromkeys(("items", "minItems", "maxItems", "uniqueItems"), "array"),
    **dict.fromkeys(("minLength", "maxLength", "pattern", "format"), "string"),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"), "number"),
}
"""The type that a keyword speaks of, where the schema names none."""

_FORMATS: Final[Mapping[str, Values]] = {
    "date-time": st.datetimes(timezones=st.just(UTC)).map(lambda one: one.isoformat().replace("+00:00", "Z")),
    "date": st.dates().map(str),
    "time": st.times().map(lambda one: f"{one.isoformat()}Z"),
    "uuid": st.uuids().map(str),
    "email": st.emails(),
    "ipv4": st.ip_addresses(v=4).map(str),
    "ipv6": st.ip_addresses(v=6).map(str),
    "hostname": st.uuids().map(lambda one: f"{one.hex}.example.com"),
    "uri": st.uuids().map(lambda one: f"https://example.com/{one}"),
}


def made(schema: Schema | bool) -> Values:
    """Values of a schema, apart from what it only forbids, and such that every JSON library reads them alike."""
    return _built(schema).filter(is_portable)


def _built(schema: Schema | bool) -> Values:
    if isinstance(schema, bool):
        return _built({}) if schema else st.nothing()
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    for word in ("anyOf", "oneOf"):
        if word in schema:
            rest = {name: value for name, value in schema.items() if name != word}
            return st.one_of([_built({**rest, **one} if isinstance(one, Mapping) else one) for one in schema[word]])
    types = schema.get("type") or {_IMPLIED[name]: None for name in schema if name in _IMPLIED} or list(_SCALARS)
    return st.one_of([_TYPES[one](schema) for one in ([types] if isinstance(types, str) else types)])


def _integers(schema: Schema) -> Values:
    step = Decimal(str(schema.get("multipleOf", 1)))
    return _multiples(schema, step if step % 1 == 0 else Decimal(1))


def _numbers(schema: Schema) -> Values:
    if "multipleOf" in schema:
        return _multiples(schema, Decimal(str(schema["multipleOf"])))
    low, high = _bounds(schema)
    whole = _multiples(schema, Decimal(1))
    if low >= high:
        return whole
    fractions = st.floats(
        *(low, high),
        exclude_min=low == schema.get("exclusiveMinimum"),
        exclude_max=high == schema.get("exclusiveMaximum"),
    )
    return st.one_of(whole, fractions)


def _multiples(schema: Schema, step: Decimal) -> Values:
    low, high = (Decimal(str(one)) for one in _bounds(schema))
    first, last = math.ceil(low / step), math.floor(high / step)
    first += "exclusiveMinimum" in schema and first * step == Decimal(str(schema["exclusiveMinimum"]))
    last -= "exclusiveMaximum" in schema and last * step == Decimal(str(schema["exclusiveMaximum"]))
    if first > last:
        return st.nothing()
    return st.integers(first, last).map(lambda number: _number(number * step))


def _number(value: Decimal) -> int | float:
    return int(value) if value == int(value) else float(value)


def _bounds(schema: Schema) -> tuple[float, float]:
    low = max(schema.get("minimum", -MAX_EXACT), schema.get("exclusiveMinimum", -MAX_EXACT), -MAX_EXACT)
    high = min(schema.get("maximum", MAX_EXACT), schema.get("exclusiveMaximum", MAX_EXACT), MAX_EXACT)
    return low, high


def _texts(schema: Schema) -> Values:
    least = schema.get("minLength", 0)
    most = schema.get("maxLength", math.inf)
    if "pattern" in schema:
        found = _matching(schema["pattern"])
    elif schema.get("format") in _FORMATS:
        found = _FORMATS[schema["format"]]
    else:
        return st.text(_CHARACTERS, min_size=least, max_size=max(least, min(most, SHORT)))
    return found.filter(lambda text: least <= len(text) <= most)


def _matching(pattern: str) -> Values:
    # Python's $ also matches before a line's end, which it does in no other JSON Schema library.
    try:
        return st.from_regex(re.compile(re.sub(r"(?<!\\)\$\Z", r"\\Z", pattern)), alphabet=_CHARACTERS)
    except re.error:
        return st.text(_CHARACTERS, max_size=SHORT)


def _arrays(schema: Schema) -> Values:
    least = schema.get("minItems", 0)
    return st.lists(
        _built(schema.get("items", True)),
        min_size=least,
        max_size=min(schema.get("maxItems", math.inf), least + _MORE_ITEMS),
        unique_by=_as_text if schema.get("uniqueItems") else None,
    )


def _as_text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _objects(schema: Schema) -> Values:
    declared = schema.get("properties", {})
    required = {name: _built(declared.get(name, True)) for name in schema.get("required", ())}
    optional = {name: _built(member) for name, member in declared.items() if name not in required}
    return st.fixed_dictionaries(required, optional=optional)


_SCALARS: Final[Mapping[str, Callable[[Schema], Values]]] = {
    "null": lambda schema: st.none(),
    "boolean": lambda schema: st.booleans(),
    "integer": _integers,
    "string": _texts,
}
_TYPES: Final[Mapping[str, Callable[[Schema], Values]]] = {
    **_SCALARS,
    "number": _numbers,
    "array": _arrays,
    "object": _objects,
}
