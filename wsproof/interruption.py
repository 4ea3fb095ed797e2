"""SIGINT and SIGTERM: where there is something to end in good order, the first one does so; else the program ends."""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType, TracebackType
from typing import NoReturn

from wsproof.exit_codes import ExitCode

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
NOTICE = "wsproof: interrupted"
_passing: set[Path] = set()
"""Files that are removed before the program ends."""


def end_at_once() -> None:
    """From now on, a signal ends the program with one line: while it imports, looks up names, or is about to end.

    No exception is raised for it. It would get lost in a finalizer, or show a page of somebody else's code.
    """
    for one in _SIGNALS:
        signal.signal(one, _end)


def _end(number: int, frame: FrameType | None) -> None:
    _say(NOTICE)
    _leave()


def _leave() -> NoReturn:
    """End the program at once; no block that it is in ends."""
    for path in tuple(_passing):
        with contextlib.suppress(OSError):
            path.unlink()
    os._exit(ExitCode.INTERRUPTED)


@contextlib.contextmanager
def passing(path: Path) -> Iterator[None]:
    """Remove a file at the end of the block, and also if a signal ends the program inside it."""
    _passing.add(path)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            path.unlink()
        _passing.discard(path)


def _say(line: str) -> None:
    """Write a line to stderr, and not by a stream: the interrupted code may be in the middle of writing to it."""
    with contextlib.suppress(OSError):
        os.write(2, f"\n{line}\n".encode())


class Interruption:
    """Inside the block, a first signal calls `act`; a second one ends the program at once.

    `act` runs wherever the main thread happens to be: it must wait for nothing, take no lock and raise nothing.
    """

    def __init__(self, act: Callable[[], None], notice: str) -> None:
        self.happened = False
        self._act = act
        self._notice = notice
        self._before: dict[signal.Signals, signal._HANDLER] = {}

    def __enter__(self) -> "Interruption":
        for one in _SIGNALS:
            self._before[one] = signal.signal(one, self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one, handler in self._before.items():
            signal.signal(one, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.happened:
            _leave()
        self.happened = True
        if self._notice:
            _say(self._notice)
        self._act()
