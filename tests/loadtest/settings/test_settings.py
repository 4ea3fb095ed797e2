"""Settings: what the child reads is what the parent wrote, and what cannot work is told before any load starts."""

import os
import re
import resource
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contract.errors import ContractError
from loadtest.processes.checking import check_settings
from loadtest.processes.supervisor import commands, environment
from loadtest.settings.settings import (
    LoadError,
    LoadSettings,
    Stage,
    TokenSource,
    load_journeys,
    parse_journeys,
    read_settings,
)
from tests.bundled import load_contract

CONTRACT = load_contract()

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
        rate=2.5,
        stages=(Stage(5, 10.0), Stage(0, 2.0, 1.0)),
        tokens=TokenSource("file", "tokens.txt"),
        source_addresses=("127.0.0.2", "127.0.0.3"),
    )
    settings.write(tmp_path / "settings.json")
    assert read_settings(tmp_path / "settings.json") == settings


def test_journeys_have_weights() -> None:
    assert parse_journeys(CONTRACT, ()) == {"chatter": 1.0}
    assert parse_journeys(CONTRACT, ("listener", "churner:2.5")) == {"listener": 1.0, "churner": 2.5}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("walker", "known: chatter, churner, listener, lurker, roundtrip, sleeper, storm"),
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
        assert parse_journeys(CONTRACT, (text,)) == {"chatter": 1.0}
        return
    with pytest.raises(LoadError, match=expected):
        parse_journeys(CONTRACT, (text,))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"users": 0}, "--users 0: expected at least 1"),
        ({"users": -5}, "--users -5: expected at least 1"),
        ({"spawn_rate": 0.0}, "--spawn-rate 0: expected more than 0"),
        ({"duration": 0.0}, "--time 0: expected more than 0"),
        ({"duration": float("inf")}, "--time inf: expected more than 0"),
        ({"rate": 0.0}, "--rate 0: expected more than 0"),
        ({"size": 10}, "--size 10: expected 32 to 4096 characters"),
        ({"size": 5000}, "--size 5000: expected"),
        ({"processes": 0}, "--processes 0: expected at least 1"),
        ({"processes": 4}, "--processes 4: expected at most 3, the number of users"),
        ({"master": "0.0.0.0:5557"}, "--expect-workers 0: expected at least 1"),
        (
            {"master": "0.0.0.0:5557", "expect_workers": 1, "source_addresses": ("127.0.0.2",)},
            "--source-address cannot be used with --master",
        ),
        ({"abort_on_breach": True}, "--abort-on-breach needs a --threshold"),
        ({"journey_file": "missing.yaml"}, "no such journeys file"),
        ({"stages": (Stage(0, 5.0),)}, "--users 0: expected at least 1"),
        ({"stages": (Stage(5, 0.0),)}, "expected more than 0"),
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
    with pytest.raises(LoadError, match=f"file descriptors, but the hard limit is {hard}"):
        check_settings(replace(SETTINGS, users=hard))


def test_a_missing_profile_is_told(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="cannot be read"):
        check_settings(replace(SETTINGS, profile=str(tmp_path / "wsproof.yaml")))


def test_no_token_stands_in_the_childs_command_or_environment() -> None:
    overrides = {"users": {"alice": {"token": "very-secret"}}, "tokens": {"load": "secret-{n}"}}
    settings = replace(SETTINGS, overrides=overrides)
    check_settings(settings)
    assert "secret" not in str(commands(settings))
    assert not [value for value in environment().values() if "very-secret" in value]


def test_one_process_plays_alone_and_several_have_a_master() -> None:
    (alone,) = commands(SETTINGS)
    assert alone[alone.index("--users") + 1] == "3"
    assert "--headless" in alone
    assert "--master" not in alone
    master, *workers = commands(replace(SETTINGS, processes=2))
    assert master[master.index("--expect-workers") + 1] == "2"
    assert len(workers) == 2
    assert all("--worker" in one and "--users" not in one for one in workers)
    (far,) = commands(replace(SETTINGS, master="0.0.0.0:5557", expect_workers=3))
    assert far[far.index("--master-bind-port") + 1] == "5557"


def test_an_address_that_is_none_is_told() -> None:
    with pytest.raises(LoadError, match="expected HOST:PORT"):
        commands(replace(SETTINGS, master="5557", expect_workers=1))


def test_the_users_own_settings_of_locust_do_not_reach_the_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCUST_MODE_MASTER", "true")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["theirs", "/others"]))
    found = environment(MORE="1")
    assert not [name for name in found if name.startswith("LOCUST_")]
    assert found["MORE"] == "1"
    ours, *theirs = found["PYTHONPATH"].split(os.pathsep)
    assert (Path(ours) / "loadtest" / "locustfile.py").is_file()
    assert theirs == [str(Path("theirs").absolute()), "/others"]


def test_stages_are_straight_lines() -> None:
    settings = replace(SETTINGS, rate=1.0, stages=(Stage(100, 10.0), Stage(100, 5.0, 3.0), Stage(0, 10.0)))
    assert (settings.whole_duration, settings.most_users) == (25.0, 100)
    assert [settings.users_at(t) for t in (0, 5, 10, 14.9, 20, 25, 26)] == [0, 50, 100, 100, 50, 0, 0]
    assert [settings.rate_at(t) for t in (0, 10, 12.5, 15, 30)] == [1.0, 1.0, 2.0, 3.0, 3.0]
    assert (SETTINGS.whole_duration, SETTINGS.most_users, SETTINGS.rate_at(1)) == (2.5, 3, 1.0)


def test_the_bundled_journeys_are_known() -> None:
    assert {one.id for one in load_journeys(CONTRACT)} == {
        "chatter",
        "churner",
        "listener",
        "lurker",
        "roundtrip",
        "sleeper",
        "storm",
    }
