"""Typed decoding takes nothing that `jsonschema` would refuse, and reads what it takes as it stands."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.paths import value_at
from contract.schemas import is_date_time
from contract.typed import Typed, UntypedError, getter, typed
from tests.bundled import load_contract

CONTRACT = load_contract()
TYPED = Typed(CONTRACT)

MESSAGE: dict[str, Any] = {
    "event": "new_message",
    "payload": {
        "channelId": "channel-001",
        "message": {
            "id": "m-1",
            "text": "こんにちは 🎉",
            "author": {"id": "user-001", "name": "Taro"},
            "timestamp": "2026-11-23T12:00:00.123Z",
        },
    },
    "sequence": 7,
}


def text(value: Any) -> bytes:
    return json.dumps(value).encode()


def is_taken(data: bytes) -> bool:
    try:
        TYPED.decode(data)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def test_every_event_of_the_server_has_a_type() -> None:
    assert set(TYPED.kinds) == {event.name for event in CONTRACT.events.values() if event.from_server}


def test_what_is_read_is_what_stands_there() -> None:
    found = TYPED.decode(text(MESSAGE))
    assert type(found) is TYPED.kinds["new_message"]
    paths = ("sequence", "payload.channelId", "payload.message.text", "payload.message.author.id")
    assert getter(*paths)(found) == tuple(value_at(MESSAGE, path) for path in paths)


def test_a_message_without_its_optional_member_says_so() -> None:
    value = {name: member for name, member in MESSAGE.items() if name != "sequence"}
    assert getter("sequence", "payload.channelId")(TYPED.decode(text(value)))[0] is msgspec.UNSET


@pytest.mark.parametrize(
    "value",
    [
        {**MESSAGE, "event": "unheard_of"},
        {**MESSAGE, "sequence": "7"},
        {**MESSAGE, "more": 1},
        {**MESSAGE, "payload": []},
        {**MESSAGE, "payload": {"channelId": "c"}},
        {**MESSAGE, "payload": {**MESSAGE["payload"], "channelId": ""}},
        {**MESSAGE, "payload": {**MESSAGE["payload"], "channelId": "x" * 129}},
        {"event": "ping", "payload": {"more": {}}},
        {"payload": {}},
        [],
        None,
    ],
)
def test_what_is_not_certainly_valid_is_left_to_the_judge(value: Any) -> None:
    assert not is_taken(text(value))


TIMES = st.one_of(
    st.datetimes().map(lambda one: one.isoformat() + "Z"),
    st.from_regex(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|z|[+-][0-9]{2}:?[0-9]{2}|)"
    ),
    st.from_regex(r"20[0-9]{2}-(0[1-9]|1[0-2])-(2[7-9]|3[01])T(23|24):59:(59|60)Z"),
    st.text(max_size=30),
)


@given(TIMES)
def test_no_time_is_taken_that_is_none(moment: str) -> None:
    message = {**MESSAGE["payload"]["message"], "timestamp": moment}
    if is_taken(text({**MESSAGE, "payload": {**MESSAGE["payload"], "message": message}})):
        assert is_date_time(moment)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
PLACES = ("event", "payload", "sequence", "payload.channelId", "payload.message", "payload.message.author.name")


@given(st.sampled_from(PLACES), JSON)
def test_whatever_is_taken_the_judge_takes_too(place: str, value: Any) -> None:
    changed: Any = json.loads(json.dumps(MESSAGE))
    *way, last = place.split(".")
    inner = changed
    for name in way:
        inner = inner[name]
    inner[last] = value
    if is_taken(text(changed)):
        assert CONTRACT.check_envelope(changed) == ()
        assert CONTRACT.check_payload(changed["event"], changed["payload"]) == ()


def test_a_schema_that_types_cannot_say_has_none() -> None:
    schemas: list[dict[str, Any]] = [
        {"type": "array"},
        {"type": "string", "pattern": "a"},
        {"oneOf": []},
        {"type": "number", "minimum": 0},
        {"type": "null"},
        {"allOf": [{"type": "string"}, {"type": "integer"}]},
    ]
    for schema in schemas:
        with pytest.raises(UntypedError):
            typed(schema, CONTRACT.registry, "x")


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [("number", ["1", "1.5", "-0", "1e3"], ['"1"', "true", "null", "1e999"]), ("boolean", ["true"], ["1", "null"])],
)
def test_numbers_and_truths_are_taken_as_the_judge_takes_them(kind: str, right: list[str], wrong: list[str]) -> None:
    decode = msgspec.json.Decoder(typed({"type": kind}, CONTRACT.registry, "x")).decode
    for text_of_value in right:
        assert decode(text_of_value.encode()) == json.loads(text_of_value)
    for text_of_value in wrong:
        with pytest.raises(msgspec.DecodeError):
            decode(text_of_value.encode())
