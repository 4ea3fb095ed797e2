"""Compiled JSON Schema 2020-12 validators, and violations that are bounded and readable."""

import json
import re
from calendar import monthrange
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import jsonschema
import jsonschema_rs
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from contract.errors import ContractError
from contract.files import DATA_ROOT, load_yaml, read_text
from contract.findings import Phrase, phrase
from contract.json_text import type_name

SCHEMAS = DATA_ROOT / "schemas"

Schema = Mapping[str, Any]
Rewrite = Callable[[Any], Any]

_RFC3339 = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(\.\d+)?([Zz]|[+-](\d\d):(\d\d))", re.ASCII)

formats = FormatChecker(formats=())


@formats.checks("date-time")
def is_date_time(value: object) -> bool:
    """Whether a string is an RFC 3339 §5.6 date-time: lower case and leap seconds are legal there."""
    return date_time_problem(value) is None


def date_time_problem(value: object) -> Phrase | None:
    """Why a string is no RFC 3339 §5.6 date-time; None where it is one, and for what is no string."""
    if not isinstance(value, str):
        return None
    found = _RFC3339.fullmatch(value)
    if found is None:
        missing = _RFC3339.fullmatch(f"{value}Z") is not None
        return phrase("date-time-zone" if missing else "date-time-form", value=_cut(value))
    year, month, day, hour, minute, second = (int(found[i]) for i in range(1, 7))
    offset_is_legal = found[9] is None or (int(found[9]) <= 23 and int(found[10]) <= 59)
    if (
        1 <= month <= 12
        and 1 <= day <= monthrange(max(year, 1), month)[1]
        and hour <= 23
        and minute <= 59
        and second <= 60
        and offset_is_legal
    ):
        return None
    return phrase("date-time-range", value=_cut(value))


@dataclass(frozen=True, slots=True)
class Validator:
    """A compiled schema.

    `jsonschema` is the judge of record: what is wrong with a value, it says. Most values are right, and those a
    compiled validator lets pass some fifty times faster; None where it cannot compile the schema.
    """

    schema: Schema
    judge: Draft202012Validator
    quick: jsonschema_rs.Draft202012Validator | None

    def passes(self, value: Any) -> bool:
        """Whether a value, nested at most `json_text.MAX_DEPTH` deep, is certainly valid; else the judge decides."""
        try:
            return self.quick is not None and self.quick.is_valid(value)
        except (ValueError, TypeError, OverflowError):  # a value that JSON does not know
            return False

    def iter_errors(self, value: Any) -> Iterator[ValidationError]:
        """The judge's errors; none where a value is valid."""
        return iter(()) if self.passes(value) else self.judge.iter_errors(value)


META_SCHEMA = Validator(
    Draft202012Validator.META_SCHEMA,
    Draft202012Validator(Draft202012Validator.META_SCHEMA),
    jsonschema_rs.Draft202012Validator(dict(Draft202012Validator.META_SCHEMA)),
)


@dataclass(frozen=True, slots=True)
class Violation:
    """One way in which a value breaks its schema.

    `pointer` is the JSON pointer of the offending value, `rule` the schema's keyword that it breaks. `places` are the
    dotted paths that are wrong: the value's own, or those of the members that it lacks.
    """

    pointer: str
    problem: Phrase
    rule: str
    places: tuple[str, ...] = field(default=(), compare=False)

    @property
    def phrase(self) -> Phrase:
        """Where it is, and what is wrong there."""
        return phrase("at", place=self.pointer or phrase("the-message"), problem=self.problem)

    def __str__(self) -> str:
        return str(self.phrase)


