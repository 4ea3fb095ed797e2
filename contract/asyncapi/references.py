"""Places in the files of a document, and where a `$ref` leads from there."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import yaml

from contract.asyncapi.declarations import Note
from contract.asyncapi.loading import load
from contract.errors import ContractError
from contract.escaping import visible
from contract.files import Document

Where = tuple[str | int, ...]

_MOST_REFERENCES = 10
"""References that one JSON pointer may lead through."""

_LONGEST_NOTE = 500
"""Characters of a note: a document may have names of any length."""


class BrokenReferenceError(Exception):
    """A `$ref` leads nowhere; the text is a sentence that says why."""


class _LostError(BrokenReferenceError):
    """The same, and which place has the `$ref`."""

    def __init__(self, text: str, place: "Place") -> None:
        super().__init__(text)
        self.place = place


class Source:
    """A file that has been read."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.uri = document.path.resolve().as_uri()
        self._children: dict[int, dict[str, tuple[Any, yaml.Node]]] = {}

    @property
    def root(self) -> "Place":
        """The whole file."""
        return Place(self, (), self.document.value)

    def position(self, where: Where) -> tuple[int | None, int | None]:
        """Line and column of the deepest part of `where` that the file has.

        `Document.position` says the same, but takes as long as there are members; a large file can have many notes.
        """
        node = self.document.node
        if node is None:
            return None, None
        mark = node.start_mark
        for step in where:
            found = self._index(node).get(str(step))
            if found is None:
                break
            mark, node = found
        return mark.line + 1, mark.column + 1

    def _index(self, node: yaml.Node) -> dict[str, tuple[Any, yaml.Node]]:
        if id(node) not in self._children:
            if isinstance(node, yaml.MappingNode):
                index = {str(key.value): (key.start_mark, value) for key, value in node.value}
            elif isinstance(node, yaml.SequenceNode):
                index = {str(number): (value.start_mark, value) for number, value in enumerate(node.value)}
            else:
                index = {}
            self._children[id(node)] = index
        return self._children[id(node)]

    @cached_property
    def identifiers(self) -> dict[str, Where]:
        """The places that `$id` and `$anchor` name."""
        found: dict[str, Where] = {}
        waiting: list[tuple[Where, Any]] = [((), self.document.value)]
        while waiting:
            where, value = waiting.pop()
            if isinstance(value, dict):
                waiting.extend(((*where, name), member) for name, member in value.items())
                for name in ("$id", "$anchor", "$dynamicAnchor"):
                    if isinstance(value.get(name), str):
                        identifier = value[name] if name == "$id" else f"#{value[name]}"
                        found.setdefault(identifier.removesuffix("#"), where)
            elif isinstance(value, list):
                waiting.extend(((*where, number), member) for number, member in enumerate(value))
        return found


@dataclass(frozen=True, slots=True)
class Place:
    """A value in a file, and the path to it. Two places are equal if they are the same spot of the same file."""

    source: Source
    where: Where
    value: Any = field(compare=False, repr=False)

    def __getitem__(self, step: str | int) -> "Place":
        """The member of that name or the item of that index; its value is None if there is none."""
        value = self.value
        if isinstance(value, dict):
            inner = value.get(str(step))
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            inner = value[step]
        else:
            inner = None
        return Place(self.source, (*self.where, step), inner)

    def __iter__(self) -> Iterator["Place"]:
        """The members of a mapping or the items of a list."""
        if isinstance(self.value, dict):
            yield from (self[name] for name in self.value)
        elif isinstance(self.value, list):
            yield from (self[number] for number in range(len(self.value)))

    @property
    def key(self) -> str:
        """The last step of the path."""
        return str(self.where[-1]) if self.where else ""

    def text(self, name: str) -> str:
        """The member of that name as a string; "" if it is not a scalar."""
        value = self.value.get(name) if isinstance(self.value, dict) else None
        return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""

    @property
    def reference(self) -> str | None:
        """The text of its `$ref`, if it is a reference."""
        found = self.value.get("$ref") if isinstance(self.value, dict) else None
        return found if isinstance(found, str) else None


