"""What a load test is started with; the parent writes it to a file, and the child reads it."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from conformance.loading import JOURNEYS, load_scenarios
from conformance.scenario import Scenario

SETTINGS_VARIABLE = "WSPROOF_LOAD_SETTINGS"
"""The environment variable with the settings file's path."""


class LoadError(Exception):
    """A setting of the load test is not what it should be."""


@dataclass(frozen=True, slots=True)
class LoadSettings:
    """No token stands here: the child reads the profile for itself.

    `spawn_rate` in users per second, `duration` and `think_time` in seconds; `journeys` maps names to weights.
    """

    endpoint: str
    users: int
    spawn_rate: float
    duration: float
    document: str
    journeys: Mapping[str, float] = field(default_factory=lambda: {"chatter": 1.0})
    channels: int = 1
    think_time: float = 1.0
    thresholds: tuple[str, ...] = ()
    profile: str | None = None
    overrides: Mapping[str, Any] = field(default_factory=dict)
    version: str = "0"

    def write(self, path: Path) -> None:
        """Write the settings for the child."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")


def read_settings(path: Path) -> LoadSettings:
    """Read what `LoadSettings.write` wrote."""
    value = json.loads(path.read_text(encoding="utf-8"))
    return LoadSettings(**{**value, "thresholds": tuple(value["thresholds"])})


def parse_journeys(texts: tuple[str, ...]) -> dict[str, float]:
    """`NAME` or `NAME:WEIGHT`, several times. Raises `LoadError`."""
    known = {one.id for one in load_journeys()}
    found: dict[str, float] = {}
    for text in texts or ("chatter",):
        name, _, weight = text.partition(":")
        if name not in known:
            raise LoadError(f"--journey {text}: no such journey; known are {', '.join(sorted(known))}")
        try:
            found[name] = float(weight or 1)
        except ValueError:
            raise LoadError(f"--journey {text}: expected NAME:WEIGHT with a number") from None
        if not 0 < found[name] < math.inf:
            raise LoadError(f"--journey {text}: the weight must be above 0")
    return found


def load_journeys() -> tuple[Scenario, ...]:
    """The bundled journeys."""
    return load_scenarios(JOURNEYS)
