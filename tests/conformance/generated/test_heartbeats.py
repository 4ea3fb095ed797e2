"""The heartbeat of a server: its period, and what becomes of clients that answer it or do not."""

import time
from pathlib import Path

import pytest
from websockets.sync.server import ServerConnection

from contract.model import Contract
from tests.conformance.generated.desk import Checked, Desk, Talk, written
from tests.slow import slow_but

EVERY = 0.5
"""Seconds."""

ROLES = """\
format: wsproof.contract/1
messages: {name: [{at: kind}]}
heartbeats:
  - {by: server, every: 500ms, tolerance: 30%, ping: {name: tick}, answer: {name: tock}, timeout: 500ms,
     mute: [{close: 4408}]}
"""

ASYNCAPI = """\
asyncapi: 3.0.0
info: {title: Clock, version: 1.0.0}
channels:
  socket:
    address: /
    messages: {tick: {$ref: '#/components/messages/tick'}, tock: {$ref: '#/components/messages/tock'}}
operations:
  tell: {action: send, channel: {$ref: '#/channels/socket'}, messages: [{$ref: '#/channels/socket/messages/tick'}]}
  hear: {action: receive, channel: {$ref: '#/channels/socket'}, messages: [{$ref: '#/channels/socket/messages/tock'}]}
components:
  messages:
    tick: {payload: {type: object, required: [kind], properties: {kind: {const: tick}, number: {type: integer}}}}
    tock: {payload: {type: object, required: [kind], properties: {kind: {const: tock}}}}
"""


class Clock(Desk):
    """The right server."""

    every, patience, code = EVERY, EVERY, 4408

    def authorised(self, key: str | None) -> bool:
        return True

    def talk(self, connection: ServerConnection) -> None:
        talk = Talk(connection)
        due, unanswered = time.monotonic() + self.every, float("inf")
        while True:
            now = time.monotonic()
            if now >= unanswered + self.patience:
                return connection.close(self.code)
            if now >= due:
                talk.say(kind="tick")
                due, unanswered = due + self.every, min(unanswered, now)
            try:
                text = connection.recv(timeout=max(min(due, unanswered + self.patience) - now, 0.001))
            except TimeoutError:
                continue
            if '"tock"' in str(text):
                unanswered = float("inf")


class Still(Clock):
    every = 1e6


class Hasty(Clock):
    every = EVERY / 2


class Strict(Clock):
    """It closes clients that answer as well."""

    def talk(self, connection: ServerConnection) -> None:
        Talk(connection).say(kind="tick")
        time.sleep(EVERY / 2)
        connection.close(4408)


class Patient(Clock):
    patience = 1e6


class OtherCode(Clock):
    code = 4400


@pytest.fixture
def contract(tmp_path: Path) -> Contract:
    return written(tmp_path / "clock", ROLES, ASYNCAPI)


def test_the_right_server_is_conformant(contract: Contract) -> None:
    found = Checked(contract, Clock())
    assert (found.failed, found.undecided) == (set(), {})
    assert {"MSG-19", "MSG-20", "MSG-21"} <= set(found.suite.requirements)


FAULTS: dict[type[Desk], set[str]] = {
    Still: {"MSG-19"},
    Hasty: {"MSG-19"},
    Strict: {"MSG-19", "MSG-20"},
    Patient: {"MSG-21"},
    OtherCode: {"MSG-21"},
}


@pytest.mark.parametrize("server", slow_but([OtherCode], FAULTS), ids=lambda one: one.__name__)
def test_a_faulty_server_is_found(contract: Contract, server: type[Desk]) -> None:
    assert Checked(contract, server()).failed == FAULTS[server]
