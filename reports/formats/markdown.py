"""A summary in GitHub's Markdown, for the summary page of a CI job or a comment.

Short: the verdict, the counts, what failed with what was expected and what came, and what was not verified and why. It
stays below `MAX_BYTES`, since GitHub shows nothing at all of a step's summary beyond 1 MiB.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from reports.check import baselines
from reports.shared import outages, wording
from reports.shared.commands import short_repeating, variables
from reports.shared.documents import Document
from reports.shared.failures import Block, blocks
from reports.shared.markdown_page import Page, counts, heading, unverified
from reports.text.language import t, tn
from reports.text.markdown_escaping import NAME_CHARACTERS, code, sentence

MAX_FAILURES: Final = 30
MAX_IDS: Final = 12
"""So many are listed; more are counted."""

Json = Mapping[str, Any]


def markdown(document: Document) -> str:
    """The summary of a results document."""
    page = Page()
    heading(page, document, wording.verdict_sentence(document))
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
    counts(page, document)
    _failures(page, document)
    unverified(page, document)
    _baseline(page, document)
    _observations(page, document)
    generated = wording.generated_sentence(document)
    if generated:
        page.add(sentence(generated))
    return page.text()


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


def _baseline(page: Page, document: Document) -> None:
    lines = baselines.baseline_lines(document)
    if lines:
        page.add(f"#### {t('compliance.baseline')}")
    rows = [
        [
            mark.symbol,
            code(baselines.listed_name(entry), NAME_CHARACTERS),
            sentence(what),
            sentence(entry["reason"], 300),
        ]
        for mark, entry, what in lines
    ]
    page.table(["", *(t(f"formats.markdown.{name}") for name in ("listed", "state", "reason"))], rows)


def _observations(page: Page, document: Document) -> None:
    found = wording.observations(document)
    if found:
        page.add(f"#### {t('compliance.observed')}")
    headings = (t("compliance.observed.what"), t("compliance.observed.seen"))
    page.table(headings, [[sentence(what), code(seen)] for what, seen in found])
