"""Suspected mistakes in how a run was set up: said beside the verdict, in every format that has a place for it."""

import json
from xml.etree import ElementTree as ET

import pytest

from reports.formats.render import render
from reports.shared.wording import MAX_HINTS
from tests.reports.builder import HINT, results

SENTENCE = f"Possible configuration mistake: {HINT['message']}"


@pytest.mark.parametrize("format_name", ["text", "junit", "ctrf"])
def test_a_hint_is_told(format_name: str) -> None:
    assert SENTENCE in " ".join(render(format_name, results(hints=[HINT])).split())
    assert "configuration mistake" not in render(format_name, results())


def test_on_pages_names_are_marked_as_code() -> None:
    marked = SENTENCE.replace("`users.alice.token`", "<code>users.alice.token</code>")
    assert marked in render("html", results(hints=[HINT]))
    assert "Possible configuration mistake: every good handshake" in render("markdown", results(hints=[HINT]))


def test_hints_stand_where_machines_find_them() -> None:
    document = results(hints=[HINT])
    properties = ET.fromstring(render("junit", document))[0].iter("property")
    assert [one.attrib["value"] for one in properties if one.attrib["name"] == "hint"] == [SENTENCE]
    report = json.loads(render("ctrf", document))
    assert report["results"]["summary"]["extra"]["wsproof.run"]["hints"] == [SENTENCE]


def test_only_so_many_hints_are_told() -> None:
    assert render("text", results(hints=[HINT] * 50)).count("configuration mistake") == MAX_HINTS
