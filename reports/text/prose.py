"""Long and marked-up text of the HTML reports."""

import re
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape

from contract.escaping import pieces, visible
from reports.text.fitting import cut

FOLD_CHARACTERS: Final = 480
FOLD_LINES: Final = 8
"""Text beyond either is folded away behind its beginning."""
PAGE_CHARACTERS: Final = 20_000
"""Text beyond is left out of the page; the document has all of it."""
SENTENCE_CHARACTERS: Final = 2_000
"""A statement, reason or message is cut after these."""

_CODE: Final = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A text's beginning, what the page shows of it, and how much it leaves out (characters)."""

    head: str
    body: str
    folded: bool
    length: int
    left_out: int


def excerpt(text: str) -> Excerpt:
    """How much of a text is shown at once, how much on demand, and how much not at all."""
    head = "\n".join(text[:FOLD_CHARACTERS].split("\n")[:FOLD_LINES])
    body = text[:PAGE_CHARACTERS]
    return Excerpt(head, body, len(head) < len(text), len(text), len(text) - len(body))


def shown(text: str) -> Markup:
    """`text` as an element's content (no attribute's): hidden characters marked as such, line ends kept as well."""
    found: list[str] = []
    for plain, hidden in pieces(text):
        found.append(_content(plain))
        if hidden:
            end = "\n" if "\n" in hidden else ""
            found.append(f'<span class="hidden-char">{visible(hidden)}</span>{end}')
    # Markup: every piece is escaped above.
    return Markup("".join(found))


def _content(text: str) -> str:
    # Quotation marks act in attributes only; JSON is full of them, and a reference takes five times the room.
    return str(escape(text)).replace("&#34;", '"').replace("&#39;", "'")


def prose(text: str, limit: int = SENTENCE_CHARACTERS) -> Markup:
    """A sentence as HTML, cut after `limit` characters, with what is between backticks as code."""
    # str, because joining pieces of Markup would escape the tags; Markup, because `shown` escapes.
    escaped = str(shown(cut(text, limit)))
    return Markup(_CODE.sub(r"<code>\1</code>", escaped))
