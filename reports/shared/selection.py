"""What a run had selected, where it had not everything.

A requirement that no selected scenario verifies, and that nothing decided all the same, is no gap of the run: it is
neither counted nor listed among what was not verified.
"""

from collections.abc import Mapping
from typing import Any, Final

from reports.shared.documents import Document

_DECIDED: Final = ("passed", "failed")
_CHOICES: Final = ("selection", "deselection", "only_scenarios")
"""Settings that name a part of the scenarios."""

Json = Mapping[str, Any]


def left_out(requirement: Json) -> bool:
    """Whether a requirement was not selected, and nothing was found out about it."""
    return requirement.get("selected") is False and requirement["verdict"] not in _DECIDED


def counted(document: Document) -> list[Json]:
    """The requirements that the run is about."""
    return [one for one in document["requirements"] if not left_out(one)]


def narrowed(document: Document) -> bool:
    """Whether the user asked for a part, as far as the document says.

    A requirement without a scenario is no sign of that: a contract may have none for it.
    """
    told = any("selected" in one for one in document["requirements"])
    return told and any(document["settings"].get(name) for name in _CHOICES)
