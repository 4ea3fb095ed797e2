"""Typed decoding: JSON bytes straight into objects, for messages that are certainly valid; msgspec does the work.

A fast way for what is right. Whatever it does not take, valid or not, goes the way of every message:
`contract.json_text` and the `Validator`s, with `jsonschema` as the judge of record.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, get_args, get_origin

import msgspec
from referencing import Registry

from contract.model import Contract, Event
from contract.schemas import resolved

Decode = Callable[[bytes], Any]

_ANNOTATIONS = frozenset({"title", "description", "examples", "$schema", "$id", "$comment", "default", "deprecated"})
_KNOWN = {"type", "properties", "required", "allOf", "$ref", "minLength", "maxLength", "format", "const", "x-limit"}


_LONG_MONTH = "(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
_SHORT_MONTH = "(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
_FEBRUARY = "02-(?:0[1-9]|1[0-9]|2[0-8])"
_DAY = f"(?:{_LONG_MONTH}|{_SHORT_MONTH}|{_FEBRUARY})"
_HOUR_MINUTE = "(?:[01][0-9]|2[0-3]):[0-5][0-9]"
DATE_TIME = rf"\A[0-9]{{4}}-{_DAY}[Tt]{_HOUR_MINUTE}:[0-5][0-9](?:\.[0-9]+)?(?:[Zz]|[+-]{_HOUR_MINUTE})\Z"
"""Most of RFC 3339 §5.6: not the last day of a leap year's February, and no leap second.

msgspec's own type for it takes a space for the T, and offsets without a colon.
"""


class UntypedError(Exception):
    """A schema says what cannot be said by types."""


class Moments:
    """The dotted paths of the date-times in one event's messages; their form is left for the caller to check."""

    def __init__(self) -> None:
        self.paths: list[str] = []


class Shape:
    """What all parts of a schema (its `allOf`s and `$ref`s) say together about one place of a message."""

    def __init__(self, schema: Any, registry: Registry[Any]) -> None:
        self.registry = registry
        self.parts = list(resolved(schema, registry))
        for part in self.parts:
            unknown = part.keys() - _KNOWN - _ANNOTATIONS
            if unknown:
                raise UntypedError(f"the keyword {sorted(unknown)[0]!r}")

    def each(self, keyword: str) -> list[Any]:
        """All values that the parts give a keyword."""
        return [part[keyword] for part in self.parts if keyword in part]

    def one(self, keyword: str) -> Any:
        """The value of a keyword that all parts agree about; None where none has it."""
        found = self.each(keyword)
        if any(value != found[0] for value in found[1:]):
            raise UntypedError(f"two values of {keyword!r}")
        return found[0] if found else None

    def members(self) -> Mapping[str, Any]:
        """The schemas of the declared members."""
        names = dict.fromkeys(name for properties in self.each("properties") for name in properties)
        return {
            name: {"allOf": [properties[name] for properties in self.each("properties") if name in properties]}
            for name in names
        }


def typed(schema: Any, registry: Registry[Any], path: str, moments: Moments | None = None) -> Any:
    """The type of what a schema allows for certain, at a dotted path. Raises `UntypedError` where there is none.

    With `moments`, date-times are any strings, and their paths are noted there.
    """
    shape = Shape(schema, registry)
    match shape.one("type"):
        case "object":
            return _struct(shape, path, moments)
        case "string":
            return _string(shape, path, moments)
        case "integer":
            _only(shape)
            return int
        case "number":
            _only(shape)
            return float
        case "boolean":
            _only(shape)
            return bool
        case other:
            raise UntypedError(f"the type {other!r}")


def _only(shape: Shape, *more: str) -> None:
    allowed = {"type", "allOf", "$ref", *more} | _ANNOTATIONS
    for part in shape.parts:
        if part.keys() - allowed:
            raise UntypedError(f"the keyword {sorted(part.keys() - allowed)[0]!r} here")


def _string(shape: Shape, path: str, moments: Moments | None) -> Any:
    _only(shape, "minLength", "maxLength", "format", "x-limit")
    limits: dict[str, Any] = {"min_length": max(shape.each("minLength"), default=0)}
    if shape.one("format") == "date-time" and moments is not None:
        moments.paths.append(path)
    elif shape.one("format") == "date-time":
        limits["pattern"] = DATE_TIME
    elif shape.each("format"):
        raise UntypedError("the format of a string")
    if shape.each("maxLength"):
        limits["max_length"] = min(shape.each("maxLength"))
    return Annotated[str, msgspec.Meta(**limits)]


