"""The words of a comparison: its verdict, its lists, and both sides of a change."""

from collections.abc import Mapping
from typing import Any, Final

from reports import quantities, wording
from reports.comparison_parts import Json
from reports.documents import Document
from reports.language import tn
from reports.visible import cut
from reports.wording import Mark

TITLES: Final[Mapping[str, str]] = {
    "worse": "Worse",
    "unclear": "Unclear",
    "better": "Better",
    "new": "New",
    "gone": "Gone",
}
MEANINGS: Final[Mapping[str, Mapping[str, str]]] = {
    "conformance": {
        "worse": "It passed, and now it fails or is undecided.",
        "unclear": "It fails in one run and is undecided in the other: nobody knows whether it got better.",
        "better": "It failed or was undecided, and now it passes.",
        "new": "Only the second run knows it.",
        "gone": "Only the first run knows it.",
    },
    "load": {
        "worse": "A percentile, errors or wrong deliveries that grew, a threshold that broke.",
        "unclear": "",
        "better": "A percentile, errors or wrong deliveries that shrank, a threshold that holds again.",
        "new": "Only in the second run.",
        "gone": "Only in the first run.",
    },
}
_MARKS: Final = {
    "worse": Mark("failed", "\N{DOWNWARDS BLACK ARROW}", "compare.mark.worse", 0),
    "unclear": Mark("inconclusive", "?", "compare.mark.unclear", 1),
    "better": Mark("passed", "\N{UPWARDS BLACK ARROW}", "compare.mark.better", 2),
    "new": Mark("untested", "+", "compare.mark.new", 3),
    "gone": Mark("untested", "\N{MINUS SIGN}", "compare.mark.gone", 4),
}
_VERDICTS: Final = {
    "worse": Mark("failed", "\N{DOWNWARDS BLACK ARROW}", "compare.verdict.worse", 0),
    "better": Mark("passed", "\N{UPWARDS BLACK ARROW}", "compare.verdict.better", 6),
    "same": Mark("passed", "=", "compare.verdict.same", 6),
    None: Mark("untested", "\N{IDENTICAL TO}", "compare.verdict.several", 5),
}
_UNCHANGED: Final = {"conformance": "no verdict changed", "load": "nothing changed beyond the tolerance"}
_RULES: Final = {
    "conformance": (
        "Worse is what passed and now fails or is undecided (inconclusive, untested, error). A failure that is "
        "undecided on the other side is unclear. Both weigh in the verdict where the clause is a MUST, or a SHOULD of "
        "a strict run. What only one of the runs knows does not weigh, and a baseline excuses nothing here."
    ),
    "load": (
        "Worse is a p50, p95 or p99 that grew by more than {tolerance} and by more than 1 ms, judged where at least 5 "
        "measurements lie beyond it in both runs; more errors; more lost, duplicated, reordered or misdelivered "
        "deliveries; a threshold that broke; a capacity that shrank by more than {tolerance}; a step of the same "
        "journeys that is not reached any more."
    ),
}


def list_mark(name: str) -> Mark:
    """How the changes of a list are marked."""
    return _MARKS[name]


def verdict_mark(document: Document) -> Mark:
    """How the comparison's verdict is shown."""
    return _VERDICTS[document["verdict"]]


def run_mark(run: Json) -> Mark:
    """How a run's own verdict is shown."""
    return wording.overall_mark(run)


def rule(document: Document) -> str:
    """What counts as worse, in a few sentences."""
    tolerance = document["tolerance"]
    return _RULES[document["kind"]].format(tolerance=percent(tolerance) if tolerance is not None else "")


def percent(share: float) -> str:
    """A share as ``10 %``."""
    return f"{100 * share:.6g} %"


def sentence(document: Document) -> str:
    """The comparison in one sentence."""
    runs = document["runs"]
    if document["changes"] is None:
        return _several(document)
    first, second = (cut(run["name"], 40) for run in runs)
    counts = [(name, len(changes)) for name, changes in document["changes"].items() if changes]
    listed = ", ".join(f"{quantities.count(number)} {name}" for name, number in counts)
    what = {"worse": "is worse than", "better": "is better than", "same": "is no worse than"}[document["verdict"]]
    return f"{second} {what} {first}: {listed or _UNCHANGED[document['kind']]}."


def _several(document: Document) -> str:
    number = len(document["runs"])
    if document["kind"] == "load":
        return f"{number} load tests, {tn('compare.steps', len(document['metrics']))} measured."
    rows = document["requirements"]
    apart = sum(differs(row) for row in rows)
    good = sum(run["verdict"] == "conformant" for run in document["runs"])
    verb = "is" if good == 1 else "are"
    of = tn("compliance.requirements", len(rows))
    return f"{good} of {number} {verb} conformant; they differ in {apart:,} of {of}."


def differs(row: Json) -> bool:
    """Whether a row of the matrix does not have the same verdict in all runs."""
    verdicts = {cell and (cell["verdict"], cell["level"]) for cell in row["cells"]}
    return len({None if one is None else one[0] for one in verdicts}) > 1


def cell_mark(cell: Json, strict: bool) -> Mark:
    """How a cell of the matrix is shown."""
    return wording.mark(cell["verdict"], cell["level"], strict, expected=cell["expected"])


def side_mark(change: Json, side: Json | None, strict: bool) -> Mark | None:
    """How one side of a change is shown; None where it is a plain figure, or not there."""
    if side is None or side["verdict"] is None:
        return None
    if change["kind"] == "requirement":
        return wording.mark(side["verdict"], change["level"], strict, expected=side["expected"])
    return wording.mark(side["verdict"])


def side_text(change: Json, side: Json | None) -> str:
    """One side of a change: a word or a figure, with its unit."""
    if side is None:
        return quantities.NOTHING
    if change["kind"] == "requirement":
        return str(side["verdict"])
    if change["kind"] == "threshold":
        held = "held" if side["verdict"] == "passed" else "breached"
        return f"{held}, {figure(side['value'])}" if side["value"] is not None else held
    if change["kind"] == "run":
        return str(side["verdict"])
    return figure(side["value"], change["unit"])


def figure(value: Any, unit: str = "") -> str:
    """A figure with its unit; whole numbers without digits behind the point."""
    if value is None:
        return quantities.NOTHING
    text = quantities.count(value) if value == int(value) and not unit else quantities.measured(value)
    return f"{text} {cut(unit, 10)}" if unit else text


def growth(change: Json) -> str:
    """By how much a figure changed, where that can be said: ``+12 %``, ``×3.1``."""
    before, after = ((change[side] or {}).get("value") for side in ("before", "after"))
    if change["kind"] in ("requirement", "run") or None in (before, after) or not before:
        return ""
    ratio = after / before
    if ratio >= 2:
        return f"×{quantities.measured(ratio)}"
    return f"{100 * (ratio - 1):+.0f} %".replace("-", "\N{MINUS SIGN}")


def because(side: Json | None) -> tuple[str, str]:
    """(scenario, what was wrong there or why it is undecided); empty where there is nothing to say."""
    if side is None:
        return "", ""
    if side.get("message"):
        return side["scenario"] or "", side["message"]
    return "", side.get("reason") or ""
