"""The registry in which validators look up the schemas of a document."""

from collections.abc import Callable
from copy import copy
from functools import cache
from typing import Any

from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from contract.asyncapi.drafts import file_draft
from contract.asyncapi.references import BrokenReferenceError, Notes, Place, Where
from contract.asyncapi.schema_reading import SchemaReader, in_place
from contract.errors import ContractError

Rewrite = Callable[[Any], Any]

_LONGEST = 30
"""Longest chain of references that apply schemas to the same value."""


def break_circles(schemas: SchemaReader, notes: Notes) -> None:
    """Remove references by which schemas would be applied to the same value for ever, or in a chain that is too long.

    Whoever validates follows such a chain within one call.
    """
    heights: dict[Place, int] = {}
    for start in list(schemas.targets):
        open_: dict[Place, list[tuple[dict[str, Any], Place]]] = {}
        waiting = [start]
        while waiting:
            place = waiting[-1]
            if place not in open_ and place not in heights:
                open_[place] = _references(schemas, place)
                for holder, onward in open_[place]:
                    if onward in open_:
                        notes.add("the schema refers to nothing but itself; this part is not checked", place)
                        del holder["$ref"]
                    elif onward not in heights:
                        waiting.append(onward)
                continue
            waiting.pop()
            if place in open_ and place not in heights:
                heights[place] = _height(open_.pop(place), heights, place, notes)


def _height(
    references: list[tuple[dict[str, Any], Place]], heights: dict[Place, int], place: Place, notes: Notes
) -> int:
    height = 0
    for holder, onward in references:
        if heights.get(onward, 0) >= _LONGEST:
            notes.add(f"more than {_LONGEST} schemas refer to each other in a chain; the rest is not checked", place)
            holder.pop("$ref", None)
        elif "$ref" in holder:
            height = max(height, heights.get(onward, 0) + 1)
    return height


def _references(schemas: SchemaReader, place: Place) -> list[tuple[dict[str, Any], Place]]:
    """The references by which the schema at a place is applied to the same value as others."""
    by_holder = schemas.leads_to
    return [(one, by_holder[id(one)]) for one in in_place(schemas.targets[place]) if "$ref" in one]


def build_registry(schemas: SchemaReader, rewrite: Rewrite) -> Registry[Any]:
    """A registry of all schemas that were read, and of whole files.

    Each schema that another one refers to is a resource of its own: a compiled validator takes in whole resources, and
    a document can have thousands of messages.
    """

    @cache  # the library looks a reference up anew for every message
    def retrieve(uri: str) -> Resource[Any]:
        place = schemas.resources.get(uri)
        value = _whole_file(schemas, uri) if place is None else _nested(place.where, schemas.targets[place])
        return DRAFT202012.create_resource(rewrite(value))

    # None of them is put into the registry: each validator that is made copies what is in it.
    return Registry(retrieve=retrieve)  # type: ignore[call-arg]  # attrs alias of the private field


def _nested(where: Where, schema: Any) -> Any:
    """A value in which the schema stands at this place."""
    for step in reversed(where):
        schema = {str(step): schema}
    return schema


def _whole_file(schemas: SchemaReader, uri: str) -> Any:
    """The value of a file, in which the schemas are translated."""
    try:
        source = schemas.files.source(uri)
    except BrokenReferenceError as error:
        raise ContractError(f"$ref to {uri}: {error}") from None
    places = [place for place in schemas.targets if place.source is source]
    if not places:
        schemas.schema(source.root, file_draft(source.document.value) or "07")
        break_circles(schemas, schemas.notes)
        places = [source.root]
    tree = _Tree(source.document.value)
    for place in sorted(places, key=lambda one: len(one.where)):
        tree.put(place.where, schemas.targets[place])
    return tree.root


class _Tree:
    """A copy of a file's value, of which only what changes is copied."""

    def __init__(self, value: Any) -> None:
        self._own: set[int] = set()
        self._translated: dict[int, Any] = {}
        self.root = self._copy(value)
        if isinstance(self.root, dict):
            self.root.pop("$schema", None)
            self.root.pop("$id", None)

    def put(self, where: Where, schema: Any) -> None:
        """Put a translated schema at its place, unless it is in one that was put there before."""
        if not where:
            self.root = schema
        node = self.root
        for number, step in enumerate(where):
            if id(node) in self._translated:
                return
            node[step] = schema if number == len(where) - 1 else self._copy(node[step])
            node = node[step]
        self._translated[id(schema)] = schema

    def _copy(self, value: Any) -> Any:
        if id(value) in self._own or id(value) in self._translated:
            return value
        copied = copy(value)
        self._own.add(id(copied))
        return copied
