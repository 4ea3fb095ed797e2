"""A client's heartbeat is sent by itself, and its answers are nothing that a step awaits."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from conformance.transport.exchange import Action, Happening, Send
from tests.conformance.calls import call_scenario, play_calls, said
from tests.conformance.driver import START, alive
from wire.frames import Opcode

STAY = {"expect_open": {"actor": "alice", "for": 100}}
SILENCE = {"expect_nothing": {"actors": ["alice"], "for": 100}}


def answering(action: Action, now: float) -> Iterable[Happening]:
    """A server that answers each of them."""
    yield from alive(action, now)
    if isinstance(action, Send) and action.frames[0].opcode == Opcode.TEXT:
        message = json.loads(action.frames[0].payload)
        if message[0] == 2:
            yield said(now - START + 0.1, [3, message[1], {}])


def test_it_is_sent_at_its_interval(tmp_path: Path) -> None:
    result = play_calls(call_scenario(tmp_path, STAY))
    assert [t for t, _ in result.sent()] == [pytest.approx(30.0 * n) for n in (1, 2, 3)]
    assert [[one[0], *one[2:]] for _, one in result.sent()] == [[2, "Heartbeat", {}]] * 3
    assert len({one[1] for _, one in result.sent()}) == 3


def test_an_actor_may_be_mute(tmp_path: Path) -> None:
    actors = {"alice": {"user": "alice", "heartbeat": "ignore"}}
    assert play_calls(call_scenario(tmp_path, STAY, actors=actors)).sent() == []


@pytest.mark.parametrize("end", [{"close": {"actor": "alice", "answered": False}}, {"drop": {"actor": "alice"}}])
def test_it_ends_with_the_connection(tmp_path: Path, end: Any) -> None:
    quiet = {"expect_nothing": {"actors": ["alice"], "for": 100}}
    assert play_calls(call_scenario(tmp_path, end, quiet)).sent() == []


def test_each_connection_has_its_own(tmp_path: Path) -> None:
    wait = {"expect_nothing": {"actors": ["alice"], "for": 20}}
    again = {"connect": {"actor": "alice"}}
    result = play_calls(call_scenario(tmp_path, wait, again, STAY))
    assert [t for t, _ in result.sent()] == [pytest.approx(20 + 30.0 * n) for n in (1, 2, 3)]


def test_its_answers_are_awaited_by_no_step(tmp_path: Path) -> None:
    result = play_calls(call_scenario(tmp_path, SILENCE), reply=answering)
    assert (result.outcome.ending, len(result.sent())) == ("finished", 3)
    assert len(result.outcome.record.conversations[0].received) == 3


def test_answers_to_what_a_step_sent_are(tmp_path: Path) -> None:
    own: Any = {"request": {"actor": "alice", "message": [2, None, "Heartbeat", {}]}}
    assert play_calls(call_scenario(tmp_path, own), reply=answering).outcome.ending == "finished"
    stray = play_calls(call_scenario(tmp_path, SILENCE), said(40, [3, "another", {}]), reply=answering)
    assert stray.outcome.ending == "stopped"


def test_none_comes_amid_a_message(tmp_path: Path) -> None:
    def part(opcode: str, text: str, *, final: bool) -> Any:
        return {"send_raw": {"actor": "alice", "frames": [{"opcode": opcode, "text": text, "final": final}]}}

    wait = {"expect_nothing": {"actors": ["alice"], "for": 40}}
    one = call_scenario(tmp_path, part("text", "[6,", final=False), wait, part("continuation", "1]", final=True), wait)
    times = [
        t for t, action in play_calls(one).actions if isinstance(action, Send) and len(action.frames[0].payload) > 9
    ]
    assert times == [pytest.approx(40.25, abs=0.3), pytest.approx(70.25, abs=0.3)]
