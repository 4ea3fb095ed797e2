"""The variants of a scenario: one table of them, or several whose entries are combined."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance.language.values import substitute

Where = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Variant:
    """A name, what stands for which `${member}`, and where under `variants` each member is written."""

    name: str = ""
    members: Mapping[str, Any] = field(default_factory=dict)
    places: Mapping[str, Where] = field(default_factory=dict)


def combinations(variants: Any) -> Iterator[Variant]:
    """Every variant; a scenario without variants has one, without a name.

    Several tables give one variant for each combination, in order, its name joined by hyphens. A table's members
    may refer to those of the tables before it.
    """
    if not variants:
        yield Variant()
    elif isinstance(variants, list):
        yield from _combined([((number,), table) for number, table in enumerate(variants)], Variant())
    else:
        yield from _combined([((), variants)], Variant())


def _combined(tables: list[tuple[Where, Mapping[str, Any]]], outer: Variant) -> Iterator[Variant]:
    if not tables:
        yield outer
        return
    where, table = tables[0]
    for key, own in table.items():
        yield from _combined(
            tables[1:],
            Variant(
                f"{outer.name}-{key}" if outer.name else key,
                {**outer.members, **substitute(own, outer.members)},
                {**outer.places, **{member: (*where, key, member) for member in own}},
            ),
        )
