"""SIGINT and SIGTERM: the first one ends the work in good order, the second one the program."""

import os
import signal
from collections.abc import Callable
from types import FrameType, TracebackType

from wsproof.exit_codes import ExitCode

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """Inside the block, a first signal calls `act`, which may raise; a second one ends the program at once.

    `act` runs wherever the main thread happens to be: it must wait for nothing and take no lock.
    """

    def __init__(self, act: Callable[[], None], notice: str) -> None:
        self._act = act
        self._notice = notice
        self._times = 0
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
        self._times += 1
        if self._times > 1:
            os._exit(ExitCode.INTERRUPTED)
        if self._notice:
            # Not by a stream: the interrupted code may be in the middle of writing to it.
            os.write(2, f"\n{self._notice}\n".encode())
        self._act()
