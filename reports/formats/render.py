"""The table of report formats: which report is made of which document, and what it is called."""

from collections.abc import Callable
from pathlib import PurePath
from typing import Final, NamedTuple

from contract.findings import translated
from contract.formats import COMPARISON, LOAD, RESULTS
from reports.formats import badge, ctrf, html, junit, lines, load_text, markdown, text
from reports.formats.comparison_markdown import comparison_markdown
from reports.formats.comparison_text import comparison_summary
from reports.formats.load_markdown import load_markdown
from reports.shared.documents import Document, to_json, upgraded
from reports.text.language import DEFAULT, speaking


class Renderer(NamedTuple):
    """A report's usual file name, and the function that makes its text of a checked document."""

    file: str
    function: Callable[[Document], str]

    @property
    def suffix(self) -> str:
        """The usual file suffix."""
        return PurePath(self.file).suffix


class Format(NamedTuple):
    """A report format: how it is made of the results of a check, of a load test, and of a comparison if it can be."""

    results: Renderer
    load: Renderer
    comparison: Renderer | None = None

    def renderer(self, kind: str) -> Renderer:
        """How it is made of a document of the format `kind`. Raises `KeyError` where it cannot be."""
        made = {RESULTS: self.results, LOAD: self.load, COMPARISON: self.comparison}[kind]
        if made is None:
            raise KeyError(kind)
        return made


def _compared(suffix: str, function: Callable[[Document], str]) -> Renderer:
    return Renderer(f"comparison.{suffix}", function)


FORMATS: Final = {
    "html": Format(
        Renderer("report.html", html.compliance), Renderer("load.html", html.load), _compared("html", html.comparison)
    ),
    "text": Format(
        Renderer("report.txt", text.summary),
        Renderer("load.txt", load_text.load_summary),
        _compared("txt", comparison_summary),
    ),
    "markdown": Format(
        Renderer("summary.md", markdown.markdown),
        Renderer("load-summary.md", load_markdown),
        _compared("md", comparison_markdown),
    ),
    "junit": Format(Renderer("junit.xml", junit.junit), Renderer("load-junit.xml", junit.junit)),
    "ctrf": Format(Renderer("ctrf.json", ctrf.ctrf), Renderer("load-ctrf.json", ctrf.ctrf)),
    "badge": Format(Renderer("badge.json", badge.shields), Renderer("load-badge.json", badge.shields)),
    "badge-svg": Format(Renderer("badge.svg", badge.svg), Renderer("load-badge.svg", badge.svg)),
    "json": Format(Renderer("results.json", to_json), Renderer("load.json", to_json), _compared("json", to_json)),
    "jsonl": Format(Renderer("lines.jsonl", lines.json_lines), Renderer("load-lines.jsonl", lines.json_lines)),
}
"""Every report format by the name that `--format` takes."""
DATA: Final = frozenset(("json", "jsonl"))
"""Formats that hold the document as it stands, in whatever language."""


def renderer(format_name: str, document: Document) -> Renderer:
    """How to render `document`, of the newest version, as `format_name`. Raises `KeyError` for an unknown name."""
    return FORMATS[format_name].renderer(document["format"])


def render(format_name: str, document: Document, language: str = DEFAULT) -> str:
    """`document` as a report in one of `language.LANGUAGES`. Raises `KeyError` for an unknown `format_name`."""
    with speaking(language):
        newest = upgraded(document)
        shown = newest if format_name in DATA else translated(newest)
        return renderer(format_name, newest).function(shown)
