"""What this machine lacks is named as its own trouble: no finding, no hang, exit code 2."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reference_server.core.settings import ServerSettings
from reference_server.network import running
from tests.bundled import load_profile
from tests.conformance.servers import raw_server
from tests.hostile.modes import ACKED, PACE, frame, upgraded
from tests.wsproof.command import PATIENCE, lines, read, started, surroundings, wait_until

pytestmark = pytest.mark.slow

resource = pytest.importorskip("resource")

LIMIT = resource.RLIMIT_NOFILE

BEAT = ("--set", "heartbeat.interval=1", "--set", "heartbeat.timeout=2")
"""The endpoint's heartbeat, which a check must know: by the default one, its pings are early."""


@pytest.fixture
def endpoint() -> Iterator[str]:
    profile = load_profile(None, {"heartbeat.interval": 1, "heartbeat.timeout": 2})
    with running(ServerSettings(profile=profile, port=0)) as server:
        yield server.url


def only_pings(connection: socket.socket) -> None:
    """Acknowledges, and answers nothing; that it is there, its ping frames show."""
    if upgraded(connection):
        connection.sendall(ACKED)
        while True:
            connection.sendall(frame(b"", 9))
            PACE.wait(0.05)


def limited(limits: tuple[int, int], *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A command that begins with these limits of file descriptors, a soft and a hard one."""
    soft, hard = limits
    start = (
        "import resource, runpy, sys; "
        f"resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard})); "
        "sys.argv[0] = 'wsproof'; runpy.run_module('wsproof', run_name='__main__', alter_sys=True)"
    )
    return subprocess.run(
        [sys.executable, "-c", start, *arguments],
        cwd=folder,
        env=surroundings({}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


class TestFileDescriptors:
    def test_few_of_them_bound_the_jobs(self, tmp_path: Path) -> None:
        done = limited((48, 48), "check", "--select", "CONN", "--jobs", "100", folder=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        document = read(tmp_path / "wsproof-report" / "results.json")
        assert document["verdict"] == "conformant"
        jobs = document["settings"]["jobs"]
        assert 1 <= jobs < 16
        why = "the limit of file descriptors (ulimit -n) is too low for more"
        assert f"wsproof: running {jobs} scenarios at once instead of 100: {why}" in done.stderr.splitlines()

    def test_the_soft_limit_is_raised(self, tmp_path: Path) -> None:
        if resource.getrlimit(LIMIT)[1] < 2000:
            pytest.skip("this machine does not allow so many")
        done = limited((48, 2000), "check", "--select", "CONN", "--jobs", "100", "-q", folder=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        assert read(tmp_path / "wsproof-report" / "results.json")["settings"]["jobs"] == 100

    def test_too_few_for_one_scenario_are_said_before_the_run(self, tmp_path: Path) -> None:
        done = limited((24, 24), "check", folder=tmp_path)
        assert (done.returncode, done.stdout) == (2, "")
        (line,) = done.stderr.splitlines()
        assert line.startswith("wsproof: the limit of 24 file descriptors is too low: expected at least ")

    def test_none_left_during_the_run_ends_it(self, tmp_path: Path, endpoint: str) -> None:
        if not hasattr(resource, "prlimit"):
            pytest.skip("no limit of another process can be changed here")
        out = tmp_path / "out"
        with started("check", endpoint, *BEAT, "--output", out, folder=tmp_path) as check:
            wait_until(lambda: lines(out / "results.jsonl") > 20, check)
            resource.prlimit(check.pid, LIMIT, (14, resource.getrlimit(LIMIT)[1]))
            shown, said = check.communicate(timeout=PATIENCE)
        assert check.returncode == 2, shown + said
        document = read(out / "results.json")
        assert document["verdict"] == "incomplete"
        assert not document["complete"]
        assert [one["id"] for one in document["scenarios"] if one["verdict"] == "failed"] == []
        trouble = "this machine ran out of file descriptors (EMFILE)"
        assert any(one.startswith(trouble) for one in document["outcome"]["reasons"])
        assert any(one.startswith(f"wsproof: {trouble}") for one in said.splitlines())
        assert sum(one["verdict"] == "passed" for one in document["scenarios"]) > 10

    def test_what_did_not_come_before_it_was_noticed_is_no_finding(self, tmp_path: Path) -> None:
        """Not even where three scenarios missed the same, which is no accident else."""
        if not hasattr(resource, "prlimit"):
            pytest.skip("no limit of another process can be changed here")
        out = tmp_path / "out"
        quick = ("--select", "JOIN", "--set", "ack_timeout=1s", "--set", "response_timeout=1s", "--jobs", "4")
        with (
            raw_server(only_pings) as url,
            started("check", url, *quick, "--output", out, folder=tmp_path) as check,
        ):
            wait_until(lambda: lines(out / "results.jsonl") > 8, check)
            resource.prlimit(check.pid, LIMIT, (14, resource.getrlimit(LIMIT)[1]))
            shown, said = check.communicate(timeout=PATIENCE)
        assert check.returncode == 2, shown + said
        document = read(out / "results.json")
        assert document["verdict"] == "incomplete", shown + said
        assert [one["id"] for one in document["scenarios"] if one["verdict"] == "failed"] == []

    def test_none_left_for_virtual_users(self, tmp_path: Path, endpoint: str) -> None:
        if not hasattr(resource, "prlimit") or not Path("/proc/self/task").exists():
            pytest.skip("no limit of another process can be changed here")
        command = ("load", endpoint, *BEAT, "--users", "40", "--spawn-rate", "4", "--time", "10s", "-q")
        with started(*command, folder=tmp_path) as load:
            wait_until(lambda: any(connections(one) >= 3 for one in children(load.pid)), load)
            for one in children(load.pid):
                resource.prlimit(one, LIMIT, (len(descriptors(one)), resource.getrlimit(LIMIT)[1]))
            shown, said = load.communicate(timeout=PATIENCE)
        trouble = "this machine ran out of file descriptors (EMFILE)"
        assert load.returncode == 2, shown + said
        assert any(one.startswith(f"wsproof: {trouble}") for one in said.splitlines())
        document = read(tmp_path / "wsproof-report" / "load.json")
        assert document["reason"].startswith(f"error in the load generator: {trouble}")
        assert document["generator"]["limited"]
        assert document["generator"]["reason"].startswith(trouble)


def children(process: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def descriptors(process: int) -> list[str]:
    found = []
    for one in Path(f"/proc/{process}/fd").iterdir():
        with contextlib.suppress(OSError):
            found.append(os.readlink(one))
    return found


def connections(process: int) -> int:
    return sum(one.startswith("socket:") for one in descriptors(process))


class TestNetwork:
    """In a namespace of its own, where ports are few and the network can go away."""

    def start(self, script: str, folder: Path) -> subprocess.CompletedProcess[str]:
        unshare = shutil.which("unshare")
        allowed = unshare and subprocess.run([unshare, "-n", "true"], capture_output=True, check=False).returncode == 0
        if not allowed or shutil.which("ip") is None:
            pytest.skip("no network namespace can be made here")
        python = sys.executable
        server = f"-m wsproof serve --host 10.9.9.1 --port 0 {' '.join(BEAT)}"
        start = (
            f"ip link set lo up; ip address add 10.9.9.1/32 dev lo; {python} {server} > address & server=$!; "
            "until grep -q listening address; do sleep 0.1; done; url=$(sed 's/listening on //' address); "
            f"check='{python} -m wsproof check {' '.join(BEAT)} -q --output out'; {script}; "
            "code=$?; kill $server; exit $code"
        )
        return subprocess.run(
            [str(unshare), "-n", "sh", "-c", start],
            cwd=folder,
            env=surroundings({}),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def found(self, done: subprocess.CompletedProcess[str], folder: Path, trouble: str) -> None:
        assert done.returncode == 2, done.stdout + done.stderr
        document = read(folder / "out" / "results.json")
        assert (document["verdict"], document["complete"]) == ("incomplete", False)
        assert [one["id"] for one in document["scenarios"] if one["verdict"] == "failed"] == []
        assert any(one.startswith(trouble) for one in document["outcome"]["reasons"])
        assert any(one.startswith(f"wsproof: {trouble}") for one in done.stderr.splitlines())

    def test_no_local_port_is_left(self, tmp_path: Path) -> None:
        few = "echo 40000 40030 > /proc/sys/net/ipv4/ip_local_port_range"
        done = self.start(f"{few} && $check $url", tmp_path)
        self.found(done, tmp_path, "this machine has no local port or address left (EADDRNOTAVAIL)")

    def meanwhile(self, event: str) -> str:
        """A check, and what happens while it goes on."""
        begun = '[ "$(cat out/results.jsonl 2> /dev/null | wc -l)" -gt 20 ]'
        later = f"until {begun}; do sleep 0.05; done; {event}"
        return f"$check $url & run=$!; {later}; wait $run"

    def test_the_route_goes_away(self, tmp_path: Path) -> None:
        done = self.start(self.meanwhile("ip address del 10.9.9.1/32 dev lo"), tmp_path)
        self.found(done, tmp_path, "this machine has no route to the endpoint (ENETUNREACH)")

    def test_nothing_comes_through_any_more(self, tmp_path: Path) -> None:
        """That is as if the endpoint were gone: nobody is charged with it."""
        done = self.start(self.meanwhile("ip link set lo down"), tmp_path)
        assert done.returncode == 1, done.stdout + done.stderr
        document = read(tmp_path / "out" / "results.json")
        assert document["verdict"] == "incomplete"
        assert [one["id"] for one in document["scenarios"] if one["verdict"] == "failed"] == []
        assert document["outages"][0]["back_after_s"] is None
