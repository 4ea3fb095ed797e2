"""The bundled scenarios, read once a process: every test module that looks at them asks here."""

from functools import cache
from pathlib import Path

from conformance.language.loading import BUNDLED, load_scenarios
from conformance.language.scenario import Scenario


@cache
def bundled(path: Path = BUNDLED, *, journeys: bool = False) -> tuple[Scenario, ...]:
    """Those of `path`, one of the folders that `conformance.language.loading` names."""
    return load_scenarios(path, journeys=journeys)
