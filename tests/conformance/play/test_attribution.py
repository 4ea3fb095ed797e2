"""What is shown instead of what was expected."""

import json
from dataclasses import replace
from typing import Any

import pytest

from conformance.play.attribution import SHOWN, ended_as, mute_codes, what_came
from conformance.play.context import Context
from conformance.play.record import Conversation
from conformance.transport.exchange import CloseReceived, Ended, Opened, Received
from contract.findings import Phrase, phrase
from tests.bundled import load_profile, read_message
from tests.conformance.driver import CONNECT, START, scenario, setting_of
from wire.frames import Opcode


def context_with(*messages: tuple[str, Any], opened: bool = True) -> Context:
    """A context on which Alice has received these."""
    context = Context(scenario(CONNECT), setting_of(), START)
    state = context.actors["alice"]
    state.conversation = conversation = Conversation("alice", "alice", 1, None)
    conversation.opened = Opened(START, "alice", (), None) if opened else None
    for event, payload in messages:
        data = json.dumps({"event": event, "payload": payload}).encode()
        state.inbox.append(read_message(Received(START, "alice", Opcode.TEXT, data), conversation))
    return context


def came(context: Context, event: str | None = None) -> Phrase:
    return what_came(context, context.actors["alice"], event)


def shown(context: Context, event: str | None = None) -> list[str]:
    """Events and payloads of what is shown, in order; what is no message as it is."""
    found = came(context, event)
    assert found.code == "came"
    items = found.params["items"]
    assert isinstance(items, tuple)
    return [
        f"{value['event']} {value['payload']}" if isinstance(one, str) and (value := json.loads(one)) else str(one)
        for one in items
    ]


def test_nothing() -> None:
    assert came(context_with()) == phrase("nothing-came")


def test_errors_come_first_then_what_was_waited_for_then_the_last() -> None:
    context = context_with(("typing", 1), ("new_message", 2), ("typing", 3), ("error", 4), ("typing", 5))
    assert shown(context, "new_message") == ["error 4", "new_message 2", "typing 5", "2 more messages"]
    assert shown(context) == ["error 4", "typing 5", "typing 3", "2 more messages"]


def test_of_a_kind_the_last_comes_first() -> None:
    context = context_with(*(("error", number) for number in range(SHOWN + 1)))
    assert shown(context, "new_message") == ["error 3", "error 2", "error 1", "1 more message"]


@pytest.mark.parametrize(("count", "text"), [(1, "1 × `ping`"), (3, "3 × `ping`")])
def test_heartbeats_are_counted_only(count: int, text: str) -> None:
    context = context_with(*[("ping", {})] * count, ("typing", 1))
    assert came(context).params["items"] == (
        '{"event": "typing", "payload": 1}',
        phrase("heartbeats", number=count, event="ping"),
    )
    assert shown(context)[-1] == text


def test_heartbeats_alone() -> None:
    assert shown(context_with(("ping", {}), ("ping", {}))) == ["2 × `ping`"]


def test_where_a_heartbeat_is_waited_for_it_is_shown() -> None:
    assert shown(context_with(("ping", 1), ("typing", 2)), "ping") == ["ping 1", "typing 2"]


def test_the_end_comes_last() -> None:
    context = context_with(("typing", 1), ("ping", {}))
    conversation = context.actors["alice"].conversation
    assert conversation is not None
    conversation.close_received = CloseReceived(START, "alice", 1011, "oops")
    end = phrase("closed-because", code="1011", reason="oops")
    assert came(context).params["items"] == (
        '{"event": "typing", "payload": 1}',
        phrase("heartbeats", number=1, event="ping"),
        end,
    )


def test_a_long_message_is_cut() -> None:
    text = str(came(context_with(("typing", "x" * 1_000))))
    assert len(text) == 300
    assert text.endswith("xxx…")


@pytest.mark.parametrize(
    ("close", "end", "expected"),
    [
        (None, None, phrase("still-open")),
        (CloseReceived(START, "alice", 1000, ""), None, phrase("closed", code="1000")),
        (CloseReceived(START, "alice", None, ""), None, phrase("closed", code=phrase("no-code"))),
        (None, Ended(START, "alice", "reset"), phrase("no-close-frame", end=phrase("tcp-reset"))),
        (
            None,
            Ended(START, "alice", "violation", phrase("frame-masked")),
            phrase(
                "no-close-frame", end=phrase("with-detail", what=phrase("tcp-violation"), detail=phrase("frame-masked"))
            ),
        ),
    ],
)
def test_how_a_connection_ended(close: CloseReceived | None, end: Ended | None, expected: Phrase) -> None:
    conversation = Conversation("alice", "alice", 1, None, close_received=close, ended=end)
    assert ended_as(conversation) == expected


@pytest.mark.parametrize(("code", "told"), [(4408, (4408,)), (1000, ()), (1001, ())])
def test_a_code_that_ends_any_connection_tells_of_no_heartbeat(code: int, told: tuple[int, ...]) -> None:
    profile = load_profile(None, {"close_codes": {"heartbeat_timeout": code}})
    context = Context(scenario(CONNECT), replace(setting_of(), profile=profile), START)
    assert mute_codes(context) == told
