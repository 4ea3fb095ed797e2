"""The reference server, the one that dies, and a check of either."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reference_server.core.settings import ServerSettings
from reference_server.network import running
from tests.bundled import load_profile
from tests.hostile.checking import Checked, run
from tests.surroundings.checked import ROOT

TIMES = {"ack_timeout": 2, "response_timeout": 2, "heartbeat.interval": 1, "heartbeat.timeout": 2}
"""Short, and long enough for a right server on a busy machine."""


def check(url: str, folder: Path, *options: str) -> Checked:
    """Run `wsproof check URL` and wait for its end."""
    times = [word for name, seconds in TIMES.items() for word in ("--set", f"{name}={seconds}s")]
    return run(folder, "check", url, *times, *options)


def settings(*faults: str) -> ServerSettings:
    """Of a reference server on a free port."""
    return ServerSettings(profile=load_profile(None, TIMES), port=0, close_timeout=1.0, faults=faults)


@contextmanager
def reference(*faults: str) -> Iterator[str]:
    """A reference server in a thread of this process; gives its URL."""
    with running(settings(*faults)) as server:
        yield server.url


@contextmanager
def mortal(cause: str, back_after: str) -> Iterator[str]:
    """A server that dies of `cause`, in a process of its own, with its supervisor; gives its URL."""
    command = [sys.executable, "-m", "tests.evidence.mortal", cause, back_after]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("listening on "), line
        yield line.removeprefix("listening on ").strip()
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
