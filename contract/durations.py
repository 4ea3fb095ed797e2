"""Durations as users write them."""

import re

_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?(ms|s|min|m|h)?")
_UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0}


def seconds(value: float | str) -> float:
    """A duration in seconds from a number or a text such as `500ms`, `5 s`, `2m`. Raises ValueError."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    found = _DURATION.fullmatch(str(value).strip())
    if found is None:
        raise ValueError(f"expected a duration such as 5, 500ms or 2m; got {value!r}")
    return float(found[1]) * _UNITS[found[2] or "s"]
