"""Whether the other side of a load test is there: a worker's master, a master's workers. Nobody waits for ever.

A process that gives up ends with one of these exit codes, which whoever started it understands.
"""

import sys
import time
from typing import Any

import gevent
from locust import runners
from locust.runners import MasterRunner, WorkerRunner

from loadtest.processes.processes import MASTER_GONE, MASTER_LEFT, WORKERS_ABSENT

TRIES = 60
"""How often a worker knocks before it gives up."""


def limit_waiting(seconds: float) -> None:
    """Have Locust's workers wait so long for their master: until it answers, and whenever it is silent."""
    runners.CONNECT_RETRY_COUNT = TRIES - 1
    runners.CONNECT_TIMEOUT = seconds / TRIES  # type: ignore[assignment]  # it is what gevent waits
    runners.MASTER_HEARTBEAT_TIMEOUT = seconds  # type: ignore[assignment]  # it is subtracted from a time


def watch_workers(runner: MasterRunner, expected: int, seconds: float) -> None:
    """End this process unless its workers come in time; the last line of its log says how many did."""
    gevent.sleep(seconds)
    if runner.state == runners.STATE_INIT and runner.worker_count < expected:
        came = runner.worker_count
        runner.quit()
        sys.stderr.write(f"{came} of {expected} workers connected within {seconds:g} s\n")
        raise SystemExit(WORKERS_ABSENT)


def exit_code_of(runner: WorkerRunner, *, begun: bool) -> int | None:
    """What a worker ends with whose master is silent, or ended before the run had begun; None where all is well."""
    heard: Any = runner.last_heartbeat_timestamp
    if heard is not None and time.time() - heard > runners.MASTER_HEARTBEAT_TIMEOUT:
        return MASTER_GONE
    return None if begun else MASTER_LEFT
