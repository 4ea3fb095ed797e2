"""`wsproof load` in several processes: nobody waits for ever, and whoever is gone is named."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.loadtest.running import children_of, connections, read_document, served
from tests.wsproof.command import started, surroundings, wait_until, wsproof

pytestmark = [served, pytest.mark.slow]

WITH_PROC = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")


@pytest.fixture
def address() -> str:
    """An address of this machine where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"127.0.0.1:{server.getsockname()[1]}"


def test_a_worker_without_a_master_gives_up(address: str, tmp_path: Path) -> None:
    done = wsproof("load", "--worker", address, "--wait", "2s", folder=tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    _, line = done.stderr.splitlines()
    assert line == f"wsproof: no master answered at {address} within 2 s"


def test_a_master_whose_workers_do_not_all_come_says_how_many_did(reference: str, address: str, tmp_path: Path) -> None:
    with started("load", "--worker", address, folder=tmp_path) as worker:
        options = ("--master", address, "--expect-workers", "2", "--wait", "8s", "--output", tmp_path / "out")
        done = wsproof("load", reference, *options, folder=tmp_path)
        assert (done.returncode, done.stdout) == (3, "")
        assert done.stderr == f"wsproof: 1 of 2 workers connected within 8 s to {address}\n"
        *_, line = worker.communicate()[1].splitlines()
    assert (worker.returncode, line) == (3, f"wsproof: the master at {address} ended before the run began")


@WITH_PROC
def test_a_worker_whose_master_is_killed_leaves(reference: str, address: str, tmp_path: Path) -> None:
    options = ("--master", address, "--expect-workers", "1", "--time", "10m", "--output", tmp_path / "out")
    with (
        started("load", "--worker", address, "--wait", "6s", folder=tmp_path) as worker,
        started("load", reference, *options, folder=tmp_path) as master,
    ):
        wait_until(lambda: connections(reference) == 20, worker)
        os.kill(children_of(master.pid)[0], signal.SIGKILL)
        *_, line = worker.communicate()[1].splitlines()
    assert line == f"wsproof: the master at {address} has been silent for 6 s; its users were stopped"
    assert worker.returncode == 3


@WITH_PROC
def test_a_run_whose_workers_all_die_ends_and_names_them(reference: str, tmp_path: Path) -> None:
    options = ("--processes", "2", "--time", "10m", "--output", tmp_path / "out")
    with started("load", reference, *options, folder=tmp_path) as command:
        wait_until(lambda: connections(reference) == 20, command)
        for pid in [one for one in children_of(command.pid) if b"--worker" in cmdline(one)]:
            os.kill(pid, signal.SIGKILL)
        command.communicate()
    assert command.returncode == 1
    found = read_document(tmp_path / "out" / "load.json")
    assert (found["complete"], found["verdict"]) == (False, "incomplete")
    assert found["reason"].startswith("cut off: it ended after ")
    assert found["reason"].endswith(" of 600 s")
    assert [one["state"] for one in found["generator"]["workers"]] == ["lost", "lost"]


def cmdline(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


@WITH_PROC
@pytest.mark.parametrize("more", [("--processes", "2"), ()])
def test_a_signal_while_users_are_still_coming(reference: str, tmp_path: Path, more: tuple[str, ...]) -> None:
    options = ("--users", "200", "--spawn-rate", "2", "--time", "100s", "--output", tmp_path / "out")
    with started("load", reference, *options, *more, folder=tmp_path) as command:
        wait_until(lambda: connections(reference) > 3, command)
        command.send_signal(signal.SIGTERM)
        said = command.communicate()
    assert command.returncode == 130, said
    found = read_document(tmp_path / "out" / "load.json")
    assert found["reason"].startswith("cut off: it ended after ")
    assert set(found["closes"]) <= {"1000"}
    assert found["errors"] == []
    assert "no threshold was set" not in said[0]


@WITH_PROC
@pytest.mark.parametrize("more", [("--processes", "2"), ()])
def test_a_generator_that_crashes_leaves_what_it_measured(
    reference: str, tmp_path: Path, more: tuple[str, ...]
) -> None:
    options = ("--rate", "20", "--time", "10m", "--output", tmp_path / "out")
    with started("load", reference, *options, *more, folder=tmp_path) as command:
        wait_until(lambda: connections(reference) == 20, command)
        (collector,) = (one for one in children_of(command.pid) if b"--worker" not in cmdline(one))
        wait_until(lambda: told_bytes(collector) > 10_000, command)
        os.kill(collector, signal.SIGKILL)
        said = command.communicate()
    assert command.returncode == 2
    assert said[1].splitlines()[-1] == "wsproof: the load generator ended early: killed by SIGKILL"
    found = read_document(tmp_path / "out" / "load.json")
    assert found["complete"] is False
    assert found["reason"].endswith(" of 600 s: the load generator ended early: killed by SIGKILL")
    assert found["metrics"]["connect"]["count"] == 20
    assert found["metrics"]["post_to_own"]["count"] > 0
    assert children_of(command.pid) == []


def told_bytes(pid: int) -> int:
    """How much a process has written."""
    counts = dict(line.split(": ") for line in Path(f"/proc/{pid}/io").read_text().splitlines())
    return int(counts["wchar"])


def test_where_no_file_can_be_written_the_document_goes_to_standard_output(reference: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "wsproof", "load", reference, "--users", "3", "--time", "2s", "--json", "-"]
    done = subprocess.run(
        # No file may grow beyond eight blocks: a full disk, for this process alone.
        ["sh", "-c", 'ulimit -f 8; exec "$@"', "sh", *command],
        cwd=tmp_path,
        env=surroundings({"TMPDIR": str(tmp_path)}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    document = json.loads(done.stdout)
    assert (document["complete"], document["metrics"]["connect"]["count"]) == (True, 3)
    assert document["delivery"]["lost"] == 0
    *_, first, second = done.stderr.splitlines()
    assert first == f"wsproof: {tmp_path / 'wsproof-report' / 'load.json'} cannot be written: File too large"
    assert second == "wsproof: wsproof-report/load.html cannot be written: File too large"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
