"""Locust started by hand: its command line, its page, and what `wsproof load` would play by default."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from contract.files import DATA_ROOT
from loadtest.processes.supervisor import environment
from tests.loadtest.running import read_document, served

pytestmark = [served, pytest.mark.slow]

PATIENCE = 120.0
"""Seconds after which a test that hangs fails; nothing is measured by it."""


def locust(*options: str) -> list[str]:
    return [sys.executable, "-P", "-m", "locust", "-f", str(DATA_ROOT / "loadtest" / "locustfile.py"), *options]


@contextmanager
def page(folder: Path, *options: str) -> Iterator[str]:
    """Locust's page, and where it is."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    command = locust("--web-host", "127.0.0.1", "--web-port", str(port), *options)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until(lambda: answers(port), process)
            yield url
            process.terminate()
            assert process.wait(timeout=PATIENCE) == 0, (folder / "log").read_text()
        finally:
            process.kill()
            process.wait()
    assert "Traceback" not in (folder / "log").read_text()


def answers(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


def wait_until(condition: Callable[[], bool], process: subprocess.Popen[bytes] | None = None) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        assert process is None or process.poll() is None
        assert time.monotonic() < until, "it never came about"
        time.sleep(0.05)


def got(url: str, **form: object) -> bytes:
    """The answer to a GET, or to a POST where there is a form."""
    data = urllib.parse.urlencode(form).encode() if form else None
    with urllib.request.urlopen(url, data, timeout=PATIENCE) as answer:
        body: bytes = answer.read()
        return body


def own_posts(url: str, users: int) -> int:
    """How many posts came back, as the page says, while so many users play."""
    shown: dict[str, Any] = json.loads(got(f"{url}/stats/requests"))
    found = (one["num_requests"] for one in shown["stats"] if one["name"] == "post_to_own")
    return sum(found) if shown["user_count"] == users else 0


def test_the_page_plays_what_wsproof_would_and_writes_the_document_of_every_run(url: str, tmp_path: Path) -> None:
    document = tmp_path / "load.json"
    with page(tmp_path, "--host", url, "--rate", "5") as found:
        for users in (4, 2):
            document.unlink(missing_ok=True)
            began = time.monotonic()
            assert json.loads(got(f"{found}/swarm", user_count=users, spawn_rate=4, rate=5))["success"]
            wait_until(lambda users=users: own_posts(found, users) > 8 * users)  # type: ignore[misc]
            assert b"Type,Name" in got(f"{found}/stats/requests/csv")
            assert json.loads(got(f"{found}/stop", stop=1))["success"]
            lasted = time.monotonic() - began
            run = read_document(document)
            assert (run["complete"], run["reason"], run["errors"]) == (True, None, [])
            assert (run["settings"]["journeys"], run["settings"]["time_s"]) == ({"chatter": 1.0}, None)
            assert run["closes"] == {"1000": users}
            assert run["delivery"]["posts"] <= users * (5 * lasted + 1)
            assert run["delivery"]["lost"] == 0
        assert "post_to_own" in got(f"{found}/stats/report?download=1").decode()


def test_what_locust_keeps_as_long_as_it_runs_is_bounded() -> None:
    program = """if True:
        from locust.stats import RequestStats
        from loadtest.runner.locust_side import KEPT_SECONDS, MAX_HISTORY, feed, trim
        from loadtest.measure.recorder import Slice
        stats = RequestStats()
        for second in range(3 * MAX_HISTORY):
            feed(stats, Slice(latencies={"connect": {5_000: 1}}))
            for entry in (stats.total, *stats.entries.values()):
                entry.num_reqs_per_sec[second] += 1
                entry.num_fail_per_sec[second] += 1
            stats.history.append({"time": second})
            trim(stats)
            assert len(stats.history) <= MAX_HISTORY
        assert stats.total.num_requests == 3 * MAX_HISTORY
        for entry in (stats.total, *stats.entries.values()):
            assert second in entry.num_fail_per_sec
            assert len(entry.num_reqs_per_sec) <= KEPT_SECONDS and len(entry.num_fail_per_sec) <= KEPT_SECONDS
        assert stats.history[-1] == {"time": second}
        assert stats.history[0] == {"time": 0}
    """
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, env=environment())
    assert done.returncode == 0, done.stderr[-2000:]


def test_other_journeys_are_played_where_they_are_chosen(url: str, tmp_path: Path) -> None:
    options = ("--headless", "-u", "2", "-r", "2", "-t", "2s", "--host", url, "listener-user", "churner-user")
    done = subprocess.run(
        locust(*options), cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE, check=False, env=environment()
    )
    assert done.returncode == 0, done.stderr[-2000:]
    run = read_document(tmp_path / "load.json")
    assert run["settings"]["journeys"] == {"listener": 1.0, "churner": 1.0}
    assert os.listdir(tmp_path) == ["load.json"]


def test_several_processes_of_locust_tell_what_they_measured(url: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
    ports = ("--processes", "2", "--master-bind-port", port, "--master-port", port)
    options = ("--headless", "-u", "4", "-r", "4", "-t", "3s", "--host", url)
    done = subprocess.run(
        locust(*ports, *options), cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE, env=environment()
    )
    assert done.returncode == 0, done.stderr[-2000:]
    run = read_document(tmp_path / "load.json")
    assert [one["state"] for one in run["generator"]["workers"]] == ["finished", "finished"]
    assert (run["complete"], run["delivery"]["lost"]) == (True, 0)
    assert run["delivery"]["delivered"] > 0
