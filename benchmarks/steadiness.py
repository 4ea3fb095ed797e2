"""The same verdicts, run after run, on a quiet machine and on a busy one.

`python -m benchmarks.steadiness --runs 50` checks one reference server again and again. In every second run each core
is kept busy, and the server is stopped for 200 ms again and again. Any verdict that differs from the first run's is
printed, and the exit code is 1.
"""

import argparse
import sys
from contextlib import ExitStack

from tests.surroundings.adversity import busy_cores, standing_still
from tests.surroundings.checked import Verdicts, checked, serving


def one_run(number: int, url: str, pid: int) -> Verdicts:
    """A check; the odd ones under adversity."""
    with ExitStack() as stack:
        if number % 2:
            stack.enter_context(busy_cores())
            stack.enter_context(standing_still(pid, number))
        return checked(url)


def main() -> int:
    """Print a line for each run; 1 where two of them differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=50)
    runs = parser.parse_args().runs
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
    print(f"{runs - differing} of {runs} runs gave the verdicts of the first")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
