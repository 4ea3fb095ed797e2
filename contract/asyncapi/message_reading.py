"""Collects the messages of a document, wherever they stand, and reads each of them once."""

import json
from dataclasses import dataclass, field

from contract.asyncapi.declarations import Action
from contract.asyncapi.references import Files, Notes, Place, Source
from contract.asyncapi.traits import with_traits


@dataclass(slots=True, eq=False)
class Found:
    """A message, and what is known of it so far."""

    name: str
    place: Place
    """Where it is written, its traits merged into it."""
    entry: Place
    """Its place in the document itself."""
    actions: set[Action] = field(default_factory=set)
    replies: dict[str, None] = field(default_factory=dict)
    channels: dict[str, None] = field(default_factory=dict)


class MessageCollector:
    """Knows each message by the place where it is written: references to the same place mean one message.

    So do copies: documents without `components` write the same message, under the same key, into several channels.
    """

    def __init__(self, files: Files, notes: Notes, *, trait_wins: bool) -> None:
        self.files = files
        self.notes = notes
        self.found: list[Found] = []
        self.reading = files.root.root
        """The part of the document itself that is being read; what it refers to may stand in other files."""
        self._trait_wins = trait_wins
        self._by_place: dict[Place, Found] = {}
        self._by_text: dict[tuple[Source, str, str], Found] = {}
        self._names: set[str] = set()
        self._numbers: dict[str, int] = {}

    def all(self, place: Place, otherwise: str = "") -> list[Found]:
        """The messages that a message object, a reference to one, or a `oneOf` of these stands for.

        `otherwise` is the name of a message that has none.
        """
        found: list[Found] = []
        expanded: dict[Place, None] = {}
        waiting = [place]
        while waiting:
            chain = self.files.chain(waiting.pop())
            if not chain or chain[-1] in expanded:
                continue
            expanded[chain[-1]] = None
            value = chain[-1].value
            if not isinstance(value, dict):
                self.notes.add("expected a message: a mapping", chain[-1])
            elif isinstance(value.get("oneOf"), list) and "payload" not in value:
                waiting.extend(reversed([*chain[-1]["oneOf"]]))
            else:
                found.append(self._found(chain, otherwise))
        first = next(iter(expanded), None)
        if not found and first is not None and isinstance(first.value, dict):
            self.notes.add("oneOf: there is no message in it", first)
        return found

    def _found(self, chain: tuple[Place, ...], otherwise: str) -> Found:
        written = chain[-1]
        if written not in self._by_place:
            self._by_place[written] = self._written(chain, otherwise)
        return self._by_place[written]

    def _written(self, chain: tuple[Place, ...], otherwise: str) -> Found:
        written = chain[-1]
        key = self._key(chain) or _own_name(written)
        text = (written.source, key, json.dumps(written.value, sort_keys=True))
        if not key or text not in self._by_text:
            place = with_traits(written, self.files, self._trait_wins)
            name = self._unique(self._key(chain) or _own_name(place) or otherwise or "message", written)
            entry = [self.reading, *(one for one in chain if one.source is self.files.root)][-1]
            self._by_text[text] = Found(name, place, entry)
            self.found.append(self._by_text[text])
        return self._by_text[text]

    def _key(self, chain: tuple[Place, ...]) -> str:
        """The key that a message has where it is written; else that of a mapping of messages which refers to it."""
        for place in reversed(chain):
            if len(place.where) > 1 and place.where[-2] == "messages" and isinstance(place.where[-1], str):
                return place.key
        written = chain[-1]
        elsewhere = len(chain) > 1 or written.source is not self.files.root
        is_key = written.where and isinstance(written.where[-1], str) and written.key not in ("message", "x-response")
        return written.key if elsewhere and is_key else ""

    def _unique(self, name: str, place: Place) -> str:
        """A name that no other message has: with the channel's key before it, or else a number behind it."""
        where = place.where
        if name in self._names and len(where) == 4 and where[0] == "channels" and where[2] == "messages":
            name = f"{where[1]}.{name}"
        number = self._numbers.get(name, 1)
        unique = name
        while unique in self._names:
            number += 1
            unique = f"{name}-{number}"
        self._numbers[name] = number
        self._names.add(unique)
        return unique


def _own_name(place: Place) -> str:
    names = (place.text(name).strip() for name in ("name", "messageId", "title"))
    return next((name for name in names if name), "")


def opposite(action: Action) -> Action:
    """What the application does with the reply to a message."""
    return "send" if action == "receive" else "receive"
