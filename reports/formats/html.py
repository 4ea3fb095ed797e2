"""The HTML reports: one file each, which loads nothing and sends nothing.

The page carries its style and its only script inline, and a Content-Security-Policy that allows
just these two, by their hashes. Whatever an endpoint sent is text: Jinja escapes every value, and
before that each value passes through `visible`, so that no template can forget either.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from contract.escaping import visible
from reports.check import view as compliance_view
from reports.compare import view as comparison_view
from reports.load import findings as load_findings
from reports.load import view as load_view
from reports.shared import wording
from reports.shared.documents import Document
from reports.shared.legend import legend
from reports.text import quantities
from reports.text.fitting import cut
from reports.text.language import spoken, t, tn
from reports.text.prose import PAGE_CHARACTERS, excerpt, prose, shown

_TEMPLATES: Final = Path(__file__).resolve().parents[1] / "templates"
_VALUE_CHARACTERS: Final = 400
"""Values that no filter has shortened (titles, settings) are cut after these."""
_NAME_CHARACTERS: Final = 80
"""Ids and names are cut after these."""


def compliance(document: Document) -> str:
    """The compliance report of a results document: one self-contained HTML page."""
    view = compliance_view.build(document)
    return _render("compliance.html.j2", ("filter.js",), document, view, judged=view)


def load(document: Document) -> str:
    """The load report of a load document: one self-contained HTML page."""
    view, scripts = load_view.build(document), ("cursor.js", "filter.js")
    return _render("load.html.j2", scripts, document, view, judged=view.judged)


def comparison(document: Document) -> str:
    """The page of a comparison document: one self-contained HTML page."""
    page = _environment().get_template("comparison.html.j2")
    # Its own rules stand behind those that all pages share.
    style = _inline("style.css", "comparison.css")
    return page.render(
        document=document, view=comparison_view.build(document), script=_inline("cursor.js"), style=style
    )


@dataclass(frozen=True, slots=True)
class _Inline:
    """A style sheet or script, and the hash under which the page's policy allows it."""

    text: Markup
    hash: str


def _render(template: str, scripts: tuple[str, ...], document: Document, view: object, judged: object) -> str:
    page = _environment().get_template(template)
    return page.render(
        document=document,
        view=view,
        judged=judged,
        legend=legend(document),
        strict=wording.is_strict(document),
        script=_inline(*scripts),
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(_FILTERS)
    environment.globals.update(
        style=_inline("style.css"),
        t=t,
        tn=tn,
        spoken=spoken,
        levels=wording.LEVELS,
        verdicts=wording.VERDICTS,
        mark=wording.mark,
        setting_value=wording.setting_value,
        built_in=wording.built_in_sentence,
        tested=wording.endpoint,
    )
    return environment


def _finalize(value: object) -> object:
    if isinstance(value, str) and not isinstance(value, Markup):
        return visible(cut(value, _VALUE_CHARACTERS))
    return value


def _short(text: str) -> str:
    return cut(text, _NAME_CHARACTERS)


def _uncut(text: str) -> Markup:
    """`text` escaped, for what is rightly long and useless when shortened (lines, commands)."""
    return escape(visible(cut(text, PAGE_CHARACTERS)))


@cache
def _inline(*names: str) -> _Inline:
    # Text mode turns CRLF into LF, as a browser does before it computes the hash.
    text = "".join((_TEMPLATES / name).read_text(encoding="utf-8") for name in names)
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    # Markup: these are our own files, not data.
    return _Inline(Markup(text), f"sha256-{digest}")


_FILTERS: Final[Mapping[str, Any]] = {
    "shown": shown,
    "prose": prose,
    "excerpt": excerpt,
    "short": _short,
    "uncut": _uncut,
    "count": quantities.count,
    "measured": quantities.measured,
    "seconds": quantities.seconds,
    "moment": quantities.moment,
    "setting": quantities.setting,
    "statement": wording.statement,
    "scenario_title": wording.scenario_title,
    "setting_name": wording.setting_name,
    "origin": wording.origin,
    "when": load_findings.when,
}
