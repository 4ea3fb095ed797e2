"""Which report is made of which document."""

from collections.abc import Callable
from typing import Final, NamedTuple

from reports import html, junit, load_text, text
from reports.documents import LOAD, RESULTS, Document, to_json
from reports.language import DEFAULT, speaking


class Renderer(NamedTuple):
    """A report's usual file suffix, and the function that makes its text of a checked document."""

    suffix: str
    function: Callable[[Document], str]


FORMATS: Final[dict[str, dict[str, Renderer]]] = {
    "html": {
        RESULTS: Renderer(".html", html.compliance),
        LOAD: Renderer(".html", html.load),
    },
    "junit": {
        RESULTS: Renderer(".xml", junit.junit),
        LOAD: Renderer(".xml", junit.junit_load),
    },
    "json": {
        RESULTS: Renderer(".json", to_json),
        LOAD: Renderer(".json", to_json),
    },
    "text": {
        RESULTS: Renderer(".txt", text.summary),
        LOAD: Renderer(".txt", load_text.load_summary),
    },
}
"""Report format (``--format``), then the document's own format: how to render it."""


def renderer(format_name: str, document: Document) -> Renderer:
    """How to render `document` as `format_name`. Raises `KeyError` for an unknown name."""
    return FORMATS[format_name][document["format"]]


def render(format_name: str, document: Document, language: str = DEFAULT) -> str:
    """`document` as a report in one of `language.LANGUAGES`. Raises `KeyError` for an unknown `format_name`."""
    with speaking(language):
        return renderer(format_name, document).function(document)
