"""A client that asks for its acknowledgement: too late, never, and again."""

from pathlib import Path

import pytest
from websockets.sync.server import ServerConnection

from contract.model import Contract
from tests.conformance.generated import desk
from tests.conformance.generated.desk import Checked, Desk, Talk, written

ROLES = desk.ROLES.replace(
    "acknowledgement: {expect: {name: welcome}, id: session}",
    "acknowledgement:\n"
    "  {send: {kind: hello}, expect: {name: welcome}, id: session, before: [{close: 4402}],\n"
    "   due: {within: 500ms, else: [{close: 4408}]}, again: [{close: 4429}]}",
)

HELLO = """\
    hello: {payload: {type: object, required: [kind], properties: {kind: {const: hello}}}}
"""

ASYNCAPI = desk.ASYNCAPI.replace("  messages:\n    welcome:\n", f"  messages:\n{HELLO}    welcome:\n")
ASYNCAPI = ASYNCAPI.replace(
    "      beat: {$ref: '#/components/messages/beat'}\n",
    "      beat: {$ref: '#/components/messages/beat'}\n      hello: {$ref: '#/components/messages/hello'}\n",
)
ASYNCAPI = ASYNCAPI.replace(
    "      - {$ref: '#/channels/socket/messages/beat'}\n",
    "      - {$ref: '#/channels/socket/messages/beat'}\n      - {$ref: '#/channels/socket/messages/hello'}\n",
)


class Reserved(Desk):
    """The right server."""

    early, overdue, again = 4402, 4408, 4429
    patience: float | None = 0.5

    def talk(self, connection: ServerConnection) -> None:
        talk = Talk(connection)
        try:
            text = connection.recv(timeout=self.patience)
        except TimeoutError:
            connection.close(self.overdue)
            return
        if '"hello"' not in str(text):
            connection.close(self.early)
            return
        self.welcome(talk)
        for text in connection:
            if '"hello"' in str(text):
                self.asked_again(talk)
            else:
                self.heard(talk, text)

    def asked_again(self, talk: Talk) -> None:
        talk.connection.close(self.again)


class Early(Reserved):
    early = 4400


class Overdue(Reserved):
    overdue = 4400


class Patient(Reserved):
    patience = None


class Again(Reserved):
    again = 4400


class Welcoming(Reserved):
    def asked_again(self, talk: Talk) -> None:
        self.welcome(talk)


@pytest.fixture
def contract(tmp_path: Path) -> Contract:
    return written(tmp_path / "desk", ROLES, ASYNCAPI)


def test_the_right_server_is_conformant(contract: Contract) -> None:
    found = Checked(contract, Reserved())
    assert (found.failed, found.undecided) == (set(), {})
    assert {"MSG-46", "MSG-47", "MSG-48"} <= set(found.suite.requirements)


@pytest.mark.parametrize(
    ("server", "requirements"),
    [
        (Early, {"MSG-46"}),
        (Overdue, {"MSG-47"}),
        (Patient, {"MSG-47"}),
        (Again, {"MSG-48"}),
        (Welcoming, {"MSG-08", "MSG-48"}),
    ],
    ids=lambda one: getattr(one, "__name__", None),
)
def test_a_faulty_server_is_found(contract: Contract, server: type[Desk], requirements: set[str]) -> None:
    assert Checked(contract, server()).failed == requirements
