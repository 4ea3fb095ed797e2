"""Real runs: Locust in a child process, against the reference server on a free port."""

import json
import os
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from conformance.transport.target import UnreachableError
from contract.files import DATA_ROOT
from loadtest.processes.supervisor import environment, run_load
from loadtest.settings.settings import LoadError, LoadSettings, Stage
from tests.loadtest.running import children_of, read, served, settings_for

pytestmark = served

STARTER = """
import json, sys
from pathlib import Path
from loadtest.processes.supervisor import run_load
from loadtest.settings.settings import read_settings
completed = run_load(read_settings(Path(sys.argv[1])), lambda elapsed: print(elapsed, flush=True))
print(json.dumps(completed), flush=True)
"""


@pytest.fixture
def settings(url: str, tmp_path: Path) -> LoadSettings:
    """Five users for a short while."""
    return settings_for(url, tmp_path)


def test_who_has_not_begun_when_the_run_ends_never_does(settings: LoadSettings) -> None:
    assert run_load(replace(settings, users=60, spawn_rate=60, duration=0.5))
    found = read(settings)
    assert (found["errors"], found["complete"]) == ([], True)
    begun = found["metrics"]["connect"]["count"]
    assert 0 < begun < 60
    assert found["closes"] == {"1000": begun}


def test_users_play_and_everything_is_measured(settings: LoadSettings) -> None:
    settings = replace(settings, channels=2, thresholds=("errors == 0", "count(post_to_own) > 0"))
    progress: list[float] = []
    assert run_load(settings, progress.append)
    found = read(settings)
    assert (found["verdict"], found["reason"], found["complete"]) == ("conformant", None, True)
    assert (found["errors"], found["closes"]) == ([], {"1000": 5})
    metrics = found["metrics"]
    assert {name: metrics[name]["count"] for name in ("connect", "ack", "join", "close")} == {
        "connect": 5,
        "ack": 5,
        "join": 5,
        "close": 5,
    }
    assert metrics["post_to_own"]["count"] > 0
    assert metrics["post_to_receive"]["count"] > 0
    assert sum(one["rate"] for one in found["timeline"]) == metrics["post_to_own"]["count"]
    assert max(one["users"] for one in found["timeline"]) == 5
    assert found["generator"]["cpu_percent"] > 0
    assert progress == sorted(progress)
    assert found["settings"]["users"] == 5


def test_journeys_run_side_by_side(settings: LoadSettings) -> None:
    settings = replace(settings, journeys={"churner": 1.0, "listener": 1.0, "lurker": 1.0}, users=6, spawn_rate=6)
    assert run_load(settings)
    found = read(settings)
    assert (found["verdict"], found["errors"]) == ("conformant", [])
    assert set(found["closes"]) == {"1000"}
    assert found["closes"]["1000"] == found["metrics"]["connect"]["count"] == found["metrics"]["close"]["count"]
    assert found["metrics"]["connect"]["count"] > 6


def test_users_who_are_refused_fail_the_run_with_the_reason(settings: LoadSettings) -> None:
    overrides = {"users": {"alice": {"token": "nobody-knows-me"}}, "reconnect.base": "100ms", "tokens": {}}
    settings = replace(settings, duration=1, overrides=overrides, thresholds=("errors == 0",))
    assert run_load(settings)
    found = read(settings)
    reason = "the handshake was not accepted: 401 Unauthorized"
    assert (found["verdict"], found["reason"]) == ("non-conformant", f"no virtual user could connect: {reason}")
    assert [one["message"] for one in found["errors"]] == [reason]
    assert (found["metrics"], found["closes"]) == ({}, {})
    assert "nobody-knows-me" not in Path(settings.document).read_text(encoding="utf-8")


