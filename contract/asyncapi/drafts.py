"""What the drafts of JSON Schema write differently, and which values a keyword may have.

Schemas are read as people write them: a keyword of a later draft, such as `prefixItems` in Draft 07, is taken as it is
meant. Only what two drafts understand differently depends on the draft.
"""

import re
import warnings
from collections.abc import Callable, Mapping
from typing import Any, Literal

Draft = Literal["04", "06", "07", "2019-09", "2020-12", "openapi-3.0"]

SCHEMA_MAPS = frozenset({"properties", "patternProperties", "definitions", "$defs", "dependentSchemas"})
"""Keywords whose value has a schema for each name."""

SCHEMA_LISTS = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})

SCHEMAS = frozenset(
    {
        "additionalProperties",
        "contains",
        "contentSchema",
        "else",
        "if",
        "items",
        "not",
        "propertyNames",
        "then",
        "unevaluatedItems",
        "unevaluatedProperties",
    }
)

IDENTITY = frozenset({"$anchor", "$dynamicAnchor", "$id", "$recursiveAnchor", "$schema", "$vocabulary"})
"""What names a schema or its draft. References are made absolute, so that nothing needs it."""

ANNOTATIONS = frozenset(
    {
        "$comment",
        "$defs",
        "default",
        "definitions",
        "deprecated",
        "description",
        "example",
        "examples",
        "externalDocs",
        "readOnly",
        "title",
        "writeOnly",
    }
)
"""What says nothing about validity."""

IN_PLACE_LISTS = ("allOf", "anyOf", "oneOf")
IN_PLACE = ("not", "if", "then", "else")
"""Keywords whose schemas are applied to the same value."""

_DRAFTS: tuple[tuple[str, Draft], ...] = (
    ("draft-04", "04"),
    ("draft-06", "06"),
    ("draft-07", "07"),
    ("2019-09", "2019-09"),
    ("2020-12", "2020-12"),
)


def draft_named(text: object) -> Draft | None:
    """The draft that a `$schema` or a version names; None: none that is known."""
    return next((draft for part, draft in _DRAFTS if isinstance(text, str) and part in text), None)


def file_draft(value: object) -> Draft | None:
    """The draft that a whole file says it is written in."""
    if not isinstance(value, dict):
        return None
    if str(value.get("openapi", "")).startswith("3.0"):
        return "openapi-3.0"
    return "2020-12" if "openapi" in value else draft_named(value.get("$schema"))


def is_annotation(name: str) -> bool:
    """Whether a keyword says nothing about validity."""
    return name in ANNOTATIONS or name.startswith("x-")


def ignores_siblings(draft: Draft) -> bool:
    """Whether what stands beside a `$ref` has no meaning."""
    return not draft.startswith("20")


_TYPES = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return _is_number(value) and value >= 0 and (isinstance(value, int) or value.is_integer())


def _is_type(value: Any) -> bool:
    names = value if isinstance(value, list) else [value]
    return bool(names) and all(isinstance(name, str) and name in _TYPES for name in names) and _are_unique(names)


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _are_dependent(value: Any) -> bool:
    return isinstance(value, dict) and all(_are_texts(names) and _are_unique(names) for names in value.values())


def _are_unique(names: list[str]) -> bool:
    return len(set(names)) == len(names)


def is_pattern(value: Any) -> bool:
    """Whether a text is a regular expression that can be checked."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return isinstance(value, str) and re.compile(value) is not None
    except (re.error, OverflowError, RecursionError):
        return False


_COUNT = (_is_count, "a number of 0 or more")
_NUMBER = (_is_number, "a number")

EXPECTED: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "$ref": (lambda value: isinstance(value, str), "a string"),
    "$dynamicRef": (lambda value: isinstance(value, str), "a string"),
    "$recursiveRef": (lambda value: isinstance(value, str), "a string"),
    "type": (_is_type, f"one or more of {', '.join(sorted(_TYPES))}"),
    "enum": (lambda value: isinstance(value, list), "a list"),
    "required": (_are_texts, "a list of the names of members"),
    "pattern": (is_pattern, "a regular expression"),
    "format": (lambda value: isinstance(value, str), "a string"),
    "uniqueItems": (lambda value: isinstance(value, bool), "true or false"),
    "multipleOf": (lambda value: _is_number(value) and value > 0, "a number greater than 0"),
    "minimum": _NUMBER,
    "maximum": _NUMBER,
    "exclusiveMinimum": (lambda value: isinstance(value, bool) or _is_number(value), "a number"),
    "exclusiveMaximum": (lambda value: isinstance(value, bool) or _is_number(value), "a number"),
    "maxContains": _COUNT,
    "maxItems": _COUNT,
    "maxLength": _COUNT,
    "maxProperties": _COUNT,
    "minContains": _COUNT,
    "minItems": _COUNT,
    "minLength": _COUNT,
    "minProperties": _COUNT,
    "contentEncoding": (lambda value: isinstance(value, str), "a string"),
    "contentMediaType": (lambda value: isinstance(value, str), "a string"),
    "title": (lambda value: isinstance(value, str), "a string"),
    "description": (lambda value: isinstance(value, str), "a string"),
    "$comment": (lambda value: isinstance(value, str), "a string"),
    "readOnly": (lambda value: isinstance(value, bool), "true or false"),
    "writeOnly": (lambda value: isinstance(value, bool), "true or false"),
    "deprecated": (lambda value: isinstance(value, bool), "true or false"),
    "examples": (lambda value: isinstance(value, list), "a list"),
    "dependentRequired": (
        _are_dependent,
        "lists of the names of members",
    ),
}
"""Keywords with a test of their value, and what it should have been."""


RESTRICTING = (SCHEMAS | SCHEMA_LISTS | SCHEMA_MAPS | EXPECTED.keys()) - ANNOTATIONS
"""Keywords that some values break."""


def modernise(schema: dict[str, Any]) -> None:
    """Write a schema's own keywords, not those of the schemas in it, as 2020-12 does."""
    _modernise_items(schema)
    _modernise_dependencies(schema)
    for exclusive, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if schema.get(exclusive) is True and limit in schema:
            schema[exclusive] = schema.pop(limit)
        elif isinstance(schema.get(exclusive), bool):
            del schema[exclusive]


def _modernise_items(schema: dict[str, Any]) -> None:
    items = schema.get("items")
    rest = schema.pop("additionalItems", None)
    if not isinstance(items, list):
        return
    del schema["items"]
    if items:
        schema.setdefault("prefixItems", items)
    if rest is not None:
        schema["items"] = rest


def _modernise_dependencies(schema: dict[str, Any]) -> None:
    for name, needed in schema.pop("dependencies", {}).items():
        keyword = "dependentRequired" if isinstance(needed, list) else "dependentSchemas"
        schema[keyword] = {name: needed} | schema.get(keyword, {})


def with_null(schema: dict[str, Any]) -> dict[str, Any]:
    """What OpenAPI 3.0 writes as `nullable: true`."""
    del schema["nullable"]
    if "type" not in schema and "enum" not in schema:
        return {"anyOf": [{"type": "null"}, schema]} if schema else schema
    types = schema.get("type", [])
    if "type" in schema and "null" not in types:
        schema["type"] = [*([types] if isinstance(types, str) else types), "null"]
    if isinstance(schema.get("enum"), list) and None not in schema["enum"]:
        schema["enum"] = [*schema["enum"], None]
    return schema
