"""The reactor under Locust: gevent's own loop calls back; no greenlet is switched to for what is received."""

from collections.abc import Callable
from typing import Any

import gevent
from gevent.hub import get_hub

READ, WRITE = 1, 2


class GeventReactor:
    """Implements `loadtest.users.reactor.Reactor`. Callbacks run in the hub: they must not block, and do not."""

    def __init__(self) -> None:
        self._loop: Any = get_hub().loop

    def reader(self, descriptor: int, callback: Callable[[], None]) -> Any:
        """Call back whenever the descriptor can be read."""
        return self._started(self._loop.io(descriptor, READ), callback)

    def writer(self, descriptor: int, callback: Callable[[], None]) -> Any:
        """Call back whenever the descriptor can be written."""
        return self._started(self._loop.io(descriptor, WRITE), callback)

    def later(self, seconds: float, callback: Callable[[], None]) -> Any:
        """Call back once, after so many seconds."""
        timer = self._loop.timer(max(seconds, 0.0))
        # Without the update, a loop that is behind would ring too early.
        timer.start(callback, update=True)
        return timer

    def _started(self, watcher: Any, callback: Callable[[], None]) -> Any:
        watcher.start(callback)
        return watcher


def in_turn(condition: Callable[[], bool], seconds: float, step: float = 0.02) -> bool:
    """Wait in a greenlet until something is so, at most so many seconds; whether it became so."""
    with gevent.Timeout(seconds, False):
        while not condition():
            gevent.sleep(step)
        return True
    return condition()
