"""Badges: a shields.io endpoint (https://shields.io/badges/endpoint-badge), and an SVG of our own that needs nobody.

A badge is about the endpoint: it shows the verdict, whatever a baseline excuses. What was not verified is said in
words, and a run that was cut off, or that played nothing, never gets a green one. No word on it is the endpoint's own.
"""

import json
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

from contract.formats import LOAD
from reports.load import wording as load_wording
from reports.shared import selection, wording
from reports.shared.documents import Document
from reports.text.fitting import columns
from reports.text.language import t, tn

_SHIELDS: Final = {"passed": "brightgreen", "failed": "red", "incomplete": "yellow", "nothing": "lightgrey"}
# White text on each has a contrast of more than 4.5 : 1.
_FILLS: Final = {
    "passed": "#1b7a35",
    "failed": "#b3261e",
    "incomplete": "#8a5a00",
    "nothing": "#5f6368",
    "label": "#3c4043",
}

# Pixels that Verdana takes at 11 px, rounded up; a text is drawn as wide as they say (`textLength`), whatever the font.
_PIXELS: Final = dict.fromkeys("ijlI|.,:;!'()[]/ -frt", 5) | dict.fromkeys("mwMW@%", 11)
_USUAL_PIXELS: Final = 7
_PADDING: Final = 6


@dataclass(frozen=True, slots=True)
class Badge:
    """What a badge says; `tone` is the sort of its colour."""

    label: str
    message: str
    tone: str
    incomplete: bool
    """Whether the run that it speaks of did not come to its end, or played nothing."""


def shields(document: Document) -> str:
    """The badge as JSON for shields.io."""
    badge = _badge(document)
    found = {
        "schemaVersion": 1,
        "label": badge.label,
        "message": badge.message,
        "color": _SHIELDS[badge.tone],
        **({"isError": True} if badge.incomplete else {}),
    }
    return json.dumps(found, indent=1, ensure_ascii=True) + "\n"


def svg(document: Document) -> str:
    """The badge as SVG: no font, script, style sheet or picture of anybody else's."""
    badge = _badge(document)
    left, right = (_width(text) + 2 * _PADDING for text in (badge.label, badge.message))
    title = escape(f"{badge.label}: {badge.message}")
    whole = left + right
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{whole}" height="20" viewBox="0 0 {whole} 20" role="img"'
        f' aria-label="{escape(title, {chr(34): "&quot;"})}">\n'
        f" <title>{title}</title>\n"
        f' <rect width="{whole}" height="20" rx="3" fill="{_FILLS[badge.tone]}"/>\n'
        f' <path d="M3 0H{left}V20H3A3 3 0 0 1 0 17V3A3 3 0 0 1 3 0Z" fill="{_FILLS["label"]}"/>\n'
        f' <g fill="#fff" font-family="Verdana,DejaVu Sans,Noto Sans CJK JP,sans-serif" font-size="11">\n'
        f"{_text(badge.label, _PADDING)}{_text(badge.message, left + _PADDING)} </g>\n"
        "</svg>\n"
    )


def _badge(document: Document) -> Badge:
    load = document["format"] == LOAD
    tone, message = _load(document) if load else _conformance(document)
    nothing = not document["complete"] or (tone == "nothing" and not load)
    return Badge(t("formats.badge.load" if load else "formats.badge.check"), message, tone, nothing)


def _text(text: str, x: int) -> str:
    return f'  <text x="{x}" y="14" textLength="{_width(text)}">{escape(text)}</text>\n'


def _width(text: str) -> int:
    """About how wide a text is, in pixels; what takes two columns of a terminal takes 11."""
    return sum(11 if columns(one) == 2 else _PIXELS.get(one, _USUAL_PIXELS) for one in text)


def _conformance(document: Document) -> tuple[str, str]:
    if document["verdict"] == "non-conformant":
        return _broken(document)
    held, known = _held(document)
    words = _of(document, held, known)
    if not document["complete"]:
        return "nothing", t("formats.badge.cut-off", held=words)
    if not known or not document["scenarios"]:
        return "nothing", t("formats.badge.nothing")
    if document["verdict"] == "incomplete" or held < known:
        return "incomplete", t("formats.badge.incomplete", held=words)
    return "passed", t("formats.badge.conformant", held=words)


def _broken(document: Document) -> tuple[str, str]:
    failing = len(wording.failing(document, counts_against=True))
    return "failed", _with_end(document, tn("formats.badge.broken", failing))


def _of(document: Document, held: int, known: int) -> str:
    kind = "requirements" if wording.is_strict(document) else "musts"
    part = "selected-" if selection.narrowed(document) else ""
    return t(f"formats.badge.{part}{kind}", held=f"{held:,}", all=f"{known:,}")


def _with_end(document: Document, message: str) -> str:
    return message if document["complete"] else t("formats.badge.with-cut-off", message=message)


def _held(document: Document) -> tuple[int, int]:
    """How many requirements hold of those that bind and were selected, and how many these are."""
    strict = wording.is_strict(document)
    counted = load_wording.exercised(document) if document["format"] == LOAD else selection.counted(document)
    found = [
        [clause["verdict"] for clause in wording.clauses(entry) if wording.binding(clause["level"], strict)]
        for entry in counted
    ]
    binding = [verdicts for verdicts in found if verdicts]
    return sum(set(verdicts) == {"passed"} for verdicts in binding), len(binding)


def _load(document: Document) -> tuple[str, str]:
    if document["verdict"] == "non-conformant":
        return _broken(document)
    breached = len(load_wording.breached(document))
    if breached:
        of = tn("load.of-thresholds", len(document["thresholds"]))
        return "failed", _with_end(document, t("formats.badge.breached", number=f"{breached:,}", of=of))
    if not document["complete"]:
        return "nothing", t("formats.badge.load-cut-off")
    undecided = len(load_wording.undecided(document))
    if undecided:
        of = tn("load.of-thresholds", len(document["thresholds"]))
        return "incomplete", t("formats.badge.undecided", number=f"{undecided:,}", of=of)
    if document["verdict"] == "measured":
        return "nothing", t("formats.badge.measured")
    held, known = _held(document)
    if not known:
        return "incomplete", t("formats.badge.nothing")
    if document["verdict"] == "incomplete":
        return "incomplete", t("formats.badge.incomplete", held=_of(document, held, known))
    return "passed", t("formats.badge.conformant", held=_of(document, held, known))
