"""A reactor over a selector: drives virtual users without gevent, in one thread."""

import heapq
import itertools
import selectors
import time
from collections.abc import Callable


class _Watch:
    def __init__(self, reactor: "SelectorReactor", descriptor: int, event: int) -> None:
        self.reactor, self.descriptor, self.event = reactor, descriptor, event

    def stop(self) -> None:
        self.reactor.unwatch(self.descriptor, self.event)


class _Timer:
    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback

    def stop(self) -> None:
        self.callback = None


class SelectorReactor:
    """Implements `loadtest.users.reactor.Reactor`."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._callbacks: dict[tuple[int, int], Callable[[], None]] = {}
        self._timers: list[tuple[float, int, _Timer]] = []
        self._numbers = itertools.count()

    def reader(self, descriptor: int, callback: Callable[[], None]) -> _Watch:
        return self._watch(descriptor, selectors.EVENT_READ, callback)

    def writer(self, descriptor: int, callback: Callable[[], None]) -> _Watch:
        return self._watch(descriptor, selectors.EVENT_WRITE, callback)

    def later(self, seconds: float, callback: Callable[[], None]) -> _Timer:
        timer = _Timer(callback)
        heapq.heappush(self._timers, (time.monotonic() + seconds, next(self._numbers), timer))
        return timer

    def _watch(self, descriptor: int, event: int, callback: Callable[[], None]) -> _Watch:
        self._callbacks[descriptor, event] = callback
        self._update(descriptor)
        return _Watch(self, descriptor, event)

    def unwatch(self, descriptor: int, event: int) -> None:
        self._callbacks.pop((descriptor, event), None)
        self._update(descriptor)

    def _update(self, descriptor: int) -> None:
        wanted = sum(event for one, event in self._callbacks if one == descriptor)
        known = descriptor in self._selector.get_map()
        if wanted and known:
            self._selector.modify(descriptor, wanted)
        elif wanted:
            self._selector.register(descriptor, wanted)
        elif known:
            self._selector.unregister(descriptor)

    def run(self, until: Callable[[], bool], seconds: float = 60.0) -> None:
        """Let things happen until something is so. AssertionError after so many seconds."""
        latest = time.monotonic() + seconds
        while not until():
            now = time.monotonic()
            assert now < latest, "it did not come to pass"
            due = self._timers[0][0] - now if self._timers else 0.05
            for key, mask in self._selector.select(min(max(due, 0), 0.05)):
                for event in (selectors.EVENT_READ, selectors.EVENT_WRITE):
                    callback = self._callbacks.get((key.fd, event)) if mask & event else None
                    if callback is not None:
                        callback()
            while self._timers and self._timers[0][0] <= time.monotonic():
                timer = heapq.heappop(self._timers)[2]
                if timer.callback is not None:
                    timer.callback()
