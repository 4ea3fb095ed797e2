"""The file that Locust runs: `wsproof load` does, and so can you, with `locust -f` and its web page.

`wsproof load` names the settings' file in the environment. Without one, Locust's own options say how many users and
how long, `--host` is the endpoint, and `wsproof.yaml` in the current folder the profile.
"""

import sys
from pathlib import Path
from typing import Any

# Locust has put the current folder first, and this file's: our packages go before both.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from locust import LoadTestShape, events
from locust.env import Environment

from loadtest.conductor import Conductor
from loadtest.settings import own_settings_of_environment, settings_of_environment

CONDUCTOR = Conductor(settings_of_environment(), own_settings_of_environment())
globals().update(CONDUCTOR.user_classes())

if CONDUCTOR.settings is not None and CONDUCTOR.settings.stages:

    class Stages(LoadTestShape):
        """As many users as the settings' stages say."""

        def tick(self) -> tuple[int, float] | None:
            """Users, and how fast they come; None: the run is over."""
            assert CONDUCTOR.settings is not None
            users = CONDUCTOR.settings.users_at(self.get_run_time())  # type: ignore[no-untyped-call]
            return None if users is None else (users, 1000.0)


@events.init.add_listener  # type: ignore[untyped-decorator]  # locust's events are untyped
def attach(environment: Environment, **_: Any) -> None:
    """Take the baton."""
    CONDUCTOR.attach(environment)
