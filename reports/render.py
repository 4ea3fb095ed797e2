"""The table of report formats: which report is made of which document, and what it is called."""

from collections.abc import Callable
from pathlib import PurePath
from typing import Final, NamedTuple

from reports import badge, ctrf, html, junit, lines, load_text, markdown, text
from reports.documents import LOAD, RESULTS, Document, to_json
from reports.language import DEFAULT, speaking


class Renderer(NamedTuple):
    """A report's usual file name, and the function that makes its text of a checked document."""

    file: str
    function: Callable[[Document], str]

    @property
    def suffix(self) -> str:
        """The usual file suffix."""
        return PurePath(self.file).suffix


class Format(NamedTuple):
    """A report format: how it is made of the results of a check, and of a load test."""

    results: Renderer
    load: Renderer

    def renderer(self, kind: str) -> Renderer:
        """How it is made of a document of this format. Raises `KeyError` where there is no such document."""
        return {RESULTS: self.results, LOAD: self.load}[kind]


FORMATS: Final = {
    "html": Format(Renderer("report.html", html.compliance), Renderer("load.html", html.load)),
    "text": Format(Renderer("report.txt", text.summary), Renderer("load.txt", load_text.load_summary)),
    "markdown": Format(Renderer("summary.md", markdown.markdown), Renderer("load-summary.md", markdown.markdown)),
    "junit": Format(Renderer("junit.xml", junit.junit), Renderer("load-junit.xml", junit.junit)),
    "ctrf": Format(Renderer("ctrf.json", ctrf.ctrf), Renderer("load-ctrf.json", ctrf.ctrf)),
    "badge": Format(Renderer("badge.json", badge.shields), Renderer("load-badge.json", badge.shields)),
    "badge-svg": Format(Renderer("badge.svg", badge.svg), Renderer("load-badge.svg", badge.svg)),
    "json": Format(Renderer("results.json", to_json), Renderer("load.json", to_json)),
    "jsonl": Format(Renderer("lines.jsonl", lines.json_lines), Renderer("load-lines.jsonl", lines.json_lines)),
}
"""Every report format by the name that `--format` takes."""


def renderer(format_name: str, document: Document) -> Renderer:
    """How to render `document` as `format_name`. Raises `KeyError` for an unknown name."""
    return FORMATS[format_name].renderer(document["format"])


def render(format_name: str, document: Document, language: str = DEFAULT) -> str:
    """`document` as a report in one of `language.LANGUAGES`. Raises `KeyError` for an unknown `format_name`."""
    with speaking(language):
        return renderer(format_name, document).function(document)
