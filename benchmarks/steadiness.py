"""The same verdicts, run after run, on a quiet machine and on a busy one, of right servers and of faulty ones.

`python -m benchmarks.steadiness --runs 50` checks one reference server again and again. In every second run each core
is kept busy, and the server is stopped for 200 ms again and again. Any verdict that differs from the first run's is
printed. `--faults 6` checks six faulty servers as well, twenty times each: what a fault breaks must fail in every run,
and nothing else. Which six they are changes every day; `--seed` repeats a sample. The exit code is 1 if any differs.
"""

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from random import Random

from reference_server.faults import catalogue, find
from tests.surroundings.adversity import busy_cores, standing_still
from tests.surroundings.checked import Verdicts, checked, serving


def one_run(number: int, url: str, pid: int, *options: str) -> Verdicts:
    """A check; the odd ones under adversity."""
    with ExitStack() as stack:
        if number % 2:
            stack.enter_context(busy_cores())
            stack.enter_context(standing_still(pid, number))
        return checked(url, *options)


def right_server(runs: int) -> int:
    """Check the reference server; how many runs differ from the first."""
    first: Verdicts | None = None
    differing = 0
    with serving() as server:
        for number in range(runs):
            verdicts = one_run(number, server.url, server.process.pid)
            first = first or verdicts
            found = verdicts.differences(first)
            differing += bool(found)
            how = "busy " if number % 2 else "quiet"
            print(f"run {number + 1:3} {how} {verdicts.duration:6.1f} s  {verdicts.overall}", flush=True)
            for name, what in found.items():
                print(f"        {name}: {what}", flush=True)
    print(f"{runs - differing} of {runs} runs gave the verdicts of the first", flush=True)
    return differing


def faulty_server(name: str, runs: int) -> int:
    """Check a faulty server; how many runs did not find exactly what it breaks."""
    fault = find(name)
    options = ["--thorough"] if fault.thorough else []
    bad = 0
    with serving("--fault", name) as server:
        for number in range(runs):
            verdicts = one_run(number, server.url, server.process.pid, *options)
            failed = {one for one, verdict in verdicts.of.items() if one.isupper() and verdict == "failed"}
            missed, wrong = {*fault.breaks} - failed, failed - {*fault.breaks, *fault.entails}
            bad += bool(missed or wrong)
            if missed or wrong:
                reasons = "; ".join(f"{one}: {verdicts.reasons.get(one)}" for one in sorted(missed | wrong))
                print(f"        {name}, run {number + 1}: missed {sorted(missed)}, wrong {sorted(wrong)}: {reasons}")
    print(f"{name}: {runs - bad} of {runs} runs found exactly what it breaks ({' '.join(fault.breaks)})", flush=True)
    return bad


def sample(count: int, seed: int, names: Sequence[str]) -> list[str]:
    """Some faults of the catalogue, and those that are named."""
    known = [one.name for one in catalogue()]
    return [*names, *Random(seed).sample([one for one in known if one not in names], min(count, len(known)))]


def main() -> int:
    """Print a line for each run; 1 where one differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=50, help="runs of the right server")
    parser.add_argument("--faults", type=int, default=0, help="faulty servers of the sample")
    parser.add_argument("--fault", action="append", default=[], help="one more faulty server, by name")
    parser.add_argument("--faulty-runs", type=int, default=20, help="runs of each")
    parser.add_argument(
        "--seed", type=int, default=datetime.now(UTC).toordinal(), help="which faults; default: today's"
    )
    chosen = parser.parse_args()
    differing = right_server(chosen.runs) if chosen.runs else 0
    faults = sample(chosen.faults, chosen.seed, chosen.fault)
    if faults:
        print(f"faulty servers, sample {chosen.seed}", flush=True)
    differing += sum(faulty_server(name, chosen.faulty_runs) for name in faults)
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
