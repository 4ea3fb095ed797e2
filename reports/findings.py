"""What the suite and the load test say in a document, in the language that is spoken.

Documents hold such sentences in English, whoever reads them later. The catalogues' domain `findings` has the English
form of each, with `{names}` for what differs, and so a sentence is known again. One that is not known stays as it is.
"""

import re
from functools import cache
from typing import Any, Final

from contract.findings import CATALOGUES
from contract.language import DEFAULT, speaking, spoken
from reports.documents import Document

MAX_CHARACTERS: Final = 2_000
"""A longer sentence is none of ours."""
MAX_DEPTH: Final = 3
"""A sentence may hold another one, such as the reason of a reason."""

_SENTENCES: Final = frozenset(("message", "expected", "reason", "reasons"))
"""Members of documents that hold sentences of ours."""
_KEPT: Final = frozenset(("timeline", "errors", "settings", "baseline", "histogram"))
"""Members that hold what others wrote, or no sentence."""
_NOTES: Final = frozenset(("note", "timeout"))
"""Events of a transcript that are sentences of ours; all others are what was sent and received."""

_NAME: Final = re.compile(r"\\{(\w+)\\}")


def said(text: str, depth: int = 0) -> str:
    """A message, reason or expectation of a document in the language that is spoken."""
    if spoken() == DEFAULT or len(text) > MAX_CHARACTERS or depth > MAX_DEPTH:
        return text
    for name, pattern in _patterns():
        match = pattern.fullmatch(text)
        if match is not None:
            return CATALOGUES.t(name, **{key: _sentence(value, depth + 1) for key, value in match.groupdict().items()})
    return text


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """The sentences' English forms, those that say most first."""
    with speaking(DEFAULT):
        forms = {name: CATALOGUES.t(name) for name in CATALOGUES.ids("findings")}
    ordered = sorted(forms.items(), key=lambda item: (item[1].count("{"), -len(item[1])))
    return tuple((name, re.compile(_NAME.sub(r"(?P<\1>.+?)", re.escape(form)), re.DOTALL)) for name, form in ordered)


def told(document: Document) -> Document:
    """A document whose sentences are in the language that is spoken; itself, where that is theirs."""
    return document if spoken() == DEFAULT else _told(document, "")


def _told(value: Any, member: str) -> Any:
    if member == "transcript":
        return [entry | {"data": said(entry["data"])} if entry["kind"] in _NOTES else entry for entry in value]
    if isinstance(value, dict):
        if member in _KEPT:
            return value
        return {name: _told(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return value if member in _KEPT else [_told(inner, member) for inner in value]
    return _sentence(value) if isinstance(value, str) and member in _SENTENCES else value


def _sentence(text: str, depth: int = 0) -> str:
    """A requirement's reason may begin with the scenario that gave it."""
    name, colon, rest = text.partition(": ")
    translated = said(text, depth)
    return f"{name}: {said(rest, depth)}" if translated == text and colon and " " not in name else translated