class Notes:
    """Collects notes, each once."""

    def __init__(self) -> None:
        self._found: dict[Note, None] = {}

    def add(self, text: str, place: Place) -> None:
        """Note something about a place."""
        line, column = place.source.position(place.where)
        self._found[Note(visible(text[:_LONGEST_NOTE]), place.source.document.path, line, column)] = None

    def all(self) -> tuple[Note, ...]:
        """All notes: those of one file together, in the order of its lines."""
        order = {path: number for number, path in enumerate(dict.fromkeys(note.path for note in self._found))}
        return tuple(sorted(self._found, key=lambda one: (order[one.path], one.line or 0, one.column or 0)))


class Files:
    """All files of a document, each read once."""

    def __init__(self, root: Document, notes: Notes) -> None:
        self.root = Source(root)
        self.notes = notes
        self._read: dict[str, Source | str] = {self.root.uri: self.root}

    def source(self, uri: str) -> Source:
        """The file at a `file:` URI without a fragment. Raises `BrokenReferenceError`."""
        if uri not in self._read:
            self._read[uri] = self._load(uri)
        found = self._read[uri]
        if isinstance(found, str):
            raise BrokenReferenceError(found)
        return found

    def _load(self, uri: str) -> Source | str:
        parts = urlsplit(uri)
        if parts.scheme != "file" or parts.netloc or parts.query:
            return "only local files are read; download it and refer to the copy"
        path = Path(unquote(parts.path))
        if not path.is_file():
            return f"there is no file {path}"
        try:
            return Source(load(path))
        except ContractError as error:
            return str(error)

    def target(self, place: Place, reference: str) -> Place:
        """The place that a `$ref` at `place` leads to. Raises `BrokenReferenceError`."""
        uri, _, fragment = urljoin(place.source.uri, reference).partition("#")
        return self.inside(self.source(uri).root, unquote(fragment))

    def inside(self, place: Place, fragment: str, depth: int = 0) -> Place:
        """Where a JSON pointer leads that begins at `place`. Raises `BrokenReferenceError`.

        A part of it may lie behind references; `depth` counts those that are being followed.
        """
        if fragment and not fragment.startswith("/"):
            raise BrokenReferenceError(f"'#{fragment}' is not a JSON pointer; one starts with '#/'")
        for step in fragment.split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            place = self._step(place, name, fragment, depth)
        return place

    def _step(self, place: Place, name: str, fragment: str, depth: int) -> Place:
        value = place.value
        if isinstance(value, dict) and name in value:
            return place[name]
        if isinstance(value, list) and name.isdecimal() and len(name) < 7 and int(name) < len(value):
            return place[int(name)]
        if place.reference is not None and depth < _MOST_REFERENCES:
            uri, _, rest = urljoin(place.source.uri, place.reference).partition("#")
            onward = self.inside(self.source(uri).root, unquote(rest), depth + 1)
            return self._step(onward, name, fragment, depth + 1)
        raise BrokenReferenceError(f"{place.source.document.path.name} has nothing at '#{fragment}'")

    def section(self, *names: str) -> Iterator[Place]:
        """The members of a part of the document, which may stand in another file as a whole."""
        place: Place | None = self.root.root
        for name in names:
            place = self.follow(place[name]) if place is not None else None
        if place is not None:
            yield from place

    def follow(self, place: Place) -> Place | None:
        """The place at the end of a chain of references; None, and a note, if it leads nowhere."""
        chain = self.chain(place)
        return chain[-1] if chain else None

    def chain(self, place: Place) -> tuple[Place, ...]:
        """All places from the first to the end of a chain of references; empty, and a note, if it leads nowhere."""
        try:
            return self.links(place)
        except _LostError as error:
            self.notes.add(f"$ref to '{error.place.reference}': {error}", error.place["$ref"])
            return ()

    def links(self, place: Place) -> tuple[Place, ...]:
        """The same. Raises `BrokenReferenceError` if the chain leads nowhere."""
        chain = {place: None}
        while (reference := place.reference) is not None:
            try:
                onward = self.target(place, reference)
                if onward in chain:
                    raise BrokenReferenceError("the references lead in a circle")
            except (BrokenReferenceError, ValueError) as error:
                raise _LostError(str(error), place) from None
            place = onward
            chain[place] = None
        return tuple(chain)
