"""What every comparison is made of: the runs, and the lists that changes are sorted into."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from reports.shared.documents import Document

Json = Mapping[str, Any]

LISTS: Final = ("worse", "unclear", "better", "new", "gone")
"""unclear: it failed, and is undecided on the other side, so that nobody knows whether it got better or worse."""


class ComparisonError(Exception):
    """Documents that cannot be compared: which, and what was expected instead."""


@dataclass(frozen=True, slots=True)
class Run:
    """A document with the name of its implementation, and where its own page lies as seen from the comparison's."""

    name: str
    document: Document
    page: str | None = None


def joined(every: Sequence[Mapping[str, Sequence[Json]]]) -> dict[str, list[Json]]:
    """The changes of several parts by list, in each list those that weigh first."""
    return sorted_changes({name: [change for one in every for change in one.get(name, ())] for name in LISTS})


def sorted_changes(found: Mapping[str, list[Json]]) -> dict[str, list[Json]]:
    """The changes by list, in each list those that weigh first."""
    return {name: sorted(found.get(name, ()), key=lambda change: not change["weighs"]) for name in LISTS}
