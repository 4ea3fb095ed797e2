"""`wsproof check` as a child process, with what it cost."""

import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reports.documents import read_document

LONGEST_SECONDS = 120.0
"""A child that has not ended by then hangs. No run takes near as long, not even on a busy machine."""

QUICK = ("--set", "ack_timeout=400ms", "--set", "response_timeout=400ms", "--set", "quiet_period=100ms")
BEAT = ("--set", "heartbeat.interval=500ms", "--set", "heartbeat.timeout=500ms")


@dataclass(frozen=True, slots=True)
class Checked:
    """How a run of `wsproof check` ended; `megabytes` at its peak."""

    code: int
    terminal: str
    folder: Path
    seconds: float
    cpu_seconds: float
    megabytes: float

    @property
    def document(self) -> Any:
        """The results document, checked against its schema."""
        return read_document(self.folder / "results.json")

    def outputs(self) -> dict[str, str]:
        """Everything that the run left, by name."""
        files = {path.name: path.read_text(encoding="utf-8") for path in sorted(self.folder.iterdir())}
        return {"terminal": self.terminal, **files}

    def failed(self) -> set[str]:
        """The requirements that failed."""
        return {one["id"] for one in self.document["requirements"] if one["verdict"] == "failed"}


def check(url: str, folder: Path, *options: str) -> Checked:
    """Run `wsproof check URL` and wait for its end."""
    report = folder / "report"
    report.mkdir()
    command = [sys.executable, "-m", "wsproof.launcher", "check", url, "--output", str(report), *QUICK, *BEAT, *options]
    log = folder / "terminal.txt"
    began = time.monotonic()
    with log.open("wb") as stream:
        child = subprocess.Popen(command, stdout=stream, stderr=subprocess.STDOUT, cwd=folder)
        killer = threading.Timer(LONGEST_SECONDS, child.kill)
        killer.start()
        _, status, used = os.wait4(child.pid, 0)
        killer.cancel()
    child.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - began
    terminal = log.read_bytes().decode("utf-8", "backslashreplace")
    return Checked(child.returncode, terminal, report, seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
