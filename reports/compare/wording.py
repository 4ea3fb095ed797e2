"""The words of a comparison: its verdict, its lists, and both sides of a change."""

from typing import Any, Final

from reports.compare.parts import Json
from reports.load import findings as load_findings
from reports.load import view as load_view
from reports.shared import wording
from reports.shared.documents import Document
from reports.shared.wording import Mark
from reports.text import quantities
from reports.text.fitting import cut
from reports.text.language import t, tn


def _mark(tone: str, symbol: str, name: str, rank: int) -> Mark:
    return Mark(tone, symbol, f"compare.mark.{name}", rank, f"compare.tally.{name}")


_MARKS: Final = {
    "worse": _mark("failed", "\N{DOWNWARDS BLACK ARROW}", "worse", 0),
    "unclear": _mark("inconclusive", "?", "unclear", 1),
    "better": _mark("passed", "\N{UPWARDS BLACK ARROW}", "better", 2),
    "new": _mark("untested", "+", "new", 3),
    "gone": _mark("untested", "\N{MINUS SIGN}", "gone", 4),
}
_VERDICTS: Final = {
    "worse": Mark("failed", "\N{DOWNWARDS BLACK ARROW}", "compare.verdict.worse", 0),
    "better": Mark("passed", "\N{UPWARDS BLACK ARROW}", "compare.verdict.better", 6),
    "same": Mark("passed", "=", "compare.verdict.same", 6),
    None: Mark("untested", "\N{IDENTICAL TO}", "compare.verdict.several", 5),
}
_SETTINGS: Final = frozenset(("tool", "contract", "strict", "thresholds"))


def list_mark(name: str) -> Mark:
    """How the changes of a list are marked."""
    return _MARKS[name]


def list_title(name: str) -> str:
    """What a list of changes is called."""
    return t(f"compare.list.{name}")


def list_meaning(document: Document, name: str) -> str:
    """What stands in a list of changes."""
    return t(f"compare.meaning.{document['kind']}.{name}")


def verdict_mark(document: Document) -> Mark:
    """How the comparison's verdict is shown."""
    return _VERDICTS[document["verdict"]]


def run_mark(run: Json) -> Mark:
    """How a run's own verdict is shown."""
    return wording.overall_mark(run)


def notes(run: Json) -> tuple[str, ...]:
    """What to know of a run before it is compared."""
    return tuple(_note(note["kind"], note["detail"]) for note in run["notes"])


def _note(kind: str, detail: str | None) -> str:
    what = t(f"compare.note.{kind}")
    return t("compare.note", what=what, detail=detail) if detail else what


def change_name(change: Json) -> str:
    """What a change is of: a requirement, a figure, a threshold."""
    kind, name = change["kind"], change["name"]
    if kind == "delivery":
        return t(f"load.ledger.{name}.name")
    if kind == "capacity":
        return t("compare.name.capacity", unit=t(f"load.capacity.unit.{name}"))
    if kind in ("measured", "ledger", "run", "errors"):
        return t(f"compare.name.{kind}", name=name)
    return str(name)


def count_name(row: Json) -> str:
    """What a row of counts is of."""
    if row["kind"] == "error":
        return t("compare.name.error", name=row["name"])
    return t("compare.name.errors") if row["kind"] == "errors" else t(f"load.ledger.{row['name']}.name")


def setting(document: Document, name: str, values: list[Any]) -> tuple[str, tuple[str, ...]]:
    """A setting that differs: what it is called, and its value in each run."""
    if document["kind"] == "load" and name not in _SETTINGS:
        pairs = [load_view.setting(name, value) for value in values]
        return pairs[0][0], tuple(text for _, text in pairs)
    label = t(f"compare.setting.{name}") if name in _SETTINGS else wording.setting_name(name)
    return label, tuple(wording.setting_value(name, value) for value in values)


def rule(document: Document) -> str:
    """What counts as worse, in a few sentences."""
    tolerance = document["tolerance"]
    return t(f"compare.rule.{document['kind']}", tolerance="" if tolerance is None else percent(tolerance))


def percent(share: float) -> str:
    """A share as ``10 %``."""
    return f"{100 * share:.6g} %"


def sentence(document: Document) -> str:
    """The comparison in one sentence."""
    if document["changes"] is None:
        return _several(document)
    first, second = (cut(run["name"], 40) for run in document["runs"])
    counted = [_MARKS[name].counted(len(changes)) for name, changes in document["changes"].items() if changes]
    what = t("compare.comma").join(counted) or t(f"compare.unchanged.{document['kind']}")
    return t(f"compare.sentence.{document['verdict']}", first=first, second=second, what=what)


def _several(document: Document) -> str:
    number = len(document["runs"])
    good = sum(run["verdict"] == "conformant" for run in document["runs"])
    if document["kind"] == "load":
        return tn("compare.several.load", good, all=number, steps=tn("compare.steps", len(document["metrics"])))
    rows = document["requirements"]
    apart = quantities.count(sum(differs(row) for row in rows))
    of = tn("compliance.requirements", len(rows))
    return tn("compare.several.conformance", good, all=number, apart=apart, of=of)


def differs(row: Json) -> bool:
    """Whether a row of the matrix does not have the same verdict in all runs."""
    return len({cell and cell["verdict"] for cell in row["cells"]}) > 1


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
    if change["kind"] in ("requirement", "run"):
        return t(f"common.mark.{side['verdict']}")
    if change["kind"] == "threshold":
        held = t({"passed": "load.held", "failed": "load.breached"}.get(side["verdict"], "load.ledger.undecided.name"))
        return t("compare.threshold", verdict=held, value=figure(side["value"])) if side["value"] is not None else held
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
    if change["kind"] in ("requirement", "run") or before is None or after is None:
        return ""
    return ratio(before, after)


def ratio(before: float, after: float) -> str:
    """By how much a figure grew or shrank; empty where it was nothing."""
    if not before:
        return ""
    times = after / before
    if times >= 2:
        return f"×{quantities.measured(times)}"
    return f"{100 * (times - 1):+.0f} %".replace("-", "\N{MINUS SIGN}")


def because(side: Json | None) -> tuple[str, str]:
    """(scenario, what was wrong there or why it is undecided); empty where there is nothing to say."""
    if side is None:
        return "", ""
    if side.get("message"):
        figures = f"{load_findings.figures(side)}: " if side.get("failed") else ""
        return side["scenario"] or "", f"{figures}{side['message']}"
    return "", side.get("reason") or ""
