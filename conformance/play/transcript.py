"""The transcript of one scenario for people: redacted, and bounded however much came."""

from collections import deque
from dataclasses import dataclass, replace
from typing import Literal

from contract.findings import Phrase, Text
from contract.redaction import Redactor

MAX_DATA = 4_096
"""Characters of a message that a transcript keeps."""

MAX_EVENT = 200
"""Characters of an event's name that a transcript keeps."""

FIRST_ENTRIES = 500
LAST_ENTRIES = 500
"""Entries that a transcript keeps from its start and from its end; those between are counted."""

MAX_CHARACTERS = 262_144
SHORT_DATA = 200
"""Characters of all data of a transcript's start, and of its end; beyond, only so many of each message are kept."""

PHRASE_CHARACTERS = 100
"""What a phrase counts for."""

Direction = Literal["in", "out", "none"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the transcript; `t` in seconds since the scenario began."""

    t: float
    actor: str | None
    direction: Direction
    kind: str
    event: str | None
    data: Text
    truncated: bool = False

    @property
    def characters(self) -> int:
        """Of its data; phrases of ours are short."""
        return len(self.data) if isinstance(self.data, str) else PHRASE_CHARACTERS


@dataclass(frozen=True, slots=True)
class _Late:
    """A line of the end, which may yet be dropped: it is redacted only when it is read, as a flood brings very many."""

    entry: Entry
    limit: int


class Transcript:
    """Collects lines. `left_out` of them are missing between the first ones and the last ones."""

    def __init__(self, redactor: Redactor) -> None:
        self.first: list[Entry] = []
        self.left_out = 0
        self._late: deque[_Late] = deque()
        self._redactor = redactor
        self._characters = 0

    @property
    def last(self) -> list[Entry]:
        """The lines of the end."""
        return [self._shown(one.entry, one.limit) for one in self._late]

    @property
    def entries(self) -> list[Entry]:
        """The lines that were kept."""
        return [*self.first, *self.last]

    def add(self, entry: Entry) -> None:
        """Add a line, with data and event as they came."""
        limit = MAX_DATA if self._characters < MAX_CHARACTERS else SHORT_DATA
        if len(self.first) < FIRST_ENTRIES:
            self.first.append(self._shown(entry, limit))
            self._characters += self.first[-1].characters
            return
        if not self._late:
            self._characters, limit = 0, MAX_DATA
        self._late.append(_Late(self._windowed(entry, limit), limit))
        self._characters += self._late[-1].entry.characters
        if len(self._late) > LAST_ENTRIES:
            self._characters -= self._late.popleft().entry.characters
            self.left_out += 1

    def extend(self, other: "Transcript") -> None:
        """Add the lines of another one; what it left out, this one leaves out as well."""
        for entry in other.entries:
            self.add(entry)
        self.left_out += other.left_out

    def shorten(self, first: int, last: int, characters: int) -> None:
        """Keep only so many lines of the start and of the end, and so much of each."""
        entries = self.entries
        start = entries[:first]
        end = entries[max(len(entries) - last, len(start)) :]
        self.left_out += len(entries) - len(start) - len(end)
        self.first = [_shortened(one, characters) for one in start]
        self._late = deque(_Late(_shortened(one, characters), characters) for one in end)

    def _shown(self, entry: Entry, limit: int) -> Entry:
        event = None if entry.event is None else self._redactor.shorten(entry.event, MAX_EVENT)
        if isinstance(entry.data, Phrase):
            return replace(entry, event=event, data=entry.data.changed(self._redactor.redact))
        data = self._redactor.shorten(entry.data, limit)
        return replace(entry, event=event, data=data, truncated=entry.truncated or len(entry.data) > limit)

    def _windowed(self, entry: Entry, limit: int) -> Entry:
        event = None if entry.event is None else self._redactor.window(entry.event, MAX_EVENT)
        data = entry.data if isinstance(entry.data, Phrase) else self._redactor.window(entry.data, limit)
        return replace(entry, event=event, data=data)


def _shortened(entry: Entry, characters: int) -> Entry:
    if isinstance(entry.data, Phrase) or len(entry.data) <= characters:
        return entry
    return replace(entry, data=entry.data[:characters], truncated=True)
