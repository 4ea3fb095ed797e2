"""The progress of a check on stderr: how far it is, what it waits for, and how long still."""

import math
import os
import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType

import click

from conformance.run.progress import Playing, Status
from contract.escaping import visible
from reports.text.fitting import columns

EVERY_TERMINAL = 0.2
EVERY_FILE = 10.0
"""Seconds between two lines: a terminal's is overwritten, any other's is a new one."""


class Progress:
    """Shows a status again and again while the block runs."""

    def __init__(self, total: int, status: Callable[[], Status | None], *, quiet: bool = False) -> None:
        self._total = total
        self._status = status
        self._terminal = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._over = threading.Event()
        self._thread = None if quiet else threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> "Progress":
        if self._thread is not None:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()
            if self._terminal:
                click.echo("\r\x1b[K", nl=False, err=True)

    def _work(self) -> None:
        while not self._over.wait(EVERY_TERMINAL if self._terminal else EVERY_FILE):
            status = self._status()
            if status is None:
                continue
            line = progress_line(status, self._total, time.monotonic())
            if self._terminal:
                # One column stays free: a full line would wrap in some terminals.
                click.echo(f"\r\x1b[K{fitting(line, _width() - 1)}", nl=False, err=True)
            else:
                click.echo(line, err=True)


def _width() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80
    except OSError:
        return 80


def progress_line(status: Status, total: int, now: float) -> str:
    """A status in a line; `now` is on the clock of its times."""
    parts = [f"{status.finished} of {total} finished"]
    if status.failed:
        parts.append(f"{status.failed} failed")
    if status.again:
        parts.append(f"{status.again} to be run again, alone")
    elif status.left >= 1:
        parts.append(f"about {_span(status.left)} left")
    longest = max(status.playing, key=lambda one: one.ends, default=None)
    waits = _waits(longest, now) if longest is not None and longest.waiting_for else ""
    return visible(", ".join(parts) + waits)


def _waits(playing: Playing, now: float) -> str:
    left = playing.ends - now
    # The number stands before the rest, of which a narrow terminal may cut the end.
    at_most = f" at most {_span(left)}" if left > 0 else ""
    return f"; {playing.scenario} waits{at_most} for {playing.waiting_for}"


def _span(seconds: float) -> str:
    whole = math.ceil(seconds)
    return f"{whole} s" if whole < 100 else f"{whole // 60} min {whole % 60} s"


def fitting(line: str, width: int) -> str:
    """The line, cut so that it takes at most `width` columns."""
    if columns(line) <= width:
        return line
    while columns(line) > max(width - 1, 0):
        line = line[:-1]
    return f"{line}…" if width > 0 else ""