def pointer(path: Iterator[str | int] | tuple[str | int, ...] | list[str | int]) -> str:
    """The JSON pointer (RFC 6901) of a path."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def _cut(value: object, limit: int = 80) -> str:
    text = json.dumps(value, ensure_ascii=True, default=str)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _describe(error: ValidationError) -> Phrase:
    value: Any = error.instance
    limit: Any = error.validator_value
    rule = str(error.validator)
    match rule:
        case "required":
            missing = _missing(error)
            return phrase("schema-required", members=map(repr, missing), number=len(missing))
        case "type":
            types = [limit] if isinstance(limit, str) else limit
            return phrase("schema-type", types=types, type=type_name(value), value=_cut(value))
        case "minLength" | "maxLength":
            return phrase(f"schema-{rule}", limit=limit, length=len(value))
        case "minItems" | "maxItems" | "minProperties" | "maxProperties":
            return phrase(f"schema-{rule}", limit=limit, count=len(value))
        case "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf":
            return phrase(f"schema-{rule}", limit=_cut(limit), value=_cut(value))
        case "const":
            return phrase("schema-const", wanted=_cut(limit), value=_cut(value))
        case "enum":
            return phrase("schema-enum", wanted=[_cut(one) for one in limit], value=_cut(value))
        case "format":
            problem = date_time_problem(value) if limit == "date-time" else None
            return problem or phrase("schema-format", format=str(limit), value=_cut(value))
        case "pattern":
            return phrase("schema-pattern", pattern=str(limit)[:80], value=_cut(value))
        case "oneOf" if all(list(one) == ["required"] for one in limit):
            return phrase("schema-one-member", members=[repr(name) for one in limit for name in one["required"]])
        case "additionalProperties" | "unevaluatedProperties":
            known, extra = sorted(_known(error)), [repr(name[:60]) for name in _unknown(error)[:5]]
            if known:
                return phrase("schema-unknown-member", members=extra, known=known, number=len(extra))
            return phrase("schema-no-member", members=extra, number=len(extra))
        case _:
            return phrase("schema-other", rule=rule, limit=_cut(limit), value=_cut(value))


def _missing(error: ValidationError) -> list[str]:
    needed: Any = error.validator_value
    value: Any = error.instance
    return [str(name) for name in needed if name not in value]


def _known(error: ValidationError) -> Mapping[str, Any]:
    known: Mapping[str, Any] = error.schema.get("properties", {}) if isinstance(error.schema, dict) else {}
    return known


def _unknown(error: ValidationError) -> list[str]:
    known = _known(error)
    value: Any = error.instance
    return sorted(str(name) for name in value if name not in known)


def violations(validator: Validator, value: Any) -> tuple[Violation, ...]:
    """Every violation, in the order of the document. All members that an object lacks are one."""
    if validator.passes(value):
        return ()
    found = [
        Violation(pointer(tuple(error.absolute_path)), _describe(error), str(error.validator), _places(error))
        for top in validator.iter_errors(value)
        for error in _leaves(top)
    ]
    # The library has an error for each missing member.
    once = [one for number, one in enumerate(found) if one.rule != "required" or one not in found[:number]]
    return tuple(sorted(once, key=lambda one: one.pointer))


def _places(error: ValidationError) -> tuple[str, ...]:
    path = tuple(map(str, error.absolute_path))
    if error.validator == "required" and isinstance(error.instance, dict):
        return tuple(".".join((*path, name)) for name in _missing(error))
    return (".".join(path),)


def _leaves(error: ValidationError) -> Iterator[ValidationError]:
    """`oneOf` and `anyOf` say nothing by themselves: the alternative that came closest does."""
    if error.context and error.validator in ("oneOf", "anyOf"):
        yield jsonschema.exceptions.best_match([error]) or error
    else:
        yield error


def resolved(schema: Any, registry: Registry[Any], known: frozenset[str] = frozenset()) -> Iterator[Mapping[str, Any]]:
    """The schema and all that it draws in through `$ref` and `allOf`, apart from the references that are `known`."""
    if not isinstance(schema, dict):
        return
    yield schema
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference not in known:
        contents = registry.resolver().lookup(reference).contents
        yield from resolved(contents, registry, known | {reference})
    for part in schema.get("allOf", ()):
        yield from resolved(part, registry, known)


def schema_problem(schema: Schema) -> str | None:
    """Why a value is no JSON Schema; None where it is one."""
    error = jsonschema.exceptions.best_match(META_SCHEMA.iter_errors(schema))
    return None if error is None else f"not a JSON Schema: {pointer(tuple(error.absolute_path))}: {_describe(error)}"


def load_schema(path: Path) -> dict[str, Any]:
    """Read a JSON Schema; raises `ContractError`, with the line of a syntax error."""
    try:
        value = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise ContractError(f"invalid JSON: {error.msg}", path, error.lineno, error.colno) from None
    if not isinstance(value, dict):
        raise ContractError("expected a JSON Schema (an object)", path, 1, 1)
    problem = schema_problem(value)
    if problem is not None:
        raise ContractError(problem, path)
    # Files refer to each other by their relative places, so that a copied folder needs no network and
    # no knowledge of the published `$id`s.
    return {name: member for name, member in value.items() if name != "$id"}


def file_registry(rewrite: Rewrite = lambda schema: schema) -> Registry[Any]:
    """A registry that reads `file:` references from disk, each schema passed through `rewrite` first."""

    @cache  # the library looks a reference up anew for every message
    def retrieve(uri: str) -> Resource[Any]:
        parts = urlsplit(uri)
        if parts.scheme != "file":
            raise ContractError(f"$ref to {uri}: only files next to the contract are read")
        path = Path(unquote(parts.path))
        contents = load_schema(path) if path.suffix == ".json" else load_yaml(path).value
        return Resource.from_contents(rewrite(contents), default_specification=DRAFT202012)

    return Registry(retrieve=retrieve)  # type: ignore[call-arg]  # attrs alias of the private field


def compile_schema(schema: Schema | bool, registry: Registry[Any] | None = None) -> Validator:
    """A validator with formats asserted; `$ref`s are looked up in `registry`.

    Raises `ContractError` and `Unresolvable`, at the latest when the judge first follows a broken reference.
    """
    if isinstance(schema, bool):
        schema = {} if schema else {"not": {}}
    # An empty registry is falsy, and is one that reads files all the same.
    registry = registry if registry is not None else file_registry()
    judge = Draft202012Validator(schema, registry=registry, format_checker=formats)
    return Validator(schema, judge, _quick(schema, registry))


def _quick(schema: Schema, registry: Registry[Any]) -> jsonschema_rs.Draft202012Validator | None:
    def retrieve(uri: str) -> Any:
        return registry.get_or_retrieve(uri).value.contents

    try:
        return jsonschema_rs.Draft202012Validator(
            dict(schema), formats={"date-time": is_date_time}, validate_formats=True, retriever=retrieve
        )
    except (ValueError, jsonschema_rs.ReferencingError):
        return None  # for instance a broken reference, or a pattern only Python understands: the judge sees it


@cache
def format_validator(name: str) -> Validator:
    """The validator of one of our own file formats: `schemas/<name>.schema.json`."""
    return compile_schema({"$ref": (SCHEMAS / f"{name}.schema.json").as_uri()})
