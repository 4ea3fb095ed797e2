"""A schema of an older draft, translated, says the same of every value."""

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft4Validator, Draft6Validator, Draft7Validator

from contract.asyncapi.document import read_asyncapi
from contract.asyncapi.drafts import draft_named, file_draft, is_pattern
from contract.asyncapi.schema_formats import format_name, is_json, payload_draft
from contract.schemas import Validator, compile_schema, violations


def few(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    """One or two of these."""
    return (st.tuples(inner) | st.tuples(inner, inner)).map(list)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 12) | st.sampled_from([0.5, 1.0, 3.5]) | st.text("ab1", max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
TYPES = st.sampled_from(["array", "boolean", "integer", "null", "number", "object", "string"])
COUNTS = st.integers(0, 3)
NUMBERS = st.integers(-3, 9) | st.sampled_from([0.5, 2.0])
NAMES = st.sampled_from([["a"], ["b"], ["a", "c"]])
REFERENCES = st.sampled_from(["#/components/schemas/a", "#/components/schemas/b", "#/components/schemas/b/items/0"])
PLAIN: dict[str, st.SearchStrategy[Any]] = {
    "type": TYPES | st.sampled_from([["string", "null"], ["number", "object", "array"], ["integer"]]),
    "enum": few(VALUES),
    "maximum": NUMBERS,
    "minimum": NUMBERS,
    "multipleOf": st.sampled_from([1, 2, 0.5]),
    "maxLength": COUNTS,
    "minLength": COUNTS,
    "pattern": st.sampled_from(["^a", "b$", "1", "[ab]+"]),
    "maxItems": COUNTS,
    "minItems": COUNTS,
    "uniqueItems": st.booleans(),
    "maxProperties": COUNTS,
    "minProperties": COUNTS,
    "required": NAMES,
    "title": st.just("a title"),
    "default": VALUES,
}
LATER: dict[str, st.SearchStrategy[Any]] = {
    "const": VALUES,
    "exclusiveMaximum": NUMBERS,
    "exclusiveMinimum": NUMBERS,
}


def named(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.dictionaries(st.sampled_from("abc"), inner, max_size=2)


def schemas(*, old: bool) -> st.SearchStrategy[Any]:
    """Schemas of Draft 07, or those that Draft 04 understands."""
    words = PLAIN if old else PLAIN | LATER

    def outer(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        lists = few(inner)
        keywords = words | {
            "properties": named(inner),
            "additionalProperties": inner | st.booleans(),
            "patternProperties": st.dictionaries(st.sampled_from(["^a", "b"]), inner, max_size=2),
            "items": inner | lists,
            "additionalItems": inner | st.booleans(),
            "allOf": lists,
            "anyOf": lists,
            "oneOf": lists,
            "not": inner,
            "dependencies": named(inner | NAMES),
            "definitions": named(inner),
        }
        if not old:
            keywords |= dict.fromkeys(("if", "then", "else", "contains", "propertyNames"), inner)
        return st.fixed_dictionaries({}, optional=keywords)

    plain = st.fixed_dictionaries({}, optional=words)
    beside = st.fixed_dictionaries({"$ref": REFERENCES}, optional={"type": TYPES, "description": st.just("beside")})
    return st.recursive(plain | beside, outer, max_leaves=6)


def translated(payload: Any, components: dict[str, Any]) -> Validator:
    """The schema as it is read from a document."""
    document = {
        "asyncapi": "2.6.0",
        "info": {},
        "channels": {"c": {"publish": {"message": {"name": "m", "payload": payload}}}},
        "components": {"schemas": components},
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "asyncapi.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        api = read_asyncapi(path)
    schema = api.messages["m"].schema
    assert not [note.text for note in api.notes if "ignored beside" not in note.text]
    return compile_schema({"allOf": [schema]} if isinstance(schema, bool) else schema, api.registry)


@given(schemas(old=False), st.lists(VALUES, max_size=6))
def test_draft_07(schema: dict[str, Any], values: list[Any]) -> None:
    components = {"a": {"type": ["string", "integer"]}, "b": {"items": [{"maximum": 2}], "additionalItems": False}}
    judge = Draft7Validator({"allOf": [schema], "components": {"schemas": components}})
    ours = translated(schema, components)
    for value in values:
        assert (violations(ours, value) == ()) == judge.is_valid(value), (schema, value)


@given(schemas(old=True), st.booleans(), st.booleans(), st.lists(VALUES, max_size=6))
def test_draft_04(schema: dict[str, Any], below: bool, above: bool, values: list[Any]) -> None:
    bounds = {"minimum": 0, "exclusiveMinimum": below, "maximum": 3, "exclusiveMaximum": above}
    components = {"a": {"type": ["string", "number"]}, "b": {"items": [bounds], "additionalItems": False}}
    judge = Draft4Validator({"allOf": [schema, bounds], "components": {"schemas": components}})
    payload = {"$schema": "http://json-schema.org/draft-04/schema#", "allOf": [schema, bounds]}
    ours = translated(payload, components)
    for value in values:
        if not whole_floats(value):  # 1.0 is an integer since Draft 06
            assert (violations(ours, value) == ()) == judge.is_valid(value), (schema, value)


def whole_floats(value: Any) -> bool:
    if isinstance(value, dict | list):
        return any(whole_floats(one) for one in (value.values() if isinstance(value, dict) else value))
    return isinstance(value, float) and value.is_integer()


def test_draft_06_has_no_conditions() -> None:
    """`if` is read as it is meant, also in a draft that does not know it."""
    schema = {"$schema": "http://json-schema.org/draft-06/schema#", "if": {"const": 1}, "then": False}
    assert Draft6Validator(schema).is_valid(1)
    assert violations(translated(schema, {}), 1) != ()


@pytest.mark.parametrize(
    ("text", "draft"),
    [
        ("http://json-schema.org/draft-04/schema#", "04"),
        ("http://json-schema.org/draft-06/schema#", "06"),
        ("https://json-schema.org/draft-07/schema", "07"),
        ("https://json-schema.org/draft/2019-09/schema", "2019-09"),
        ("https://json-schema.org/draft/2020-12/schema", "2020-12"),
        ("https://example.com/own", None),
        (7, None),
        (None, None),
    ],
)
def test_draft_names(text: object, draft: str | None) -> None:
    assert draft_named(text) == draft


def test_the_draft_of_a_file() -> None:
    assert file_draft({"openapi": "3.0.3"}) == "openapi-3.0"
    assert file_draft({"openapi": "3.1.0"}) == "2020-12"
    assert file_draft({"$schema": "http://json-schema.org/draft-04/schema#"}) == "04"
    assert file_draft({"asyncapi": "3.0.0"}) is None
    assert file_draft([]) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "07"),
        ("application/vnd.aai.asyncapi;version=2.6.0", "07"),
        ("application/vnd.aai.asyncapi+yaml;version=3.0.0", "07"),
        ("application/schema+json;version=draft-07", "07"),
        ("application/schema+yaml;version=draft-04", "04"),
        ("application/schema+json;version=draft-2020-12", "2020-12"),
        ("application/schema+json", "07"),
        ("application/vnd.oai.openapi;version=3.0.0", "openapi-3.0"),
        ("application/vnd.oai.openapi+json;version=3.1.0", "2020-12"),
        ("application/vnd.apache.avro;version=1.9.0", "Avro"),
        ("application/vnd.google.protobuf;version=3", "Protocol Buffers"),
        ("application/raml+yaml;version=1.0", "RAML"),
        ("text/x-own", "'text/x-own'"),
    ],
)
def test_schema_formats(text: str, found: str) -> None:
    assert (payload_draft(text) or format_name(text)) == found


@pytest.mark.parametrize(
    ("text", "json_text"),
    [
        ("", True),
        ("application/json", True),
        ("Application/JSON; charset=utf-8", True),
        ("application/vnd.own+json", True),
        ("text/json", True),
        ("text/plain", False),
        ("application/octet-stream", False),
        ("application/jsonl", False),
        ("application/xml", False),
    ],
)
def test_content_types(text: str, json_text: bool) -> None:
    assert is_json(text) is json_text


@pytest.mark.parametrize(
    ("text", "good"), [("^a+$", True), ("[[a]", True), ("(?<a>b)", False), ("\\p{L}", False), (1, False)]
)
def test_patterns(text: object, good: bool) -> None:
    assert is_pattern(text) is good
