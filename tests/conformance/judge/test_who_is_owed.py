"""Whom a contract's flow owes a post: those who asked, the others, the sender alone, or everybody."""

import json
from pathlib import Path

import pytest

from conformance.judge.checks import judge
from conformance.play.history import History
from conformance.play.record import Conversation, Record, Sent, read_message
from conformance.transport.exchange import Opened, Received
from contract.folder import find_contract
from contract.model import load_contract
from contract.profile import load_profile
from contract.requirements import requirements_of
from wire.frames import Opcode

DOCUMENT = """\
asyncapi: 3.0.0
info: {title: Board, version: 1.0.0}
channels:
  board:
    address: /
    messages:
      say: {payload: {type: object, required: [kind, text], properties: {kind: {const: say}, text: {type: string}}}}
      said: {payload: {type: object, required: [kind, text], properties: {kind: {const: said}, text: {type: string}}}}
operations:
  hear: {action: receive, channel: {$ref: '#/channels/board'}, messages: [{$ref: '#/channels/board/messages/say'}]}
  tell: {action: send, channel: {$ref: '#/channels/board'}, messages: [{$ref: '#/channels/board/messages/said'}]}
"""
ROLES = """\
format: wsproof.contract/1
flows:
  board: {{post: {{name: say, stamp: text}}, delivery: {{name: said, stamp: text}}, owed: {owed}}}
"""


class Board:
    """Two connections; a tenth of a second passes with every message."""

    def __init__(self, folder: Path, owed: str) -> None:
        (folder / "asyncapi.yaml").write_text(DOCUMENT, encoding="utf-8")
        (folder / "contract.yaml").write_text(ROLES.format(owed=owed), encoding="utf-8")
        self.contract = load_contract(find_contract(folder))
        self.record = Record(0.0, ())
        self.now = 0.0
        self.alice, self.bob = self.connection("alice"), self.connection("bob")

    def connection(self, name: str) -> Conversation:
        made = Conversation(name, name, 1, None)
        made.opened = Opened(0.0, name, (), None)
        self.record.conversations.append(made)
        return made

    def post(self, one: Conversation, number: int, *receivers: Conversation) -> None:
        self.now += 0.1
        text = f"{number:016d}"
        value = {"kind": "say", "text": text}
        one.sent.append(Sent(self.now, one, value, json.dumps(value), True, "say"))  # plain
        for receiver in receivers:
            self.now += 0.1
            data = json.dumps({"kind": "said", "text": text}).encode()
            happening = Received(self.now, receiver.actor, Opcode.TEXT, data, ())
            receiver.received.append(read_message(happening, receiver, self.contract))

    def found(self) -> list[tuple[str, str | None]]:
        """The checks that find something, each with the connection it is about."""
        self.record.ended = self.now + 60
        history = History(self.record, self.contract, load_profile(None, contract=self.contract.folder), 0.0)
        failures, _ = judge(history, requirements_of(self.contract.folder))
        return sorted((str(one.check), one.actor) for one in failures)


@pytest.mark.parametrize(
    ("owed", "missing"),
    [
        ("all", [("delivered", "alice"), ("delivered", "bob")]),
        ("subscribers", [("delivered", "alice"), ("delivered", "bob")]),
        ("others", [("delivered", "bob")]),
        ("sender", [("delivered", "alice")]),
    ],
)
def test_whom_a_lost_post_was_owed(tmp_path: Path, owed: str, missing: list[tuple[str, str]]) -> None:
    board = Board(tmp_path, owed)
    board.post(board.alice, 1, board.alice, board.bob)
    board.post(board.bob, 2, board.alice, board.bob)
    board.post(board.alice, 3)
    assert board.found() == missing


def test_who_need_not_ask_is_no_stranger(tmp_path: Path) -> None:
    board = Board(tmp_path, "others")
    board.post(board.alice, 1, board.bob)
    board.post(board.bob, 2, board.alice)
    assert board.found() == []
