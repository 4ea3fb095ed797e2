"""What is wrong with scenarios of an API whose messages are lists, found where its author wrote it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from conformance.language.loading import load_scenarios
from contract.errors import ContractError
from contract.files import DATA_ROOT
from contract.folder import find_contract
from contract.model import load_contract
from tests.conformance.calls import calls, document, mistakes


def expect(**body: Any) -> Any:
    return {"expect": {"actor": "alice", **body}}


def request(**body: Any) -> Any:
    return {"request": {"actor": "alice", "message": [2, None, "Add", {}], **body}}


def send(message: Any) -> Any:
    return {"send": {"actor": "alice", "message": message}}


GOOD = [
    expect(name="Event", match={"1": "news"}),
    expect(match={"0": 5}),
    expect(match={"0": 3, "2": {"$schema": "sum"}}),
    expect(
        name="Result",
        match={"2": {"$all": [{"$schema": "sum"}, {"sum": {"$between": [1, None]}}]}},
        capture={"id": "1"},
    ),
    expect(name="Event", match={"$prefix": [5]}, optional=True),
    expect(name="Event", match=[5, {"$regex": "^n"}]),
    expect(name="Event", match={"1": "${user.alice.name}"}),
    {"expect_nothing": {"actors": ["alice"], "match": {"0": 2}, "for": 0}},
    request(),
    request(
        message=[2, "${uuid.a}", "Add", {"n": "${nonce.b}"}], reply={"match": {"1": "${uuid.a}", "2": "${nonce.b}"}}
    ),
    request(reply={"name": "Failure", "match": {"2": {"$in": ["a", "b"]}}}),
    request(message=[2, "${uuid}", "Add", {"car": "${user.alice.car}", "room": "${value.room}"}]),
    request(message=[2, None, "Count"], reply=[{"name": "Event"}, {"name": "Result"}]),
    send([6, "${user.id}", "${user.car.vin}", "${token}"]),
    send([6, "${base64:user.alice.id}", {"$base64": "${user.alice.id}:x"}]),
]


@pytest.mark.parametrize("step", GOOD, ids=str)
def test_sound(tmp_path: Path, step: Any) -> None:
    assert mistakes(tmp_path, step) == []


BAD = [
    # names
    (expect(name="Evnt"), "expect: the contract has no event 'Evnt' (did you mean 'Event'?)"),
    (expect(name="Add"), "expect: 'Add' is a client event"),
    (expect(name="Event", event="Event"), "expect: name and event mean the same; write one of them"),
    (expect(within=1), "expected one of the members 'event', 'name', 'match'"),
    # what no message is
    (expect(name="Event", match={"0": 6}), "expect: `0` is never 6 in a valid message"),
    (expect(name="Event", match={"event": "news"}), "expect: the message is never an object in a valid message"),
    (expect(name="Failure", match=[4, "a", 5]), "expect: `2` is never 5 in a valid message"),
    (expect(name="Event", match="news"), "expect: the message is never 'news' in a valid message"),
    (expect(match={"0": 9}), "expect: no message of the server matches: `0` is never 9 in a valid message"),
    (expect(match={"0": 2}), "expect: no message of the server matches: `0` is never 2 in a valid message"),
    (expect(name="Event", match={"1": {"$between": [1, 2], "$type": "object"}}), "is never of the type object"),
    (expect(name="Failure", match={"2": {"$unordered": [1]}}), "expect: `2` is never a list in a valid message"),
    (expect(name="Failure", match={"2": {"$between": [1, 2]}}), "expect: `2` is never a number in a valid message"),
    (expect(name="Result", match={"2": {"$regex": "a"}}), "expect: `2` is never a string in a valid message"),
    # operators
    (expect(match={"1": {"$regx": "a"}}), "unknown operator '$regx' (did you mean '$regex'?)"),
    (expect(match={"1": {"$regex": "(a"}}), "$regex: not a regular expression"),
    (expect(match={"1": {"$regex": "(?=a)"}}), "$regex: not a regular expression (without look-around"),
    (expect(match={"1": {"$between": [1]}}), "$between: expected a lower and an upper bound, such as [1, 10]"),
    (expect(match={"1": {"$between": [None, None]}}), "$between: expected a lower and an upper bound"),
    (
        expect(match={"1": {"$between": [1, "2026-01-31T00:00:00Z"]}}),
        "$between: expected two numbers, or two date-times",
    ),
    (expect(match={"1": {"$between": [2, 1]}}), "$between: expected the lower bound first"),
    (expect(match={"1": {"$unordered": "a"}}), "$unordered: expected a list; got string"),
    (expect(match={"1": {"$prefix": 1}}), "$prefix: expected a string or a list; got integer"),
    (expect(match={"2": {"$schema": "sun"}}), "the contract has no schema 'sun' (did you mean 'sum'?)"),
    (expect(name="Event", optional=True, capture={"a": "1"}), "an optional message may not come"),
    (
        expect(name="Result", capture={"a": "2.x", "b": "sum"}),
        "expect: the contract has no members in the message",
    ),
    # references
    (
        expect(match={"1": "${user.alice}"}),
        "expect: ${user.alice}: expected a user's name and a member, such as ${user.alice.id}",
    ),
    (send([6, "${user.alcie.id}"]), "send: ${user.alcie.id}: unknown user 'alcie' (did you mean 'alice'?)"),
    (send([6, "${valeu.room}"]), "send: ${valeu.room}: no step before this one captures it"),
    (send([6, "${base46:user.alice.id}"]), "unknown spelling 'base46' (did you mean 'base64'?)"),
    (expect(match={"1": "${uuid}"}), "${uuid} is a new one each time; give it a name, such as ${uuid.a}, to expect it"),
    (request(reply={"match": {"2": "${counter}"}}), "${counter} is a new one each time"),
    (expect(match={"1": "${uuid.a}"}), "expect: ${uuid.a}: no step before this one sends this uuid"),
    (expect(match={"1": "${counter.a}"}), "expect: ${counter.a}: no step before this one sends this counter"),
    (request(reply={"match": {"1": "${uuid.a}"}}), "request: ${uuid.a}: no step before this one sends this uuid"),
    # requests
    (request(message=[6, 1]), "request: Note is not a request; clients' requests: Add, Heartbeat, Count"),
    (request(reply={"name": "Event"}), "request: 'Event' does not reply to Add; replies: Result, Failure"),
    (request(reply={"name": "Reslut"}), "request: the contract has no event 'Reslut' (did you mean 'Result'?)"),
    (request(message=[2, None, "Ad", {}]), "request: Ad is not a request"),
    (request(reply={"match": {"0": 9}}), "request: no message of the server matches"),
]


@pytest.mark.parametrize(("step", "text"), BAD, ids=str)
def test_unsound(tmp_path: Path, step: Any, text: str) -> None:
    found = mistakes(tmp_path, step)
    assert [text in one for one in found] == [True], found


def test_a_mistake_has_its_place(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("""\
format: wsproof.scenarios/1
scenarios:
  - id: own
    title: Own
    verifies: [OWN-01]
    needs: [user.alice, value.room]
    steps:
      - connect: {actor: alice}
      - request: {actor: alice, message: [2, null, Add, {}], reply: {name: Result, match: {"1": {$regex: "("}}}}
      - expect: {actor: alice, match: {"0": 5, "1": {"$between": [b, 2]}}}
