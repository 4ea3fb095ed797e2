"""What was found wrong, each thing once: it may break several requirements, and be seen on several connections."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from reports.shared import wording
from reports.shared.documents import Document
from reports.text.language import t

WHOLE: Final = "transcript"
"""The step of what was found over all messages, in documents whose failures do not name the check."""
_SAME: Final = ("check", "step", "message", "expected")

Json = Mapping[str, Any]
Clause = tuple[str, str]
"""A requirement's id, and a level."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Entries of one scenario that say the same. `source` is the first of them."""

    source: Json
    clauses: tuple[Clause, ...]
    actors: tuple[str, ...]
    entries: tuple[Json, ...]
    more: int
    """How often it was found beside that, in another message."""

    @property
    def ids(self) -> tuple[str, ...]:
        """The requirements that it breaks."""
        return tuple(dict.fromkeys(name for name, _ in self.clauses))

    @property
    def where(self) -> str:
        """The step or the check that found it."""
        return where(self.source)


@dataclass(frozen=True, slots=True)
class Block:
    """Clauses, and all that broke just these, with the scenarios in which it did."""

    clauses: tuple[Clause, ...]
    failures: tuple[tuple[Json, Failure], ...]


def told_once(entries: Iterable[Json]) -> tuple[Failure, ...]:
    """The failures of a scenario, each once.

    What differs in the requirement or the connection alone is one failure, and so is what a check found in one message
    after the other.
    """
    found: dict[tuple[Any, ...], list[Json]] = {}
    for entry in entries:
        received = None if entry.get("check") else entry["received"]
        found.setdefault((*(entry.get(member) for member in _SAME), received), []).append(entry)
    return tuple(_failure(same) for same in found.values())


def _failure(same: list[Json]) -> Failure:
    clauses = dict.fromkeys((entry["requirement"], entry["level"]) for entry in same)
    actors = dict.fromkeys(entry["actor"] for entry in same if entry["actor"] is not None)
    received = {entry["received"] for entry in same}
    return Failure(same[0], tuple(clauses), tuple(actors), tuple(same), len(received) - 1)


def blocks(document: Document) -> tuple[Block, ...]:
    """What no baseline lists, by the clauses that it breaks: first what weighs most."""
    found: dict[tuple[Clause, ...], list[tuple[Json, Failure]]] = {}
    for scenario in document["scenarios"]:
        for failure in told_once(entry for entry in scenario["failures"] if "baseline" not in entry):
            found.setdefault(failure.clauses, []).append((scenario, failure))
    listed = [Block(clauses, _each_first(failures)) for clauses, failures in found.items()]
    return tuple(sorted(listed, key=lambda block: min(mark.rank for mark in _marks(block, document["strict"]))))


def _each_first(failures: list[tuple[Json, Failure]]) -> tuple[tuple[Json, Failure], ...]:
    """One failure of each scenario before a second one of any."""
    seen: Counter[str] = Counter()
    ranked = []
    for scenario, failure in failures:
        seen[scenario["id"]] += 1
        ranked.append((seen[scenario["id"]], (scenario, failure)))
    return tuple(found for _, found in sorted(ranked, key=lambda rank: rank[0]))


def _marks(block: Block, strict: bool) -> Iterable[wording.Mark]:
    return (wording.mark("failed", level, strict) for _, level in block.clauses)


def where(entry: Json) -> str:
    """The step or the check that found a failure."""
    if entry.get("check"):
        return t("compliance.check", name=entry["check"])
    step: str | None = entry["step"]
    return step if step and step != WHOLE else t("compliance.text.whole-transcript")
