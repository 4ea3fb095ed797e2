"""What this machine lacks is named as its own trouble: no finding, no hang, exit code 2."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.profile import load_profile
from reference_server.network import running
from reference_server.settings import ServerSettings
from tests.wsproof.command import PATIENCE, lines, read, started, surroundings, wait_until

resource = pytest.importorskip("resource")

LIMIT = resource.RLIMIT_NOFILE


@pytest.fixture
def endpoint() -> Iterator[str]:
    profile = load_profile(None, {"heartbeat.interval": 1, "heartbeat.timeout": 2})
    with running(ServerSettings(profile=profile, port=0)) as server:
        yield server.url


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
        why = "the limit of file descriptors (ulimit -n) allows no more"
        assert f"wsproof: {jobs} scenarios at once, not 100: {why}" in done.stderr.splitlines()

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
        with started("check", endpoint, "--output", out, folder=tmp_path) as check:
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
