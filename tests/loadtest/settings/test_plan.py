"""The plan's file: what it says is done, what options say replaces it, and what is wrong is told with its place."""

from pathlib import Path

import pytest

from contract.errors import ContractError
from loadtest.processes.checking import check_settings
from loadtest.settings.plan import Wishes, parse_stages, read_plan, settings_for
from loadtest.settings.settings import LoadError, Stage, TokenSource
from tests.bundled import CHAT, load_profile

WHOLE = """
format: wsproof.load-plan/1
endpoint: ws://127.0.0.1:9/v1/socket
spawn_rate: 5
stages:
  - {users: 100, in: 30s}
  - {hold: 5m, rate: 2}
  - {users: 0, in: 500ms}
journeys: {chatter: 3, churner: 1.5}
journeys_file: mine.yaml
channels: 4
rate: 0.5
size: 250
thresholds: [lost == 0, p99(post_to_own) < 200ms]
abort_on_breach: true
processes: 2
source_addresses: [127.0.0.2, 127.0.0.3]
tokens: {file: tokens.txt}
seed: 7
"""


def plan(folder: Path, text: str) -> Wishes:
    path = folder / "load.yaml"
    path.write_text(text, encoding="utf-8")
    return read_plan(path)


def test_everything_in_the_file_is_done(tmp_path: Path) -> None:
    found = plan(tmp_path, WHOLE)
    settings = settings_for(found, str(found.endpoint), tmp_path / "load.json", CHAT, load_profile(None, {}))
    assert settings.endpoint == "ws://127.0.0.1:9/v1/socket"
    assert settings.stages == (Stage(100, 30.0), Stage(100, 300.0, 2.0), Stage(0, 0.5))
    assert settings.journeys == {"chatter": 3, "churner": 1.5}
    assert settings.journey_file == str(tmp_path / "mine.yaml")
    assert (settings.channels, settings.rate, settings.size, settings.spawn_rate) == (4, 0.5, 250, 5)
    assert settings.thresholds == ("lost == 0", "p99(post_to_own) < 200ms")
    assert (settings.abort_on_breach, settings.processes, settings.seed) == (True, 2, 7)
    assert settings.source_addresses == ("127.0.0.2", "127.0.0.3")
    assert settings.tokens == TokenSource("file", str(tmp_path / "tokens.txt"))


def test_a_plan_of_nothing_is_the_defaults(tmp_path: Path) -> None:
    settings = settings_for(
        plan(tmp_path, "format: wsproof.load-plan/1"), "ws://x/", tmp_path, CHAT, load_profile(None, {})
    )
    assert (settings.users, settings.duration, settings.journeys) == (20, 30.0, {"chatter": 1.0})
    assert (settings.spawn_rate, settings.thresholds, len(settings.run)) == (20.0, (), 8)
    check_settings(settings)


def test_options_replace_what_the_file_says(tmp_path: Path) -> None:
    found = Wishes(rate=9.0, thresholds=("errors == 0",)).over(plan(tmp_path, WHOLE))
    assert (found.rate, found.thresholds, found.channels) == (9.0, ("errors == 0",), 4)


def test_users_of_the_command_line_stand_instead_of_the_files_stages(tmp_path: Path) -> None:
    assert Wishes(users=3).over(plan(tmp_path, WHOLE)).stages == ()
    flat = plan(tmp_path, "format: wsproof.load-plan/1\nusers: 9\ntime: 1m")
    staged = Wishes(stages=(Stage(5, 1.0),)).over(flat)
    assert (staged.users, staged.time, staged.stages) == (None, None, (Stage(5, 1.0),))


def test_the_profiles_thresholds_hold_where_nobody_names_others(tmp_path: Path) -> None:
    profile = load_profile(None, {"load": {"thresholds": ["lost == 0"]}})
    assert settings_for(Wishes(), "ws://x/", tmp_path, CHAT, profile).thresholds == ("lost == 0",)
    assert settings_for(Wishes(thresholds=("errors < 1%",)), "ws://x/", tmp_path, CHAT, profile).thresholds == (
        "errors < 1%",
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("users: 5", "format"),
        ("format: wsproof.load-plan/1\nuser: 5", r"load.yaml:2:\d+.*unknown member 'user'"),
        ("format: wsproof.load-plan/1\nusers: 0", r"load.yaml:2:\d+.*users: expected 1 or more"),
        ("format: wsproof.load-plan/1\ntime: soon", r"load.yaml:2:\d+.*time: expected a duration"),
        (
            "format: wsproof.load-plan/1\nusers: 5\nstages: [{users: 1, in: 5s}]",
            "give either stages or users and time",
        ),
        ("format: wsproof.load-plan/1\nstages: [{users: 1}]", r"load.yaml:2:\d+"),
        ("format: wsproof.load-plan/1\ntokens: {file: a, command: b}", r"load.yaml:2:\d+"),
        ("format: wsproof.load-plan/1\nusers: [", r"load.yaml:\d+"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(ContractError, match=expected):
        plan(tmp_path, text)


def test_stages_on_the_command_line() -> None:
    assert parse_stages("100:30s, 100:5m@2.5,0:10") == (Stage(100, 30.0), Stage(100, 300.0, 2.5), Stage(0, 10.0))


@pytest.mark.parametrize("text", ["100", "100:", ":5s", "-1:5s", "many:5s", "5:soon", "5:5s@fast", "5:5s,,"])
def test_a_wrong_stage_is_told(text: str) -> None:
    with pytest.raises(LoadError, match="expected USERS:TIME"):
        parse_stages(text)
