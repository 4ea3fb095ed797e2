"""The reference server, and the servers of this folder, as the tests start them."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from contract.profile import load_profile
from reference_server.network import running
from reference_server.settings import ServerSettings
from tests.surroundings.checked import ROOT


def settings(*faults: str) -> ServerSettings:
    """Of a reference server with the heartbeat that `tests.hostile.checking.check` expects."""
    profile = load_profile(None, {"heartbeat.interval": 0.5, "heartbeat.timeout": 0.5})
    return ServerSettings(profile=profile, port=0, close_timeout=0.5, faults=faults)


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
