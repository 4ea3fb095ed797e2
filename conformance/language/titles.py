"""What an expected message is called: by its name, by the name that its match tells, or by what it matches."""

from collections.abc import Mapping
from typing import Any

from conformance.language.matching import ANYTHING, has_operators
from contract.findings import Text, phrase
from contract.json_text import dump_json
from contract.model import Contract

LONGEST = 60
"""Characters of a match that stands for a name."""


def told(contract: Contract, name: str | None, match: Any) -> str | None:
    """The name of an expected message: as it is given, or as its match tells it; None: it may have any."""
    if name is not None or match is ANYTHING:
        return name
    found = contract.name_of(match, "server")
    return found if found in contract.events else None


def title(contract: Contract, name: str | None, match: Any) -> str:
    """What an expected message is called; empty: it may be any."""
    known = told(contract, name, match)
    if known is not None or match is ANYTHING:
        return known or ""
    text = dump_json(match)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def quoted(contract: Contract, name: str | None, match: Any) -> Text:
    """The same within a sentence."""
    found = title(contract, name, match)
    return f"`{found}`" if found else phrase("any-message")


def whole(contract: Contract, name: str | None, match: Any) -> Any:
    """A message as it is expected, its name included where that is one of its members."""
    at = contract.name_member
    if name is None or at is None:
        return match
    if match is ANYTHING:
        return {at: name}
    if isinstance(match, Mapping) and not has_operators(match):
        return {at: name, **match}
    return match