""")
    with pytest.raises(ContractError) as caught:
        load_scenarios(calls(), path)
    assert [line.removeprefix(f"{path}:").split(": ")[0] for line in caught.value.lines] == ["9:98", "10:54"]


@pytest.mark.parametrize("need", ["dave", "user", "value.", "users.dave"])
def test_unknown_fixtures(tmp_path: Path, need: str) -> None:
    (found,) = mistakes(tmp_path, send([6]), needs=[need])
    assert "expected a fixture such as bob, user.dave or value.product" in found


def test_the_examples_of_the_documentation_are_sound(tmp_path: Path) -> None:
    page = (DATA_ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8")
    contract, scenarios = (
        re.search(rf"^```yaml\n# {name}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
        for name in ("contract.yaml", "scenarios/calls.yaml")
    )
    assert contract is not None
    assert scenarios is not None
    for name, text in (("contract.yaml", contract[1]), ("asyncapi.yaml", json.dumps(document()))):
        (tmp_path / name).write_text(text, encoding="utf-8")
    path = tmp_path / "own" / "calls.yaml"
    path.parent.mkdir()
    path.write_text(scenarios[1], encoding="utf-8")
    assert len(load_scenarios(load_contract(find_contract(tmp_path)), path)) == 1


def test_what_the_contract_does_not_allow_is_sent_raw(tmp_path: Path) -> None:
    text = json.dumps([2, 1, "Add", {}])
    assert mistakes(tmp_path, {"send_raw": {"actor": "alice", "text": text}}) == []
