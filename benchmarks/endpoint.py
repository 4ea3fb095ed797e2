"""The reference server as a process of its own, for benchmarks."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from contract.files import DATA_ROOT

COMMAND = [sys.executable, "-P", "-m", "wsproof", "serve", "--port", "0", "--set", "heartbeat.interval=30"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server that runs: its URL, and the number of its process."""

    url: str
    pid: int


def pin(core: int) -> None:
    """Keep this process, and what it starts, on one core; where there is but one, that is no choice."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[core % len(cores)]})


@contextlib.contextmanager
def reference_server(*options: str, core: int | None = None) -> Iterator[Endpoint]:
    """`wsproof serve` while the block runs, on a core of its own where one is named."""
    process = subprocess.Popen(
        [*COMMAND, *options],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(DATA_ROOT)},
        preexec_fn=(lambda: pin(core)) if core is not None else None,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if "ws://" not in line:
            raise RuntimeError(f"the server did not start: {line!r}")
        yield Endpoint(line.split()[-1], process.pid)
    finally:
        process.kill()
        process.wait()
