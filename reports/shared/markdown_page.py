"""What every summary in Markdown is made of: blocks that fit, the heading, the counts, and what was not verified."""

from collections.abc import Iterable, Sequence
from typing import Final

from reports.shared import wording
from reports.shared.documents import Document
from reports.shared.unverified import unverified_groups
from reports.shared.wording import Mark
from reports.text import quantities
from reports.text.language import t, tn
from reports.text.markdown_escaping import NAME_CHARACTERS, cell, code, sentence

MAX_BYTES: Final = 500_000
"""A summary is no larger, so that a step has room for two."""
MAX_REASONS: Final = 30
MAX_ROWS: Final = 60
MAX_IDS: Final = 12
"""So many are listed; more are counted."""

Row = Sequence[str]


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


def heading(page: Page, document: Document, verdict: str) -> None:
    """The verdict, and what was tested when and how."""
    tool, contract = document["tool"], document["contract"]
    mark = wording.overall_mark(document)
    if not document["complete"]:
        # Half a run that went well so far is nothing to be ticked off.
        mark = mark if mark.tone == "failed" else wording.mark("failed", "SHOULD")
        verdict = f"{t('common.cut-off')} {verdict}"
    page.marked(mark, verdict, "### ")
    facts = (
        code(wording.endpoint(document), 300),
        sentence(f"{contract['title']} {contract['version']}".strip(), NAME_CHARACTERS),
        quantities.moment(document["started"]),
        quantities.seconds(document["duration_s"]),
        sentence(f"{tool['name']} {tool['version']}", NAME_CHARACTERS),
    )
    page.add(" · ".join(facts))
    built_in = wording.built_in_sentence(document)
    if built_in is not None:
        page.marked(wording.mark("inconclusive"), built_in)


def counts(page: Page, document: Document) -> None:
    """How many clauses of each level have which verdict."""
    counted = [level for level in wording.LEVELS if any(document["summary"][level].values())]
    headings = [f"{wording.mark(verdict).symbol} {wording.mark(verdict).word}" for verdict in wording.VERDICTS]
    rows = [
        [level, *(quantities.count(document["summary"][level][one]) for one in wording.VERDICTS)] for level in counted
    ]
    page.table([t("compliance.counts.level"), *headings], rows, right=1)


def unverified(page: Page, document: Document) -> None:
    """What was not verified, by its reason."""
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
