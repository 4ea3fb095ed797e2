"""The names of the file formats that the code writes or looks for, each with its version.

Each has a JSON Schema in `schemas/`, which holds the same name. Of what people alone write (requirements, plans of load
tests), only the schema knows the name.
"""

from typing import Final

SCENARIOS: Final = "wsproof.scenarios/1"
"""Scenarios, procedures and journeys."""

BASELINE: Final = "wsproof.baseline/1"
"""Expected failures."""

RESULTS: Final = "wsproof.results/2"
"""The results of a check."""

STREAM: Final = "wsproof.stream/3"
"""The results of a check, scenario by scenario while it goes on. Files of versions 1 and 2 are read, too."""

LOAD: Final = "wsproof.load/3"
"""The results of a load test."""

COMPARISON: Final = "wsproof.comparison/1"
"""A comparison of runs."""

LINES: Final = "wsproof.lines/1"
"""The report in JSON Lines."""


def family(format_name: str) -> str:
    """The name of a format without its version."""
    return format_name.partition("/")[0]
