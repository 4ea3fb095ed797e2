"""The summary of a comparison for a terminal."""

from typing import Final

from contract.escaping import visible
from reports.compare import wording as words
from reports.compare.parts import LISTS, Json
from reports.shared.documents import Document
from reports.shared.terminal import Page, padded
from reports.shared.wording import Mark
from reports.text import quantities
from reports.text.fitting import columns, cut
from reports.text.language import t, tn

MAX_CHANGES: Final = 30
"""So many of each list are shown; the page and the document have all."""
MAX_SETTINGS: Final = 12
MAX_ROWS: Final = 100
MATRIX_COLUMNS: Final = 76
"""A matrix that is wider has numbers instead of names."""
_NAME: Final = 24


def comparison_summary(document: Document, colour: bool = False, width: int = 80) -> str:
    """What differs between the runs, for a terminal of `width` columns."""
    page = Page(colour, width)
    _runs(page, document)
    _settings(page, document)
    if document["changes"] is None:
        _matrix(page, document)
        _figures(page, document)
    else:
        for name in LISTS:
            _list(page, document, name)
    page.blank()
    page.wrapped(words.verdict_mark(document), words.sentence(document), bold=True)
    return page.text()


def last_line(document: Document, colour: bool = False, width: int = 80) -> str:
    """The verdict alone, in one sentence."""
    page = Page(colour, width)
    page.wrapped(words.verdict_mark(document), words.sentence(document), bold=True)
    return page.text()


def _runs(page: Page, document: Document) -> None:
    names = [_short(run["name"]) for run in document["runs"]]
    if document["changes"] is None:
        # The matrix may have room for the numbers only.
        names = [f"{number}  {name}" for number, name in enumerate(names, 1)]
    width = max(map(columns, names))
    for run, name in zip(document["runs"], names, strict=True):
        mark = words.run_mark(run)
        when = quantities.moment(run["started"])
        line = f"{padded(name, width)}  {mark.word}, {cut(run['endpoint'], 100)}, {when}"
        page.marked(mark, line)
        for note in words.notes(run):
            page.indented(note)
    page.blank()


def _settings(page: Page, document: Document) -> None:
    found = document["settings"]
    if not found:
        return
    page.wrapped(None, f"{t('compare.set-up')}:", style="dim")
    for one in found[:MAX_SETTINGS]:
        label, values = words.setting(document, one["name"], one["values"])
        page.indented(f"{cut(label, 40)}: {' | '.join(cut(value, 60) for value in values)}")
    if len(found) > MAX_SETTINGS:
        page.indented(tn("compare.more-settings", len(found) - MAX_SETTINGS))
    page.blank()


def _list(page: Page, document: Document, name: str) -> None:
    changes = document["changes"][name]
    if not changes:
        return
    mark = words.list_mark(name)
    page.blank()
    page.wrapped(None, f"{words.list_title(name)} ({quantities.count(len(changes))})", bold=True)
    for change in changes[:MAX_CHANGES]:
        page.wrapped(mark, _line(change))
        for run, side in zip(document["runs"], ("before", "after"), strict=True):
            scenario, why = words.because(change[side])
            if why:
                where = f"{_short(run['name'])}, {cut(scenario, 100)}" if scenario else _short(run["name"])
                page.indented(f"{where}: {cut(why, 300)}")
    if len(changes) > MAX_CHANGES:
        page.marked(None, t("compare.more", more=quantities.count(len(changes) - MAX_CHANGES)))


def _line(change: Json) -> str:
    sides = f"{words.side_text(change, change['before'])} → {words.side_text(change, change['after'])}"
    grown = words.growth(change)
    level = f" {change['level']}" if "level" in change else ""
    aside = "" if change["weighs"] else f"  ({t('compare.no-weight')})"
    return f"{cut(words.change_name(change), 100)}{level}  {sides}{f' ({grown})' if grown else ''}{aside}"


def _matrix(page: Page, document: Document) -> None:
    apart = [row for row in document["requirements"] if words.differs(row)]
    if not apart:
        return
    shown = [(_short(row["id"]), _marks(row, document)) for row in apart[:MAX_ROWS]]
    wide = max(columns(name) for name, _ in shown)
    names = [_short(run["name"]) for run in document["runs"]]
    if wide + sum(columns(name) + 2 for name in names) > MATRIX_COLUMNS:
        names = [str(number) for number in range(1, len(names) + 1)]
    page.raw("  " + page.styled("dim", " " * wide + "".join(f"  {name}" for name in names)))
    for name, marks in shown:
        cells = (_cell(page, mark, columns(heading)) for mark, heading in zip(marks, names, strict=True))
        page.raw(f"  {padded(name, wide)}  {'  '.join(cells)}".rstrip())
    if len(apart) > MAX_ROWS:
        page.marked(None, t("compare.more", more=quantities.count(len(apart) - MAX_ROWS)))
    seen = {mark for row in apart for mark in _marks(row, document) if mark}
    legend = t("compare.comma").join(f"{mark.symbol} {mark.kind}" for mark in sorted(seen, key=lambda one: one.rank))
    page.blank()
    page.wrapped(None, t("compare.matrix.legend", legend=legend), style="dim")


def _marks(row: Json, document: Document) -> list[Mark | None]:
    pairs = zip(row["cells"], document["runs"], strict=True)
    return [cell and words.cell_mark(cell, run["strict"]) for cell, run in pairs]


def _cell(page: Page, mark: Mark | None, width: int) -> str:
    if mark is None:
        return padded(quantities.NOTHING, width)
    return page.styled(mark.tone, mark.symbol) + " " * (width - 1)


def _figures(page: Page, document: Document) -> None:
    for row in document["metrics"]:
        page.wrapped(None, cut(row["name"], 60), bold=True)
        names = [_short(run["name"]) for run in document["runs"]]
        width = max(map(columns, names))
        for name, cell in zip(names, row["cells"], strict=True):
            figures = ("p50", "p95", "p99", "max")
            listed = (
                "  ".join(f"{one} {words.figure(cell[one], cell['unit'])}" for one in figures)
                if cell
                else t("load.nothing-measured")
            )
            page.raw(f"    {padded(name, width)}  {visible(listed)}")
    for row in document["counts"]:
        if row["wrong"] and any(row["values"]):
            listed = " | ".join(words.figure(value) for value in row["values"])
            page.indented(f"{cut(words.count_name(row), 100)}: {listed}")


def _short(name: str) -> str:
    return visible(name if len(name) <= _NAME else f"{name[: _NAME - 1]}…")
