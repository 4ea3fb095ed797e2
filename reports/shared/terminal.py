"""Lines for a terminal: readable, and safe to print.

Nothing that an endpoint sent reaches the terminal as it came: control characters, terminal escapes
and direction marks are escaped (`visible`). Colour is an extra; symbols and words say the same.
"""

from collections.abc import Iterable
from typing import Final

from contract.escaping import visible
from reports.shared import wording
from reports.shared.documents import Document
from reports.shared.unverified import unverified_groups
from reports.shared.wording import Mark
from reports.text import quantities
from reports.text.fitting import columns, cut

VALUE_CHARACTERS: Final = 600
"""What was expected or received is cut after these; the HTML report shows more."""

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


def padded(text: str, width: int) -> str:
    """`text` with spaces up to `width` columns."""
    return text + " " * (width - columns(text))


def right(text: str, width: int) -> str:
    """`text` with spaces before it up to `width` columns."""
    return " " * (width - columns(text)) + text


class Page:
    """Lines of a summary. Everything but `raw` makes its text visible and keeps to the width."""

    def __init__(self, colour: bool, width: int) -> None:
        self._colour = colour
        self._width = max(width, 40)
        self._lines: list[str] = []

    def text(self) -> str:
        """The finished summary."""
        return "\n".join(self._lines).strip("\n") + "\n"

    def styled(self, style: str, text: str) -> str:
        """`text` in a style, where colour is wanted."""
        return f"\x1b[{_SGR[style]}m{text}\x1b[0m" if self._colour else text

    def raw(self, line: str) -> None:
        """A line that is fit to be shown as it stands."""
        self._lines.append(line)

    def blank(self) -> None:
        """An empty line, unless there is one already."""
        if self._lines and self._lines[-1]:
            self._lines.append("")

    def heading(self, document: Document) -> None:
        """The tool, the endpoint, the contract, and when the run was."""
        tool, contract = document["tool"], document["contract"]
        program = f"{cut(tool['name'], 40)} {cut(tool['version'], 40)}"
        self.wrapped(None, f"{program}  {cut(wording.endpoint(document), 300)}")
        parts = (
            f"{cut(contract['title'], 80)} {cut(contract['version'], 40)}".strip(),
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

    def indented(self, text: str) -> None:
        """A paragraph that belongs to what stands above it."""
        for line in _wrap(visible(text), self._width - 4):
            self.raw(f"    {line}")

    def labelled(self, label: str, text: str) -> None:
        """A paragraph behind its label."""
        lines = _wrap(visible(cut(text, VALUE_CHARACTERS)), self._width - 14)
        for number, line in enumerate(lines):
            start = self.styled("dim", padded(label, 10)) if not number else " " * 10
            self.raw(f"    {start}{line}")


def unverified(page: Page, document: Document) -> None:
    """What was not verified, by its reason."""
    for mark, reason, listed in unverified_groups(document):
        page.wrapped(mark, f"{mark.word}: {cut(reason, 300)} ({wording.listed_ids(listed, 8)})")


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
