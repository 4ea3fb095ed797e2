"""Brings as many users as the stages of a run say, and lets them go.

Locust has shapes for this. With several processes, the end of a shape stops the master before the workers have told it
what they measured.
"""

import time
from typing import Any

import gevent
from locust.runners import STATE_RUNNING, STATE_SPAWNING

from loadtest.settings.settings import AT_ONCE, TICK_SECONDS, LoadSettings


def follow(runner: Any, settings: LoadSettings) -> None:
    """Until the run of Locust's `runner` is over, have all users of the next second there at its beginning.

    A stage that holds so has all its users from its first moment to its last.
    """
    began, ticks = time.monotonic(), 0
    while True:
        ticks += 1
        gevent.sleep(max(began + ticks * TICK_SECONDS - time.monotonic(), 0.0))
        if runner.state not in (STATE_SPAWNING, STATE_RUNNING):
            return
        now = time.monotonic() - began
        if now > settings.whole_duration - TICK_SECONDS / 2:
            return
        users = settings.users_within(now, now + TICK_SECONDS)
        # A master that is still bringing users cannot begin to bring others.
        if users != runner.target_user_count and getattr(runner, "spawning_completed", True):
            runner.start(users, AT_ONCE)
