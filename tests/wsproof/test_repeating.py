"""The command that a report gives repeats what was played, with all settings of the run, and holds no secret."""

import json
import os
import shlex
from pathlib import Path
from typing import Any

import pytest

from reference_server.core.settings import ServerSettings
from reference_server.network import running
from reports.formats.render import render
from reports.shared.commands import repeating
from reports.shared.documents import upgraded
from tests.bundled import load_profile
from tests.wsproof.command import wsproof

pytestmark = pytest.mark.slow

CASE = "send-text-unchanged/leading-spaces"
TOKEN = "a-token-of-alice"
PROFILE = """heartbeat: {interval: 1s, timeout: 2s}
users:
  alice: {token: "${ALICE}"}
  bob: {token: bob-token}
tokens: {invalid: no-token}
channels: {open: [room-a, room-b]}
"""

Json = dict[str, Any]


def checked(folder: Path, *arguments: str) -> Json:
    done = wsproof("check", *arguments, "--quiet", folder=folder)
    assert done.returncode in (0, 1), done.stderr
    found: Json = json.loads((folder / "wsproof-report" / "results.json").read_text(encoding="utf-8"))
    return found


def settings(document: Json) -> Json:
    return {name: value for name, value in document["settings"].items() if name not in ("selection", "deselection")}


def played(document: Json) -> list[tuple[str, str]]:
    return [(scenario["id"], scenario["verdict"]) for scenario in document["scenarios"]]


def test_the_command_of_a_report_plays_the_same_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALICE", "to be replaced")
    (tmp_path / "mine.yaml").write_text(PROFILE, encoding="utf-8")
    users = {"users.alice.token": TOKEN, "users.bob.token": "bob-token"}
    profile = load_profile(None, {"heartbeat.interval": 1, "heartbeat.timeout": 2, **users})
    changes = ("--set", f"users.alice.token={TOKEN}", "--set", "response_timeout=4s")
    with running(ServerSettings(profile=profile, port=0, faults=("text-trimmed",))) as server:
        options = ("--profile", "mine.yaml", *changes, "--time-scale", "1.5", "--strict", "--select", CASE)
        first = checked(tmp_path, server.url, *options)
        assert TOKEN not in json.dumps(first)
        command = repeating(upgraded(first), *first["scenarios"])
        assert "'users.alice.token=${USERS_ALICE_TOKEN}'" in command
        page = render("html", first)
        assert "First set the environment variables USERS_ALICE_TOKEN: reports do not contain tokens." in page
        monkeypatch.setenv("USERS_ALICE_TOKEN", TOKEN)
        second = checked(tmp_path, *shlex.split(command)[2:])
    assert played(first) == played(second) == [(CASE, "failed")]
    assert settings(first) == settings(second)
    assert second["strict"]


def test_without_its_variable_the_command_says_what_it_needs(tmp_path: Path) -> None:
    assert "USERS_ALICE_TOKEN" not in os.environ
    done = wsproof("check", "--set", "users.alice.token=${USERS_ALICE_TOKEN}", "--select", CASE, folder=tmp_path)
    assert done.returncode == 2
    assert "the environment variable USERS_ALICE_TOKEN is not set" in done.stderr
