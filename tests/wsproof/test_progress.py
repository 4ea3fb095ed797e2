"""The progress: what a line says, that it fits, and where it goes."""

import os
import pty
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from conformance.run.progress import Playing, Status
from reports.text.fitting import columns
from tests.wsproof.command import PATIENCE, surroundings, wsproof
from wsproof.output import progress
from wsproof.output.progress import Progress, fitting, progress_line

PING = Playing("hb-period", "the next ping", 114.0)
SOON = Playing("send", "new_message", 101.0)


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (Status(0, 0, 0.0, ()), "0 of 361 finished"),
        (
            Status(212, 1, 75.2, (SOON, PING)),
            "212 of 361 finished, 1 failed, about 76 s left; hb-period waits at most 14 s for the next ping",
        ),
        (Status(5, 0, 600.0, ()), "5 of 361 finished, about 10 min 0 s left"),
        (Status(5, 0, 0.2, (Playing("a", "join", 99.0),)), "5 of 361 finished; a waits for join"),
        (Status(5, 0, 0.2, (Playing("a", "", 130.0),)), "5 of 361 finished"),
        (Status(361, 3, 0.0, (), 4), "361 of 361 finished, 3 failed, 4 to be run again, alone"),
        (Status(1, 0, 0.0, (Playing("a\x1b[31m", "y\r", 99.0),)), "1 of 361 finished; a\\u001b[31m waits for y\\r"),
    ],
)
def test_a_line(status: Status, line: str) -> None:
    assert progress_line(status, 361, 100.0) == line


@pytest.mark.parametrize("width", [0, 1, 2, 7, 20, 200])
@pytest.mark.parametrize("line", ["", "plain and long enough", "日本語の長い行です"])
def test_it_fits(line: str, width: int) -> None:
    shown = fitting(line, width)
    assert columns(shown) <= width
    assert shown == line or shown.endswith("…") or not width


def test_a_file_gets_whole_lines(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(progress, "EVERY_FILE", 0.001)
    seen: list[int] = []

    def status() -> Status | None:
        seen.append(1)
        return Status(len(seen), 0, 0.0, ()) if len(seen) > 1 else None

    with Progress(9, status):
        until = time.monotonic() + PATIENCE
        while len(seen) < 4 and time.monotonic() < until:
            time.sleep(0.001)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.splitlines()[:2] == ["2 of 9 finished", "3 of 9 finished"]


def test_quiet(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(progress, "EVERY_FILE", 0.0)
    with Progress(9, lambda: Status(1, 0, 0.0, ()), quiet=True):
        time.sleep(0.02)
    assert capsys.readouterr().err == ""


def test_a_pipe_gets_no_control_characters(tmp_path: Path) -> None:
    done = wsproof("check", "--select", "hb-period", folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    assert "\r" not in done.stdout + done.stderr


@pytest.mark.slow
def test_a_terminal_gets_one_line_that_changes(tmp_path: Path) -> None:
    """Progress on stderr, a terminal; the document alone on stdout, a pipe."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "wsproof", "check", "--select", "hb-period", "--json", "-"]
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        env=surroundings({"TERM": "xterm"}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    shown: list[bytes] = []

    def read() -> None:
        with suppress(OSError):  # a pseudo-terminal ends so
            while more := os.read(ours, 65_536):
                shown.append(more)

    # Both are read at once: the document is larger than what a pipe holds.
    reading = threading.Thread(target=read)
    reading.start()
    out, _ = process.communicate(timeout=PATIENCE)
    reading.join()
    os.close(ours)
    assert process.returncode == 0, shown
    assert out.startswith(b'{\n "format": "wsproof.results/2"')
    assert out.endswith(b"}\n")
    frames = b"".join(shown).split(b"\r\x1b[K")
    assert b"0 of 1 finished" in frames[1]
    assert any(b"; hb-period waits at most " in one and b" for the next ping" in one for one in frames), frames
    assert not any(b"\n" in one for one in frames[:-1])
