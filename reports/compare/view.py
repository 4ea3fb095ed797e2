"""A comparison document as its page shows it: lists, the matrix, and distributions over each other."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from reports.compare import wording as words
from reports.compare.latencies import Metric, Step, headings, metrics, steps
from reports.compare.parts import LISTS, Json
from reports.shared import wording
from reports.shared.anchors import Anchors
from reports.shared.documents import Document
from reports.shared.wording import Mark

MAX_CELLS: Final = 12_000
MAX_CHANGES: Final = 500
MAX_SETTINGS: Final = 100
"""So many cells of the matrix (what differs first), changes of a list and settings are shown; the document has all."""

_PARTS: Final = {
    "latency": "#latency",
    "measured": "#latency",
    "ledger": "#delivery",
    "errors": "#errors",
    "delivery": "#delivery",
    "threshold": "#thresholds",
    "capacity": "#capacity",
}
"""Where a run's own page tells of a figure, by its kind."""


@dataclass(frozen=True, slots=True)
class Run:
    source: Json
    mark: Mark
    notes: tuple[str, ...]
    tallies: tuple[tuple[Mark, int], ...]
    """How many requirements of the matrix have which mark, the worst first."""


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a change: its mark where it has a verdict, its text, where its own report tells of it, and why."""

    mark: Mark | None
    text: str
    link: str | None
    scenario: str
    why: str


@dataclass(frozen=True, slots=True)
class Change:
    source: Json
    name: str
    before: Side
    after: Side
    growth: str


@dataclass(frozen=True, slots=True)
class Listed:
    """One list of changes: what got worse, better and so on."""

    anchor: str
    title: str
    meaning: str
    mark: Mark
    number: int
    changes: tuple[Change, ...]
    """The first of them, `MAX_CHANGES` at most."""


@dataclass(frozen=True, slots=True)
class Cell:
    mark: Mark
    word: str
    link: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Row:
    source: Json
    differs: bool
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True, slots=True)
class Section:
    id: str
    title: str
    differs: bool
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything on the comparison's page that is not in the document as it stands."""

    mark: Mark
    sentence: str
    rule: str
    runs: tuple[Run, ...]
    lists: tuple[Listed, ...]
    legend: tuple[Mark, ...]
    sections: tuple[Section, ...]
    differing: int
    rows_left_out: int
    figures: tuple[str, ...]
    steps: tuple[Step, ...]
    metrics: tuple[Metric, ...]
    metrics_left_out: int
    anchors: Mapping[str, str]
    """Where the page tells more of a step, by its name."""
    counts: tuple[tuple[str, bool, tuple[str, ...]], ...]
    settings: tuple[tuple[str, tuple[str, ...]], ...]


def build(document: Document) -> Comparison:
    """The view of a comparison document."""
    anchors = Anchors(("main", "lists", "matrix", "percentiles", "distributions", "counts", "settings", "different"))
    rows = _shown_rows(document)
    shown = metrics(document, anchors)
    return Comparison(
        mark=words.verdict_mark(document),
        sentence=words.sentence(document),
        rule=words.rule(document),
        runs=_runs(document),
        lists=_lists(document),
        legend=_legend(document),
        sections=_sections(rows, document["runs"]),
        differing=sum(words.differs(row) for row in document["requirements"]),
        rows_left_out=len(document["requirements"]) - len(rows),
        figures=headings(),
        steps=steps(document),
        metrics=shown,
        anchors={metric.name: metric.anchor for metric in shown},
        metrics_left_out=len(document["metrics"]) - len(shown),
        counts=tuple(
            (words.count_name(row), row["wrong"], tuple(words.figure(value) for value in row["values"]))
            for row in document["counts"]
        ),
        settings=tuple(
            words.setting(document, one["name"], one["values"]) for one in document["settings"][:MAX_SETTINGS]
        ),
    )


def _runs(document: Document) -> tuple[Run, ...]:
    found = []
    for index, run in enumerate(document["runs"]):
        cells = (row["cells"][index] for row in document["requirements"])
        numbers = Counter(words.cell_mark(cell, run["strict"]) for cell in cells if cell is not None)
        ordered = sorted(numbers.items(), key=lambda item: item[0].rank)
        found.append(Run(run, words.run_mark(run), words.notes(run), tuple(ordered)))
    return tuple(found)


def _lists(document: Document) -> tuple[Listed, ...]:
    if document["changes"] is None:
        return ()
    return tuple(
        Listed(
            f"list-{name}",
            words.list_title(name),
            words.list_meaning(document, name),
            words.list_mark(name),
            len(document["changes"][name]),
            tuple(_change(change, document["runs"]) for change in document["changes"][name][:MAX_CHANGES]),
        )
        for name in LISTS
        if document["changes"][name] or name in ("worse", "better")
    )


def _change(change: Json, runs: Sequence[Json]) -> Change:
    sides = []
    for side, run in zip((change["before"], change["after"]), runs, strict=True):
        scenario, why = words.because(side)
        mark = words.side_mark(change, side, run["strict"])
        sides.append(Side(mark, words.side_text(change, side), _link(change, side, run["page"]), scenario, why))
    return Change(change, words.change_name(change), sides[0], sides[1], words.growth(change))


def _link(change: Json, side: Json | None, page: str | None) -> str | None:
    if side is None or page is None:
        return None
    return side["link"] if change["kind"] == "requirement" else page + _PARTS.get(change["kind"], "")


def _shown_rows(document: Document) -> list[Json]:
    """The rows of the matrix, in their order; where there are too many, those that differ are shown first."""
    every = document["requirements"]
    room = MAX_CELLS // len(document["runs"])
    if len(every) <= room:
        return list(every)
    chosen = sorted(range(len(every)), key=lambda index: not words.differs(every[index]))[:room]
    return [every[index] for index in sorted(chosen)]


def _sections(shown: Sequence[Json], runs: Sequence[Json]) -> tuple[Section, ...]:
    found: dict[str, list[Json]] = {}
    for row in shown:
        found.setdefault(row["section"], []).append(row)
    sections = []
    for name, listed in found.items():
        rows = tuple(_row(row, runs) for row in listed)
        sections.append(Section(name, wording.section_title(listed[0]), any(row.differs for row in rows), rows))
    return tuple(sections)


def _row(row: Json, runs: Sequence[Json]) -> Row:
    cells = tuple(cell and _cell(cell, run["strict"]) for cell, run in zip(row["cells"], runs, strict=True))
    return Row(row, words.differs(row), cells)


def _cell(cell: Json, strict: bool) -> Cell:
    mark = words.cell_mark(cell, strict)
    return Cell(mark, mark.kind, cell["link"], cell["reason"] or "")


def _legend(document: Document) -> tuple[Mark, ...]:
    marks = {
        words.cell_mark(cell, run["strict"])
        for row in document["requirements"]
        for cell, run in zip(row["cells"], document["runs"], strict=True)
        if cell is not None
    }
    return tuple(sorted(marks, key=lambda mark: mark.rank))
