"""What became of a baseline's entries, and the words for it."""

from collections.abc import Mapping
from typing import Any, Final

from reports.shared import wording
from reports.shared.documents import Document
from reports.shared.wording import Mark
from reports.text.language import t

_MARKS: Final = {
    "stale": wording.mark("failed"),
    "expired": wording.mark("failed"),
    "expected": wording.mark("failed", expected=True),
    "undecided": wording.mark("untested"),
}


def baseline_lines(document: Document) -> list[tuple[Mark, Mapping[str, Any], str]]:
    """What became of the baseline's entries: mark, entry, and what there is to say; first what needs attention."""
    baseline = document["baseline"] or {}
    return [
        (_MARKS[state], entry, _baseline_sentence(state, entry))
        for state in _MARKS
        for entry in baseline.get(state, ())
    ]


def listed_name(entry: Mapping[str, Any]) -> str:
    """The id that an entry of the baseline lists."""
    return str(entry.get("requirement") or entry.get("scenario"))


def _baseline_sentence(state: str, entry: Mapping[str, Any]) -> str:
    if state == "expected" and entry["expires"]:
        state = "expected-until"
    return t(f"compliance.baseline.{state}", line=entry.get("line"), expires=entry["expires"])
