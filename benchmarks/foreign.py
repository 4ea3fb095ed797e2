"""What a round trip costs the load generator, of the chat and of a contract that is not bundled: CPU per round trip.

    .venv/bin/python -m benchmarks.foreign [ROUNDS]

Both journeys are `roundtrip`, of 50 users; the chat's posts come back to who posted them, the other one's requests are
answered. A run of 1 s is taken from one of 5 s, so that only round trips are left; the lowest of the rounds counts.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from contract.metrics import round_trip
from reference_server.core.settings import ServerSettings
from reference_server.network import running
from tests.bundled import load_profile
from tests.loadtest.foreign.desk import CONTRACT, desk

USERS = 50
SHORT, LONG = 1, 5


def measured(url: str, seconds: int, *options: str) -> tuple[float, int]:
    """CPU seconds of a load test, and its round trips."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "wsproof.launcher", "load", url, *options, "--journey", "roundtrip"]
        command += ["--users", f"{USERS}", "--channels", f"{USERS}", "--spawn-rate", "1000", "--time", f"{seconds}s"]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
        subprocess.run([*command, "--quiet", "--output", folder], capture_output=True, env=environment, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        document = json.loads((Path(folder) / "load.json").read_text(encoding="utf-8"))
    found = round_trip(document["metrics"]) or {"count": 0}
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, found["count"]


def cost(url: str, *options: str) -> float:
    """CPU microseconds of a round trip."""
    short, long = (measured(url, seconds, *options) for seconds in (SHORT, LONG))
    return 1e6 * (long[0] - short[0]) / (long[1] - short[1])


def main() -> None:
    """Measure both in turn, and print the figures."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    chat, foreign = [], []
    with ExitStack() as stack:
        server = stack.enter_context(running(ServerSettings(profile=load_profile(), port=0)))
        other = stack.enter_context(desk())
        for _ in range(rounds):
            chat.append(cost(server.url))
            foreign.append(cost(other, "--contract", str(CONTRACT)))
            print(f"chat {chat[-1]:.1f} µs, foreign {foreign[-1]:.1f} µs", flush=True)
    print(f"lowest: chat {min(chat):.1f} µs, foreign {min(foreign):.1f} µs: {min(foreign) / min(chat):.2f} times")


if __name__ == "__main__":
    main()
