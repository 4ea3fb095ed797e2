"""A comparison in GitHub's Markdown, for the summary page of a CI job or a comment."""

from typing import Final

from reports.compare import wording as words
from reports.compare.latencies import Cell, steps
from reports.compare.parts import LISTS, Json
from reports.shared.documents import Document
from reports.shared.markdown_page import Page
from reports.shared.wording import statement
from reports.text import quantities
from reports.text.language import t, tn
from reports.text.markdown_escaping import NAME_CHARACTERS, code, sentence

MAX_CHANGES: Final = 30
"""So many of each list are told; more are counted."""


def comparison_markdown(document: Document) -> str:
    """The summary of a comparison document."""
    page = Page()
    page.marked(words.verdict_mark(document), words.sentence(document), "### ")
    _runs(page, document)
    _settings(page, document)
    if document["changes"] is None:
        _matrix(page, document)
        _percentiles(page, document)
    else:
        for name in LISTS:
            _list(page, document, name)
    return page.text()


def _runs(page: Page, document: Document) -> None:
    lines = []
    for run in document["runs"]:
        mark = words.run_mark(run)
        facts = (f"{mark.symbol} {mark.word}", code(run["endpoint"], 300), quantities.moment(run["started"]))
        lines.append(f"- **{sentence(run['name'], NAME_CHARACTERS)}**: {' · '.join(facts)}")
        lines += [f"  - {sentence(note)}" for note in words.notes(run)]
    page.add("\n".join(lines))


def _settings(page: Page, document: Document) -> None:
    found = [words.setting(document, one["name"], one["values"]) for one in document["settings"]]
    rows = [[code(one, NAME_CHARACTERS) for one in (label, *values)] for label, values in found]
    page.table([t("compare.set-up"), *_names(document)], rows)


def _names(document: Document) -> list[str]:
    return [sentence(run["name"], NAME_CHARACTERS) for run in document["runs"]]


def _list(page: Page, document: Document, name: str) -> None:
    changes = document["changes"][name]
    if not changes:
        return
    page.add(f"#### {words.list_title(name)} ({quantities.count(len(changes))})")
    page.add("\n".join(_change(change, document, name) for change in changes[:MAX_CHANGES]))
    if len(changes) > MAX_CHANGES:
        page.add(tn("formats.markdown.more", len(changes) - MAX_CHANGES))


def _change(change: Json, document: Document, name: str) -> str:
    level = f" {change['level']}" if "level" in change else ""
    sides = " → ".join(_side(change, change[side]) for side in ("before", "after"))
    grown = words.growth(change)
    told = f": {sentence(statement(change))}" if "statement" in change else ""
    aside = "" if change["weighs"] else f" ({t('compare.no-weight')})"
    figures = f"{sides}{f' ({grown})' if grown else ''}"
    what = words.change_name(change)
    formula = change["kind"] in ("latency", "threshold")
    shown = code(what, NAME_CHARACTERS) if formula else f"**{sentence(what, NAME_CHARACTERS)}**"
    lines = [f"- {words.list_mark(name).symbol} {shown}{level} {figures}{aside}{told}"]
    for run, side in zip(document["runs"], ("before", "after"), strict=True):
        scenario, why = words.because(change[side])
        if why:
            where = f" {code(scenario, NAME_CHARACTERS)}" if scenario else ""
            lines.append(f"  - {sentence(run['name'], NAME_CHARACTERS)}{where}: {code(why)}")
    return "\n".join(lines)


def _side(change: Json, side: Json | None) -> str:
    text = words.side_text(change, side)
    # A figure has a unit, which is the document's.
    return code(text, NAME_CHARACTERS) if side is not None and side["verdict"] is None else text


def _matrix(page: Page, document: Document) -> None:
    rows = [
        [code(row["id"], NAME_CHARACTERS), *map(_cell, row["cells"], document["runs"])]
        for row in document["requirements"]
        if words.differs(row)
    ]
    page.table([t("compare.requirement"), *_names(document)], rows)


def _cell(cell: Json | None, run: Json) -> str:
    if cell is None:
        return quantities.NOTHING
    mark = words.cell_mark(cell, run["strict"])
    return f"{mark.symbol} {mark.kind}"


def _figure(cell: Cell) -> str:
    return f"{code(cell.text)} {cell.mark.symbol} {cell.growth}" if cell.mark else code(cell.text)


def _percentiles(page: Page, document: Document) -> None:
    rows = [[code(step.name, 60), name, *map(_figure, cells)] for step in steps(document) for name, cells in step.rows]
    page.table([t("load.column.step"), t("load.column.percentile"), *_names(document)], rows, right=2)
    counted = [
        [sentence(words.count_name(row), NAME_CHARACTERS), *(words.figure(value) for value in row["values"])]
        for row in document["counts"]
    ]
    page.table([t("compare.counts"), *_names(document)], counted, right=1)
