"""`wsproof` as a newcomer starts it: a process of its own, in a folder of its own; and within this process."""

import contextlib
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from wsproof.command_line import main

ROOT = Path(__file__).resolve().parents[2]

PATIENCE = 120.0
"""Seconds after which a test that hangs fails; nothing is measured by it."""


def surroundings(extra: dict[str, str]) -> dict[str, str]:
    """Without the variables that steer us."""
    steering = ("WSPROOF", "PYTEST", "NO_COLOR", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(steering)}
    return {**kept, "PYTHONPATH": str(ROOT), **extra}


def wsproof(*arguments: str | Path, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "wsproof", *map(str, arguments)],
        cwd=folder,
        env=surroundings(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def within(*arguments: str | Path, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end in this process, where nothing hangs on the start of one: a fraction of the time."""
    shown, said = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    with (
        contextlib.chdir(folder),
        patch.dict(os.environ, surroundings(environment), clear=True),
        contextlib.redirect_stdout(shown),
        contextlib.redirect_stderr(said),
        pytest.raises(SystemExit) as ended,
    ):
        main.main([*map(str, arguments)], prog_name="wsproof")
    texts = []
    for stream in (shown, said):
        stream.seek(0)
        texts.append(stream.read())
    return subprocess.CompletedProcess([*map(str, arguments)], int(ended.value.code or 0), *texts)


def complaint(*arguments: str | Path, folder: Path, **environment: str) -> str:
    """The only line that a command says before it ends with exit code 2."""
    done = within(*arguments, folder=folder, **environment)
    assert (done.returncode, done.stdout) == (2, ""), done.stdout + done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("wsproof: ")
    return line.removeprefix("wsproof: ")


@contextlib.contextmanager
def started(*arguments: str | Path, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A command that is running."""
    process = subprocess.Popen(
        [sys.executable, "-m", "wsproof", *map(str, arguments)],
        cwd=folder,
        env=surroundings({}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_until(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Wait for what a running command brings about."""
    until = time.monotonic() + PATIENCE
    while not condition():
        if process.poll() is not None:
            raise AssertionError(f"it ended early: {process.communicate()}")
        assert time.monotonic() < until, "it never came about"
        time.sleep(0.01)


def lines(path: Path) -> int:
    """The whole lines of a file that may not be there yet."""
    return path.read_bytes().count(b"\n") if path.exists() else 0


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
