"""A machine that is busy, and a server that stands still for moments."""

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

BURST_SECONDS = 0.2

BUSY = "while True: pass"


@contextmanager
def busy_cores(count: int | None = None) -> Iterator[None]:
    """Keep every core occupied, by a process each."""
    with ExitStack() as stack:
        for _ in range(count or os.cpu_count() or 1):
            process = stack.enter_context(subprocess.Popen([sys.executable, "-c", BUSY]))
            stack.callback(process.kill)
        yield


@contextmanager
def standing_still(pid: int, seed: int = 0) -> Iterator[None]:
    """Stop a process for 200 ms again and again, with gaps of 0.3 to 1.5 s."""
    over = threading.Event()
    choose = random.Random(seed)

    def work() -> None:
        while not over.wait(choose.uniform(0.3, 1.5)):
            os.kill(pid, signal.SIGSTOP)
            over.wait(BURST_SECONDS)
            os.kill(pid, signal.SIGCONT)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
