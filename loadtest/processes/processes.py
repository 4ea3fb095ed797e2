"""The processes of a load test: Locust patches the interpreter, and so it never runs in this one."""

import contextlib
import os
import select
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType, TracebackType

from loadtest.processes.relay import RELAY_VARIABLE, Receiver

MAX_LOG_BYTES = 65_536
PROGRESS_SECONDS = 0.5

ENDING_SECONDS = 15.0
"""How long the processes may take to end their users and write the document."""

WORKERS_LEAVE_SECONDS = 5.0
"""How long workers may take to end after the process that writes the document."""

NO_MASTER, MASTER_GONE, MASTER_LEFT, WORKERS_ABSENT = 255, 70, 71, 72
"""Exit codes of a worker that found no master (Locust's own), whose master fell silent, or ended before the run began;
and of a master whose workers did not come.
"""

Progress = Callable[[float], None]


class Children:
    """Child processes in a folder of their own, where no locust.conf and no package of the user's lies.

    The first one writes the document, and its end is the end of the run. `limit`: seconds after which it is killed.
    `receiver` has what it tells while it measures.
    """

    def __init__(
        self, environment: Callable[..., dict[str, str]], limit: float, receiver: Receiver | None = None
    ) -> None:
        self._receiver = receiver
        self._environment = environment
        self._limit = limit
        self._temporary = tempfile.TemporaryDirectory(prefix="wsproof-")
        self.folder = Path(self._temporary.name)
        self._log = (self.folder / "log").open("wb")
        self.running: list[subprocess.Popen[bytes]] = []
        self._signals = 0
        self._before: dict[signal.Signals, signal._HANDLER] = {}

    def __enter__(self) -> "Children":
        # Ctrl-C and SIGTERM alike: no child is left behind.
        if threading.current_thread() is threading.main_thread():
            for one in (signal.SIGINT, signal.SIGTERM):
                self._before[one] = signal.signal(one, self._signalled)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one in self.running:
            if one.poll() is None:
                one.kill()
                one.wait()
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self._receiver is not None:
            self._receiver.close()
        self._log.close()
        self._temporary.cleanup()

    def start(self, command: list[str], variables: Mapping[str, str]) -> None:
        """Start one, unless a signal came. In a session of its own, it hears of Ctrl-C from this process, once."""
        if self._signals:
            return
        pipe = self._receiver.writing if self._receiver is not None and not self.running else -1
        if pipe >= 0:
            variables = {**variables, RELAY_VARIABLE: str(pipe)}
        self.running.append(
            subprocess.Popen(
                command,
                cwd=self.folder,
                # A home of its own: Locust would read the user's ~/.locust.conf.
                env=self._environment(**variables, HOME=str(self.folder)),
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                start_new_session=True,
                pass_fds=(pipe,) if pipe >= 0 else (),
            )
        )
        if self._receiver is not None:
            self._receiver.close_writing()
        if self._signals:  # it came while that was being started
            self.running[-1].terminate()

    @property
    def code(self) -> int | None:
        """The exit code of the first one; None where none was started."""
        return self.running[0].returncode if self.running else None

    def wait(self, progress: Progress) -> bool:
        """Wait for the end; whether it came by itself. A first signal ends the run, a second one kills them all."""
        began = time.monotonic()
        if not self.running:
            return False
        self._follow(began, lambda: progress(time.monotonic() - began))
        return not self._signals

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        self._signals += 1
        for one in self.running[:1] if self._signals == 1 else self.running:
            # The number itself and no method of it, which could wait for what this signal interrupted.
            with contextlib.suppress(ProcessLookupError):
                if one.returncode is None:
                    os.kill(one.pid, signal.SIGTERM if self._signals == 1 else signal.SIGKILL)

    def _follow(self, began: float, progress: Callable[[], None]) -> None:
        """Report progress until the first one has ended, and the others after it; at last they are killed."""
        first, *others = self.running
        latest, signals = began + self._limit, 0
        while first.poll() is None:
            self._listen(first)
            if signals != self._signals:
                latest, signals = time.monotonic() + ENDING_SECONDS, self._signals
            if first.poll() is None:
                progress()
                if time.monotonic() >= latest:
                    first.kill()
        if self._receiver is not None:
            self._receiver.read()
        until = time.monotonic() + WORKERS_LEAVE_SECONDS
        for one in others:
            with contextlib.suppress(subprocess.TimeoutExpired):
                one.wait(timeout=max(until - time.monotonic(), 0.01))

    def _listen(self, first: subprocess.Popen[bytes]) -> None:
        """Until the first one tells something or ends, but not for long."""
        if self._receiver is not None and self._receiver.open:
            if select.select([self._receiver], [], [], PROGRESS_SECONDS)[0]:
                self._receiver.read()
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            first.wait(timeout=PROGRESS_SECONDS)

    def last_words(self) -> str:
        """The last line that any of them wrote, or the signal that killed the first."""
        if self.code is not None and self.code < 0:
            return f"killed by {signal.Signals(-self.code).name}"
        path = self.folder / "log"
        with path.open("rb") as file:
            file.seek(max(path.stat().st_size - MAX_LOG_BYTES, 0))
            lines = file.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1].strip() if lines else f"exit code {self.running[0].returncode}, no output"
