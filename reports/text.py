"""Summaries for a terminal: short, readable, and safe to print.

Nothing that an endpoint sent reaches the terminal as it came: control characters, terminal escapes
and direction marks are escaped (`visible`). Colour is an extra; symbols and words say the same.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from reports import load_view, quantities, wording
from reports.documents import Document
from reports.visible import columns, cut, visible
from reports.wording import Mark

VALUE_CHARACTERS: Final = 600
"""What was expected or received is cut after these; the HTML report shows more."""
MAX_CLAUSES: Final = 30
MAX_FAILURES: Final = 3
MAX_ERRORS: Final = 30
"""Violated clauses that are shown, failures of each, and kinds of error in a load test. More are
only counted: a terminal is no place for hundreds."""

_SGR: Final = {
    "failed": "31;1",
    "warning": "33",
    "error": "35;1",
    "expected": "33",
    "inconclusive": "36",
    "untested": "2",
    "passed": "32",
    "bold": "1",
    "dim": "2",
}
Json = Mapping[str, Any]


def summary(document: Document, colour: bool = False, width: int = 80) -> str:
    """What a conformance run found, for a terminal of `width` columns."""
    page = _Page(colour, width)
    page.heading(document)
    _sections(page, document)
    _failures(page, document)
    _unverified(page, document)
    _baseline(page, document)
    page.blank()
    generated = wording.generated_sentence(document)
    if generated:
        page.wrapped(None, generated)
    warning = wording.warning_sentence(document)
    if warning:
        page.wrapped(wording.mark("failed", "SHOULD"), warning)
    if not document["complete"]:
        page.wrapped(wording.mark("failed", "SHOULD"), wording.CUT_OFF)
    page.wrapped(wording.overall_mark(document), wording.verdict_sentence(document), bold=True)
    outcome = wording.outcome_sentence(document)
    if outcome is not None:
        page.wrapped(*outcome, bold=True)
    return page.text()


def load_summary(document: Document, colour: bool = False, width: int = 80) -> str:
    """What a load test measured, for a terminal of `width` columns."""
    page = _Page(colour, width)
    page.heading(document)
    _latencies(page, document)
    for row in load_view.ledger(document):
        if row.mark is None or row.number:
            number = quantities.count(row.number)
            page.marked(row.mark, f"{row.name:<13} {number:>12}  {row.meaning}")
    page.blank()
    for code, ends in sorted(document["closes"].items()):
        meaning = load_view.close_meaning(code)
        page.marked(None, f"closed {cut(code, 20)}: {quantities.count(ends)}  {meaning}")
    errors = load_view.sorted_errors(document)
    for message, times in errors[:MAX_ERRORS]:
        line = f"{quantities.count(times)} x {cut(message, 300)}"
        page.wrapped(load_view.verdict_mark(False), line)
    if len(errors) > MAX_ERRORS:
        page.marked(None, f"and {len(errors) - MAX_ERRORS:,} more errors")
    page.blank()
    for threshold in document["thresholds"]:
        value = wording.threshold_value(threshold)
        line = f"{cut(threshold['metric'], 60)} {value} (limit {cut(threshold['limit'], 40)})"
        page.wrapped(load_view.verdict_mark(threshold["passed"]), line)
    _doubts(page, document)
    page.wrapped(wording.overall_mark(document), wording.load_sentence(document), bold=True)
    return page.text()


def _sections(page: "_Page", document: Document) -> None:
    titles: dict[str, str] = {}
    marks: dict[str, list[Mark]] = {}
    for entry in document["requirements"]:
        titles.setdefault(entry["section"], entry["section_title"])
        mark = wording.mark_of(entry, document["strict"])
        marks.setdefault(entry["section"], []).append(mark)
    ids = {section: visible(cut(section, 20)) for section in titles}
    names = {section: visible(cut(title, 40)) for section, title in titles.items()}
    id_width = max(map(columns, ids.values()), default=0)
    name_width = max(map(columns, names.values()), default=0)
    for section, found in marks.items():
        counts = ", ".join(
            page.styled(mark.tone, f"{mark.symbol} {_tally(mark, found.count(mark))}")
            for mark in sorted(set(found), key=lambda mark: mark.rank)
        )
        start = f"{_padded(ids[section], id_width)}  {_padded(names[section], name_width)}"
        page.raw(f"  {start}  {counts}")
    page.blank()


def _tally(mark: Mark, number: int) -> str:
    if mark.counted:
        return quantities.counted(number, mark.counted)
    return f"{quantities.count(number)} {mark.word}"


def _failures(page: "_Page", document: Document) -> None:
    strict = document["strict"]
    statements = {entry["id"]: entry["statement"] for entry in document["requirements"]}
    found: dict[tuple[str, str], list[tuple[Json, Json]]] = {}
    for scenario in document["scenarios"]:
        for failure in scenario["failures"]:
            if "baseline" in failure:
                continue
            clause = failure["requirement"], failure["level"]
            found.setdefault(clause, []).append((scenario, failure))
    ordered = sorted(found, key=lambda clause: wording.mark("failed", clause[1], strict).rank)
    for name, level in ordered[:MAX_CLAUSES]:
        statement = cut(statements.get(name, ""), 200)
        line = f"{cut(name, 40)} {level}  {statement}"
        page.wrapped(wording.mark("failed", level, strict), line, bold=True)
        failures = found[name, level]
        for scenario, failure in failures[:MAX_FAILURES]:
            _failure(page, scenario, failure)
        if len(failures) > MAX_FAILURES:
            more = quantities.counted(len(failures) - MAX_FAILURES, "more failure")
            page.marked(None, f"  and {more} of it, in the reports")
        page.blank()
    if len(ordered) > MAX_CLAUSES:
        more = quantities.counted(len(ordered) - MAX_CLAUSES, "more requirement")
        page.marked(None, f"and failures of {more}, in the reports")
        page.blank()


def _failure(page: "_Page", scenario: Json, failure: Json) -> None:
    step = failure["step"] or "over the whole transcript"
    actor = f", {failure['actor']}" if failure["actor"] else ""
    page.labelled("scenario", f"{scenario['id']}, {step}{actor}")
    page.labelled("because", failure["message"])
    if failure["expected"] is not None:
        page.labelled("expected", failure["expected"] or "(empty)")
    if failure["received"] is not None:
        page.labelled("received", failure["received"] or "(empty)")
    elif failure["expected"] is not None:
        page.labelled("received", "(nothing)")


def _unverified(page: "_Page", document: Document) -> None:
    for mark, reason, listed in wording.unverified_groups(document):
        ids = ", ".join(cut(entry["id"], 40) for entry in listed[:8])
        more = f" and {len(listed) - 8:,} more" if len(listed) > 8 else ""
        page.wrapped(mark, f"{mark.word}: {cut(reason, 300)} ({ids}{more})")


def _baseline(page: "_Page", document: Document) -> None:
    for mark, entry, what in wording.baseline_lines(document):
        if mark.word == "untested":
            continue
        name = cut(wording.listed_name(entry), 100)
        page.wrapped(mark, f"{name} {what}: {cut(entry['reason'], 300)}")


def _latencies(page: "_Page", document: Document) -> None:
    members = ("count", "p50", "p95", "p99", "max")
    names = {name: visible(cut(name, 30)) for name in document["metrics"]}
    width = max(map(columns, names.values()), default=0)
    if names:
        page.raw(page.styled("dim", f"  {' ' * width}" + "".join(f"{m:>10}" for m in members)))
    for name, metric in document["metrics"].items():
        values = [quantities.count(metric["count"])]
        values += [quantities.measured(metric[member]) for member in members[1:]]
        cells = "".join(f"{value:>10}" for value in values)
        page.raw(f"  {_padded(names[name], width)}{cells} {visible(cut(metric['unit'], 10))}")
    page.blank()


def _doubts(page: "_Page", document: Document) -> None:
    for reading in load_view.health(document):
        if reading.mark.tone == "inconclusive":
            what = f"{reading.name.lower()} {reading.value}"
            page.wrapped(reading.mark, f"The load generator was near its limits: {what}.")
    if not document["complete"]:
        page.wrapped(wording.mark("failed", "SHOULD"), wording.LOAD_CUT_OFF)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - columns(text))


class _Page:
    """Lines of a summary. Everything but `raw` makes its text visible and keeps to the width."""

    def __init__(self, colour: bool, width: int) -> None:
        self._colour = colour
        self._width = max(width, 40)
        self._lines: list[str] = []

    def text(self) -> str:
        return "\n".join(self._lines).strip("\n") + "\n"

    def styled(self, style: str, text: str) -> str:
        return f"\x1b[{_SGR[style]}m{text}\x1b[0m" if self._colour else text

    def raw(self, line: str) -> None:
        self._lines.append(line)

    def blank(self) -> None:
        if self._lines and self._lines[-1]:
            self._lines.append("")

    def heading(self, document: Document) -> None:
        tool, contract = document["tool"], document["contract"]
        program = f"{cut(tool['name'], 40)} {cut(tool['version'], 40)}"
        self.wrapped(None, f"{program}  {cut(document['endpoint'], 300)}")
        parts = (
            f"{cut(contract['title'], 80)} {cut(contract['version'], 40)}",
            quantities.moment(document["started"]),
            quantities.seconds(document["duration_s"]),
        )
        self.wrapped(None, ", ".join(parts), style="dim")
        self.blank()

    def marked(self, mark: Mark | None, line: str) -> None:
        """One line with its mark, however long."""
        symbol = self.styled(mark.tone, mark.symbol) if mark else " "
        self.raw(f"{symbol} {visible(line)}".rstrip())

    def wrapped(self, mark: Mark | None, text: str, *, bold: bool = False, style: str = "") -> None:
        """A paragraph with its mark in front."""
        indent = 2 if mark else 0
        for number, line in enumerate(_wrap(visible(text), self._width - indent)):
            start = " " * indent
            if mark and not number:
                start = f"{self.styled(mark.tone, mark.symbol)} "
            style = "bold" if bold else style
            self.raw(start + (self.styled(style, line) if style else line))

    def labelled(self, label: str, text: str) -> None:
        """A paragraph behind its label."""
        lines = _wrap(visible(cut(text, VALUE_CHARACTERS)), self._width - 14)
        for number, line in enumerate(lines):
            start = self.styled("dim", f"{label:<10}") if not number else " " * 10
            self.raw(f"    {start}{line}")


def _wrap(text: str, width: int) -> Iterable[str]:
    """`text` in lines of at most `width` columns, broken at spaces where there are any."""
    line, used = "", 0
    for word in text.split(" "):
        wide = columns(word)
        if line and used + 1 + wide > width:
            yield line
            line, used = "", 0
        elif line:
            line, used = f"{line} ", used + 1
        if wide <= width:
            line, used = line + word, used + wide
            continue
        for character in word:
            wide = columns(character)
            if line and used + wide > width:
                yield line
                line, used = "", 0
            line, used = line + character, used + wide
    yield line
