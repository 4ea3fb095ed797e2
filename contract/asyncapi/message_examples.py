"""Examples of messages: those that fit the schema, and notes on the others."""

import re
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.exceptions import Unresolvable

from contract.asyncapi.declarations import Example
from contract.asyncapi.references import BrokenReferenceError, Files, Notes, Place
from contract.errors import ContractError
from contract.schemas import Validator, Violation, formats, violations

_OF_AN_EXAMPLE = frozenset({"headers", "name", "payload", "summary"})


def candidates(message: Place, files: Files) -> Iterator[tuple[str, Place]]:
    """The name and the payload of each example that a message has beside its payload."""
    for number, item in enumerate(message["examples"], 1):
        example = files.follow(item)
        if example is None:
            continue
        value = example.value
        if isinstance(value, dict) and value.keys() <= _OF_AN_EXAMPLE:
            payload: Place | None = example["payload"]
            if isinstance(value.get("payload"), dict) and [*value["payload"]] == ["$ref"]:
                payload = files.follow(example["payload"])
            if "payload" in value and payload is not None:
                yield example.text("name") or str(number), payload
        else:
            yield str(number), example


def of_schema(schema: Place, files: Files) -> Iterator[tuple[str, Place]]:
    """The examples that a payload's own schema has."""
    for number, example in enumerate(end_of(schema, files)["examples"], 1):
        yield f"schema {number}", example


def end_of(schema: Place, files: Files) -> Place:
    """The schema that a schema refers to; itself if it leads nowhere, which whoever translates it notes."""
    try:
        return files.links(schema)[-1]
    except BrokenReferenceError:
        return schema


class ExampleReader:
    """Checks the examples of messages."""

    def __init__(self, registry: Registry[Any], notes: Notes) -> None:
        self._registry = registry
        self._notes = notes

    def fitting(self, name: str, schema: Any, found: Iterator[tuple[str, Place]]) -> Iterator[Example]:
        """The examples of a message that fit its schema. What is wrong with the others becomes a note."""
        judge = Draft202012Validator(schema, registry=self._registry, format_checker=formats)
        # Most messages have one or two: not worth a compiled validator.
        validator = Validator(schema, judge, None)
        for label, place in found:
            if self._fits(name, label, place, validator):
                yield Example(label, place.value, place.source.position(place.where)[0])

    def _fits(self, name: str, label: str, place: Place, validator: Validator) -> bool:
        try:
            wrong = violations(validator, place.value)
        except (Unresolvable, ContractError, RecursionError, OverflowError, ValueError, re.error) as error:
            self._notes.add(f"message '{name}': example '{label}' cannot be checked: {error}", place)
            return False
        if wrong:
            first = wrong[0]
            problem = f"{first.pointer or 'it'} fits more than one alternative" if _is_ambiguous(first) else str(first)
            self._notes.add(
                f"message '{name}': example '{label}' does not fit the schema: {problem}", _at(place, first)
            )
        return not wrong


def _is_ambiguous(violation: Violation) -> bool:
    """Whether a value fits more than one schema of a `oneOf`: where it fits none, the closest one says why."""
    return violation.rule == "oneOf"


def _at(place: Place, violation: Violation) -> Place:
    for step in violation.pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        place = place[int(key)] if isinstance(place.value, list) and key.isdecimal() else place[key]
    return place
