"""`wsproof check --fuzz N --seed S`."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from reference_server.core.settings import ServerSettings
from reference_server.network import running
from tests.bundled import load_profile
from tests.wsproof.command import complaint, within, wsproof

QUICK = {"heartbeat.interval": 1, "heartbeat.timeout": 5}
SET = [f"--set={name}={value}" for name, value in QUICK.items()]


def results(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / "report" / "results.json").read_text(encoding="utf-8"))
    return document


@pytest.mark.slow
def test_generated_messages_join_the_scenarios(tmp_path: Path) -> None:
    options = ["--fuzz", "40", "--seed", "5", "--select", "fuzz", "--select", "err-codes", "--output", "report"]
    done = wsproof("check", *options, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "fuzz: 40 examples, seed 5" in done.stdout
    document = results(tmp_path)
    assert document["settings"]["fuzz"] == {"examples": 40, "seed": 5}
    played = {one["id"]: one["verdict"] for one in document["scenarios"]}
    assert played.keys() > {"err-codes", "fuzz-valid-text", "fuzz-invalid-payload", "fuzz-server-event"}
    assert set(played.values()) == {"passed"}
    # Nothing of hypothesis is left behind, neither files nor lines.
    assert [one.name for one in tmp_path.iterdir()] == ["report"]
    assert "ypothesis" not in done.stdout + done.stderr


def test_a_failure_is_quoted_with_what_repeats_it(tmp_path: Path) -> None:
    profile = load_profile(None, QUICK)
    with running(ServerSettings(profile=profile, port=0, faults=("text-controls-removed",))) as server:
        options = ["--fuzz", "600", "--seed", "1", "--select", "fuzz-valid-text", "--output", "report"]
        done = wsproof("check", server.url, *SET, *options, folder=tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    document = results(tmp_path)
    (entry,) = document["scenarios"]
    assert (entry["id"], entry["verdict"]) == ("fuzz-valid-text", "failed")
    assert {one["requirement"] for one in entry["failures"]} == {"SEND-02"}
    assert "; smallest failing message: {" in entry["failures"][0]["message"]
    seed = document["settings"]["fuzz"]["seed"]
    assert f"fuzz: 600 examples, seed {seed}" in done.stdout
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert f"--fuzz 600 --seed {seed} --select fuzz-valid-text" in page
    case = ET.parse(tmp_path / "report" / "junit.xml").find(".//testcase")
    assert case is not None
    assert f"seed {seed}" in case.attrib["name"]
    assert case.find("failure") is not None
    # The message holds a character that turns the reading direction around: nowhere does it act.
    junit = (tmp_path / "report" / "junit.xml").read_text(encoding="utf-8")
    assert not set(done.stdout + done.stderr + page + junit) & set("\u200e\u200f\u202a\u202b\u202d\u202e\u2066\u2067")
    again = within("report", "report/results.jsonl", "--format", "text", folder=tmp_path)
    assert f"fuzz: 600 examples, seed {seed}" in again.stdout


@pytest.mark.slow
def test_wrong_options_are_named(tmp_path: Path) -> None:
    assert "--fuzz" in complaint("check", "--seed", "5", folder=tmp_path)
    assert "100000" in complaint("check", "--fuzz", "0", folder=tmp_path)
    assert "100000" in complaint("check", "--fuzz", "100001", folder=tmp_path)
    assert "--seed" in complaint("check", "--fuzz", "10", "--seed", "-1", folder=tmp_path)
    assert "--fuzz" in complaint("check", "--fuzz", "10", "--select", "HB-06", folder=tmp_path)
