"""Transcript checks of requests, heartbeats, directions and subprotocols: what they find, and what they look at."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance.judge.checks import judge
from conformance.play.history import History
from conformance.play.record import Conversation, Record, Sent, read_message
from conformance.transport.exchange import CloseReceived, Opened, Received
from contract.model import Contract
from contract.profile import load_profile
from contract.requirements import requirements_of
from tests.conformance.generated.desk import PROFILE, ROLES, written
from wire.frames import Opcode

NAMES = {"named", "direction", "subprotocol", "heartbeat-answered", "reply", "reply-id", "reply-once", "error-about"}
"""The checks of this module: the chat's contract has none of their roles."""

LOOK = {"kind": "look", "id": 7, "what": {"colour": "red"}}
FOUND = {"kind": "found", "id": 7, "count": 1}
PART = {"kind": "part", "id": 7, "text": "t"}


class Tale:
    """What happened on one connection, told in order; a tenth of a second passes with every message."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.profile = load_profile(None, dict(PROFILE), contract=contract.folder)
        self.record = Record(0.0, ())
        self.now = 0.0
        self.one = Conversation("alice", "alice", 1, None)
        self.one.opened = Opened(0.0, "alice", (), "desk.v1")
        self.one.subprotocols = ("desk.v1",)
        self.record.conversations.append(self.one)
        self.hear({"kind": "welcome", "session": "s"})

    def hear(self, *messages: Any) -> None:
        for message in messages:
            self.now += 0.1
            text = json.dumps(message).encode()
            self.one.received.append(
                read_message(Received(self.now, "alice", Opcode.TEXT, text, ()), self.one, self.contract)
            )

    def say(self, *messages: Any, plain: bool = True) -> None:
        for message in messages:
            self.now += 0.1
            name = self.contract.name_of(message, "client")
            self.one.sent.append(Sent(self.now, self.one, message, json.dumps(message), plain, name))

    def wait(self, seconds: float = 5.0) -> None:
        self.now += seconds

    def judged(self) -> tuple[set[str], dict[str, int]]:
        """The checks that find something, and the chances of all."""
        self.record.ended = self.now
        history = History(self.record, self.contract, self.profile, 0.0)
        failures, chances = judge(history, requirements_of(self.contract.folder))
        return {str(one.check) for one in failures}, dict(chances)


Tell = Callable[[Tale], object]


def quiet(_: Tale) -> None:
    pass


def asked_and_answered(tale: Tale) -> None:
    tale.say(LOOK)
    tale.hear(PART, PART, FOUND)


def asked(tale: Tale) -> None:
    tale.say(LOOK)
    tale.wait()


def asked_at_the_end(tale: Tale) -> None:
    tale.say(LOOK)
    tale.wait(0.5)


def asked_and_closed(tale: Tale) -> None:
    tale.say(LOOK)
    tale.one.close_received = CloseReceived(tale.now, "alice", 1001, "", legal=True)
    tale.wait()


def half_answered(tale: Tale) -> None:
    tale.say(LOOK)
    tale.hear(PART)
    tale.wait()


def answered_late(tale: Tale) -> None:
    tale.say(LOOK)
    tale.wait()
    tale.hear(FOUND)


def answered_as_text(tale: Tale) -> None:
    tale.say(LOOK)
    tale.hear({**FOUND, "id": "7"})
    tale.wait()


def answered_as_float(tale: Tale) -> None:
    tale.say(LOOK)
    tale.hear({**FOUND, "id": 7.0})


def answered_without_id(tale: Tale) -> None:
    tale.say(LOOK)
    tale.hear({"kind": "found", "count": 1})
    tale.wait()


def answered_twice(tale: Tale) -> None:
    tale.say(LOOK)
    tale.hear(FOUND, FOUND)


def answered_after_failure(tale: Tale) -> None:
    tale.say(LOOK)
    tale.hear({"kind": "lost", "id": 7}, PART)


def asked_again(tale: Tale) -> None:
    """One id twice, one after the other."""
    for _ in range(2):
        tale.say(LOOK)
        tale.hear(FOUND)


def answered_unasked(tale: Tale) -> None:
    tale.hear(FOUND)


def refused(tale: Tale) -> None:
    tale.say(LOOK)
    tale.hear({"kind": "fault", "code": "WRONG", "about": "look"})
    tale.wait()


def refused_something_else(tale: Tale) -> None:
    tale.say(LOOK, {"kind": "x"})
    tale.hear({"kind": "fault", "code": "NOBODY_KNOWS", "about": "x"})
    tale.wait()


def invalid(tale: Tale) -> None:
    tale.say({"kind": "look", "id": 7})
    tale.wait()


def failure_of_an_unknown(tale: Tale) -> None:
    """What answers a message that is no request may have its id."""
    tale.say({"kind": "find", "id": 9})
    tale.hear({"kind": "lost", "id": 9})


def asked_as_a_failure_comes(tale: Tale) -> None:
    """A request with the id of a message before it, sent at the instant at which that one's answer is read."""
    failure_of_an_unknown(tale)
    tale.now -= 0.1
    tale.say({**LOOK, "id": 9})
    tale.hear({**FOUND, "id": 9})


