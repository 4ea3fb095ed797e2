"""Runs Locust headless as a child process, since importing it patches the interpreter."""

import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from contract.files import DATA_ROOT
from loadtest.settings import SETTINGS_VARIABLE, LoadError, LoadSettings
from loadtest.thresholds import parse_threshold

GRACE_SECONDS = 15.0
"""How long the child may take to end its users and write its document."""

SPARE_DESCRIPTORS = 100


def check_settings(settings: LoadSettings) -> None:
    """Raise `LoadError` for what cannot work, before any load starts."""
    if settings.users < 1:
        raise LoadError(f"--users {settings.users}: expected at least 1")
    if not settings.spawn_rate > 0:
        raise LoadError(f"--spawn-rate {settings.spawn_rate:g}: expected more than 0")
    for text in settings.thresholds:
        parse_threshold(text)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = settings.users * 2 + SPARE_DESCRIPTORS
    if soft < needed:
        if hard != resource.RLIM_INFINITY and hard < needed:
            raise LoadError(f"--users {settings.users}: needs {needed} file descriptors, and the limit is {hard}")
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def command(settings: LoadSettings) -> list[str]:
    """The child's command line; no token stands in it."""
    return [
        *(sys.executable, "-P", "-m", "locust"),
        *("-f", str(DATA_ROOT / "loadtest" / "locustfile.py")),
        *("--headless", "--users", str(settings.users), "--spawn-rate", str(settings.spawn_rate)),
        *("--run-time", f"{max(round(settings.duration), 1)}s", "--stop-timeout", "5"),
        *("--only-summary", "--loglevel", "ERROR", "--exit-code-on-error", "0"),
    ]


def run_load(settings: LoadSettings, progress: Callable[[float], None] = lambda elapsed: None) -> bool:
    """Run the load to its end; False where it was interrupted. The document is at `settings.document`.

    Raises `LoadError` for settings that cannot work, and where the child wrote no document.
    """
    check_settings(settings)
    Path(settings.document).unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="wsproof-") as folder:
        path, log = Path(folder) / "settings.json", Path(folder) / "log"
        settings.write(path)
        paths = [str(DATA_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {**os.environ, SETTINGS_VARIABLE: str(path), "PYTHONPATH": os.pathsep.join(paths)}
        with log.open("wb") as output:
            child = subprocess.Popen(command(settings), env=environment, stdout=output, stderr=output)
            completed = _wait(child, settings.duration, progress)
        if not Path(settings.document).is_file():
            lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            raise LoadError(f"the load generator ended early: {lines[-1] if lines else 'no output'}")
    return completed


def _wait(child: subprocess.Popen[bytes], duration: float, progress: Callable[[float], None]) -> bool:
    began = time.monotonic()
    completed = True
    while True:
        try:
            child.wait(timeout=0.5)
            return completed
        except subprocess.TimeoutExpired:
            elapsed = time.monotonic() - began
            progress(elapsed)
            if elapsed > duration + 2 * GRACE_SECONDS:
                child.kill()
        except KeyboardInterrupt:
            # The terminal tells both; a signal to this process alone is handed on.
            completed = False
            child.send_signal(signal.SIGINT)
            duration = time.monotonic() - began
