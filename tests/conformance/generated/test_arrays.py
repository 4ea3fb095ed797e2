"""The same for an API of arrays: calls and their results by id, no acknowledgement, no credentials."""

import json
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.server import ServerConnection

from contract.model import Contract
from tests.conformance.generated.desk import Checked, Desk, written

ROLES = """\
format: wsproof.contract/1
messages:
  name: [{match: {"0": 3}, name: result}, {match: {"0": 4}, name: error}, {at: "2"}]
requests: [{by: client, name: Add, id: "1", replies: [{name: result, id: "1"}, {name: error, id: "1", failure: true}]}]
errors:
  message: {name: error}
  reactions: {not-json: [{close: 4400}], unknown-name: [error], invalid-payload: [error, {close: 4400}]}
"""

ASYNCAPI = """\
asyncapi: 3.0.0
info: {title: Adder, version: 1.0.0}
channels:
  socket:
    address: /
    messages:
      Add: {$ref: '#/components/messages/Add'}
      result: {$ref: '#/components/messages/result'}
      error: {$ref: '#/components/messages/error'}
operations:
  hear: {action: receive, channel: {$ref: '#/channels/socket'}, messages: [{$ref: '#/channels/socket/messages/Add'}]}
  tell:
    action: send
    channel: {$ref: '#/channels/socket'}
    messages: [{$ref: '#/channels/socket/messages/result'}, {$ref: '#/channels/socket/messages/error'}]
components:
  messages:
    Add:
      payload:
        type: array
        minItems: 4
        prefixItems:
          - {const: 2}
          - {type: string}
          - {const: Add}
          - {type: object, required: [terms], properties: {terms: {type: array, items: {type: integer}}}}
      examples: [{payload: [2, "call-1", Add, {terms: [1, 2]}]}]
    result:
      payload:
        type: array
        minItems: 3
        maxItems: 3
        prefixItems: [{const: 3}, {type: string}, {type: object, required: [sum], properties: {sum: {type: integer}}}]
    error:
      payload: {type: array, minItems: 3, prefixItems: [{const: 4}, {type: [string, "null"]}, {type: string}]}
"""


class Adder(Desk):
    """The right server."""

    def authorised(self, key: str | None) -> bool:
        return True

    def talk(self, connection: ServerConnection) -> None:
        for text in connection:
            try:
                value = json.loads(text)
            except ValueError:
                connection.close(4400)
                return
            for answer in self.answers(value):
                connection.send(json.dumps(answer))

    def answers(self, value: Any) -> list[Any]:
        if not isinstance(value, list) or len(value) < 3 or value[2] != "Add":
            return self.refuse(value, "unknown")
        try:
            terms = value[3]["terms"]
            if value[0] != 2 or not all(isinstance(one, int) for one in [*terms]):
                raise TypeError
            return self.result(value[1], sum(terms))
        except (LookupError, TypeError):
            return self.refuse(value, "invalid")

    def result(self, identity: Any, number: int) -> list[Any]:
        return [[3, identity, {"sum": number}]]

    def refuse(self, value: Any, why: str) -> list[Any]:
        return [[4, value[1] if isinstance(value, list) and len(value) > 1 else None, why]]


class Forgetful(Adder):
    def result(self, identity: Any, number: int) -> list[Any]:
        return [[3, "call-0", {"sum": number}]]


class Twofold(Adder):
    def result(self, identity: Any, number: int) -> list[Any]:
        return 2 * super().result(identity, number)


class Wordy(Adder):
    def result(self, identity: Any, number: int) -> list[Any]:
        return [[3, identity, {"sum": f"{number}"}]]


class Strange(Adder):
    def result(self, identity: Any, number: int) -> list[Any]:
        return [[5, identity], *super().result(identity, number)]


class Refusing(Adder):
    """An error is an answer, and another id than the call's is none."""

    def result(self, identity: Any, number: int) -> list[Any]:
        return self.refuse([2, "call-9"], "no")


class Patient(Adder):
    def refuse(self, value: Any, why: str) -> list[Any]:
        return [] if why == "unknown" else super().refuse(value, why)


@pytest.fixture
def contract(tmp_path: Path) -> Contract:
    return written(tmp_path / "adder", ROLES, ASYNCAPI)


def test_the_right_server_is_conformant(contract: Contract) -> None:
    found = Checked(contract, Adder())
    assert (found.failed, found.undecided) == (set(), {})
    ids = {one.id for one in found.suite.scenarios}
    assert {"generated-answer/Add", "generated-invalid/missing-Add-3.terms", "generated-invalid/type-Add-3"} <= ids
    assert "JSON that is not a message" in found.observed


@pytest.mark.parametrize(
    ("server", "requirement"),
    [
        (Forgetful, "MSG-24"),
        (Twofold, "MSG-25"),
        (Wordy, "MSG-14"),
        (Strange, "MSG-12"),
        (Refusing, "MSG-24"),
        (Patient, "MSG-30"),
    ],
    ids=lambda one: getattr(one, "__name__", None),
)
def test_a_faulty_server_is_found_and_nothing_else(contract: Contract, server: type[Desk], requirement: str) -> None:
    assert Checked(contract, server()).failed == {requirement}
