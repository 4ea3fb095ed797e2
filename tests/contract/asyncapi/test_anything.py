"""Whatever a file says, reading it gives a document or a `ContractError`."""

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from contract.asyncapi.document import read_asyncapi
from contract.errors import ContractError
from contract.schemas import compile_schema, schema_problem, violations

NAMES = """
$ref $id $schema action additionalProperties address allOf anyOf asyncapi bindings channel channels components
contains const contentType correlationId default dependencies description enum examples exclusiveMinimum
format headers host if in info items location maximum message messages messageId minLength minimum multipleOf
name not nullable oneOf operations parameters pathname pattern payload properties protocol publish query reply
required schema schemaFormat schemas security securitySchemes servers subscribe then title traits type url
variables ws x-response a b
"""
TEXTS = """
# #/ #/channels/a #/channels/a/messages/a #/components/messages/a #/components/schemas/a
#/components/schemas/b #/components/messages/a/payload #a ../ . document.json other.yaml
https://example.com/x.json file://x/y [ \\ application/json application/avro send receive string object (?<x>a)
$message.payload#/a {a} 3.0.0 2.6.0
"""
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.just(1e308) | st.sampled_from(TEXTS.split()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES.split()), inner, max_size=5),
    max_leaves=25,
)
KEYWORDS = """
$anchor $defs $dynamicRef $id $recursiveRef $ref $schema additionalItems additionalProperties allOf anyOf const contains
default definitions dependencies dependentRequired dependentSchemas description else enum examples exclusiveMaximum
exclusiveMinimum format if items maxLength minContains minItems minLength minimum multipleOf not nullable oneOf pattern
patternProperties prefixItems properties propertyNames required then title type unevaluatedItems uniqueItems
"""
SCHEMAS: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.just(1e308) | st.sampled_from(TEXTS.split()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYWORDS.split()), inner, max_size=4),
    max_leaves=25,
)
MAPPINGS = st.dictionaries(st.sampled_from(NAMES.split()), JSON, max_size=4)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Mappings that look like AsyncAPI more often than chance would have it."""
    keyed = st.dictionaries(st.sampled_from(["a", "b"]), MAPPINGS, max_size=2)
    return {
        **draw(MAPPINGS),
        "asyncapi": draw(st.sampled_from(["2.6.0", "3.0.0"]) | JSON),
        "info": draw(MAPPINGS),
        "channels": draw(keyed),
        "operations": draw(keyed),
        "components": {
            "messages": {"a": {"payload": draw(SCHEMAS), "examples": draw(JSON)}, **draw(keyed)},
            "schemas": draw(st.dictionaries(st.sampled_from(["a", "b"]), SCHEMAS, max_size=2)),
        },
    }


@given(documents() | MAPPINGS)
def test_any_mapping(value: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "document.json"
        path.write_text(json.dumps(value), encoding="utf-8")
        try:
            document = read_asyncapi(path)
        except ContractError:
            return
        for message in document.messages.values():
            assert schema_problem(message.schema) is None
            if not isinstance(message.schema, bool):
                violations(compile_schema(message.schema, document.registry), {"a": {"a": "a"}})
        for note in document.notes:
            assert note.text
