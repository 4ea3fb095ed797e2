"""`schemas/`: sound JSON Schema 2020-12 that accepts the template's examples and nothing broken."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from contract.schemas import formats

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"
FILES = sorted(SCHEMAS.rglob("*.json"))
NAMES = [path.relative_to(SCHEMAS).as_posix() for path in FILES]
EVENTS = ["connection_ack", "error", "join_channel", "new_message", "ping", "pong", "send_message"]
MESSAGE_SCHEMAS = ["envelope", *(f"payloads/{event}" for event in EVENTS)]
BASE = "https://schemas.wsproof.example/"
DIALECT = "https://json-schema.org/draft/2020-12/schema"

NEW_MESSAGE: dict[str, Any] = {
    "channelId": "channel-001",
    "message": {
        "id": "msg-xyz789",
        "text": "こんにちは！",
        "author": {"id": "user-001", "name": "Taro Yamada"},
        "timestamp": "2025-07-28T12:00:00Z",
    },
}

# The payloads of the template, character for character.
EXAMPLES: dict[str, dict[str, Any]] = {
    "connection_ack": {"sessionId": "session-abcdef123"},
    "new_message": NEW_MESSAGE,
    "join_channel": {"channelId": "channel-001"},
    "send_message": {"channelId": "channel-001", "text": "API仕様書を書いています。"},
    "error": {
        "code": "PERMISSION_DENIED",
        "message": "You do not have permission to join this channel.",
        "originalEvent": "join_channel",
    },
    "ping": {},
    "pong": {},
}


def load(name: str) -> Any:
    return json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))


def validator(name: str) -> Draft202012Validator:
    """With formats asserted; jsonschema by itself checks date-time only where another package is installed."""
    return Draft202012Validator(load(name), format_checker=formats)


def rules(name: str, value: Any) -> set[str]:
    """The keywords that a value breaks; empty where it is valid."""
    return {str(error.validator) for error in validator(name).iter_errors(value)}


def changed(value: Any, path: str, new: Any) -> Any:
    """A copy with the member at a dotted path replaced."""
    copied = copy.deepcopy(value)
    place = copied
    *parents, last = path.split(".")
    for name in parents:
        place = place[name]
    place[last] = new
    return copied


def without(value: Any, path: str) -> Any:
    """A copy that lacks the member at a dotted path."""
    copied = copy.deepcopy(value)
    place = copied
    *parents, last = path.split(".")
    for name in parents:
        place = place[name]
    del place[last]
    return copied


def parts(schema: Any) -> Iterator[dict[str, Any]]:
    """Every object inside a schema, itself included."""
    if isinstance(schema, dict):
        yield schema
        schema = list(schema.values())
    if isinstance(schema, list):
        for one in schema:
            yield from parts(one)


class TestFiles:
    """Every schema of the repository."""

    def test_the_messages_have_theirs(self) -> None:
        found = {name.removesuffix(".schema.json") for name in NAMES}
        assert {*MESSAGE_SCHEMAS, "requirements", "contract"} <= found
        assert {name for name in found if name.startswith("payloads/")} <= set(MESSAGE_SCHEMAS)

    @pytest.mark.parametrize("name", NAMES)
    def test_is_valid_under_its_metaschema(self, name: str) -> None:
        schema = json.loads((SCHEMAS / name).read_text(encoding="utf-8"))
        assert schema["$schema"] == DIALECT
        Draft202012Validator.check_schema(schema)

    @pytest.mark.parametrize("name", NAMES)
    def test_says_what_it_is(self, name: str) -> None:
        schema = json.loads((SCHEMAS / name).read_text(encoding="utf-8"))
        assert schema["$id"] == BASE + name
        assert schema["title"]
        assert schema["description"]

    @pytest.mark.parametrize("name", NAMES)
    def test_each_reference_resolves(self, name: str) -> None:
        resources = [
            Resource.from_contents(json.loads(path.read_text(encoding="utf-8")), default_specification=DRAFT202012)
            for path in FILES
        ]
        registry: Registry[Any] = Registry().with_resources((one.id() or "", one) for one in resources)
        resolver = registry.resolver(BASE + name)
        schema = json.loads((SCHEMAS / name).read_text(encoding="utf-8"))
        for part in parts(schema):
            if isinstance(part.get("$ref"), str):
                resolver.lookup(part["$ref"])


class TestMessages:
    """The envelope and the payloads."""

    @pytest.mark.parametrize("event", EVENTS)
    def test_accepts_the_templates_example(self, event: str) -> None:
        assert load(f"payloads/{event}")["examples"] == [EXAMPLES[event]]
        assert rules(f"payloads/{event}", EXAMPLES[event]) == set()

    @pytest.mark.parametrize("event", EVENTS)
    @pytest.mark.parametrize("more", [{}, {"sequence": 12345}, {"sequence": 0}])
    def test_accepts_it_in_an_envelope(self, event: str, more: dict[str, int]) -> None:
        assert rules("envelope", {"event": event, "payload": EXAMPLES[event], **more}) == set()

    @pytest.mark.parametrize("name", MESSAGE_SCHEMAS)
    def test_its_own_examples_are_valid(self, name: str) -> None:
        examples = load(name)["examples"]
        assert examples
        for example in examples:
            assert rules(name, example) == set()

    @pytest.mark.parametrize("name", MESSAGE_SCHEMAS)
    def test_declares_its_members_and_allows_others(self, name: str) -> None:
        """The strict check walks `properties`; an unknown member is never a violation."""
        closing = {"additionalProperties", "unevaluatedProperties", "propertyNames"}
        for part in parts(load(name)):
            assert not closing & part.keys()
        assert "properties" in load(name)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("envelope", {"event": "ping", "payload": {}, "traceId": "1"}),
            ("payloads/ping", {"time": 1}),
            ("payloads/pong", {"time": None}),
            ("payloads/new_message", changed(NEW_MESSAGE, "message.edited", False)),
            ("payloads/new_message", changed(NEW_MESSAGE, "message.author.avatar", "a.png")),
        ],
    )
    def test_accepts_unknown_members(self, name: str, value: Any) -> None:
        assert rules(name, value) == set()

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("payloads/join_channel", {"channelId": "😀" * 128}),
            ("payloads/send_message", {"channelId": "c", "text": "😀" * 4096}),
            ("payloads/send_message", {"channelId": "c", "text": " "}),
            ("payloads/error", {"code": "X", "message": "Y"}),
            ("payloads/new_message", changed(NEW_MESSAGE, "message.text", "あ" * 5000)),
            (
                "payloads/new_message",
                changed(NEW_MESSAGE, "message.timestamp", "2025-07-28T21:00:00.123+09:00"),
            ),
            ("envelope", {"event": "ping", "payload": {}, "sequence": 2**53}),
        ],
    )
    def test_accepts_what_is_just_within(self, name: str, value: Any) -> None:
        """Lengths count Unicode code points, and exactly the limit is accepted."""
        assert rules(name, value) == set()

    def test_marks_the_length_that_a_profile_may_change(self) -> None:
        text = load("payloads/send_message")["properties"]["text"]
        assert (text["x-limit"], text["maxLength"]) == ("text_length", 4096)
        marked = [name for name in MESSAGE_SCHEMAS for part in parts(load(name)) if "x-limit" in part]
        assert marked == ["payloads/send_message"]

    @pytest.mark.parametrize(
        ("name", "value", "rule"),
        [
            ("envelope", [], "type"),
            ("envelope", "ping", "type"),
            ("envelope", 1, "type"),
            ("envelope", None, "type"),
            ("envelope", {"payload": {}}, "required"),
            ("envelope", {"event": "ping"}, "required"),
            ("envelope", {"event": None, "payload": {}}, "type"),
            ("envelope", {"event": 1, "payload": {}}, "type"),
            ("envelope", {"event": "ping", "payload": None}, "type"),
            ("envelope", {"event": "ping", "payload": []}, "type"),
            ("envelope", {"event": "ping", "payload": "{}"}, "type"),
            ("envelope", {"event": "ping", "payload": {}, "sequence": "1"}, "type"),
            ("envelope", {"event": "ping", "payload": {}, "sequence": 1.5}, "type"),
            ("envelope", {"event": "ping", "payload": {}, "sequence": None}, "type"),
            ("envelope", {"event": "ping", "payload": {}, "sequence": True}, "type"),
            ("payloads/connection_ack", {}, "required"),
            ("payloads/connection_ack", {"sessionId": ""}, "minLength"),
            ("payloads/connection_ack", {"sessionId": 1}, "type"),
            ("payloads/connection_ack", {"sessionId": None}, "type"),
            ("payloads/ping", None, "type"),
            ("payloads/ping", [], "type"),
            ("payloads/pong", "pong", "type"),
            ("payloads/join_channel", {}, "required"),
            ("payloads/join_channel", {"channelId": ""}, "minLength"),
            ("payloads/join_channel", {"channelId": "c" * 129}, "maxLength"),
            ("payloads/join_channel", {"channelId": 1}, "type"),
            ("payloads/join_channel", {"channelid": "c"}, "required"),
            ("payloads/send_message", {"text": "t"}, "required"),
            ("payloads/send_message", {"channelId": "c"}, "required"),
            ("payloads/send_message", {"channelId": "c", "text": ""}, "minLength"),
            ("payloads/send_message", {"channelId": "c", "text": "t" * 4097}, "maxLength"),
            ("payloads/send_message", {"channelId": "c", "text": "😀" * 4097}, "maxLength"),
            ("payloads/send_message", {"channelId": "c", "text": None}, "type"),
            ("payloads/send_message", {"channelId": "", "text": "t"}, "minLength"),
            ("payloads/send_message", {"channelId": "c" * 129, "text": "t"}, "maxLength"),
            ("payloads/error", {"message": "m"}, "required"),
            ("payloads/error", {"code": "c"}, "required"),
            ("payloads/error", {"code": "", "message": "m"}, "minLength"),
            ("payloads/error", {"code": "c", "message": ""}, "minLength"),
            ("payloads/error", {"code": 404, "message": "m"}, "type"),
            ("payloads/error", {"code": "c", "message": "m", "originalEvent": None}, "type"),
        ],
    )
    def test_refuses(self, name: str, value: Any, rule: str) -> None:
        assert rules(name, value) == {rule}

    @pytest.mark.parametrize(
        "path",
        [
            "channelId",
            "message",
            "message.id",
            "message.text",
            "message.author",
            "message.author.id",
            "message.author.name",
            "message.timestamp",
        ],
    )
    def test_refuses_a_delivery_without(self, path: str) -> None:
        assert rules("payloads/new_message", without(NEW_MESSAGE, path)) == {"required"}
        assert rules("payloads/new_message", changed(NEW_MESSAGE, path, 1)) == {"type"}

    @pytest.mark.parametrize("path", ["channelId", "message.id", "message.author.id", "message.author.name"])
    def test_refuses_a_delivery_with_an_empty(self, path: str) -> None:
        assert rules("payloads/new_message", changed(NEW_MESSAGE, path, "")) == {"minLength"}

    @pytest.mark.parametrize(
        "timestamp",
        [
            "",
            "2025-07-28",
            "2025-07-28 12:00:00",
            "2025-07-28T12:00:00",
            "2025-07-28T12:00Z",
            "2025-13-28T12:00:00Z",
            "2025-02-30T12:00:00Z",
            "2025-07-28T25:00:00Z",
            "1753704000",
            "Mon, 28 Jul 2025 12:00:00 GMT",
        ],
    )
    def test_refuses_a_timestamp_of_another_form(self, timestamp: str) -> None:
        value = changed(NEW_MESSAGE, "message.timestamp", timestamp)
        assert rules("payloads/new_message", value) == {"format"}
