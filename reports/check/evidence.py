"""How much of what happened has room on one page: failures first, and in full as far as that goes.

A page that holds everything would take a minute to open after a long run. So each scenario takes what its evidence
costs out of the page's room, those that matter most before the others; what no longer fits stands in the results
file, and the page says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from reports.check.diagram import Diagram, diagram
from reports.check.transcript import Transcript, brief, shortened

PAGE_BYTES: Final = 4_300_000
"""What a page may take, roughly, in UTF-8; the rest up to 5 MB is for what is not reckoned below."""
LEAST_BYTES: Final = 400_000
"""What is left for evidence however many scenarios there are."""
PASSED_BYTES: Final = 2_000_000
"""What the transcripts of scenarios that did not fail may take of it."""
MANY: Final = 1_500
"""Scenarios beyond which a page tells of most in one row each."""
FULL: Final = 150
"""So many scenarios that failed are told in full even then."""
OPEN_DIAGRAMS: Final = 30
"""Diagrams of failed scenarios that are open from the start; more would bury the rest."""
MAX_DIAGRAMS: Final = 60
"""Failed scenarios that have a diagram, those that matter most; of the others the transcript tells."""

_ARTICLE: Final = 1_500
_FAILURE: Final = 1_500
_LINE: Final = 380
_REQUIREMENT: Final = 8_000
_DRAWN_ROW: Final = 500
_EVENT: Final = 100
"""What each of these takes beside the data of the endpoint (bytes)."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the page shows of one scenario. `row`: all of it in one row; `cut`: its failures shortened."""

    row: bool
    cut: bool
    transcript: Transcript | None
    diagram: Diagram | None
    is_open: bool


def evidence(document: Mapping[str, Any], ranks: Sequence[int]) -> list[Evidence]:
    """What there is room for of each scenario of a results document; the lower its rank, the sooner."""
    scenarios = document["scenarios"]
    # Of the same rank, one that holds something to look at comes first.
    ordered = sorted(range(len(scenarios)), key=lambda one: (ranks[one], not scenarios[one].get("unconfirmed")))
    room = _Room(len(scenarios), len(document["requirements"]))
    found: dict[int, Evidence] = {}
    for place, index in enumerate(ordered):
        entry = scenarios[index]
        unconfirmed = entry.get("unconfirmed", [])
        wrong = [*entry["failures"], *unconfirmed]
        failed = entry["verdict"] == "failed" or bool(unconfirmed)
        row = len(scenarios) > MANY and not (failed and place < FULL)
        if row:
            found[index] = Evidence(True, True, None, None, False)
            continue
        drawn = None
        if failed and place < MAX_DIAGRAMS:
            drawn = diagram(entry["transcript"], entry["failures"], unconfirmed)
        room.spend(_FAILURE * len(wrong) + (_DRAWN_ROW * len(drawn.rows) if drawn else 0))
        fits = room.take(sum(_bytes(one["expected"]) + _bytes(one["received"]) for one in wrong))
        found[index] = Evidence(False, not fits, room.transcript(entry, failed), drawn, place < OPEN_DIAGRAMS)
    return [found[index] for index in range(len(scenarios))]


class _Room:
    """The room that is left on a page."""

    def __init__(self, scenarios: int, requirements: int) -> None:
        rows = max(scenarios - FULL, 0) if scenarios > MANY else 0
        fixed = rows * _LINE + (scenarios - rows) * _ARTICLE + requirements * _REQUIREMENT
        self.left = max(PAGE_BYTES - fixed, LEAST_BYTES)
        self.passed = PASSED_BYTES

    def spend(self, cost: int) -> None:
        self.left -= cost

    def take(self, cost: int) -> bool:
        """Whether there is so much room, which is then taken."""
        if cost > self.left:
            return False
        self.left -= cost
        return True

    def transcript(self, entry: Mapping[str, Any], failed: bool) -> Transcript | None:
        """A scenario's transcript, if there is room for it."""
        shown = shortened(entry["transcript"]) if failed else brief(entry["transcript"])
        cost = sum(_EVENT + _bytes(happening.data) for happening in (*shown.head, *shown.tail))
        if (not failed and cost > self.passed) or not self.take(cost):
            return None
        self.passed -= 0 if failed else cost
        return shown


def _bytes(text: str | None) -> int:
    return len((text or "").encode("utf-8", "surrogatepass"))
