"""Text that has to fit: cut after so many characters, and how wide it is in a terminal."""

import unicodedata

from reports.text.language import tn


def cut(text: str, limit: int) -> str:
    """`text`, or its first `limit` characters and how many are missing."""
    missing = len(text) - limit
    return text if missing <= 0 else f"{text[:limit]}… ({tn('common.missing', missing)})"


def columns(text: str) -> int:
    """How many columns of a terminal `text` takes: East Asian wide characters take two."""
    return sum(_width(character) for character in text)


def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
