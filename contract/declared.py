"""What a contract names at one place of a message: members, items, types and values."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from referencing import Registry

from contract.plain_words import near
from contract.schemas import compile_schema, pointer, resolved

_CHOICES = ("oneOf", "anyOf")
_CONDITIONS = ("then", "else", "not")
_OPEN = ("patternProperties", "unevaluatedProperties", "propertyNames")

_INDEX = re.compile(r"-?[0-9]+")

MOST_BRANCHES = 200
"""Alternatives of one place that are looked at; a schema with more of them is taken to name anything."""


class Declared:
    """What the contract names at one place of a message. Places further in are looked up once, when first asked for.

    Every one of the `schemas` holds there; of the `branches` (alternatives and conditions), some may.
    """

    def __init__(self, schemas: Iterable[Any], registry: Registry[Any], branches: Iterable[Any] = ()) -> None:
        self._parts = [part for schema in schemas for part in resolved(schema, registry)]
        self._registry = registry
        self._inside: dict[str | int, Declared] = {}
        self._branches = list(_branches([*self._parts], branches, registry))
        every = self._every
        self.names = frozenset(name for part in every for name in part.get("properties", ()))
        self.anything = (
            not any("properties" in part or part.get("additionalProperties") is False for part in every)
            or any(name in part for part in every for name in _OPEN)
            or any(part.get("additionalProperties") not in (None, False) for part in every)
            or len(self._branches) >= MOST_BRANCHES
        )

    @property
    def _every(self) -> list[Mapping[str, Any]]:
        return [*self._parts, *self._branches]

    def member(self, name: str) -> "Declared":
        """Inside the member of that name."""
        return self._at(name, lambda part: part["properties"][name] if name in part.get("properties", {}) else None)

    def permits(self, value: Any) -> bool:
        """Whether a valid message may have this value here."""
        return not any(any(compile_schema(part, self._registry).iter_errors(value)) for part in self._parts)

    def permits_type(self, name: str) -> bool:
        """Whether a valid message may have a value of this JSON type here."""
        names = {name, "number"} if name == "integer" else {name}
        types = (part["type"] for part in self._parts if "type" in part)
        return all(names & {*([known] if isinstance(known, str) else known)} for known in types)

    @property
    def is_uniform(self) -> bool:
        """Whether all items of a list are declared alike."""
        return not any("prefixItems" in part for part in self._every)

    @property
    def longest(self) -> int | None:
        """The most characters that a text may have here; None: any number."""
        return min((part["maxLength"] for part in self._parts if isinstance(part.get("maxLength"), int)), default=None)

    def item(self, index: int) -> "Declared":
        """Inside an item of a list. A negative index counts from the end, which a list of any length may have."""

        def schema_of(part: Mapping[str, Any]) -> Any:
            fixed = part.get("prefixItems", ())
            if index < 0:
                return None if fixed else part.get("items")
            return fixed[index] if index < len(fixed) else part.get("items")

        return self._at(index, schema_of)

    def permits_item(self, index: int) -> bool:
        """Whether a valid list may have an item at this index."""
        return not any(
            (part.get("items") is False and index >= len(part.get("prefixItems", ())))
            or index >= part.get("maxItems", index + 1)
            for part in self._parts
        )

    def _at(self, key: str | int, schema_of: Any) -> "Declared":
        if key not in self._inside:
            must, may = ([found for part in parts if (found := schema_of(part)) is not None] for parts in self._both)
            self._inside[key] = Declared(must, self._registry, may)
        return self._inside[key]

    @property
    def _both(self) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
        return self._parts, self._branches


def _branches(
    parts: list[Mapping[str, Any]], branches: Iterable[Any], registry: Registry[Any]
) -> Iterator[Mapping[str, Any]]:
    """All alternatives and conditions, those inside of others as well."""
    waiting: list[Any] = [*branches, *(one for part in parts for one in _inner(part))]
    count = 0
    while waiting and count < MOST_BRANCHES:
        for part in resolved(waiting.pop(), registry):
            count += 1
            waiting += _inner(part)
            yield part


def _inner(part: Mapping[str, Any]) -> Iterator[Any]:
    yield from (one for name in _CHOICES for one in part.get(name, ()))
    yield from (part[name] for name in _CONDITIONS if isinstance(part.get(name), dict))
    dependent = part.get("dependentSchemas")
    yield from dependent.values() if isinstance(dependent, dict) else ()


def undeclared(value: Any, declared: Declared, path: tuple[str | int, ...] = ()) -> Iterator[str]:
    """JSON pointers of the members that the contract does not name."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name in declared.names:
                yield from undeclared(inner, declared.member(name), (*path, name))
            elif not declared.anything:
                yield pointer((*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from undeclared(inner, declared.item(index), (*path, index))


def path_flaw(path: str, declared: Declared, start: str = "") -> str | None:
    """Why a dotted path such as `payload.id` or `2` leads to nothing that the contract names; None where it does.

    `start` is the path, in the whole message, of what is `declared`.
    """
    where = start.split(".") if start else []
    for name in path.split("."):
        if _INDEX.fullmatch(name) and name not in declared.names and declared.permits_type("array"):
            if name.startswith("-"):  # counted from an end that nobody knows
                return None
            if not declared.permits_item(int(name)):
                return f"the contract has no item {name} in {_place(where)}"
            declared = declared.item(int(name))
        elif not declared.permits_type("object"):
            return f"the contract has no members in {_place(where)}"
        elif not declared.anything and name not in declared.names:
            known = f"; known: {', '.join(sorted(declared.names))}"
            return f"the contract has no member {name!r} in {_place(where)}{near(name, declared.names) or known}"
        else:
            declared = declared.member(name)
        where.append(name)
    return None


def _place(where: list[str]) -> str:
    return f"`{'.'.join(where)}`" if where else "the message"
