"""Strings from an endpoint, made fit to be looked at.

An endpoint may send anything: terminal escapes, NUL, lone surrogates, characters that turn the
reading direction around or that cannot be seen. Each such character becomes a visible escape, so
that a report shows what came, and nothing in it acts on the reader's terminal or browser.
"""

import re
from collections.abc import Iterator
from typing import Final

# Kept: the no-break space, the zero-width (non-)joiner and the variation selectors, which text in
# many languages and emoji needs. Escaped: all other characters that have no shape of their own.
_RANGES: Final = (
    (0x00, 0x1F),  # C0 controls
    (0x7F, 0x9F),  # DEL and the C1 controls; 9B opens a terminal's control sequence
    (0xAD, 0xAD),  # soft hyphen
    (0x061C, 0x061C),  # Arabic letter mark
    (0x115F, 0x1160),  # Hangul fillers
    (0x180E, 0x180E),  # Mongolian vowel separator
    (0x200B, 0x200B),  # zero-width space
    (0x200E, 0x200F),  # direction marks
    (0x2028, 0x202E),  # line and paragraph separators, bidirectional embeddings and overrides
    (0x2060, 0x206F),  # word joiner, invisible operators, bidirectional isolates
    (0x3164, 0x3164),  # Hangul filler
    (0xD800, 0xDFFF),  # lone surrogates: Python holds no paired ones
    (0xFDD0, 0xFDEF),  # noncharacters
    (0xFEFF, 0xFEFF),  # byte order mark
    (0xFFA0, 0xFFA0),  # halfwidth Hangul filler
    (0xFFF0, 0xFFFB),  # interlinear annotation
    (0xFFFE, 0xFFFF),  # noncharacters
    *((plane | 0xFFFE, plane | 0xFFFF) for plane in range(0x10000, 0x110000, 0x10000)),
    (0xE0000, 0xE00FF),  # tags
)
_HIDDEN: Final = re.compile("[" + "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in _RANGES) + "]+")
_SHORT: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def visible(text: str) -> str:
    """`text` on one line, what cannot be seen or would act escaped: ``\\n``, ``\\u001b``."""
    return _HIDDEN.sub(lambda match: _escapes(match.group()), text)


def pieces(text: str) -> Iterator[tuple[str, str]]:
    """`text` in pieces: what can be seen, and the hidden characters behind it (empty behind the last one)."""
    position = 0
    for match in _HIDDEN.finditer(text):
        yield text[position : match.start()], match.group()
        position = match.end()
    yield text[position:], ""


def quoted(text: str, limit: int = 60) -> str:
    """`text` between quotation marks, cut and made visible, for use inside a sentence."""
    return f'"{visible(text[:limit])}{"…" if len(text) > limit else ""}"'


def _escapes(hidden: str) -> str:
    return "".join(_SHORT.get(character) or _escape(ord(character)) for character in hidden)


def _escape(code: int) -> str:
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
