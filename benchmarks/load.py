"""What a unit of work costs the load generator: ours, and the peers, side by side against one server.

`python -m benchmarks.load` (`make bench`) measures CPU time, user and system, of all processes of a generator: per
round trip (50 users, post and own message, closed loop, each in a channel of its own), per received message where a
post reaches 200 users, and for 5,000 users to connect; and the resident memory of each of those. The generator has one
core, the server another. A figure of work is the slope between a short and a long run, so that starting, connecting
and reporting do not count. The peers take turns, and the best of the rounds counts, since others' work inflates CPU
time. `--install` fetches the peers into build/peers first; a peer that is not there has a row that says so. `--quick`
takes a minute and a half. The exit code is 1 where a generator that is there could not be measured.
"""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import psutil

from benchmarks.idle import allow_descriptors
from benchmarks.peers.install import install
from benchmarks.peers.tools import FANOUT, IDLE, ROUNDTRIP, TOOLS, Job, Tool, absent
from benchmarks.servers import NODE, SERVERS, Measured, cores, serving
from benchmarks.servers import absent as lacks
from tests.surroundings.checked import ROOT

PATIENCE = 60.0
"""Seconds that a run may take longer than its work."""
SETTLING = 2.0
"""Seconds between the last connection and the look at the generator; the acknowledgements come meanwhile."""
OURS = "wsproof"
FEW = 100
"""Users whose cost is taken off that of the many."""


Result = TypeVar("Result")
Figures = tuple[float, float]
"""Two figures, of which the first is to be small."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is measured: rounds, seconds of the short and the long run, users, and seconds for all of it."""

    rounds: int
    seconds: tuple[float, float]
    many: int
    names: Sequence[str] | None
    bound: float


