"""What steps find by themselves is charged as the contract says."""

import json
from dataclasses import replace
from typing import Any

import pytest

from conformance.language.deed import Charge
from conformance.play.charges import charge_of
from contract.files import DATA_ROOT
from tests.conformance.driver import CONNECT, REQUIREMENTS, close, ended, played, scenario, setting_of

SCHEMA: Any = json.loads((DATA_ROOT / "schemas" / "requirements.schema.json").read_text(encoding="utf-8"))
NAMES = sorted({name for one in REQUIREMENTS.values() for clause in one.clauses for name in clause.by_steps})
WAIT = {"expect": {"actor": "alice", "event": "error"}}
MUTED = (close(0.1, "alice", 4408), ended(0.2, "alice"))


def test_they_are_known() -> None:
    assert {*NAMES} <= {*SCHEMA["$defs"]["by-steps"]["items"]["enum"]}


@pytest.mark.parametrize("name", NAMES)
def test_the_chat_charges_each_of_them(name: str) -> None:
    (found,) = [one for one in REQUIREMENTS.values() if any(name in clause.by_steps for clause in one.clauses)]
    assert charge_of(REQUIREMENTS, name) == Charge((found.id,), found.level)


@pytest.mark.parametrize(
    ("check", "requirement"), [("payload", "ENV-03"), ("envelope", "ENV-02"), ("delivered", "SEND-01")]
)
def test_a_check_of_messages_that_is_narrowed_to_none(check: str, requirement: str) -> None:
    assert charge_of(REQUIREMENTS, check) == Charge((requirement,), "MUST")


def test_what_a_contract_has_no_requirement_for() -> None:
    without = {
        name: replace(one, clauses=tuple(replace(each, by_steps=()) for each in one.clauses))
        for name, one in REQUIREMENTS.items()
    }
    assert charge_of(without, "alive-while-answering") is None
    assert charge_of({}, "delivered") is None


def test_it_is_charged_before_the_steps_own() -> None:
    assert played(scenario(CONNECT, WAIT), *MUTED).charges() == [(("HB-03",), "MUST")]


def test_where_the_contract_has_none_it_is_the_steps_own() -> None:
    setting = replace(setting_of(), requirements={})
    assert played(scenario(CONNECT, WAIT), *MUTED, setting=setting).charges() == [(("SEND-01",), None)]
