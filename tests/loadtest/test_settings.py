"""Settings: what the child reads is what the parent wrote, and what cannot work is told before any load starts."""

import os
import re
import resource
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contract.errors import ContractError
from loadtest.child import check_settings, command, environment
from loadtest.settings import SETTINGS_VARIABLE, LoadError, LoadSettings, load_journeys, parse_journeys, read_settings

SETTINGS = LoadSettings(
    endpoint="ws://127.0.0.1:9/v1/socket", users=3, spawn_rate=1.5, duration=2.5, document="load.json"
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    settings = replace(
        SETTINGS,
        journeys={"chatter": 2.0, "churner": 0.5},
        thresholds=("errors == 0", "p99(close) < 1s"),
        profile="some/wsproof.yaml",
        overrides={"heartbeat.interval": 1, "users.alice.token": "日本"},
        channels=4,
        think_time=0.0,
    )
    settings.write(tmp_path / "settings.json")
    assert read_settings(tmp_path / "settings.json") == settings


def test_journeys_have_weights() -> None:
    assert parse_journeys(()) == {"chatter": 1.0}
    assert parse_journeys(("listener", "churner:2.5")) == {"listener": 1.0, "churner": 2.5}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("walker", "known are chatter, churner, listener, lurker"),
        ("chatter:", None),
        ("chatter:many", "a number"),
        ("chatter:0", "above 0"),
        ("chatter:-1", "above 0"),
        ("chatter:nan", "above 0"),
        ("chatter:inf", "above 0"),
    ],
)
def test_a_wrong_journey_is_told(text: str, expected: str | None) -> None:
    if expected is None:
        assert parse_journeys((text,)) == {"chatter": 1.0}
        return
    with pytest.raises(LoadError, match=expected):
        parse_journeys((text,))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"users": 0}, "--users 0: expected at least 1"),
        ({"users": -5}, "--users -5: expected at least 1"),
        ({"spawn_rate": 0.0}, "--spawn-rate 0: expected more than 0"),
        ({"duration": 0.0}, "--time 0: expected more than 0"),
        ({"duration": float("inf")}, "--time inf: expected more than 0"),
        ({"think_time": -1.0}, "--think-time -1: expected 0 or more"),
        ({"channels": 0}, "--channels 0: expected at least 1"),
        ({"journeys": {"walker": 1.0}}, "--journey walker: no such journey"),
        ({"journeys": {}}, "no journey"),
        ({"thresholds": ("quick",)}, "--threshold 'quick': expected"),
        ({"overrides": {"users": {}, "tokens": {}}}, "neither tokens.load nor users"),
        ({"overrides": {"users": {"alice": {"token": "a"}}, "channels": {"open": []}}}, "open"),
    ],
)
def test_what_cannot_work_is_told(changes: dict[str, Any], expected: str) -> None:
    with pytest.raises((LoadError, ContractError), match=re.escape(expected)):
        check_settings(replace(SETTINGS, **changes))


def test_more_users_than_file_descriptors_are_refused() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        pytest.skip("this machine has no limit")
    with pytest.raises(LoadError, match=f"file descriptors, and the limit is {hard}"):
        check_settings(replace(SETTINGS, users=hard))


def test_a_missing_profile_is_told(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="cannot be read"):
        check_settings(replace(SETTINGS, profile=str(tmp_path / "wsproof.yaml")))


def test_no_token_stands_in_the_childs_command_or_environment(tmp_path: Path) -> None:
    overrides = {"users": {"alice": {"token": "very-secret"}}, "tokens": {"load": "secret-{n}"}}
    settings = replace(SETTINGS, overrides=overrides)
    check_settings(settings)
    assert "secret" not in " ".join(command(settings))
    assert not [value for value in environment(tmp_path / "settings.json").values() if "very-secret" in value]


def test_the_childs_run_lasts_whole_seconds_and_no_less_than_asked_for() -> None:
    words = command(SETTINGS)
    assert words[words.index("--run-time") + 1] == "3s"
    assert words[words.index("--users") + 1] == "3"
    assert "--headless" in words


def test_the_users_own_settings_of_locust_do_not_reach_the_child(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCUST_MODE_MASTER", "true")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["theirs", "/others"]))
    found = environment(tmp_path / "settings.json")
    assert not [name for name in found if name.startswith("LOCUST_")]
    assert found[SETTINGS_VARIABLE] == str(tmp_path / "settings.json")
    ours, *theirs = found["PYTHONPATH"].split(os.pathsep)
    assert (Path(ours) / "loadtest" / "locustfile.py").is_file()
    assert theirs == [str(Path("theirs").absolute()), "/others"]


def test_the_bundled_journeys_are_read() -> None:
    journeys = {one.id: one for one in load_journeys()}
    assert {"chatter", "listener", "lurker", "churner"} <= set(journeys)
    for journey in journeys.values():
        assert journey.verifies == ()
        assert journey.needs == ()
        assert [actor.name for actor in journey.actors] == ["user"]
        assert "close" in journey.steps[-1].label
