"""Values are made of a schema as it says, and without what only other libraries would make of it."""

from typing import Any

import pytest
from hypothesis import find, given
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable

from conformance.fuzz.example import MAX_EXACT, is_portable
from conformance.fuzz.schema_values import SHORT, made
from contract.schemas import compile_schema, violations

SCHEMAS: dict[str, dict[str, Any]] = {
    "null": {"type": "null"},
    "several types": {"type": ["null", "boolean", "string"], "maxLength": 20},
    "no type": {},
    "a bound without a type": {"minimum": 3},
    "constant": {"const": {"a": [1, None]}},
    "choice": {"enum": ["a", 1, None]},
    "integer": {"type": "integer", "minimum": 2.5, "maximum": 7},
    "integer between": {"type": "integer", "exclusiveMinimum": 2, "exclusiveMaximum": 4},
    "multiple": {"type": "integer", "multipleOf": 7, "exclusiveMinimum": 7, "maximum": 30},
    "integer in halves": {"type": "integer", "multipleOf": 0.5},
    "number": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
    "cents": {"type": "number", "multipleOf": 0.01, "minimum": 0, "maximum": 100},
    "one number": {"type": "number", "minimum": 5, "maximum": 5},
    "text": {"type": "string", "minLength": 1, "maxLength": 3},
    "long text": {"type": "string", "minLength": 60, "maxLength": 100},
    "pattern": {"type": "string", "pattern": "^[a-z]{2}-[0-9]+$", "maxLength": 8},
    "pattern inside": {"type": "string", "pattern": "a+b"},
    "time": {"type": "string", "format": "date-time"},
    "address": {"type": "string", "format": "uuid"},
    "unknown format": {"type": "string", "format": "of-ours", "maxLength": 5},
    "array": {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 3, "uniqueItems": True},
    "one of": {"oneOf": [{"type": "integer"}, {"type": "string"}]},
    "any of": {"type": "object", "properties": {"a": True}, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
    "object": {
        "type": "object",
        "properties": {"id": {"type": "string", "minLength": 1}, "tags": {"items": {"type": "string"}}},
        "required": ["id", "other"],
    },
}


@pytest.mark.parametrize("name", SCHEMAS)
@given(data=st.data())
def test_what_is_made_is_valid(name: str, data: st.DataObject) -> None:
    value = data.draw(made(SCHEMAS[name]))
    assert violations(compile_schema(SCHEMAS[name]), value) == ()
    assert is_portable(value)


@given(made({"type": "integer"}))
def test_numbers_are_exact_in_every_library(value: int) -> None:
    assert abs(value) <= MAX_EXACT


@given(made({"type": "string", "maxLength": 4_096}))
def test_texts_are_short(value: str) -> None:
    assert len(value) <= SHORT


@given(made({"type": "string", "pattern": "^[a-z]+$"}))
def test_an_end_is_the_end(value: str) -> None:
    """Python's `$` lets a newline follow, and no other library's does."""
    assert not value.endswith("\n")


@given(made({"type": "string", "pattern": r"^\p{L}+$"}))
def test_a_pattern_that_python_does_not_know_is_no_error(value: str) -> None:
    assert isinstance(value, str)


@pytest.mark.parametrize(
    "schema", [False, {"type": "integer", "exclusiveMinimum": 1, "exclusiveMaximum": 2}, {"oneOf": [False]}]
)
def test_nothing_is_made_of_what_nothing_fits(schema: Any) -> None:
    with pytest.raises(Unsatisfiable):
        find(made(schema), lambda value: True)
