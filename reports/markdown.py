"""A summary in GitHub's Markdown, for the summary page of a CI job or a comment.

Short: the verdict, the counts, what failed with what was expected and what came, and what was not verified and why. It
stays below `MAX_BYTES`, since GitHub shows nothing at all of a step's summary beyond 1 MiB.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from contract.formats import LOAD
from reports import capacity, generator, load_findings, load_view, load_wording, outages, phases, quantities, wording
from reports.commands import short_repeating, variables
from reports.documents import Document
from reports.failures import Block, blocks
from reports.inert import NAME_CHARACTERS, cell, code, sentence
from reports.language import t, tn
from reports.unverified import unverified_groups
from reports.wording import Mark

MAX_BYTES: Final = 500_000
"""A summary is no larger, so that a step has room for two."""
MAX_FAILURES: Final = 30
MAX_FINDINGS: Final = 3
MAX_REASONS: Final = 30
MAX_ROWS: Final = 60
MAX_IDS: Final = 12
"""So many are listed; more are counted."""

SETTINGS: Final = ("users", "rate", "time_s", "stages", "journeys", "channels")
"""Of a load test, those that tell what it was."""

Json = Mapping[str, Any]
Row = Sequence[str]


def markdown(document: Document) -> str:
    """The summary of a results or load document."""
    page = Page()
    (_load if document["format"] == LOAD else _conformance)(page, document)
    return page.text()


class Page:
    """Blocks of Markdown. A block that no longer fits is left out, and that is said."""

    def __init__(self) -> None:
        self._blocks: list[str] = []
        self._bytes = 0
        self._full = False

    def add(self, block: str) -> None:
        """A block; its text is inert already."""
        size = len(block.encode()) + 2
        self._full = self._full or self._bytes + size > MAX_BYTES - 1000
        if not self._full:
            self._blocks.append(block)
            self._bytes += size

    def marked(self, mark: Mark, text: str, start: str = "") -> None:
        """A sentence with its mark in front."""
        self.add(f"{start}{mark.symbol} {sentence(text)}")

    def table(self, headings: Row, rows: Iterable[Row], right: int = 0) -> None:
        """A table, where it has rows; with `right`, its columns from there on are figures."""
        listed = list(rows)
        if not listed:
            return
        rule = [("--:" if right and number >= right else "---") for number in range(len(headings))]
        lines = [f"| {' | '.join(map(cell, row))} |" for row in (headings, rule, *listed[:MAX_ROWS])]
        self.add("\n".join(lines))
        if len(listed) > MAX_ROWS:
            self.add(tn("formats.markdown.more", len(listed) - MAX_ROWS))

    def text(self) -> str:
        """The finished summary."""
        note = [t("formats.markdown.no-room")] if self._full else []
        return "\n\n".join([*self._blocks, *note]) + "\n"


def _heading(page: Page, document: Document, verdict: str) -> None:
    tool, contract = document["tool"], document["contract"]
    mark = wording.overall_mark(document)
    if not document["complete"]:
        # Half a run that went well so far is nothing to be ticked off.
        mark = mark if mark.tone == "failed" else wording.mark("failed", "SHOULD")
        verdict = f"{t('common.cut-off')} {verdict}"
    page.marked(mark, verdict, "### ")
    facts = (
        code(wording.endpoint(document), 300),
        sentence(f"{contract['title']} {contract['version']}", NAME_CHARACTERS),
        quantities.moment(document["started"]),
        quantities.seconds(document["duration_s"]),
        sentence(f"{tool['name']} {tool['version']}", NAME_CHARACTERS),
    )
    page.add(" · ".join(facts))
    built_in = wording.built_in_sentence(document)
    if built_in is not None:
        page.marked(wording.mark("inconclusive"), built_in)


def _conformance(page: Page, document: Document) -> None:
    _heading(page, document, wording.verdict_sentence(document))
    if not document["complete"]:
        page.marked(wording.mark("failed", "SHOULD"), wording.cut_off_sentence(document))
    for outage in outages.outages(document):
        page.marked(outage.mark, outage.text)
    not_told = outages.not_told(document)
    if not_told:
        page.add(sentence(not_told))
    for hint in wording.hints(document):
        page.marked(*hint)
    outcome = wording.outcome_sentence(document)
    if outcome is not None:
        page.marked(*outcome)
    warning = wording.warning_sentence(document)
    if warning is not None:
        page.marked(wording.mark("failed", "SHOULD"), warning)
    _counts(page, document)
    _failures(page, document)
    _unverified(page, document)
    _baseline(page, document)
    generated = wording.generated_sentence(document)
    if generated:
        page.add(sentence(generated))


def _counts(page: Page, document: Document) -> None:
    counted = [level for level in wording.LEVELS if any(document["summary"][level].values())]
    headings = [f"{wording.mark(verdict).symbol} {wording.mark(verdict).word}" for verdict in wording.VERDICTS]
    rows = [
        [level, *(quantities.count(document["summary"][level][one]) for one in wording.VERDICTS)] for level in counted
    ]
    page.table([t("compliance.counts.level"), *headings], rows, right=1)


def _failures(page: Page, document: Document) -> None:
    statements = {entry["id"]: wording.statement(entry) for entry in document["requirements"]}
    found = blocks(document)
    if found:
        page.add(f"#### {t('compliance.broken')}")
    for block in found[:MAX_FAILURES]:
        titles = [_clause(name, level, statements.get(name, ""), document["strict"]) for name, level in block.clauses]
        page.add(_failure(document, titles[:MAX_IDS], block))
    if len(found) > MAX_FAILURES:
        page.add(tn("formats.markdown.more", len(found) - MAX_FAILURES))


def _clause(name: str, level: str, statement: str, strict: bool) -> str:
    symbol = wording.mark("failed", level, strict).symbol
    return f"{symbol} **{sentence(name, NAME_CHARACTERS)}** {level}: {sentence(statement)}"


def _failure(document: Document, titles: Sequence[str], block: Block) -> str:
    scenario, found = block.failures[0]
    failure = found.source
    lines = [f"- {'<br>'.join(titles)}"]
    lines.append(f"  - {t('compliance.text.scenario')}: {code(scenario['id'], NAME_CHARACTERS)}, {code(found.where)}")
    lines.append(f"  - {t('compliance.text.because')}: {code(failure['message'])}")
    if failure["expected"] is not None:
        lines.append(f"  - {t('compliance.text.expected')}: {code(failure['expected'])}")
    if failure["received"] is not None:
        lines.append(f"  - {t('compliance.text.received')}: {code(failure['received'])}")
    elif failure["expected"] is not None:
        lines.append(f"  - {t('compliance.text.received')}: {t('common.nothing')}")
    if found.more:
        lines.append(f"  - {tn('compliance.found-again', found.more)}")
    command = short_repeating(document, scenario)
    if command:
        needs = variables(command)
        lines.append(f"  - {t('compliance.repeat')}: {code(command)}{f' ({sentence(needs)})' if needs else ''}")
    if len(block.failures) > 1:
        lines.append(f"  - {tn('compliance.text.more-failures', len(block.failures) - 1)}")
    return "\n".join(lines)


def _unverified(page: Page, document: Document) -> None:
    groups = unverified_groups(document)
    if groups:
        page.add(f"#### {t('compliance.unverified')}")
    rows = [
        [f"{mark.symbol} {mark.word}", sentence(reason), _listed([entry["id"] for entry in entries])]
        for mark, reason, entries in groups[:MAX_REASONS]
    ]
    headings = (t("load.column.verdict"), t("formats.markdown.reason"), t("compliance.requirements.title"))
    page.table(headings, rows)
    if len(groups) > MAX_REASONS:
        page.add(tn("formats.markdown.more", len(groups) - MAX_REASONS))
    unselected = wording.unselected_sentence(document)
    if unselected:
        page.marked(wording.mark("untested"), unselected)


def _listed(ids: Sequence[str]) -> str:
    listed = ", ".join(code(one, 60) for one in ids[:MAX_IDS])
    return t("common.and-more", listed=listed, more=f"{len(ids) - MAX_IDS:,}") if len(ids) > MAX_IDS else listed


def _baseline(page: Page, document: Document) -> None:
    lines = wording.baseline_lines(document)
    if lines:
        page.add(f"#### {t('compliance.baseline')}")
    rows = [
        [mark.symbol, code(wording.listed_name(entry), NAME_CHARACTERS), sentence(what), sentence(entry["reason"], 300)]
        for mark, entry, what in lines
    ]
    page.table(["", *(t(f"formats.markdown.{name}") for name in ("listed", "state", "reason"))], rows)


def _load(page: Page, document: Document) -> None:
    _heading(page, document, load_wording.load_sentence(document))
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
    _counts(page, document)
    _broken(page, document)
    _unverified(page, document)
    _thresholds(page, document)
    _ledger(page, document)
    if document.get("capacity") is not None:
        mark, found = capacity.sentences(document["capacity"])
        page.marked(mark, t("formats.markdown.capacity", sentence=found))
    _phases(page, document)
    _latencies(page, document)
    _endings(page, document)


def _broken(page: Page, document: Document) -> None:
    clauses = load_findings.broken(document)
    if clauses:
        page.add(f"#### {t('load.broken')}")
    for one in clauses[:MAX_FAILURES]:
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
    if len(clauses) > MAX_FAILURES:
        page.add(tn("formats.markdown.more", len(clauses) - MAX_FAILURES))


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
            f"{one.mark.symbol} {one.word}" if one.mark else quantities.NOTHING,
        ]
        for one in phases.phases(document)
    ]
    first = [t(f"load.column.{name}") for name in ("phase", "time", "users")]
    last = (t("load.errors"), t("load.ledger.expected.name"), t("load.column.wrong"), t("load.thresholds"))
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
