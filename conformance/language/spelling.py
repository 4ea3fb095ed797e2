"""Other spellings of a text: what a server that compares each character does not take for the same; and codes."""

import base64
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

CODES: Final[Mapping[str, Callable[[str], str]]] = {
    "base64": lambda text: base64.b64encode(text.encode("utf-8", "surrogatepass")).decode(),
}
"""The same for what writes a text in another alphabet, and so may leave nothing as it was."""
