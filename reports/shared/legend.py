"""What the verdicts of a page mean."""

from typing import Final

from contract.formats import LOAD
from reports.shared.documents import Document
from reports.shared.wording import MARKS, Mark
from reports.text.language import t

_UNDER_LOAD: Final = ("failed", "warning", "inconclusive", "untested", "passed")


def legend(document: Document) -> tuple[tuple[Mark, str, str], ...]:
    """What each verdict means: (mark, name, meaning), what needs attention first."""
    if document["format"] == LOAD:
        return tuple((MARKS[name], _name(name), t(f"load.legend.{name}")) for name in _UNDER_LOAD)
    return tuple((mark, _name(name), t(f"compliance.legend.{name}.meaning")) for name, mark in MARKS.items())


def _name(name: str) -> str:
    return t(f"compliance.legend.{name}.name")
