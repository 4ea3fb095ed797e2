"""What is owed may come late where tester or peer stood still, and not otherwise."""

from collections.abc import Iterable

import pytest

from conformance.transport.exchange import Action, Happening, Send
from tests.conformance.driver import CONNECT, START, Played, message, played, pong, scenario

WAIT = {"expect": {"actor": "alice", "event": "error"}}
ONE = scenario(CONNECT, WAIT)
NO_HANDSHAKE = scenario({"connect": {"actor": "alice"}, "requirement": "CONN-01"})


def ending(result: Played) -> str:
    return result.outcome.ending


def sluggish(action: Action, now: float) -> Iterable[Happening]:
    """A peer that stands still for 1.5 s when it is asked for a sign of life."""
    if isinstance(action, Send) and any(frame.payload == b"lag-probe" for frame in action.frames):
        yield pong(now - START + 1.5, action.actor, b"lag-probe")


@pytest.mark.parametrize(("at", "expected"), [(4.9, "finished"), (5.1, "stopped")])
def test_the_deadline_holds_where_all_are_awake(at: float, expected: str) -> None:
    assert ending(played(ONE, message(at, "alice", "error"))) == expected


@pytest.mark.parametrize(("at", "expected"), [(5.1, "finished"), (11.0, "finished"), (11.6, "stopped")])
def test_a_peer_that_stood_still_gets_its_time_again(at: float, expected: str) -> None:
    assert ending(played(ONE, message(at, "alice", "error"), reply=sluggish)) == expected


def test_a_peer_that_gives_no_sign_of_life_is_not_waited_for_long() -> None:
    result = played(ONE, reply=None)
    assert ending(result) == "stopped"
    assert result.outcome.duration == pytest.approx(7.0)


@pytest.mark.parametrize(("oversleep", "expected"), [(0.0, "stopped"), (0.1, "finished")])
def test_a_tester_that_is_held_up_waits_longer(oversleep: float, expected: str) -> None:
    """A tenth of a second at each of some twenty looks is two seconds, and thrice that is added."""
    assert ending(played(ONE, message(8.0, "alice", "error"), oversleep=oversleep)) == expected


@pytest.mark.parametrize(("oversleep", "expected"), [(0.1, "stopped"), (0.5, "inconclusive"), (10.0, "inconclusive")])
def test_no_wait_lasts_for_ever(oversleep: float, expected: str) -> None:
    """A tester that was held up for as long as was promised says nothing of the endpoint."""
    result = played(NO_HANDSHAKE, accept=False, oversleep=oversleep)
    assert ending(result) == expected
    assert result.outcome.duration <= 15.0 + 2 * oversleep


def test_nothing_is_sent_after_our_close_frame() -> None:
    leave = scenario(CONNECT, {"close": {"actor": "alice"}})
    result = played(leave)
    assert ending(result) == "stopped"
    assert not [one for _, one in result.actions if isinstance(one, Send)]