WHOLE = Extent(3, (1.0, 5.0), 5_000, None, 420.0)
QUICK = Extent(1, (1.0, 3.0), 1_000, ("Python, raw sockets by hand", OURS), 75.0)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run took: CPU seconds of the generator, units of work that it counted, bytes that the server read."""

    cpu: float
    count: int
    read: int


@contextlib.contextmanager
def generating(tool: Tool, job: Job) -> Iterator[subprocess.Popen[bytes]]:
    """The generator at work on its core; whatever of it is left afterwards is killed."""
    start = tool.start(job)
    with (job.folder / "stdout").open("wb") as out, (job.folder / "stderr").open("wb") as errors:
        process = subprocess.Popen(
            start.command,
            cwd=ROOT,
            env={**os.environ, **start.environment},
            stdout=out,
            stderr=errors,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=lambda: os.sched_setaffinity(0, cores()[1]),
        )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def spent(tool: Tool, job: Job, server: Measured) -> Cost:
    """Let the generator do its work to the end. Raises `RuntimeError` where it does not end, or did nothing."""
    read = server.process.io_counters().read_chars
    with generating(tool, job) as process:
        deadline = time.monotonic() + job.seconds + PATIENCE
        pid, _, usage = os.wait4(process.pid, os.WNOHANG)
        while pid == 0:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{tool.name} did not end")
            time.sleep(0.05)
            pid, _, usage = os.wait4(process.pid, os.WNOHANG)
    count = tool.count(job)
    if count <= 0:
        raise RuntimeError(f"{tool.name} counted nothing")
    return Cost(usage.ru_utime + usage.ru_stime, count, server.process.io_counters().read_chars - read)


def connected(tool: Tool, job: Job, server: Measured, before: int) -> tuple[float, int]:
    """CPU seconds and resident bytes of the generator's processes, when all users are connected and idle.

    `before` is the number of descriptors that the server has while nobody is connected.
    """
    deadline = time.monotonic() + PATIENCE
    while server.process.num_fds() > before and time.monotonic() < deadline:
        time.sleep(0.1)
    with generating(tool, job) as process:
        deadline = time.monotonic() + PATIENCE
        while server.process.num_fds() < before + job.users:
            if time.monotonic() > deadline or process.poll() is not None:
                there = server.process.num_fds() - before
                raise RuntimeError(f"{tool.name}: only {there} of {job.users} users were connected")
            time.sleep(0.1)
        time.sleep(SETTLING)
        root = psutil.Process(process.pid)
        tree = [root, *root.children(recursive=True)]
        seconds = sum(sum(one.cpu_times()[:4]) for one in tree)  # with those children that have ended
        memory = sum(one.memory_info().rss for one in tree)
    return seconds, memory


def slope(tool: Tool, job: Job, server: Measured, extent: Extent) -> tuple[float, float]:
    """Microseconds of CPU per unit of work, and bytes that the server read per unit."""
    short, long = (fresh(job, seconds, lambda one: spent(tool, one, server)) for seconds in extent.seconds)
    count = long.count - short.count
    return 1e6 * (long.cpu - short.cpu) / count, (long.read - short.read) / count


def fresh(job: Job, seconds: float, measure: Callable[[Job], Result]) -> Result:
    """Measure in a folder that is there for this run only."""
    with tempfile.TemporaryDirectory() as folder:
        return measure(replace(job, seconds=seconds, folder=Path(folder)))


class Bench:
    """The measurements of one server; what cannot be measured has its reason in the table."""

    def __init__(self, server: Measured, extent: Extent) -> None:
        self._server = server
        self._extent = extent
        self._end = time.monotonic() + extent.bound
        self._idle = server.process.num_fds()
        self.wrong = 0
        self._reasons = {tool.name: reason for tool in TOOLS if (reason := absent(tool))}

    def _tools(self, mode: str) -> list[Tool]:
        names = self._extent.names if mode != ROUNDTRIP else None
        return [tool for tool in TOOLS if mode in tool.modes and (names is None or tool.name in names)]

    def _rounds(
        self, tools: Sequence[Tool], rounds: int, measure: Callable[[Tool], Figures]
    ) -> dict[str, list[Figures]]:
        """Let the tools take turns; a tool that failed once is out, and no round begins after the bound."""
        found: dict[str, list[Figures]] = {tool.name: [] for tool in tools}
        for number in range(rounds):
            if number and time.monotonic() > self._end:
                break
            for tool in tools:
                if tool.name in self._reasons:
                    continue
                try:
                    found[tool.name].append(measure(tool))
                except (RuntimeError, LookupError, ValueError, OSError) as error:
                    self.wrong += 1
                    self._reasons[tool.name] = f"failed: {error}".splitlines()[0]
        return found

    def _work(self, job: Job, unit: str, rounds: int) -> None:
        """Print the table of a kind of work, with ratios to ours."""
        found = self._rounds(self._tools(job.mode), rounds, lambda tool: slope(tool, job, self._server, self._extent))
        print(f"\n| generator | µs of CPU per {unit} | worst round | times ours | server read |")
        print("| --- | ---: | ---: | ---: | ---: |")
        ours = min(found[OURS])[0] if found[OURS] else float("nan")
        for name, figures in found.items():
            if not figures:
                print(f"| {name} | {self._reasons[name]} | | | |")
                continue
            best, read = min(figures)
            print(f"| {name} | {best:.1f} | {max(figures)[0]:.1f} | {best / ours:.2f} | {read:.0f} B |", flush=True)

    def roundtrips(self, job: Job) -> None:
        """What a round trip costs."""
        self._work(replace(job, mode=ROUNDTRIP, users=50), "round trip", self._extent.rounds)

    def fanouts(self, job: Job) -> None:
        """What a received message costs, where 200 users receive each post."""
        self._work(replace(job, mode=FANOUT, users=200), "received message", min(2, self._extent.rounds))

    def crowds(self, job: Job) -> None:
        """What it takes to connect many users, and to keep them."""
        many = self._extent.many

        def grown(tool: Tool) -> Figures:
            (few_cpu, few), (cpu, bytes_) = (
                fresh(
                    replace(job, mode=IDLE, users=users),
                    PATIENCE,
                    lambda one: connected(tool, one, self._server, self._idle),
                )
                for users in (FEW, many)
            )
            return (cpu - few_cpu) * many / (many - FEW), (bytes_ - few) / (many - FEW) / 1024

        found = self._rounds(self._tools(IDLE), min(2, self._extent.rounds), grown)
        print(f"\n| generator | CPU seconds, {many:,} users connected | kB per idle user |\n| --- | ---: | ---: |")
        for name, figures in found.items():
            if not figures:
                print(f"| {name} | {self._reasons[name]} | |")
                continue
            print(f"| {name} | {min(figures)[0]:.2f} | {min(memory for _, memory in figures):.1f} |", flush=True)


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--install", action="store_true", help="fetch the peers into build/peers, then measure")
    parser.add_argument("--quick", action="store_true", help="one round, short; many users are fewer")
    options = parser.parse_args()
    if options.install:
        install()
    extent = QUICK if options.quick else WHOLE
    allow_descriptors(extent.many)
    name = NODE if lacks(NODE) is None else SERVERS[0]
    with serving(name) as server:
        print(f"server: {name}, on core {min(cores()[0])}; generators on core {min(cores()[1])}")
        bench, job = Bench(server, extent), Job(ROUNDTRIP, 50, 0.0, server.url, Path())
        bench.roundtrips(job)
        bench.fanouts(job)
        bench.crowds(job)
    return 1 if bench.wrong else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RuntimeError as error:
        sys.exit(f"load: {error}")
