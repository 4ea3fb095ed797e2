"""The bundled contract, also with other limits."""

from typing import Any

import pytest

from contract.choices import Limits
from contract.paths import value_at
from tests.bundled import load_contract

BUNDLED = load_contract()


def post(text: str) -> dict[str, Any]:
    return {"payload": {"channelId": "c", "text": text}}


class TestBundled:
    def test_events(self) -> None:
        assert {event.name: "".join(event.senders) for event in BUNDLED.events.values()} == {
            "connection_ack": "server",
            "ping": "server",
            "pong": "client",
            "join_channel": "client",
            "send_message": "client",
            "new_message": "server",
            "error": "server",
        }
        assert (BUNDLED.ack_event, BUNDLED.ping_event) == ("connection_ack", "ping")
        assert BUNDLED.pong({"event": "ping", "payload": {}}) == {"event": "pong", "payload": {}}
        assert BUNDLED.title
        assert BUNDLED.version == "1.0.0"

    @pytest.mark.parametrize(
        ("value", "rules"),
        [
            ({"event": "e", "payload": {}}, []),
            ({"event": "e", "payload": {}, "sequence": 1, "more": None}, []),
            ({"event": "e"}, ["required"]),
            ([], ["type"]),
            ({"event": "e", "payload": {}, "sequence": "1"}, ["type"]),
        ],
    )
    def test_envelopes(self, value: Any, rules: list[str]) -> None:
        assert [one.rule for one in BUNDLED.check_envelope(value)] == rules

    def test_pointers_start_at_the_payload(self) -> None:
        (found,) = BUNDLED.check_payload("send_message", {"payload": {"channelId": 1, "text": "t"}})
        assert (found.pointer, found.rule) == ("/channelId", "type")

    def test_an_unknown_event(self) -> None:
        with pytest.raises(KeyError):
            BUNDLED.check_payload("typing", {})

    @pytest.mark.parametrize(
        ("message", "pointers"),
        [
            ({"event": "ping", "payload": {}}, ()),
            ({"event": "ping", "payload": {"a": 1}, "b": 2}, ("/payload/a", "/b")),
            ({"event": "error", "payload": {"code": "c", "message": {"x": 1}}}, ()),
            (
                {"event": "new_message", "payload": {"message": {"author": {"a/b": 1}, "x": []}}},
                ("/payload/message/author/a~1b", "/payload/message/x"),
            ),
            ({"event": "ping", "payload": None}, ()),
            ({"event": "ping", "payload": [{"a": 1}]}, ()),
        ],
    )
    def test_undeclared_members(self, message: Any, pointers: tuple[str, ...]) -> None:
        assert BUNDLED.undeclared_members(message["event"], message) == pointers


class TestLimits:
    @pytest.mark.parametrize(("limit", "length", "valid"), [(300, 300, True), (300, 301, False)])
    def test_they_replace_the_schemas(self, limit: int, length: int, valid: bool) -> None:
        contract = load_contract(None, Limits(text_length=limit))
        found = contract.check_payload("send_message", post("😀" * length))
        assert (found == ()) is valid

    @pytest.mark.parametrize(("length", "valid"), [(4096, True), (4097, False)])
    def test_without_them(self, length: int, valid: bool) -> None:
        assert (BUNDLED.check_payload("send_message", post("x" * length)) == ()) is valid

    def test_a_larger_one(self) -> None:
        contract = load_contract(None, Limits(text_length=10_000))
        assert contract.check_payload("send_message", post("x" * 10_000)) == ()

    def test_one_contract_does_not_change_another(self) -> None:
        load_contract(None, Limits(text_length=300))
        assert load_contract().check_payload("send_message", post("x" * 301)) == ()


@pytest.mark.parametrize(
    ("message", "path", "value"),
    [
        ({"a": {"b": 1}}, "a.b", 1),
        ({"a": {"b": 1}}, "a", {"b": 1}),
        ({"a": {"b": 1}}, "a.c", None),
        ({"a": [1]}, "a.0", 1),
        ({"a": [1, 2]}, "a.-1", 2),
        ({"a": [1]}, "a.1", None),
        ({"a": [1]}, "a.x", None),
        ("a", "a", None),
        (None, "a", None),
    ],
)
def test_value_at(message: Any, path: str, value: Any) -> None:
    assert value_at(message, path) == value
