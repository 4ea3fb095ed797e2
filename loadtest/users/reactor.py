"""What drives connections and clocks: gevent's loop under Locust, a selector in tests."""

from collections.abc import Callable
from typing import Protocol


class Watch(Protocol):
    """Calls back while a descriptor is readable, or writable."""

    def stop(self) -> None: ...  # said above


class Reactor(Protocol):
    """A loop that calls back."""

    def reader(self, descriptor: int, callback: Callable[[], None]) -> Watch:
        """Call back whenever the descriptor can be read."""

    def writer(self, descriptor: int, callback: Callable[[], None]) -> Watch:
        """Call back whenever the descriptor can be written."""

    def later(self, seconds: float, callback: Callable[[], None]) -> Watch:
        """Call back once, after so many seconds; a millisecond later at the most where nothing else is to do."""
