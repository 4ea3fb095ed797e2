"""JSON Lines: nothing of the document is lost, and every line is one object of a known kind."""

import json
from collections.abc import Iterable
from typing import Any

import pytest

from contract.schemas import format_validator
from reports.formats.lines import json_lines
from reports.shared.documents import check_document, document_id
from tests.reports import builder
from tests.reports.builder import Json
from tests.reports.documents import DOCUMENTS

INNER = {("delivery", "examples"): "delivery", ("generator", "workers"): "worker", ("capacity", "curve"): "load"}


def read(text: str) -> list[Json]:
    return [json.loads(line) for line in text.split("\n")[:-1]]


def rebuilt(lines: Iterable[Json]) -> Json:
    """The document again."""
    found: dict[str, list[Any]] = {}
    for line in lines:
        found.setdefault(line["kind"], []).append(line[line["kind"]])
    document: Json = found.pop("run")[0]
    if document["format"] == "wsproof.results/2":
        return {**document, "requirements": found.get("requirement", []), "scenarios": found.get("scenario", [])}
    document |= {"requirements": found.get("requirement", [])}
    document |= {"phases": found["phase"]} if "phase" in found else {}
    document |= {"thresholds": found.get("threshold", []), "timeline": found.get("slice", [])}
    document["metrics"] = {one["name"]: one["figures"] for one in found.get("metric", [])}
    document["closes"] = {one["code"]: one["count"] for one in found.get("close", [])}
    document["errors"] = found.get("error", [])
    for (member, inner), kind in INNER.items():
        if kind in found:
            document[member][inner] = found[kind]
    return document


def without_empty_lists(document: Json) -> Json:
    """No line tells an empty list from one that is not there."""
    changed = dict(document)
    for member, inner in INNER:
        if (changed.get(member) or {}).get(inner) == []:
            changed[member] = {name: item for name, item in changed[member].items() if name != inner}
    return changed


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_document_can_be_put_together_again(name: str) -> None:
    document = DOCUMENTS[name]
    again = rebuilt(read(json_lines(document)))
    assert again == without_empty_lists(document)
    check_document(again)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_line_is_what_the_schema_says(name: str) -> None:
    validator = format_validator("lines")
    lines = read(json_lines(DOCUMENTS[name]))
    assert [str(error) for line in lines for error in validator.iter_errors(line)] == []
    assert [line["kind"] for line in lines].count("run") == 1
    assert lines[0]["format"] == "wsproof.lines/1"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_nothing_in_a_line_ends_it(name: str) -> None:
    text = json_lines(DOCUMENTS[name])
    assert text.isascii()
    assert text.replace("\n", "").isprintable()
    assert len(text.splitlines()) == text.count("\n")


def test_lines_of_many_runs_can_be_told_apart() -> None:
    one, other = builder.results(), builder.results(duration_s=3.3)
    ids = {line["document"] for document in (one, other) for line in read(json_lines(document))}
    assert ids == {document_id(one), document_id(other)}


def test_a_broken_line_is_found() -> None:
    validator = format_validator("lines")
    first, second, *_ = read(json_lines(builder.results()))
    broken = [first | {"format": "wsproof.lines/2"}, second | {"kind": "scenario"}, second | {"requirement": {}}, {}]
    assert all(list(validator.iter_errors(line)) for line in broken)
