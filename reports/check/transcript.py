"""A scenario's transcript, shortened to what a page can hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from reports.text.fitting import cut

HEAD_EVENTS: Final = 150
TAIL_EVENTS: Final = 350
"""Events that are shown of a long transcript, from its start and from its end."""
DATA_CHARACTERS: Final = 200_000
"""Data of one transcript that are shown in full, counted from its end, where failures are."""
SHORT_CHARACTERS: Final = 200
"""What is shown of each event's data before those."""
BRIEF_EVENTS: Final = 50
"""Events that are shown of each end of a long transcript in which nothing went wrong."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One event: `source` as it stands in the document, and `data`, perhaps cut."""

    source: Mapping[str, Any]
    data: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """A transcript's start and end, and how many events between them are left out."""

    head: tuple[Happening, ...]
    tail: tuple[Happening, ...]
    left_out: int


def shortened(entries: Sequence[Mapping[str, Any]]) -> Transcript:
    """What the page shows of a transcript."""
    left_out = max(len(entries) - HEAD_EVENTS - TAIL_EVENTS, 0)
    start = HEAD_EVENTS if left_out else len(entries)
    kept = [*entries[:start], *entries[start + left_out :]]
    left = DATA_CHARACTERS
    happenings: list[Happening] = []
    for entry in reversed(kept):
        data = entry["data"] if left > 0 else cut(entry["data"], SHORT_CHARACTERS)
        left -= len(data)
        happenings.append(Happening(entry, data))
    happenings.reverse()
    return Transcript(tuple(happenings[:start]), tuple(happenings[start:]), left_out)


def brief(entries: Sequence[Mapping[str, Any]]) -> Transcript:
    """A transcript of which only the course matters: each event's data are cut."""
    left_out = max(len(entries) - 2 * BRIEF_EVENTS, 0)
    start = BRIEF_EVENTS if left_out else len(entries)
    kept = [Happening(entry, cut(entry["data"], SHORT_CHARACTERS)) for entry in entries]
    return Transcript(tuple(kept[:start]), tuple(kept[start + left_out :]), left_out)
