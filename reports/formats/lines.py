"""JSON Lines: a document taken apart, one object on each line, for `jq`, data stores and spreadsheets.

The first line is the run: everything of the document that is no list. Each entry of a list follows as a line of its
own kind, in the document's order, under a member named like the kind. Every line carries the document's id, so that the
lines of many runs can be kept in one place. Nothing is lost, cut or made visible: strings are those of the document.
The format is that of `schemas/lines.schema.json`.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from contract.formats import LINES, RESULTS
from reports.shared.documents import Document, document_id

Json = Mapping[str, Any]


def json_lines(document: Document) -> str:
    """A results or load document as JSON Lines; ASCII only, as the document itself."""
    name = document_id(document)
    return "".join(_line(name, kind, entry) for kind, entry in _entries(document))


def _line(document: str, kind: str, entry: Json) -> str:
    head = {"format": LINES} if kind == "run" else {}
    line = {**head, "document": document, "kind": kind, kind: entry}
    return json.dumps(line, ensure_ascii=True, allow_nan=False) + "\n"


def _entries(document: Document) -> Iterator[tuple[str, Json]]:
    if document["format"] == RESULTS:
        yield "run", _without(document, ("requirements", "scenarios"))
        yield from _each("requirement", document["requirements"])
        yield from _each("scenario", document["scenarios"])
    else:
        yield from _load(document)


def _load(document: Document) -> Iterator[tuple[str, Json]]:
    inner = {"delivery": "examples", "generator": "workers", "capacity": "curve"}
    kept = {name: _without(document[name], (member,)) for name, member in inner.items() if document.get(name)}
    lists = ("requirements", "phases", "thresholds", "metrics", "timeline", "closes", "errors")
    yield "run", _without(document, lists) | kept
    yield from _each("requirement", document["requirements"])
    yield from _each("threshold", document["thresholds"])
    yield from _each("phase", document.get("phases", ()))
    yield from (("metric", {"name": name, "figures": figures}) for name, figures in document["metrics"].items())
    yield from _each("slice", document["timeline"])
    yield from (("close", {"code": code, "count": number}) for code, number in document["closes"].items())
    yield from _each("error", document["errors"])
    for (name, member), kind in zip(inner.items(), ("delivery", "worker", "load"), strict=True):
        yield from _each(kind, (document.get(name) or {}).get(member, ()))


def _without(value: Json, members: Iterable[str]) -> dict[str, Any]:
    left_out = frozenset(members)
    return {name: item for name, item in value.items() if name not in left_out}


def _each(kind: str, entries: Iterable[Json]) -> Iterator[tuple[str, Json]]:
    return ((kind, entry) for entry in entries)
