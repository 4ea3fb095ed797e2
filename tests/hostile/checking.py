"""`wsproof check` as a child process, with what it cost."""

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reports.shared.documents import read_document

LONGEST_SECONDS = 300.0
"""A child that has not ended by then hangs. No run takes near as long, not even on a busy machine."""

QUICK = ("--set", "ack_timeout=400ms", "--set", "response_timeout=400ms", "--set", "quiet_period=100ms")
BEAT = ("--set", "heartbeat.interval=500ms", "--set", "heartbeat.timeout=500ms")


@dataclass(frozen=True, slots=True)
class Checked:
    """How a run of `wsproof` ended; `megabytes` at its peak, of whichever of its processes was the largest."""

    code: int
    terminal: str
    folder: Path
    seconds: float
    cpu_seconds: float
    megabytes: float

    @property
    def document(self) -> Any:
        """The results or load document, checked against its schema."""
        results = self.folder / "results.json"
        return read_document(results if results.exists() else self.folder / "load.json")

    def outputs(self) -> dict[str, str]:
        """Everything that the run left, by name."""
        files = {path.name: path.read_text(encoding="utf-8") for path in sorted(self.folder.iterdir())}
        return {"terminal": self.terminal, **files}

    def failed(self) -> set[str]:
        """The requirements that failed."""
        return {one["id"] for one in self.document["requirements"] if one["verdict"] == "failed"}


MEASURING = """
import os, sys
pid = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_, status, used = os.wait4(pid, 0)
with open(sys.argv[1], "w") as file:
    file.write(f"{status} {used.ru_utime + used.ru_stime} {used.ru_maxrss}")
"""
"""Runs a command from a small process: the peak memory of a child begins with that of whoever forks it."""


def check(url: str, folder: Path, *options: str) -> Checked:
    """Run `wsproof check URL` and wait for its end."""
    return run(folder, "check", url, *QUICK, *BEAT, *options)


def run(folder: Path, *words: str) -> Checked:
    """Run `wsproof` with a folder for its reports, and wait for its end."""
    report = folder / "report"
    report.mkdir()
    command = [sys.executable, "-m", "wsproof.launcher", *words, "--output", str(report)]
    log, figures = folder / "terminal.txt", folder / "figures.txt"
    began = time.monotonic()
    with log.open("wb") as stream:
        child = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", MEASURING, str(figures), *command],
            stdout=stream,
            stderr=subprocess.STDOUT,
            cwd=folder,
            start_new_session=True,
        )
        killer = threading.Timer(LONGEST_SECONDS, os.killpg, (child.pid, signal.SIGKILL))
        killer.start()
        child.wait()
        killer.cancel()
    seconds = time.monotonic() - began
    status, cpu, peak = figures.read_text().split()
    terminal = log.read_bytes().decode("utf-8", "backslashreplace")
    code = os.waitstatus_to_exitcode(int(status))
    return Checked(code, terminal, report, seconds, float(cpu), float(peak) / 1024)
