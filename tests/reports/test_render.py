"""The table of report formats."""

import pytest

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


def test_no_two_reports_have_one_name() -> None:
    files = [renderer.file for one in FORMATS.values() for renderer in (one.results, one.load)]
    assert len(set(files)) == len(files)
    # The stream of a run that goes on.
    assert "results.jsonl" not in files


def test_an_unknown_format() -> None:
    with pytest.raises(KeyError):
        render("pdf", builder.load())
