"""`wsproof check --thorough`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


def check(folder: Path, *options: str) -> dict[str, object]:
    command = [sys.executable, "-m", "wsproof", "check", "--output", str(folder), *options]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    document: dict[str, object] = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    return document


def test_long_scenarios_join_the_others(tmp_path: Path) -> None:
    document = check(tmp_path, "--thorough", "--select", "ERR-08")
    assert document["settings"]["rounds"] == 3  # type: ignore[index]
    ids = {one["id"]: one["verdict"] for one in document["scenarios"]}  # type: ignore[attr-defined]
    assert ids["thorough-errors"] == "passed"
    assert ids["err-seen-by-nobody-else"] == "passed"


def test_they_stay_out_otherwise(tmp_path: Path) -> None:
    document = check(tmp_path, "--select", "ERR-08")
    assert not [one["id"] for one in document["scenarios"] if one["id"].startswith("thorough")]  # type: ignore[attr-defined]
