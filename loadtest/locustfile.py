"""The file that Locust runs: `wsproof load` does, and so can you, with `locust -f` and its web page.

`wsproof load` names the settings' file in the environment. Without one, Locust's own options say how many users and
how long, `--rate` and `--channels` what they do, `--host` is the endpoint, and `wsproof.yaml` in the current folder the
profile. `chatter-user` is played, or the classes of users that are chosen.
"""

import sys
from pathlib import Path
from typing import Any

# Locust has put the current folder first, and this file's: our packages go before both.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from locust import events
from locust.env import Environment

from loadtest.runner.conductor import Conductor
from loadtest.runner.locust_side import add_options
from loadtest.runner.presence import limit_waiting
from loadtest.settings.settings import own_settings_of_environment, settings_of_environment

OWN = own_settings_of_environment()
if OWN is not None:
    limit_waiting(OWN["wait"])
CONDUCTOR = Conductor(settings_of_environment(), OWN)
globals().update(CONDUCTOR.user_classes())

if CONDUCTOR.settings is None:
    events.init_command_line_parser.add_listener(add_options)  # type: ignore[no-untyped-call]  # so are its events


@events.init.add_listener  # type: ignore[untyped-decorator]  # locust's events are untyped
def attach(environment: Environment, **_: Any) -> None:
    """Take the baton."""
    CONDUCTOR.attach(environment)
