"""The variants of a scenario: one table of them, or several whose entries are combined."""

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.values import substitute


def combinations(variants: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Name and members of every variant; a scenario without variants has one, without a name.

    Several tables give one variant for each combination, in order, its name joined by hyphens. A table's members
    may refer to those of the tables before it.
    """
    tables = variants if isinstance(variants, list) else [variants or {"": {}}]
    yield from _combined(tables, "", {})


def _combined(
    tables: list[Mapping[str, Any]], name: str, members: Mapping[str, Any]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if not tables:
        yield name, members
        return
    for key, own in tables[0].items():
        joined = f"{name}-{key}" if name else key
        yield from _combined(tables[1:], joined, {**members, **substitute(own, members)})