def test_nothing_is_started_where_nobody_listens(settings: LoadSettings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(UnreachableError):
        run_load(replace(settings, endpoint=f"ws://127.0.0.1:{port}/v1/socket"))
    assert not Path(settings.document).exists()


def test_a_folder_that_is_not_there_is_told_before_the_run(settings: LoadSettings, tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="no such directory"):
        run_load(replace(settings, document=str(tmp_path / "missing" / "load.json")))


def start(settings: LoadSettings, folder: Path) -> "subprocess.Popen[str]":
    """The parent of a load test as a process of its own, started in `folder`."""
    file = folder / "wanted.json"
    settings.write(file)
    return subprocess.Popen(
        [sys.executable, "-P", "-c", STARTER, str(file)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(DATA_ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_what_lies_in_the_current_folder_has_no_say(settings: LoadSettings, tmp_path: Path) -> None:
    for name in ("contract", "conformance", "locust"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('not this one')", encoding="utf-8")
    (tmp_path / "locust.conf").write_text("master = true\nhtml = theirs.html\n", encoding="utf-8")
    (tmp_path / "wsproof.yaml").write_text("users: {alice: {token: alice-token}}\n", encoding="utf-8")
    settings = replace(settings, duration=1, profile="wsproof.yaml", document="load.json")
    with start(settings, tmp_path) as parent:
        output, _ = parent.communicate(timeout=120)
    assert output.splitlines()[-1] == "true"
    found = read(replace(settings, document=str(tmp_path / "load.json")))
    assert (found["verdict"], found["errors"]) == ("conformant", [])
    assert not (tmp_path / "theirs.html").exists()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_closes_its_connections_and_keeps_what_it_measured(
    settings: LoadSettings, tmp_path: Path, number: signal.Signals
) -> None:
    settings = replace(settings, duration=600)
    with start(settings, tmp_path) as parent:
        assert parent.stdout is not None
        for line in parent.stdout:
            # Long enough for most machines to have begun; where this one has not, there is less to see below.
            if float(line) > 3:
                break
        parent.send_signal(number)
        *_, last = parent.stdout
        assert last.strip() == "false"
        assert parent.wait(timeout=120) == 0
    found = read(settings)
    assert found["complete"] is False
    assert found["duration_s"] < 600
    assert found["reason"] == f"cut off: it ended after {int(found['duration_s'])} of 600 s"
    connected = found["metrics"].get("connect", {"count": 0})["count"]
    assert found["closes"] == ({"1000": connected} if connected else {})
    assert found["errors"] == []


def test_several_processes_share_the_users_and_their_ledgers_add_up(settings: LoadSettings) -> None:
    settings = replace(settings, users=9, spawn_rate=9, processes=3, journeys={"chatter": 2.0, "churner": 1.0})
    assert run_load(settings)
    found = read(settings)
    assert (found["verdict"], found["errors"], found["complete"]) == ("conformant", [], True)
    assert [(one["name"], one["state"]) for one in found["generator"]["workers"]] == [
        (f"worker {number}", "finished") for number in (1, 2, 3)
    ]
    delivery = found["delivery"]
    assert {delivery[kind] for kind in ("lost", "duplicated", "reordered", "misdelivered")} == {0}
    # All of a channel receive what is posted in any process.
    assert delivery["delivered"] > 3 * delivery["posts"]
    assert found["closes"] == {"1000": found["metrics"]["connect"]["count"]}


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_a_worker_that_is_killed_is_reported_and_costs_nothing_else(settings: LoadSettings, tmp_path: Path) -> None:
    settings = replace(settings, users=9, spawn_rate=9, processes=3, duration=12)
    with start(settings, tmp_path) as parent:
        assert parent.stdout is not None
        for line in parent.stdout:
            # Three workers and their master, all of them well under way.
            if float(line) > 8:
                break
        workers = [pid for pid in children_of(parent.pid) if b"--worker" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        assert len(workers) == 3
        os.kill(workers[0], signal.SIGKILL)
        *_, last = parent.stdout
        assert last.strip() == "true"
    found = read(settings)
    assert sorted(one["state"] for one in found["generator"]["workers"]) == ["finished", "finished", "lost"]
    assert found["verdict"] == "incomplete"
    assert found["reason"].startswith("workers lost during the run (last report): worker ")
    delivery = found["delivery"]
    assert {delivery[kind] for kind in ("lost", "duplicated", "reordered", "misdelivered")} == {0}
    assert delivery["delivered"] > 0
    assert found["errors"] == []


@pytest.mark.slow
def test_stages_bring_users_and_let_them_go_in_good_order(settings: LoadSettings) -> None:
    stages = (Stage(8, 1.5), Stage(8, 1.0, 20.0), Stage(0, 1.5))
    settings = replace(settings, stages=stages)
    assert run_load(settings)
    found = read(settings)
    assert (found["errors"], set(found["closes"])) == ([], {"1000"})
    assert max(one["users"] for one in found["timeline"]) == 8
    assert found["delivery"]["lost"] == 0
    assert found["settings"]["stages"] == [
        "8:1.5s",
        "8:1s@20",
        "0:1.5s",
    ]


@pytest.mark.slow
def test_a_breach_ends_the_run_where_that_was_asked_for(settings: LoadSettings) -> None:
    settings = replace(settings, duration=300, thresholds=("p50(post_to_own) < 0.001ms",), abort_on_breach=True)
    assert run_load(settings)
    found = read(settings)
    assert found["aborted"] == "p50(post_to_own) < 0.001ms"
    assert (found["verdict"], found["complete"], found["outcome"]["passed"]) == ("conformant", True, False)
    assert found["duration_s"] < 200
    assert found["closes"] == {"1000": 5}


@pytest.mark.slow
def test_locust_itself_runs_the_file_with_its_own_options(url: str, tmp_path: Path) -> None:
    command = [sys.executable, "-P", "-m", "locust", "-f", str(DATA_ROOT / "loadtest" / "locustfile.py")]
    options = [
        "--headless",
        "--users",
        "4",
        "--spawn-rate",
        "4",
        "--run-time",
        "3s",
        "--rate",
        "5",
        "--host",
        url,
        "--json",
    ]
    done = subprocess.run(
        [*command, *options], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False, env=environment()
    )
    assert done.returncode == 0, done.stderr[-2000:]
    names = {one["name"] for one in json.loads(done.stdout)}
    assert {"connect", "ack", "join", "post_to_own", "close"} <= names
    assert "error" not in names
    found = json.loads((tmp_path / "load.json").read_text(encoding="utf-8"))
    assert found["delivery"]["lost"] == 0
    assert found["delivery"]["delivered"] > 0
