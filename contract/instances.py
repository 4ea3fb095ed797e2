"""The smallest valid value of a schema: what a template would say, where nobody wrote one.

It takes what the schema says outright (`const`, `examples`, `default`, the first of an `enum`), and else the smallest
value of the type, with the members that are required. What it makes is held against the schema: there is no value
where it does not fit, for instance because of a pattern.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from referencing import Registry

from contract.schemas import Validator, compile_schema, resolved, violations

MOST_DEEP = 20
"""Schemas inside of each other; a schema may contain itself."""

_FORMATS: Mapping[str, str] = {
    "date-time": "2026-01-01T00:00:00Z",
    "date": "2026-01-01",
    "time": "00:00:00Z",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "email": "user@example.com",
    "uri": "https://example.com/",
    "url": "https://example.com/",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
}

_DRAWN_IN = frozenset({"$ref", "allOf", "oneOf", "anyOf"})
"""Keywords whose schemas stand among the parts of a schema already, or are chosen from."""

NONE = object()
"""Stands for no value."""

Outer = tuple[list[Mapping[str, Any]], ...]
"""The parts of each schema around one, the outermost first."""


def instance(schema: Any, registry: Registry[Any], validator: Validator | None = None) -> Any:
    """The smallest valid value; `NONE` where there is none that is found."""
    for value in _candidates(schema, registry):
        if not violations(validator or compile_schema(schema, registry), value):
            return value
    return NONE


def _candidates(schema: Any, registry: Registry[Any]) -> Iterable[Any]:
    """What a schema says outright, then what is made of its members."""
    parts = list(resolved(schema, registry)) if isinstance(schema, dict) else []
    yield from (one for part in parts for one in part.get("examples", ()) if isinstance(part.get("examples"), list))
    made = _value(schema, registry, ())
    if made is not NONE:
        yield made


def _value(schema: Any, registry: Registry[Any], outer: Outer) -> Any:
    parts = list(resolved(schema, registry)) if isinstance(schema, dict) else []
    # A schema that requires itself has no smallest value; to go on would double the work with each such member.
    if len(outer) > MOST_DEEP or any(part is one for part in parts for within in outer for one in within):
        return NONE
    for keyword in ("const", "default"):
        outright = next((part[keyword] for part in parts if keyword in part), NONE)
        if outright is not NONE:
            return outright
    listed = next((part["enum"] for part in parts if part.get("enum")), None)
    if listed is not None:
        return listed[0]
    examples = next((part["examples"] for part in parts if isinstance(part.get("examples"), list)), None)
    if examples and outer:
        return examples[0]
    inner = (*outer, parts)
    for keyword in ("oneOf", "anyOf"):
        choices = next((part[keyword] for part in parts if part.get(keyword)), None)
        if choices:
            rest = [{name: one for name, one in part.items() if name not in _DRAWN_IN} for part in parts]
            made = (_value({"allOf": [*rest, one]}, registry, inner) for one in choices)
            return next((one for one in made if one is not NONE), NONE)
    return _of_type(_type(parts), parts, registry, inner)


def _type(parts: list[Mapping[str, Any]]) -> str:
    for part in parts:
        kinds = part.get("type")
        if kinds is not None:
            return str(kinds) if isinstance(kinds, str) else str(next((one for one in kinds if one != "null"), "null"))
    if any(name in part for part in parts for name in ("properties", "required", "additionalProperties")):
        return "object"
    return "array" if any(name in part for part in parts for name in ("items", "prefixItems")) else "string"


def _of_type(kind: str, parts: list[Mapping[str, Any]], registry: Registry[Any], outer: Outer) -> Any:
    match kind:
        case "object":
            return _object(parts, registry, outer)
        case "array":
            return _array(parts, registry, outer)
        case "string":
            known = next((_FORMATS[part["format"]] for part in parts if part.get("format") in _FORMATS), None)
            least = max((part.get("minLength", 0) for part in parts), default=0)
            return known if known is not None else "x" * max(least, 1)
        case "integer" | "number":
            return _number(parts)
        case "boolean":
            return False
        case _:
            return None


def _object(parts: list[Mapping[str, Any]], registry: Registry[Any], outer: Outer) -> Any:
    found: dict[str, Any] = {}
    for name in dict.fromkeys(name for part in parts for name in part.get("required", ())):
        schemas = [part["properties"][name] for part in parts if name in part.get("properties", {})]
        value = _value({"allOf": schemas} if len(schemas) != 1 else schemas[0], registry, outer)
        if value is NONE:
            return NONE
        found[name] = value
    return found


def _array(parts: list[Mapping[str, Any]], registry: Registry[Any], outer: Outer) -> Any:
    fixed: list[Any] = next((part["prefixItems"] for part in parts if part.get("prefixItems")), [])
    least = max((part.get("minItems", 0) for part in parts), default=0)
    items: Any = next((part["items"] for part in parts if isinstance(part.get("items"), dict)), {})
    schemas = [*fixed, *([items] * max(least - len(fixed), 0))]
    values = [_value(one, registry, outer) for one in schemas]
    return NONE if any(one is NONE for one in values) else values


def _number(parts: list[Mapping[str, Any]]) -> Any:
    least = max((part["minimum"] for part in parts if "minimum" in part), default=None)
    beyond = max((part["exclusiveMinimum"] for part in parts if "exclusiveMinimum" in part), default=None)
    most = min((part["maximum"] for part in parts if "maximum" in part), default=None)
    found = least if least is not None else 0
    if beyond is not None and found <= beyond:
        found = beyond + 1
    return found if most is None or found <= most else most
