"""Stages, in one process and in several: as many users as the plan says, and a report at the end."""

from dataclasses import replace
from pathlib import Path

import pytest

from loadtest.processes.supervisor import run_load
from loadtest.settings.settings import LoadSettings, Stage
from tests.loadtest.running import read, served, settings_for

pytestmark = served

STAGES = (Stage(6, 2.0), Stage(6, 3.0), Stage(2, 2.0))


@pytest.fixture
def settings(url: str, tmp_path: Path) -> LoadSettings:
    return replace(settings_for(url, tmp_path), stages=STAGES)


@pytest.mark.slow
@pytest.mark.parametrize("processes", [1, 2])
def test_a_run_with_stages_comes_to_its_end(settings: LoadSettings, processes: int) -> None:
    assert run_load(replace(settings, processes=processes))
    found = read(settings)
    assert (found["complete"], found["errors"], set(found["closes"])) == (True, [], {"1000"})
    assert max(one["users"] for one in found["timeline"]) == 6
    assert {one["state"] for one in found["generator"]["workers"]} == {"finished"}
    assert len(found["generator"]["workers"]) == processes
    assert found["delivery"]["lost"] == 0
    assert found["delivery"]["delivered"] > 0
    phases = found["phases"]
    assert [(one["name"], one["from_s"], one["to_s"], one["users"]) for one in phases] == [
        ("stage 1", 0, 2, 6),
        ("stage 2", 2, 5, 6),
        ("stage 3", 5, 7, 2),
    ]
    own = [one["metrics"]["post_to_own"]["count"] for one in phases]
    assert sum(own) == found["metrics"]["post_to_own"]["count"]
    assert min(own) > 0
    for kind in ("expected", "delivered", "lost", "undecided"):
        assert sum(one["delivery"][kind] for one in phases) == found["delivery"][kind]


def test_whoever_is_asked_for_within_a_second_is_there_at_its_beginning() -> None:
    settings = LoadSettings("ws://127.0.0.1:9", 1, 1.0, 1.0, "", stages=(Stage(8, 1.5), Stage(8, 1.0), Stage(0, 1.5)))
    assert [settings.users_within(t, t + 1.0) for t in (0.0, 1.0, 2.0, 3.0)] == [5, 8, 8, 5]
