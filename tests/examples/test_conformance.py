"""No right server is accused: the whole suite against servers on stacks of their own.

What a library does against the transport's rules stands in `DEVIATIONS.md` beside its server, and here.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.examples.needs import PROGRAMS, lacking
from tests.slow import slow_but

SERVERS = Path(__file__).parents[2] / "examples" / "servers"

DEVIATIONS = {"aiohttp": {"WIRE-01", "CLOSE-04"}, "go-gorilla": {"CLOSE-04"}}
"""What a library breaks; both take an illegal close for a legal one and answer it as such."""


@pytest.mark.parametrize("name", slow_but(["aiohttp"], sorted(PROGRAMS)))
def test_server_is_acquitted(name: str, tmp_path: Path) -> None:
    missing = lacking(name)
    if missing is not None:
        pytest.skip(missing)
    environment = {
        **os.environ,
        "PORT": "0",
        "PYTHON": sys.executable,
        "HEARTBEAT_INTERVAL": "1",
        "HEARTBEAT_TIMEOUT": "2",
    }
    with (tmp_path / "stderr.txt").open("w") as stderr:
        server = subprocess.Popen(
            [SERVERS / name / "start"], env=environment, stdout=subprocess.PIPE, stderr=stderr, text=True
        )
    try:
        assert server.stdout is not None
        line = server.stdout.readline()
        assert line.startswith("listening on "), (tmp_path / "stderr.txt").read_text()
        url = line.removeprefix("listening on ").strip()
        heartbeat = ["--set", "heartbeat.interval=1", "--set", "heartbeat.timeout=2"]
        check = subprocess.run(
            [
                sys.executable,
                "-m",
                "wsproof",
                "check",
                url,
                *heartbeat,
                "--fuzz",
                "300",
                "--output",
                str(tmp_path / "report"),
            ],
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=False,
        )
        results = json.loads((tmp_path / "report" / "results.json").read_text())
    finally:
        server.terminate()
        server.communicate()
    failed = {one["id"] for one in results["requirements"] if one["verdict"] == "failed"}
    deviations = DEVIATIONS.get(name, set())
    assert failed <= deviations, check.stdout + check.stderr
    undecided = {
        one["id"]: one["reason"] for one in results["requirements"] if one["verdict"] not in ("passed", "failed")
    }
    # Who sends no sequence has none that could leap.
    assert undecided.keys() <= {"ENV-05"}, undecided
    convicted = {one["id"] for one in results["requirements"] if one["id"] in failed and one["level"] == "MUST"}
    assert results["verdict"] == ("non-conformant" if convicted else "conformant")
