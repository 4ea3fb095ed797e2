"""The summary of a load test for a terminal."""

from typing import Final

from contract.escaping import visible
from reports.load import capacity, generator, phases
from reports.load import findings as load_findings
from reports.load import view as load_view
from reports.load import wording as load_wording
from reports.shared import wording
from reports.shared.documents import Document
from reports.shared.terminal import Page, padded, right, unverified
from reports.text import quantities
from reports.text.fitting import columns, cut
from reports.text.language import t, tn

MAX_ERRORS: Final = 30
MAX_EXAMPLES: Final = 3
MAX_BROKEN: Final = 30
MAX_PHASES: Final = 30
"""Kinds of error, examples of what went wrong, broken clauses and phases that are shown; the page has more."""

MAX_IDS: Final = 3
"""Requirements that were broken in a phase."""

_FIGURES: Final = (("p50", "p50"), ("p95", "p95"), ("p99", "p99"), ("p999", "p99.9"), ("max", "max"))


def load_summary(document: Document, colour: bool = False, width: int = 80) -> str:
    """What a load test measured, for a terminal of `width` columns."""
    page = Page(colour, width)
    page.heading(document)
    _latencies(page, document)
    _phases(page, document)
    _ledger(page, document)
    _endings(page, document)
    _capacity(page, document)
    _thresholds(page, document)
    _requirements(page, document)
    for doubt in generator.doubts(document):
        page.wrapped(doubt.mark, doubt.title + doubt.text)
    if not document["complete"]:
        page.wrapped(wording.mark("failed", "SHOULD"), load_wording.cut_off_sentence(document))
    built_in = wording.built_in_sentence(document)
    if built_in is not None:
        page.wrapped(wording.mark("inconclusive"), built_in)
    page.wrapped(wording.overall_mark(document), load_wording.load_sentence(document), bold=True)
    reason, outcome = load_wording.reason(document), load_wording.outcome_sentence(document)
    if reason:
        page.indented(cut(reason, 300))
    if outcome is not None:
        page.wrapped(*outcome, bold=True)
    return page.text()


def _latencies(page: Page, document: Document) -> None:
    names = {name: visible(cut(name, 30)) for name in document["metrics"]}
    width = max(map(columns, names.values()), default=0)
    if names:
        headings = (t("load.column.count"), *(heading for _, heading in _FIGURES))
        page.raw(page.styled("dim", f"  {' ' * width}" + "".join(right(heading, 10) for heading in headings)))
    for name, metric in document["metrics"].items():
        values = [quantities.count(metric["count"])]
        values += [quantities.measured(metric[member]) for member, _ in _FIGURES]
        cells = "".join(f"{value:>10}" for value in values)
        page.raw(f"  {padded(names[name], width)}{cells} {visible(cut(metric['unit'], 10))}")
    page.blank()


def _phases(page: Page, document: Document) -> None:
    found = phases.phases(document)
    if not found:
        return
    names = [t("load.column.phase"), *(phase.name for phase in found)]
    width = max(map(columns, names))
    headings = (*(t(f"load.column.{name}") for name in ("time", "users")), *phases.PERCENTILES, t("load.errors"))
    page.raw(page.styled("dim", f"  {padded(names[0], width)}{_across(*headings, t('load.phase.wrong'))}"))
    for phase in found[:MAX_PHASES]:
        cells = (phase.time, phase.users, *phase.figures, quantities.count(phase.errors), phase.wrong)
        broken = f"  {', '.join(phase.broken[:MAX_IDS])}" if phase.broken else ""
        page.marked(phase.mark, f"{padded(phase.name, width)}{_across(*cells)}{broken}")
    if len(found) > MAX_PHASES:
        page.marked(None, tn("load.phases.more", len(found) - MAX_PHASES))
    page.blank()


def _across(*cells: str) -> str:
    """A row of the table of phases."""
    return "".join(right(cell, size) for cell, size in zip(cells, (10, 16, 8, 8, 8, 8, 8), strict=True))


def _ledger(page: Page, document: Document) -> None:
    kept = document["delivery"]
    if kept is None:
        return
    page.wrapped(load_wording.ledger_mark(document), load_wording.ledger_sentence(kept))
    examples = kept.get("examples", ())
    for example in examples[:MAX_EXAMPLES]:
        page.indented(load_wording.example_sentence(example))
    if len(examples) > MAX_EXAMPLES:
        page.indented(tn("load.text.more-examples", len(examples) - MAX_EXAMPLES))
    page.blank()


def _endings(page: Page, document: Document) -> None:
    for code, meaning, ends in load_view.closes(document):
        page.marked(None, f"{t('load.text.closed', code=cut(code, 20))}: {quantities.count(ends)}  {meaning}")
    errors = load_view.sorted_errors(document)
    for message, times in errors[:MAX_ERRORS]:
        line = f"{quantities.count(times)} × {cut(message, 300)}"
        page.wrapped(load_view.verdict_mark(False), line)
    if len(errors) > MAX_ERRORS:
        page.marked(None, tn("load.text.more-errors", len(errors) - MAX_ERRORS))
    shed = load_findings.shed(document)
    if shed:
        page.wrapped(None, shed)
    page.blank()


def _thresholds(page: Page, document: Document) -> None:
    for threshold in document["thresholds"]:
        value = load_wording.threshold_value(threshold)
        line = t("load.breach", metric=cut(threshold["metric"], 60), value=value, limit=cut(threshold["limit"], 40))
        aside = f": {load_wording.threshold_word(threshold)}" if threshold["passed"] is None else ""
        page.wrapped(load_wording.threshold_mark(threshold), f"{line}{aside}")
    page.blank()


def _requirements(page: Page, document: Document) -> None:
    clauses = load_findings.broken(document)
    for one in clauses[:MAX_BROKEN]:
        page.wrapped(one.mark, f"{one.name}  {load_findings.sentence(one)}", bold=True)
        page.indented(cut(wording.statement(one.requirement), 300))
        for line in load_findings.others(one)[:MAX_EXAMPLES]:
            page.indented(line)
    if len(clauses) > MAX_BROKEN:
        page.marked(None, tn("compliance.text.more-clauses", len(clauses) - MAX_BROKEN))
    if clauses:
        page.blank()
    unverified(page, document)
    page.blank()


def _capacity(page: Page, document: Document) -> None:
    found = capacity.build(document)
    if found is None:
        return
    if found.rows:
        headings = (("p50", 10), ("p95", 10), ("p99", 10), (t("load.column.trips"), 15))
        page.raw(
            page.styled("dim", f"  {right(found.short, 12)}" + "".join(right(name, wide) for name, wide in headings))
        )
    for row in found.rows:
        figures = [quantities.measured(row.source[name]) for name in ("p50", "p95", "p99")]
        cells = "".join(f"{figure:>10}" for figure in figures) + f"{quantities.measured(row.source['throughput']):>15}"
        page.marked(row.mark, f"{row.load:>12}{cells}  {row.at}")
    page.wrapped(found.mark, f"{t('load.capacity')}: {found.sentence}", bold=True)
    page.blank()
