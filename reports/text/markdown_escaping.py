"""Text that nobody vouches for, in Markdown: it shows as it is, and does nothing.

GitHub's Markdown has more that acts than markup: bare addresses become links, ``@name`` calls people, ``#1`` and hashes
point to issues and commits, ``:name:`` becomes a picture. So what comes from a document stands in a code span, where
nothing acts; and in a sentence of ours that holds such text, whatever could act is escaped or put in a code span.
"""

import re
from itertools import groupby
from typing import Final

from contract.escaping import visible
from reports.text.fitting import cut

NAME_CHARACTERS: Final = 120
TEXT_CHARACTERS: Final = 600
"""Names and texts are cut after these; the other reports and the document show more."""

_TICKS: Final = re.compile("`+")
_TOKEN: Final = re.compile(
    r"`(?P<marked>[^`]+)`"  # marked as code by whoever wrote it
    r"|(?P<code>@+"  # calls people, and is in every mail address
    r"|#+(?=\w)|\bGH-(?=\d)"  # points to an issue
    r"|\b[0-9a-fA-F]{7,}\b"  # points to a commit
    r"|:(?=[\w+-]{1,50}:)"  # becomes a picture
    r"|\$+)"  # is a formula
    r"|(?P<markup>[&<>\[\]\\|`*_~#]"
    r"|:(?=\S)|(?<=[wW])\.(?=\S)"  # of an address
    r"|^[-+=]|^\d(?=\d{0,8}[.)]))"  # begins a list or a line
)


def code(text: str, limit: int = TEXT_CHARACTERS) -> str:
    """`text` as a code span on one line."""
    safe = visible(cut(text, limit)) or "(empty)"
    longest = max((len(run) for run in _TICKS.findall(safe)), default=0)
    fence = "`" * (longest + 1)
    # One space at both ends belongs to the fence, unless there is nothing else.
    padded = safe.strip(" ") and (safe[0] in "` " or safe[-1] in "` ")
    return f"{fence} {safe} {fence}" if padded else f"{fence}{safe}{fence}"


def sentence(text: str, limit: int = TEXT_CHARACTERS) -> str:
    """A sentence on one line, in which whatever could act does not; what is between backticks stays code."""
    pieces = _pieces(visible(cut(text, limit)).strip(" "))
    # Two code spans side by side would be one fence.
    joined = ((kind, "".join(piece for _, piece in group)) for kind, group in groupby(pieces, lambda one: one[0]))
    return "".join(code(piece, len(piece)) if kind else piece for kind, piece in joined)


def cell(text: str) -> str:
    """Inert text as a cell of a table: a vertical bar ends a cell, even in a code span."""
    return text.replace("|", "\\u007c")


def _pieces(text: str) -> list[tuple[bool, str]]:
    """The text in pieces: whether it is code, and it; what is not code is inert."""
    found: list[tuple[bool, str]] = []
    position = 0
    for match in _TOKEN.finditer(text):
        found.append((False, text[position : match.start()]))
        if match["markup"]:
            found.append((False, f"&#{ord(match['markup'])};"))
        else:
            found.append((True, match["marked"] or match["code"]))
        position = match.end()
    found.append((False, text[position:]))
    return [piece for piece in found if piece[1]]
