"""Load tests of a contract that is not the bundled one, against its own server and its faults."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loadtest.processes.supervisor import run_load
from loadtest.settings.settings import LoadSettings
from tests.loadtest.foreign.desk import CONTRACT, desk
from tests.loadtest.running import read, served

pytestmark = served

FAULTS: Mapping[str, set[str]] = {
    "reply-lost": {"MSG-23"},
    "reply-late": {"MSG-23"},
    "wrong-id": {"MSG-24"},
    "reply-twice": {"MSG-25"},
    "bid-text": {"MSG-14"},
    "one-session": {"MSG-09"},
    "beats-stop": {"MSG-19"},
    "deaf": {"MSG-22"},
    "note-lost": {"MSG-35"},
    "note-twice": {"MSG-36"},
    "note-leaked": {"MSG-40"},
    "price-lost": {"MSG-18"},
    "price-again": {"MSG-17"},
}
"""By what the server does wrong, the requirements that fail."""

QUICK = ("reply-lost", "reply-twice", "note-leaked", "price-lost")


def settings_for(url: str, folder: Path, **changes: Any) -> LoadSettings:
    """Users of all kinds for a short while, in two groups."""
    settings = LoadSettings(
        endpoint=url,
        users=6,
        spawn_rate=60,
        duration=2.5,
        document=str(folder / "load.json"),
        journeys={"probe": 1.0, "notes": 2.0, "prices": 1.0},
        contract=str(CONTRACT),
        channels=2,
        rate=20.0,
        run="12345678",
        overrides={"response_timeout": 1.5},
    )
    return replace(settings, **changes)


def failed(document: Mapping[str, Any]) -> set[str]:
    return {one["id"] for one in document["requirements"] if one["verdict"] == "failed"}


def passed(document: Mapping[str, Any]) -> set[str]:
    return {one["id"] for one in document["requirements"] if one["verdict"] == "passed"}


def test_users_of_any_contract_ask_post_and_keep_its_heartbeats(tmp_path: Path) -> None:
    with desk() as url:
        settings = settings_for(url, tmp_path, journeys={"probe": 1.0, "notes": 2.0, "prices": 1.0, "roundtrip": 1.0})
        assert run_load(settings)
    found = read(settings)
    assert (found["verdict"], found["errors"], failed(found)) == ("conformant", [], set())
    assert passed(found) >= {"MSG-01", "MSG-06", "MSG-14", "MSG-19", "MSG-22", "MSG-23", "MSG-24", "MSG-25", "MSG-35"}
    assert set(found["metrics"]) >= {"connect", "ack", "join", "quote.reply", "notes.reply", "ping_period"}
    assert found["closes"] == {"1000": 6}
    assert found["delivery"]["lost"] == 0 < found["delivery"]["delivered"]


@pytest.mark.parametrize(
    "wrong", [one if one in QUICK else pytest.param(one, marks=pytest.mark.slow) for one in FAULTS]
)
def test_what_a_server_does_wrong_under_load_is_found_and_nothing_else(wrong: str, tmp_path: Path) -> None:
    with desk(wrong) as url:
        settings = settings_for(url, tmp_path)
        assert run_load(settings)
    found = read(settings)
    # What does not come convicts nobody while the generator itself is late: then it is undecided.
    undecided = {one["id"] for one in found["requirements"] if any(each["undecided"] for each in one["clauses"])}
    assert failed(found) <= FAULTS[wrong] <= failed(found) | undecided
