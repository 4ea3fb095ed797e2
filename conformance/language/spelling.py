"""Other spellings of a text: what a server that compares character by character does not take for the same."""

from collections.abc import Callable, Mapping
from typing import Final

_FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
"""Visible ASCII and its full-width forms."""

SPELLINGS: Final[Mapping[str, Callable[[str], str]]] = {
    "cut": lambda text: text[:-1],
    "full-width": lambda text: text.translate(_FULL_WIDTH),
    "other-case": str.swapcase,
}
"""By the name that stands in a reference: `${other-case:token.alice}`."""