def _fields(
    shape: Shape, path: str, members: Mapping[str, Any], moments: Moments | None
) -> tuple[list[Any], dict[str, str]]:
    _only(shape, "properties", "required")
    required = {one for names in shape.each("required") for one in names}
    if required - members.keys():
        raise UntypedError("a required member without a schema")
    fields: list[Any] = []
    renamed: dict[str, str] = {}
    for member, schema in members.items():
        field = field_name(member)
        renamed[field] = member
        kind = typed(schema, shape.registry, f"{path}.{member}" if path else member, moments)
        fields.append((field, kind) if member in required else (field, kind | msgspec.UnsetType, msgspec.UNSET))
    # A required field may not follow one with a default.
    return sorted(fields, key=len), renamed


def _struct(shape: Shape, path: str, moments: Moments | None, **options: Any) -> Any:
    members = {one: schema for one, schema in shape.members().items() if one != options.get("tag_field")}
    fields, renamed = _fields(shape, path, members, moments)
    name = field_name(path or "message")
    return msgspec.defstruct(name, fields, rename=renamed, forbid_unknown_fields=True, gc=False, **options)


def field_name(member: str) -> str:
    """The field of a decoded object that holds a member."""
    return "f_" + "".join(one if one.isascii() and one.isalnum() else f"_{ord(one):x}_" for one in member)


def getter(*paths: str | None) -> Callable[[Any], Any]:
    """Reads the values at dotted paths, such as `payload.message.id`, from a decoded message; None: an empty text.

    It is compiled: `operator.attrgetter` takes five times as long. Fields' names are letters, digits and underscores.
    """
    read = ('""' if path is None else ".".join(["message", *map(field_name, path.split("."))]) for path in paths)
    made: Callable[[Any], Any] = eval(f"lambda message: ({', '.join(read)})")
    return made


def is_certain(kind: Any, path: str) -> bool:
    """Whether every decoded message of a kind has a text at a dotted path."""
    for name in path.split("."):
        fields = msgspec.structs.fields(kind) if isinstance(kind, type) and issubclass(kind, msgspec.Struct) else ()
        found = next((one for one in fields if one.name == field_name(name)), None)
        if found is None or not found.required:
            return False
        kind = found.type
    return get_origin(kind) is Annotated and get_args(kind)[0] is str


def _tag(contract: Contract) -> str | None:
    """The member of each message that is its name; None: there is none."""
    rules = contract.roles.messages.name
    if len(rules) != 1 or contract.roles.messages.payload or not contract.codec.is_json:
        return None
    rule = rules[0]
    plain = rule.at is not None and "." not in rule.at and not rule.match and rule.has is None
    return rule.at if plain else None


def _message(event: Event, registry: Registry[Any], moments: Moments | None, name: str) -> Any:
    """The type of one event's messages; what stands in the member `name` is the tag that tells them apart."""
    shape = Shape(event.message.schema, registry)
    members = dict(shape.members())
    tag = Shape(members.pop(name, {}), registry)
    if tag.one("const") != event.name or tag.one("type") not in ("string", None):
        raise UntypedError("an event that is not told by its name")
    required = [[one for one in names if one != name] for names in shape.each("required")]
    rest = {"type": "object", "properties": members, "required": [one for names in required for one in names]}
    return _struct(Shape(rest, registry), "", moments, tag_field=name, tag=event.name)


class Typed:
    """Decodes the server's messages of a contract. `kinds` has the type for each event that has one.

    The date-times of the event `hasty` are not checked: whoever reads many that are the same knows better ways.
    """

    def __init__(self, contract: Contract, hasty: str | None = None) -> None:
        self.kinds: dict[str, Any] = {}
        self.moments = Moments()
        # The tag is the member that tells names; where something else tells them, every message goes the long way.
        tag = _tag(contract)
        for event in contract.events.values():
            if event.from_server and tag is not None:
                try:
                    moments = self.moments if event.name == hasty else None
                    self.kinds[event.name] = _message(event, contract.registry, moments, tag)
                except UntypedError:
                    continue
        union: Any = None
        for kind in self.kinds.values():
            union = kind if union is None else union | kind
        self.decode: Decode = msgspec.json.Decoder(union).decode if union is not None else _never


def _never(data: bytes) -> Any:
    raise msgspec.ValidationError("no event of the contract can be told by types")
