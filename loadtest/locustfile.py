"""The file that Locust runs: `locust -f loadtest/locustfile.py`, with the settings' file in the environment."""

import os
import sys
import time
from pathlib import Path
from typing import Any

# Locust has put the current folder first, and this file's: our packages go before both.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import gevent
from locust import events
from locust.env import Environment

from loadtest.settings import SETTINGS_VARIABLE, read_settings
from loadtest.user import JourneyUser
from loadtest.world import World

BEAT_SECONDS = 0.1
BEATS = 10
"""The generator's health is sampled every so many beats; each beat's lateness counts."""


def _fire(metric: str, seconds: float, error: str | None) -> None:
    """Tell Locust's own statistics."""
    events.request.fire(  # type: ignore[no-untyped-call]
        request_type="WS",
        name=metric,
        response_time=seconds * 1000,
        response_length=0,
        exception=RuntimeError(error) if error is not None else None,
        context={},
    )


WORLD = World(read_settings(Path(os.environ[SETTINGS_VARIABLE])), _fire)

for _name, _weight in WORLD.settings.journeys.items():
    _members: dict[str, Any] = {
        "world": WORLD,
        "journey": WORLD.journeys[_name],
        "weight": _weight,
        "abstract": False,
        "__module__": __name__,
    }
    globals()[f"{_name}-user"] = type(f"{_name}-user", (JourneyUser,), _members)


def _watch(environment: Environment) -> None:
    """Let time pass on the timeline, and see how the generator fares. Without its parent, the run ends."""
    parent = os.getppid()
    wall, spent = time.monotonic(), time.process_time()
    while environment.runner is not None:
        late = 0.0
        for _ in range(BEATS):
            before = time.monotonic()
            gevent.sleep(BEAT_SECONDS)
            late = max(late, time.monotonic() - before - BEAT_SECONDS)
        now, used = time.monotonic(), time.process_time()
        WORLD.recorder.watched(100 * (used - spent) / (now - wall), 1000 * max(late, 0.0))
        WORLD.recorder.tick(now)
        wall, spent = now, used
        if os.getppid() != parent:
            environment.runner.quit()


@events.test_start.add_listener  # type: ignore[untyped-decorator]  # locust's events are untyped
def begin(environment: Environment, **_: Any) -> None:
    """Start the clock."""
    WORLD.begin()
    # A user may take this long to close its connection; Locust ends those that take longer.
    environment.stop_timeout = WORLD.closing_seconds + 3
    gevent.spawn(_watch, environment)


@events.test_stopping.add_listener  # type: ignore[untyped-decorator]
def end(**_: Any) -> None:
    """Let every user close its connection."""
    WORLD.stop()


@events.quitting.add_listener  # type: ignore[untyped-decorator]
def write(environment: Environment, **_: Any) -> None:
    """Write the load document, whatever has happened."""
    if environment.runner is not None:
        # Where a signal ended the run, Locust comes here before it has stopped its users.
        environment.runner.stop()
    WORLD.write_document()
