"""The table of report formats."""

import pytest

from reports.documents import LOAD, RESULTS
from reports.render import FORMATS, render, renderer
from tests.reports import builder


@pytest.mark.parametrize("document", [builder.failing_results(), builder.load()])
@pytest.mark.parametrize(
    ("name", "suffix", "start"),
    [("html", ".html", "<!doctype html>"), ("junit", ".xml", "<?xml"), ("text", ".txt", "wsproof")],
)
def test_every_format_renders_every_document(name: str, suffix: str, start: str, document: builder.Json) -> None:
    assert renderer(name, document).suffix == suffix
    assert render(name, document).startswith(start)


def test_every_format_knows_every_document() -> None:
    assert all(table.keys() == {RESULTS, LOAD} for table in FORMATS.values())


def test_an_unknown_format() -> None:
    with pytest.raises(KeyError):
        render("pdf", builder.load())
