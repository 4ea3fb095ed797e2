"""Correct servers that do what the specification leaves open in other ways: nothing may accuse them."""

from difflib import get_close_matches

from reference_server.variants import permitted, under_load
from reference_server.variants.liberty import ALL, Liberty

SUBJECTS = (permitted, under_load)
"""The modules that register their liberties by being imported."""

LIBERTIES = {name: one for name, one in ALL.items() if not one.under_load}
"""Those that a check has to acquit, and a load test too."""

LIBERTIES_UNDER_LOAD = {name: one for name, one in ALL.items() if one.under_load}
"""Those that only a load test has to."""


class UnknownLibertyError(ValueError):
    """There is no liberty of that name."""


def find(name: str) -> Liberty:
    """The liberty of this name. Raises `UnknownLibertyError`, which lists the nearest names."""
    if name in ALL:
        return ALL[name]
    near = get_close_matches(name, ALL, n=5, cutoff=0.4)
    hint = f"; did you mean {', '.join(near)}?" if near else ""
    raise UnknownLibertyError(f"there is no liberty {name!r}{hint}")
