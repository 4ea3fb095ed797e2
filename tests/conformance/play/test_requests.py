"""Requests have ids of their own, and wait for the replies that repeat them."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from conformance.language.requests import as_sent, possible_replies, request_flaws, role_of
from conformance.transport.exchange import Action, Happening, Send
from contract.findings import phrase
from contract.folder import find_contract
from contract.model import load_contract
from tests.conformance.calls import ROLES, call_scenario, calls, document, play_calls, said
from tests.conformance.driver import START, Reply
from wire.frames import Opcode

ADD = {"message": [2, None, "Add", {"a": 1}]}


def request(**body: Any) -> Any:
    return {"request": {"actor": "alice", **ADD, **body}}


def answering(*replies: Callable[[Any], Any]) -> Reply:
    """A server that answers each call with what these make of its id."""

    def reply(action: Action, now: float) -> Iterable[Happening]:
        if isinstance(action, Send) and action.frames[0].opcode == Opcode.TEXT:
            call = json.loads(action.frames[0].payload)
            yield from (said(now - START + 0.1 * n, make(call[1])) for n, make in enumerate(replies, 1))

    return reply


GOOD = answering(lambda key: [3, "other", {}], lambda key: [3, key, {"sum": 3}])
BAD = answering(lambda key: [4, key, "no"])


def test_each_has_an_id_of_its_own(tmp_path: Path) -> None:
    result = play_calls(call_scenario(tmp_path, request(), request()), reply=GOOD)
    first, second = (message[1] for _, message in result.sent())
    assert result.outcome.ending == "finished"
    assert UUID(first) != UUID(second)


def test_an_id_that_is_a_number_is_one(tmp_path: Path) -> None:
    one = call_scenario(tmp_path, *[request(message=[2, None, "Count"])] * 2)
    assert [message[1] for _, message in play_calls(one, reply=GOOD).sent()] == [1, 2]


def test_its_own_id_stays(tmp_path: Path) -> None:
    one = call_scenario(tmp_path, request(message=[2, "${uuid.a}", "Add", {}]))
    result = play_calls(one, reply=GOOD)
    assert result.outcome.ending == "finished"
    assert UUID(result.sent()[0][1][1])


def test_a_reply_is_matched_and_captured(tmp_path: Path) -> None:
    reply = {"name": "Result", "match": {"2": {"sum": {"$between": [1, 3]}}}, "capture": {"sum": "2.sum"}}
    one = call_scenario(tmp_path, request(reply=reply), {"send": {"actor": "alice", "message": [6, "${sum}"]}})
    assert play_calls(one, reply=GOOD).sent()[-1] == (0.2, [6, 3])


def test_a_failure_ends_the_wait(tmp_path: Path) -> None:
    result = play_calls(call_scenario(tmp_path, request()), reply=BAD)
    (failure,) = result.outcome.failures
    assert failure.message == phrase("replied-otherwise", events=["`Result`"])
    assert result.outcome.duration == pytest.approx(0.1)
    assert failure.absent is None


def test_a_failure_may_be_what_is_expected(tmp_path: Path) -> None:
    one = call_scenario(tmp_path, request(reply={"name": "Failure", "match": {"-1": "no"}}))
    assert play_calls(one, reply=BAD).outcome.ending == "finished"
    assert play_calls(one, reply=GOOD).outcome.duration == pytest.approx(0.2)


def test_a_last_reply_that_does_not_match_ends_it_as_well(tmp_path: Path) -> None:
    one = call_scenario(tmp_path, request(reply={"match": {"2": {"sum": 4}}}))
    result = play_calls(one, reply=GOOD)
    assert result.outcome.ending == "stopped"
    assert result.outcome.duration == pytest.approx(0.2)


def test_silence_is_a_failure_after_its_time(tmp_path: Path) -> None:
    result = play_calls(call_scenario(tmp_path, request(within=2)), said(0.1, [3, "other", {}]))
    (failure,) = result.outcome.failures
    assert failure.absent == "timeout"
    assert result.outcome.duration == pytest.approx(2.0)


MANY = answering(lambda key: [5, key, 1], lambda key: [5, key, 2], lambda key: [3, key, {}])
COUNT = {"message": [2, None, "Count"]}
EVENT = {"expect": {"actor": "alice", "name": "Event", "within": 1}}


def test_without_replies_all_are_taken(tmp_path: Path) -> None:
    assert play_calls(call_scenario(tmp_path, request(**COUNT)), reply=MANY).outcome.ending == "finished"
    assert play_calls(call_scenario(tmp_path, request(**COUNT), EVENT), reply=MANY).outcome.ending == "stopped"


def test_several_come_in_order(tmp_path: Path) -> None:
    replies = [{"name": "Event", "match": {"2": number}} for number in (1, 2)]
    one = call_scenario(tmp_path, request(**COUNT, reply=[*replies, {"name": "Result"}]))
    assert play_calls(one, reply=MANY).outcome.ending == "finished"
    wrong = call_scenario(tmp_path, request(**COUNT, reply=[*replies[::-1], {"name": "Result"}]))
    assert [str(one.message) for one in play_calls(wrong, reply=MANY).outcome.failures] != []


def test_what_is_no_request_is_the_scenarios_mistake(tmp_path: Path) -> None:
    one = call_scenario(tmp_path, request(message=[6, 1]))
    assert play_calls(one).outcome.ending == "error"


def test_an_error_that_names_the_id_may_be_the_reply(tmp_path: Path) -> None:
    """Also where contract.yaml does not list it among the replies."""
    roles = {**ROLES, "errors": {"message": {"name": "Note", "about": {"id": "1"}}}}
    for name, value in (("contract", roles), ("asyncapi", document())):
        (tmp_path / f"{name}.yaml").write_text(json.dumps(value), encoding="utf-8")
    contract = load_contract(find_contract(tmp_path))
    add = role_of(contract, [2, None, "Add", {}])
    assert add is not None
    assert [one.name for one in possible_replies(contract, add)] == ["Result", "Failure", "Note"]
    body = {"reply": {"name": "Note"}}
    assert list(request_flaws(body, [2, None, "Add", {}], contract)) == []


def test_a_request_is_checked_with_the_id_that_it_gets() -> None:
    assert as_sent(calls(), [2, None, "Count"]) == [2, 1, "Count"]
    assert UUID(as_sent(calls(), [2, None, "Add", {}])[1])
    assert as_sent(calls(), [6, 1]) == [6, 1]
