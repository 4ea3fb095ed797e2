"""Servers of the chat protocol to measure, each a process of its own on a core of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

from tests.examples.needs import lacking
from tests.surroundings.checked import ROOT

NODE = "node-ws"
SERVERS = ("reference", NODE)


@dataclass(frozen=True, slots=True)
class Measured:
    """A running server."""

    url: str
    process: psutil.Process

    def cpu(self) -> float:
        """CPU seconds that it has taken so far."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def memory(self) -> int:
        """Its resident bytes."""
        return int(self.process.memory_info().rss)


def cores() -> tuple[set[int], set[int]]:
    """One core for the server, and one for the clients; the same where there is but one."""
    usable = sorted(os.sched_getaffinity(0))
    return {usable[0]}, {usable[-1]}


def absent(name: str) -> str | None:
    """Why a server cannot be measured here; None where it can."""
    return lacking(NODE) if name == NODE else None


def _command(name: str, interval: float, timeout: float) -> list[str]:
    if name == NODE:
        return [str(ROOT / "examples" / "servers" / NODE / "start")]
    heartbeat = ["--set", f"heartbeat.interval={interval}", "--set", f"heartbeat.timeout={timeout}"]
    return [sys.executable, "-m", "wsproof", "serve", "--port", "0", *heartbeat]


@contextmanager
def serving(name: str, *, interval: float = 600.0, timeout: float = 600.0) -> Iterator[Measured]:
    """Start a server with a heartbeat of so many seconds; the default stays out of a measurement's way."""
    mine = os.sched_getaffinity(0)
    environment = {
        **os.environ,
        "PORT": "0",
        "HEARTBEAT_INTERVAL": str(interval),
        "HEARTBEAT_TIMEOUT": str(timeout),
    }
    os.sched_setaffinity(0, cores()[0])  # a child inherits it, with all its threads
    try:
        process = subprocess.Popen(
            _command(name, interval, timeout), cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
        )
    finally:
        os.sched_setaffinity(0, mine)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line.startswith("listening on "):
            raise RuntimeError(f"{name} does not start")
        yield Measured(line.removeprefix("listening on ").strip(), psutil.Process(process.pid))
    finally:
        process.terminate()
        process.communicate()
