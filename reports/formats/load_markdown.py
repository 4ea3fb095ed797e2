"""A load test in GitHub's Markdown: the verdict, what broke and when, thresholds, the ledger, latencies."""

from typing import Final

from reports.load import capacity, generator, phases
from reports.load import findings as load_findings
from reports.load import view as load_view
from reports.load import wording as load_wording
from reports.shared import wording
from reports.shared.documents import Document
from reports.shared.markdown_page import Page, counts, heading, unverified
from reports.text import quantities
from reports.text.language import t, tn
from reports.text.markdown_escaping import NAME_CHARACTERS, code, sentence

MAX_BROKEN: Final = 30
MAX_FINDINGS: Final = 3
"""So many broken clauses, and kinds of findings of each, are listed; more are counted."""

SETTINGS: Final = ("users", "rate", "time_s", "stages", "journeys", "channels")
"""Those that tell what a load test was."""


def load_markdown(document: Document) -> str:
    """The summary of a load document."""
    page = Page()
    heading(page, document, load_wording.load_sentence(document))
    settings = document["settings"]
    facts = [load_view.setting(name, settings[name]) for name in SETTINGS if settings.get(name)]
    if facts:
        page.add(" · ".join(f"{label}: {sentence(value, NAME_CHARACTERS)}" for label, value in facts))
    if not document["complete"]:
        page.marked(wording.mark("failed", "SHOULD"), load_wording.cut_off_sentence(document))
    reason, outcome = load_wording.reason(document), load_wording.outcome_sentence(document)
    if reason:
        page.add(sentence(reason))
    if outcome is not None:
        page.marked(*outcome)
    for doubt in generator.doubts(document):
        page.marked(doubt.mark, doubt.title + doubt.text)
    counts(page, document)
    _broken(page, document)
    unverified(page, document)
    _thresholds(page, document)
    _ledger(page, document)
    if document.get("capacity") is not None:
        mark, found = capacity.sentences(document["capacity"])
        page.marked(mark, t("formats.markdown.capacity", sentence=found))
    _phases(page, document)
    _latencies(page, document)
    _endings(page, document)
    return page.text()


def _broken(page: Page, document: Document) -> None:
    clauses = load_findings.broken(document)
    if clauses:
        page.add(f"#### {t('load.broken')}")
    for one in clauses[:MAX_BROKEN]:
        statement = sentence(wording.statement(one.requirement))
        name, level = sentence(one.requirement["id"], NAME_CHARACTERS), one.clause["level"]
        lines = [f"- {one.mark.symbol} **{name}** {level}: {statement}"]
        lines.append(
            f"  - {' · '.join(filter(None, (load_findings.figures(one.clause), load_findings.when(one.clause))))}"
        )
        lines += [
            f"  - {quantities.count(finding['count'])} × {code(load_findings.found(finding))}"
            for finding in one.clause["findings"][:MAX_FINDINGS]
        ]
        page.add("\n".join(lines))
    if len(clauses) > MAX_BROKEN:
        page.add(tn("formats.markdown.more", len(clauses) - MAX_BROKEN))


def _thresholds(page: Page, document: Document) -> None:
    marks = [load_wording.threshold_mark(one) for one in document["thresholds"]]
    rows = [
        [
            f"{mark.symbol} {load_wording.threshold_word(one)}",
            code(one["metric"], NAME_CHARACTERS),
            code(one["limit"], NAME_CHARACTERS),
            load_wording.threshold_value(one),
        ]
        for mark, one in zip(marks, document["thresholds"], strict=True)
    ]
    page.table([t(f"load.column.{name}") for name in ("verdict", "metric", "limit", "measured")], rows)


def _ledger(page: Page, document: Document) -> None:
    kept = document["delivery"]
    if kept is None:
        return
    page.marked(load_wording.ledger_mark(document), load_wording.ledger_sentence(kept))
    examples = [f"- {code(load_wording.example_sentence(one))}" for one in kept.get("examples", ())]
    if examples:
        page.add("\n".join(examples))


def _phases(page: Page, document: Document) -> None:
    rows = [
        [
            one.name,
            one.time,
            one.users,
            *one.figures,
            quantities.count(one.errors),
            one.owed,
            one.wrong,
            ", ".join((f"{one.mark.symbol} {one.word}", *(sentence(name, NAME_CHARACTERS) for name in one.broken)))
            if one.mark
            else quantities.NOTHING,
        ]
        for one in phases.phases(document)
    ]
    first = [t(f"load.column.{name}") for name in ("phase", "time", "users")]
    last = (t("load.errors"), t("load.ledger.expected.name"), t("load.column.wrong"), t("load.column.broken"))
    page.table([*first, *phases.PERCENTILES, *last], rows, right=1)


def _latencies(page: Page, document: Document) -> None:
    columns = ("p50", "p95", "p99", "p999", "max")
    rows = [
        [
            code(name, 60),
            quantities.count(figures["count"]),
            *(quantities.measured(figures[one]) for one in columns),
            code(figures["unit"], 20),
        ]
        for name, figures in document["metrics"].items()
    ]
    figures = ("p50", "p95", "p99", "p99.9")
    headings = [t(f"load.column.{name}") for name in ("step", "count", "max", "unit")]
    page.table([*headings[:2], *figures, *headings[2:]], rows, right=1)


def _endings(page: Page, document: Document) -> None:
    errors = [[code(message, 300), quantities.count(times)] for message, times in load_view.sorted_errors(document)]
    page.table([t("load.errors"), t("load.column.number")], errors, right=1)
    closes = [
        [code(name, 60), quantities.count(ends), sentence(meaning)]
        for name, meaning, ends in load_view.closes(document)
    ]
    shed = load_findings.shed(document)
    if shed:
        page.add(sentence(shed))
    page.table([t("load.closes"), t("load.column.connections"), t("load.column.meaning")], closes)
