"""How long the whole suite takes, beside its longest unavoidable wait, and how much of a CPU it needs.

`python -m benchmarks.suite` checks a reference server with the template's own heartbeat of 30 s (a minute and a half),
and once more without the scenarios that wait for a heartbeat. `--interval 1s` takes another heartbeat. The exit code
is 1 where the suite takes over a tenth longer than its longest wait.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from conformance.run.progress import longest_wait
from tests.bundled import load_profile, load_scenarios
from tests.surroundings.checked import ROOT, serving

ALLOWED = 1.10


def measured(url: str, *options: str) -> tuple[float, float, dict[str, Any]]:
    """Run `wsproof check`: seconds that the scenarios took, CPU seconds of the process, the results document."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "wsproof", "check", url, "--output", folder, *options]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, _, usage = os.wait4(process.pid, 0)
        document = json.loads((Path(folder) / "results.json").read_text(encoding="utf-8"))
    return document["duration_s"], usage.ru_utime + usage.ru_stime, document


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--interval", default="30s", help="the heartbeat's interval, such as 5s")
    interval = f"heartbeat.interval={parser.parse_args().interval}"
    profile = load_profile(None, dict([interval.split("=", 1)]))
    wait = max(longest_wait(one, profile) for one in load_scenarios())
    print("| run | scenarios | seconds | CPU seconds | scenarios per CPU second |\n| --- | --- | --- | --- | --- |")
    took = {}
    with serving("--set", interval, "--set", f"heartbeat.timeout={profile.heartbeat.timeout}") as server:
        for name, options in (("without heartbeat waits", ("--deselect", "slow")), ("whole suite", ())):
            began = time.monotonic()
            duration, cpu, document = measured(server.url, "--set", interval, *options)
            count = len(document["scenarios"])
            print(f"| {name} | {count} | {duration:.1f} | {cpu:.1f} | {count / cpu:.0f} |", flush=True)
            print(f"  verdict {document['verdict']}, {time.monotonic() - began:.1f} s with start and reports")
            took[name] = duration
    ratio = took["whole suite"] / wait
    print(f"longest unavoidable wait {wait:.1f} s; the whole suite took {ratio:.3f} times that (at most {ALLOWED})")
    return 1 if ratio > ALLOWED else 0


if __name__ == "__main__":
    sys.exit(main())
