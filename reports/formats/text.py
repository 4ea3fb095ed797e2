"""The summary of a conformance run for a terminal."""

from collections.abc import Mapping
from typing import Any, Final

from contract.escaping import visible
from reports.check import baselines
from reports.formats.load_text import load_summary
from reports.shared import outages, selection, wording
from reports.shared.documents import Document
from reports.shared.failures import Failure, blocks
from reports.shared.terminal import Page, padded, unverified
from reports.shared.wording import Mark
from reports.text.fitting import columns, cut
from reports.text.language import t, tn

MAX_BLOCKS: Final = 30
MAX_CLAUSES: Final = 8
MAX_FAILURES: Final = 3
"""Blocks of failures that are shown, and clauses and failures of each; more are only counted."""
MAX_OBSERVATIONS: Final = 12
"""Things that are shown of those that were seen and not judged."""
STATEMENT_CHARACTERS: Final = 1_000
"""A requirement's statement is cut after these; all of the bundled ones are shorter."""

__all__ = ["load_summary", "summary"]

Json = Mapping[str, Any]


def summary(document: Document, colour: bool = False, width: int = 80) -> str:
    """What a conformance run found, for a terminal of `width` columns."""
    page = Page(colour, width)
    page.heading(document)
    _sections(page, document)
    _failures(page, document)
    unverified(page, document)
    unselected = wording.unselected_sentence(document)
    if unselected:
        page.wrapped(wording.mark("untested"), unselected)
    _baseline(page, document)
    page.blank()
    _observations(page, document)
    generated = wording.generated_sentence(document)
    if generated:
        page.wrapped(None, generated)
    warning = wording.warning_sentence(document)
    if warning:
        page.wrapped(wording.mark("failed", "SHOULD"), warning)
    if not document["complete"]:
        page.wrapped(wording.mark("failed", "SHOULD"), wording.cut_off_sentence(document))
    built_in = wording.built_in_sentence(document)
    if built_in is not None:
        page.wrapped(wording.mark("inconclusive"), built_in)
    _outages(page, document)
    for mark, hint in wording.hints(document):
        page.wrapped(mark, hint)
    page.wrapped(wording.overall_mark(document), wording.verdict_sentence(document), bold=True)
    outcome = wording.outcome_sentence(document)
    if outcome is not None:
        page.wrapped(*outcome, bold=True)
    return page.text()


def _sections(page: Page, document: Document) -> None:
    titles: dict[str, str] = {}
    marks: dict[str, list[Mark]] = {}
    for entry in selection.counted(document):
        titles.setdefault(entry["section"], wording.section_title(entry))
        mark = wording.mark_of(entry, document["strict"])
        marks.setdefault(entry["section"], []).append(mark)
    ids = {section: visible(cut(section, 20)) for section in titles}
    names = {section: visible(cut(title, 40)) for section, title in titles.items()}
    id_width = max(map(columns, ids.values()), default=0)
    name_width = max(map(columns, names.values()), default=0)
    for section, found in marks.items():
        counts = ", ".join(
            page.styled(mark.tone, f"{mark.symbol} {mark.counted(found.count(mark))}")
            for mark in sorted(set(found), key=lambda mark: mark.rank)
        )
        start = f"{padded(ids[section], id_width)}  {padded(names[section], name_width)}"
        page.raw(f"  {start}  {counts}")
    page.blank()


def _failures(page: Page, document: Document) -> None:
    strict = document["strict"]
    statements = {entry["id"]: wording.statement(entry) for entry in document["requirements"]}
    found = blocks(document)
    for block in found[:MAX_BLOCKS]:
        for name, level in block.clauses[:MAX_CLAUSES]:
            line = f"{cut(name, 40)} {level}  {cut(statements.get(name, ''), STATEMENT_CHARACTERS)}"
            page.wrapped(wording.mark("failed", level, strict), line, bold=True)
        if len(block.clauses) > MAX_CLAUSES:
            page.marked(None, tn("compliance.text.more-clauses", len(block.clauses) - MAX_CLAUSES))
        for scenario, failure in block.failures[:MAX_FAILURES]:
            _failure(page, scenario, failure)
        if len(block.failures) > MAX_FAILURES:
            page.marked(None, f"  {tn('compliance.text.more-failures', len(block.failures) - MAX_FAILURES)}")
        page.blank()
    if len(found) > MAX_BLOCKS:
        left = {name for block in found[MAX_BLOCKS:] for name, _ in block.clauses}
        page.marked(None, tn("compliance.text.more-requirements", len(left)))
        page.blank()


def _failure(page: Page, scenario: Json, found: Failure) -> None:
    failure = found.source
    page.labelled(t("compliance.text.scenario"), ", ".join((scenario["id"], found.where, *found.actors)))
    page.labelled(t("compliance.text.because"), failure["message"])
    expected, received = t("compliance.text.expected"), t("compliance.text.received")
    if failure["expected"] is not None:
        page.labelled(expected, failure["expected"] or t("common.empty"))
    if failure["received"] is not None:
        page.labelled(received, failure["received"] or t("common.empty"))
    elif failure["expected"] is not None:
        page.labelled(received, t("common.nothing"))
    if found.more:
        page.labelled("", tn("compliance.found-again", found.more))


def _observations(page: Page, document: Document) -> None:
    found = wording.observations(document)
    if not found:
        return
    page.wrapped(None, t("compliance.observed"), bold=True)
    for what, seen in found[:MAX_OBSERVATIONS]:
        page.indented(f"{what}: {seen}")
    if len(found) > MAX_OBSERVATIONS:
        page.indented(tn("formats.markdown.more", len(found) - MAX_OBSERVATIONS))
    page.blank()


def _outages(page: Page, document: Document) -> None:
    for outage in outages.outages(document):
        page.wrapped(outage.mark, outage.text)
    more = outages.not_told(document)
    if more:
        page.wrapped(None, more)


def _baseline(page: Page, document: Document) -> None:
    for mark, entry, what in baselines.baseline_lines(document):
        if mark.tone == "untested":
            continue
        name = cut(baselines.listed_name(entry), 100)
        page.wrapped(mark, f"{name} {what}: {cut(entry['reason'], 300)}")
