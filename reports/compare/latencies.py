"""The latencies of several load tests: their percentiles side by side, and their distributions over each other."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from reports.compare import figures
from reports.compare import wording as words
from reports.compare.parts import Json
from reports.load import distribution
from reports.load.distribution import Distributions
from reports.shared.anchors import Anchors
from reports.shared.documents import Document
from reports.shared.plots import Panel
from reports.shared.wording import Mark
from reports.text import quantities
from reports.text.fitting import cut
from reports.text.language import t

MAX_METRICS: Final = 24
"""So many steps are shown; the document has all."""
FIGURES: Final = (
    ("mean", ""),
    ("p50", "p50"),
    ("p90", "p90"),
    ("p95", "p95"),
    ("p99", "p99"),
    ("p999", "p99.9"),
    ("max", ""),
)
"""Members of a metric with their headings; without one, a word of the language."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A step: its figures in each run, and their distributions drawn over each other where there are any."""

    name: str
    anchor: str
    rows: tuple[tuple[str, ...], ...]
    """(run, count, a cell for each of `FIGURES`)."""
    panel: Panel | None
    drawn: Distributions | None


@dataclass(frozen=True, slots=True)
class Cell:
    """A percentile of a run; marked where it is better or worse than that of the first run."""

    text: str
    growth: str
    mark: Mark | None


@dataclass(frozen=True, slots=True)
class Step:
    """A step's percentiles: for each its name, and a cell for each run."""

    name: str
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]


def headings() -> tuple[str, ...]:
    """The headings of `FIGURES`."""
    return tuple(heading or t(f"load.column.{member}") for member, heading in FIGURES)


def metrics(document: Document, anchors: Anchors) -> tuple[Metric, ...]:
    """The steps of a comparison of load tests, `MAX_METRICS` at most."""
    names = [run["name"] for run in document["runs"]]
    return tuple(_metric(names, row, anchors) for row in document["metrics"][:MAX_METRICS])


def steps(document: Document) -> tuple[Step, ...]:
    """The percentiles that are judged, side by side, of the steps that are shown."""
    return tuple(
        Step(row["name"], tuple(_side_by_side(row, document["tolerance"])))
        for row in document["metrics"][:MAX_METRICS]
        if row["name"] != figures.PERIOD
    )


def _metric(names: Sequence[str], row: Json, anchors: Anchors) -> Metric:
    known = {name: cell for name, cell in zip(names, row["cells"], strict=True) if cell is not None}
    # One unit to an axis: runs of another unit have their figures in the table only.
    unit = next(iter(known.values()))["unit"] if known else ""
    drawn = distribution.build({name: cell for name, cell in known.items() if cell["unit"] == unit})
    panel = replace(drawn.choices[0].panel, title=cut(row["name"], 60)) if drawn else None
    return Metric(
        name=row["name"],
        anchor=anchors.take(f"step-{row['name']}"),
        rows=tuple(_figures(name, cell) for name, cell in zip(names, row["cells"], strict=True)),
        panel=panel,
        drawn=drawn,
    )


def _figures(name: str, cell: Json | None) -> tuple[str, ...]:
    if cell is None:
        return (name, "0", *(quantities.NOTHING for _ in FIGURES))
    cells = (words.figure(cell[member], cell["unit"]) for member, _ in FIGURES)
    return (name, quantities.count(cell["count"]), *cells)


def _side_by_side(row: Json, tolerance: float) -> list[tuple[str, tuple[Cell, ...]]]:
    first = row["cells"][0]
    judged = [dict(figures.judged(first, cell, tolerance)) if first and cell else {} for cell in row["cells"]]
    return [
        (
            name,
            tuple(_cell(first, cell, name, found.get(name)) for cell, found in zip(row["cells"], judged, strict=True)),
        )
        for name in figures.PERCENTILES
    ]


def _cell(first: Json | None, cell: Json | None, name: str, where: str | None) -> Cell:
    if cell is None:
        return Cell(quantities.NOTHING, "", None)
    text = words.figure(cell[name], cell["unit"])
    if first is None or where is None:
        return Cell(text, "", None)
    return Cell(text, words.ratio(first[name], cell[name]), words.list_mark(where))
