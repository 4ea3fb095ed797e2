"""The smallest valid value of a schema."""

from typing import Any

from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from contract.instances import NONE, instance


def value_of(schema: dict[str, Any], **schemas: Any) -> Any:
    """The smallest value of a schema next to others, which it refers to as `urn:schemas#/NAME`."""
    resource = Resource.from_contents(schemas, default_specification=DRAFT202012)
    return instance(schema, Registry().with_resource("urn:schemas", resource))


def test_a_choice_behind_a_reference() -> None:
    either = {"oneOf": [{"type": "integer"}, {"type": "boolean"}]}
    assert value_of({"$ref": "urn:schemas#/either"}, either=either) == 0


def test_a_schema_that_requires_itself_has_none() -> None:
    # Each level would double the work: twenty of them took minutes.
    node = {
        "type": "object",
        "required": ["left", "right"],
        "properties": {"left": {"$ref": "urn:schemas#/node"}, "right": {"$ref": "urn:schemas#/node"}},
    }
    assert value_of({"$ref": "urn:schemas#/node"}, node=node) is NONE


def test_the_first_choice_that_ends() -> None:
    tree = {"oneOf": [{"type": "array", "minItems": 1, "items": {"$ref": "urn:schemas#/tree"}}, {"type": "string"}]}
    assert value_of({"$ref": "urn:schemas#/tree"}, tree=tree) == "x"


def test_the_same_schema_twice_is_not_itself() -> None:
    pair = {"required": ["a", "b"], "properties": {name: {"$ref": "urn:schemas#/text"} for name in ("a", "b")}}
    assert value_of(pair, text={"type": "string"}) == {"a": "x", "b": "x"}
