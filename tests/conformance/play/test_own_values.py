"""Values of a profile's own in scenarios: what they stand for, what lacks them, and that secrets are masked."""

import base64
from pathlib import Path
from typing import Any

import pytest

from contract.findings import phrase
from tests.conformance.calls import call_scenario, play_calls, profile, said

LOGIN = {"values.login": {"name": "ci", "password": "correct horse"}}


def send(*values: Any) -> Any:
    return {"send": {"actor": "alice", "message": [6, *values]}}


@pytest.mark.parametrize(
    ("reference", "value"),
    [
        ("${user.alice.id}", "u-1"),
        ("${user.id}", "u-1"),
        ("${user.car.vin}", "W1"),
        ("${user.alice.car}", {"vin": "W1", "wheels": 4}),
        ("${user.alice.car.wheels}", 4),
        ("${value.room}", 7),
        ("room ${value.room} of ${user.alice.name}", "room 7 of Alice"),
        ("${base64:user.alice.id}", "dS0x"),
        ({"$base64": "${user.alice.name}:${value.room}"}, base64.b64encode(b"Alice:7").decode()),
        ({"$base64": "é"}, "w6k="),
    ],
)
def test_what_they_stand_for(tmp_path: Path, reference: Any, value: Any) -> None:
    assert play_calls(call_scenario(tmp_path, send(reference))).sent() == [(0.0, [6, value])]


@pytest.mark.parametrize(
    ("reference", "setting"),
    [
        ("${user.alice.token}", "users.alice.token"),
        ("${user.alice.car.colour}", "users.alice.car.colour"),
        ("${value.hall}", "values.hall"),
        ("${value.room.floor}", "values.room.floor"),
    ],
)
def test_a_profile_that_lacks_one_leaves_it_open(tmp_path: Path, reference: str, setting: str) -> None:
    outcome = play_calls(call_scenario(tmp_path, send(reference))).outcome
    assert (outcome.ending, outcome.reason) == ("inconclusive", phrase("lacking", setting=setting))


@pytest.mark.parametrize(
    ("need", "setting"),
    [
        ("user.dave", "users.dave"),
        ("user.alice.colour", "users.alice.colour"),
        ("value.hall", "values.hall"),
        ("user.alice", None),
        ("user.alice.car.vin", None),
        ("value.room", None),
    ],
)
def test_needs(tmp_path: Path, need: str, setting: str | None) -> None:
    outcome = play_calls(call_scenario(tmp_path, send(1), needs=[need])).outcome
    assert outcome.ending == ("finished" if setting is None else "inconclusive")
    assert outcome.reason == (None if setting is None else phrase("lacking", setting=setting))


def test_uuids_and_numbers(tmp_path: Path) -> None:
    numbers = ["${counter}", "${counter.a}", "${counter}", "${counter.a}", "no. ${counter.b}"]
    uuids = ["${uuid}", "${uuid}", "${uuid.a}", "${uuid.a}", "${uuid.b}"]
    result = play_calls(call_scenario(tmp_path, send(*numbers), send(*uuids)))
    (_, counted), (_, minted) = result.sent()
    assert counted == [6, 1, 2, 3, 2, "no. 4"]
    assert len({*minted[1:]}) == 4
    assert minted[3] == minted[4]
    other = play_calls(call_scenario(tmp_path, send(*uuids))).sent()[0][1]
    assert not {*minted[1:]} & {*other[1:]}


def test_a_capture_of_such_a_name_is_the_capture(tmp_path: Path) -> None:
    first = {"expect": {"actor": "alice", "name": "Event", "capture": {"uuid": "1", "counter": "2"}}}
    one = call_scenario(tmp_path, first, send("${uuid}", "${counter}"))
    assert play_calls(one, said(0.1, [5, "a", 9])).sent() == [(0.1, [6, "a", 9])]


@pytest.mark.parametrize("reference", ["${value.login.password}", "${base64:value.login.password}"])
def test_secrets_of_ones_own_are_masked(tmp_path: Path, reference: str) -> None:
    result = play_calls(call_scenario(tmp_path, send(reference, "${value.login.name}")), with_profile=profile(**LOGIN))
    shown = str(result.noted("message"))
    assert "correct" not in shown
    assert base64.b64encode(b"correct horse").decode() not in shown
    assert "ci" in shown
