"""What is wrong with a file that somebody wrote: every mistake with its place, in plain words.

`jsonschema` finds the mistakes; none of its sentences is shown, and no pattern. What a keyword cannot say for itself,
such as the meaning of a pattern, says the schema's `errorMessage` ("expected a duration such as 500ms, 5s or 2m"),
which editors show as well. Where a schema has alternatives, those of another type than the value are not what its
author meant. What is `writeOnly`, such as a token, is never shown.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from jsonschema.exceptions import ValidationError
from referencing.exceptions import Unresolvable

from contract.errors import ContractError, together
from contract.escaping import visible
from contract.files import Document
from contract.plain_words import choice, expected, got, is_whole, members, near, quoted_name
from contract.schemas import format_validator

Where = tuple[str | int, ...]

MOST = 10
"""Mistakes that are told of one file at once."""

_FORMS = ("pattern", "enum", "const", "not")
"""What says of a value that it is of another form: any of the alternatives may have been meant."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake, at the value that `where` leads to."""

    where: Where
    text: str


def mistake(where: Where, text: str, of: Where | None = None) -> Mistake:
    """What is wrong at `where`, said of the value `of` (default: the same), which it names."""
    named = where if of is None else of
    return Mistake(where, f"{place(named)}: {text}" if named else text)


def check_document(document: Document, name: str, written: Any = None) -> None:
    """Raise `ContractError`, with all mistakes, where a file breaks the schema of its format.

    `written` is the value as the file has it, where variables were replaced in the document's: an error shows that
    one, since what a variable holds may be a secret.
    """
    try:
        errors = list(format_validator(name).iter_errors(document.value))
    except Unresolvable as error:
        raise ContractError(f"schema {name}: {error}", document.path) from None
    refuse(document, mistakes(errors, document.value if written is None else written))


def refuse(document: Document, found: Iterable[Mistake]) -> None:
    """Raise `ContractError` with the mistakes, in the order of the file; nothing where there are none."""
    errors = [document.error(one.text, one.where) for one in dict.fromkeys(found)]
    errors.sort(key=lambda error: (error.line or 0, error.column or 0))
    if len(errors) > MOST:
        more = len(errors) - MOST
        errors[MOST:] = [ContractError(f"{more} more mistake{'s' if more > 1 else ''}", document.path)]
    if errors:
        raise together(errors)


def mistakes(errors: Iterable[ValidationError], written: Any) -> Iterator[Mistake]:
    """What the errors of one document say to the author of `written`; one for each value that is wrong."""
    seen: set[Where] = set()
    leaves = [leaf for top in errors for leaf in _leaves(top)]
    # What a value of another type breaks besides is beside the point.
    for error in sorted(leaves, key=lambda leaf: leaf.validator != "type"):
        for one in _mistakes(error, written):
            if one.where not in seen or error.validator == "required":
                yield one
            seen.add(one.where)


def place(where: Where) -> str:
    """A path as people write it: `scenarios[2].steps[0].expect`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in where)
    return visible(text.removeprefix("."))


def _leaves(error: ValidationError) -> Iterator[ValidationError]:
    """The errors of the one alternative that was meant, if there is one."""
    meant = _meant(error)
    if len(meant) != 1 or any(is_whole(inner) and inner.validator in _FORMS for inner in meant[0]):
        yield error
        return
    for inner in meant[0]:
        yield from _leaves(inner)


def _meant(error: ValidationError) -> list[list[ValidationError]]:
    """The alternatives that a value has the right type for, each with its errors."""
    if error.validator not in ("anyOf", "oneOf"):
        return []
    alternatives: dict[Any, list[ValidationError]] = {}
    for inner in error.context or ():
        alternatives.setdefault(inner.schema_path[0], []).append(inner)
    return [errors for errors in alternatives.values() if not any(map(_is_other_type, errors))]


def _is_other_type(error: ValidationError) -> bool:
    if not is_whole(error):
        return False
    if error.validator in ("enum", "const"):
        known: Any = error.validator_value if error.validator == "enum" else [error.validator_value]
        return not any(type(one) is type(error.instance) for one in known)
    return error.validator == "type" or bool(error.context and not _meant(error))


def _mistakes(error: ValidationError, written: Any) -> Iterator[Mistake]:
    where = tuple(error.absolute_path)
    value: Any = error.instance
    schema: Any = error.schema
    rule = str(error.validator)
    if rule == "additionalProperties" and isinstance(value, dict):
        known = sorted(schema.get("properties", {}))
        known_are = f"; known: {', '.join(known)}" if known else ""
        unknown = [str(name) for name in value if name not in known]
        for name in unknown:
            yield mistake((*where, name), f"unknown member {quoted_name(name)}{near(name, known) or known_are}", where)
    elif rule == "required":
        unknown = [name for name in value if name not in schema.get("properties", {})]
        missing = [name for name in schema["required"] if name not in value]
        # One that is misspelt is told as such.
        lost = [name for name in missing if not any(near(one, [name]) for one in unknown)]
        if lost:
            yield mistake(where, f"expected {members(lost)}")
    elif _names_members(error) and isinstance(value, dict):
        yield mistake(where, f"expected {choice(error)}")
    else:
        as_written = _member(written, where)
        if isinstance(as_written, dict) and isinstance(value, str):  # it is the name that is wrong
            yield mistake((*where, value), f"expected {expected(error)}; got {quoted_name(value)}", where)
        else:
            yield mistake(where, f"expected {expected(error)}; {got(error, as_written)}")


def _names_members(error: ValidationError) -> bool:
    """Whether the alternatives say nothing but which members there must be."""
    alternatives: Any = error.validator_value
    return error.validator in ("anyOf", "oneOf") and all(list(one) == ["required"] for one in alternatives)


def _member(value: Any, where: Where) -> Any:
    for step in where:
        value = value[step]
    return value