def failure_with_an_id_for_none(tale: Tale) -> None:
    """Some protocols have an id for what had none that could be read, such as the empty one."""
    tale.say(LOOK)
    tale.hear(FOUND)
    tale.say({"nonsense": 1}, plain=False)
    tale.hear({"kind": "lost", "id": ""})


def failure_with_an_id_of_nobody(tale: Tale) -> None:
    tale.say(LOOK)
    tale.hear({"kind": "lost", "id": ""})
    tale.wait()


def failure_without_an_id(tale: Tale) -> None:
    tale.say(42)
    tale.hear({"kind": "lost", "id": None})


def beaten(tale: Tale) -> None:
    tale.say({"kind": "beat"})
    tale.hear({"kind": "beaten"})


def unbeaten(tale: Tale) -> None:
    tale.say({"kind": "beat"})
    tale.wait()


def two_beats_one_answer(tale: Tale) -> None:
    tale.say({"kind": "beat"}, {"kind": "beat"})
    tale.hear({"kind": "beaten"})
    tale.wait()


def blamed(tale: Tale) -> None:
    tale.say({"kind": "x"})
    tale.hear({"kind": "fault", "code": "NOBODY_KNOWS", "about": "beat"})


def other_side(tale: Tale) -> None:
    tale.hear({"kind": "beat"})


def nameless(tale: Tale) -> None:
    tale.hear({"hello": 1})


def other_protocol(tale: Tale) -> None:
    tale.one.opened = Opened(0.0, "alice", (), None)


def no_protocol_offered(tale: Tale) -> None:
    tale.one.subprotocols = ()


FOUND_IN: list[tuple[Tell, set[str]]] = [
    (quiet, set()),
    (asked_and_answered, set()),
    (asked, {"reply"}),
    (asked_at_the_end, set()),
    (asked_and_closed, set()),
    (half_answered, {"reply"}),
    (answered_late, {"reply"}),
    (answered_as_text, {"reply-id"}),
    (answered_as_float, set()),
    (answered_without_id, {"reply-id", "payload"}),
    (answered_twice, {"reply-once"}),
    (answered_after_failure, {"reply-once"}),
    (asked_again, set()),
    (answered_unasked, {"reply-id"}),
    (refused, set()),
    (refused_something_else, {"reply"}),
    (invalid, set()),
    (failure_of_an_unknown, set()),
    (asked_as_a_failure_comes, set()),
    (failure_without_an_id, set()),
    (failure_with_an_id_for_none, set()),
    (failure_with_an_id_of_nobody, {"reply-id"}),
    (beaten, set()),
    (unbeaten, {"heartbeat-answered"}),
    (two_beats_one_answer, {"heartbeat-answered"}),
    (blamed, {"error-about"}),
    (other_side, {"direction"}),
    (nameless, {"named"}),
    (other_protocol, {"subprotocol"}),
    (no_protocol_offered, set()),
]

CHANCES: list[tuple[str, Tell, int]] = [
    ("reply", quiet, 0),
    ("reply", asked, 1),
    ("reply", asked_at_the_end, 0),
    ("reply", asked_and_closed, 0),
    ("reply", invalid, 0),
    ("reply-id", asked, 0),
    ("reply-id", asked_and_answered, 3),
    ("reply-once", half_answered, 0),
    ("reply-once", asked_and_answered, 1),
    ("heartbeat-answered", quiet, 0),
    ("heartbeat-answered", two_beats_one_answer, 2),
    ("error-about", asked, 0),
    ("error-about", refused, 1),
    ("subprotocol", quiet, 1),
    ("subprotocol", no_protocol_offered, 0),
]


@pytest.fixture(scope="module")
def contract(tmp_path_factory: pytest.TempPathFactory) -> Contract:
    roles = ROLES + "handshake: {subprotocols: {offer: [desk.v1], selected: desk.v1}}\n"
    return written(tmp_path_factory.mktemp("desk"), roles)


@pytest.mark.parametrize(("tell", "checks"), FOUND_IN, ids=lambda one: getattr(one, "__name__", ""))
def test_what_is_found(contract: Contract, tell: Tell, checks: set[str]) -> None:
    tale = Tale(contract)
    tell(tale)
    assert tale.judged()[0] == checks


@pytest.mark.parametrize(("check", "tell", "count"), CHANCES, ids=lambda one: getattr(one, "__name__", None))
def test_what_is_counted(contract: Contract, check: str, tell: Tell, count: int) -> None:
    tale = Tale(contract)
    tell(tale)
    assert tale.judged()[1].get(check, 0) == count


def test_every_check_of_this_module_finds_something() -> None:
    assert set().union(*(found for _, found in FOUND_IN)) - {"payload"} == NAMES


def test_what_comes_from_the_wrong_side_is_undeclared_where_nothing_else_decides_it(tmp_path: Path) -> None:
    contract = written(tmp_path / "desk")
    (tmp_path / "desk" / "requirements.yaml").write_text(
        "format: wsproof.requirements/1\nrequirements:\n"
        "  - {id: OWN-01, level: MUST, checks: [undeclared], statement: Nothing else comes.}\n",
        encoding="utf-8",
    )
    contract = written(tmp_path / "desk")
    tale = Tale(contract)
    other_side(tale)
    assert tale.judged()[0] == {"undeclared"}
