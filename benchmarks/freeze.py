"""Coordinated omission: a server that freezes for two seconds, and what the percentiles say of it.

At a fixed rate, a message meant for a moment of the freeze waits for the rest of it. With a run of T seconds and a
freeze of F, the latency that a share q of all messages does not exceed is F - (1 - q) T, whatever the tool does in the
meantime. A closed-loop tool waits with its next message for the answer to the one before, and misses nearly all of it.

    python -m benchmarks.freeze
"""

import json
import os
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from benchmarks.servers import serving
from loadtest.processes.supervisor import run_load
from loadtest.settings.plan import new_run
from loadtest.settings.settings import LoadSettings

RUN_SECONDS, FREEZE_SECONDS = 10.0, 2.0
USERS, RATE = 30, 10.0
ALLOWED = 0.10
QUANTILES = {"p90": 0.90, "p99": 0.99, "p999": 0.999}


def expected() -> dict[str, float]:
    """Milliseconds, by arithmetic."""
    return {name: 1000 * (FREEZE_SECONDS - (1 - share) * RUN_SECONDS) for name, share in QUANTILES.items()}


def freeze(pid: int, connected: threading.Event) -> None:
    """Stop the server in the middle of the run, for two seconds."""
    connected.wait(30)
    time.sleep(RUN_SECONDS / 2 - FREEZE_SECONDS / 2)
    os.kill(pid, signal.SIGSTOP)
    time.sleep(FREEZE_SECONDS)
    os.kill(pid, signal.SIGCONT)


def measure(journey: str, folder: Path) -> dict[str, Any]:
    """`post_to_own` of a run in whose middle the server freezes."""
    with serving("reference") as server:
        begun = threading.Event()
        thread = threading.Thread(target=freeze, args=(server.process.pid, begun))
        thread.start()
        settings = LoadSettings(
            endpoint=server.url,
            users=USERS,
            spawn_rate=1000.0,
            duration=RUN_SECONDS,
            document=str(folder / "load.json"),
            journeys={journey: 1.0},
            channels=USERS,
            rate=RATE,
            run=new_run(),
        )
        # The child needs a moment to import everything; the freeze is to fall well inside the run.
        run_load(settings, lambda elapsed: begun.set() if elapsed > 1.0 else None)
        thread.join()
    document: dict[str, Any] = json.loads((folder / "load.json").read_text(encoding="utf-8"))
    return document


def main() -> int:
    """Print the table; 1 where the open model's percentiles are not what arithmetic says."""
    with tempfile.TemporaryDirectory() as name:
        opened = measure("chatter", Path(name))
        closed = measure("roundtrip", Path(name))
    wanted, off = expected(), 0
    print(f"{USERS} users, {RATE:g} posts per second each, {RUN_SECONDS:g} s; frozen for {FREEZE_SECONDS:g} s\n")
    print(f"{'':8}{'arithmetic':>12}{'open model':>12}{'off by':>9}{'closed model':>15}")
    for figure, milliseconds in wanted.items():
        found = opened["metrics"]["post_to_own"][figure]
        error = found / milliseconds - 1
        off += abs(error) > ALLOWED
        other = closed["metrics"]["post_to_own"][figure]
        print(f"{figure:8}{milliseconds:>9.0f} ms{found:>9.0f} ms{error:>8.1%}{other:>12.1f} ms")
    delivery = opened["delivery"]
    print(f"\nopen model: {delivery['delivered']} of {delivery['expected']} owed deliveries arrived")
    return 1 if off else 0


if __name__ == "__main__":
    sys.exit(main())
