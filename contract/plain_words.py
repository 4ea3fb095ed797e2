"""What a schema expects and what came instead, as people say it: no pattern, no Python, and no secret."""

import difflib
import json
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any

from jsonschema.exceptions import ValidationError

from contract.escaping import visible

TYPES = {
    "object": "a mapping of names to values",
    "array": "a list",
    "string": "a string",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}

_WORDS = {"yes": "true", "on": "true", "no": "false", "off": "false"}
"""What YAML 1.1 took for true and false."""


def near(name: object, known: Iterable[object], least: float = 0.6) -> str:
    """` (did you mean …?)` where one of the known names resembles this one, by `least` of 1; else nothing."""
    names = {str(one).casefold(): str(one) for one in known if isinstance(one, str)}
    found = difflib.get_close_matches(str(name).casefold(), names, n=1, cutoff=least) if isinstance(name, str) else []
    return f" (did you mean {quoted_name(names[found[0]])}?)" if found else ""


def choice(error: ValidationError) -> str:
    """Of which members there must be one; and what stands there instead."""
    alternatives: list[list[str]] = [one["required"] for one in _limit(error)]
    names = [name for one in alternatives for name in one]
    if len(names) == len(alternatives):
        text = f"{'exactly ' if error.validator == 'oneOf' else ''}one of {members(names)}"
    else:
        text = ", or ".join(map(members, alternatives))
    schema: Any = error.schema
    value: Any = error.instance
    unknown = [f"{quoted_name(name)}{near(name, names)}" for name in value if name not in schema.get("properties", {})]
    return f"{text}; got {', '.join(unknown[:5])}" if unknown else text


def members(names: Iterable[str]) -> str:
    """The members of these names."""
    known = [*map(quoted_name, names)]
    return f"the member{'s' if len(known) > 1 else ''} {', '.join(known)}"


def expected(error: ValidationError) -> str:
    """What stands behind the word `expected`."""
    rule, limit, schema = str(error.validator), _limit(error), error.schema
    match rule:
        case "minLength" | "minItems" | "minProperties":
            return f"at least {limit} {_unit(rule, limit)}"
        case "maxLength" | "maxItems" | "maxProperties":
            return f"at most {limit} {_unit(rule, limit)}"
        case "minimum" | "maximum":
            return f"{limit} or {'more' if rule == 'minimum' else 'less'}"
        case "exclusiveMinimum" | "exclusiveMaximum":
            return f"{'more' if rule == 'exclusiveMinimum' else 'less'} than {limit}"
        case "multipleOf":
            return f"a multiple of {limit}"
        case "uniqueItems":
            return "each item only once"
    if isinstance(schema, dict) and "errorMessage" in schema:
        return str(schema["errorMessage"]).removeprefix("expected ")
    match rule:
        case "type":
            return _or([TYPES[one] for one in ([limit] if isinstance(limit, str) else limit)])
        case "enum" | "const":
            return _or([_short(one) for one in (limit if rule == "enum" else [limit])])
        case "anyOf" | "oneOf" if error.context:
            return _or([expected(inner) for inner in error.context if is_whole(inner)])
    return "another value"


def _limit(error: ValidationError) -> Any:
    return error.validator_value


def _unit(rule: str, number: int) -> str:
    unit = {"Length": "character", "Items": "item", "Properties": "member"}[rule[3:]]
    return unit if number == 1 else f"{unit}s"


def _or(choices: Sequence[str]) -> str:
    once = list(dict.fromkeys(choices))
    return once[0] if len(once) == 1 else f"{', '.join(once[:-1])} or {once[-1]}"


def got(error: ValidationError, as_written: Any) -> str:
    """What came instead; `as_written` is what the file has, where a variable may stand for the value."""
    value: Any = error.instance
    rule = str(error.validator)
    if rule == "uniqueItems":
        first, second = next((a, b) for a, b in combinations(range(len(value)), 2) if value[a] == value[b])
        return f"items {first + 1} and {second + 1} are the same"
    if rule[3:] in ("Length", "Items", "Properties"):
        return f"got {len(value)}"
    if as_written != value and not isinstance(value, dict | list):
        return f"{_short(as_written)} has a different value"
    if isinstance(value, dict | list | None) or _is_secret(error):
        return f"got {_kind(value)}{_hint(error)}"
    return f"got {_short(value)}{_hint(error)}"


def _kind(value: Any) -> str:
    """What a value is, for those that are too long to show, and for secrets."""
    kinds = {dict: "a mapping", list: "a list", str: "a string", bool: "true or false", type(None): "nothing"}
    return kinds.get(type(value), "a number")


def _hint(error: ValidationError) -> str:
    value: Any = error.instance
    leaves = [error, *(error.context or ())]
    types = {one for leaf in leaves if leaf.validator == "type" for one in _listed(leaf.validator_value)}
    if isinstance(value, str) and "boolean" in types:
        word = _WORDS.get(value.casefold(), value.casefold())
        return f" (write {word})" if word in ("true", "false") else ""
    if isinstance(value, str) and types & {"number", "integer"} and value.strip().isdecimal():
        return " (write it without quotation marks)"
    if isinstance(value, int | float) and not isinstance(value, bool) and "string" in types:
        return " (write it in quotation marks)"
    return near(value, (one for leaf in leaves if leaf.validator == "enum" for one in _listed(leaf.validator_value)))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _is_secret(error: ValidationError | None) -> bool:
    while error is not None:
        if isinstance(error.schema, dict) and error.schema.get("writeOnly"):
            return True
        error = error.parent  # type: ignore[assignment]  # one of a schema's alternatives has another as its parent
    return False


def _short(value: object, limit: int = 80) -> str:
    """A value as YAML has it, cut; of a URL, what may hold a secret is left out."""
    if isinstance(value, str) and "://" in value:
        scheme, _, rest = value.partition("://")
        authority, slash, path = rest.partition("/")
        value = f"{scheme}://{authority.rpartition('@')[2]}{slash}{path.partition('?')[0]}"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return visible(text if len(text) <= limit else text[: limit - 1] + "…")


def quoted_name(name: object) -> str:
    """A member's name inside a sentence."""
    return f"'{visible(str(name)[:60])}'"


def is_whole(error: ValidationError) -> bool:
    """Whether it is of the value that there are alternatives for, and not of something in it."""
    return not error.path and "propertyNames" not in error.schema_path
