"""Fragment identifiers for whatever ids a contract uses."""

import re
from collections.abc import Mapping
from typing import Any, Final

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_.-]")
_MAX_LENGTH: Final = 80


class Anchors:
    """Hands out each fragment identifier once.

    An id made of letters, digits and ``_.-`` stays as it is, so that ``report.html#ERR-01`` can be
    written by hand; other characters become ``_`` and their code, long ids are cut, and what is
    taken already gets a number.
    """

    def __init__(self, reserved: tuple[str, ...] = ("filter", "overview", "main")) -> None:
        self._taken = set(reserved)

    def take(self, text: str) -> str:
        """A fragment identifier for `text` that nothing else on the page has."""
        safe = _UNSAFE.sub(lambda match: f"_{ord(match.group()):x}", text[:_MAX_LENGTH])
        anchor, number = safe, 2
        while anchor in self._taken:
            anchor, number = f"{safe}~{number}", number + 1
        self._taken.add(anchor)
        return anchor


def of_compliance_page(document: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """The fragment identifiers of a document's requirements and scenarios on its page, by id.

    The page hands out those of the requirements first, then those of the scenarios, in the document's order.
    """
    anchors = Anchors()
    requirements: dict[str, str] = {}
    scenarios: dict[str, str] = {}
    for entry in document["requirements"]:
        requirements.setdefault(entry["id"], anchors.take(entry["id"]))
    for entry in document.get("scenarios", ()):
        scenarios.setdefault(entry["id"], anchors.take(f"scenario-{entry['id']}"))
    return requirements, scenarios
