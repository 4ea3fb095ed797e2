"""`spec/chat/asyncapi.yaml`: its shape, and the schema of our `x-` members."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

ROOT = Path(__file__).resolve().parents[2]
SPEC = ROOT / "spec" / "chat" / "asyncapi.yaml"

EVENTS = {
    "connection_ack": "server",
    "ping": "server",
    "pong": "client",
    "join_channel": "client",
    "send_message": "client",
    "new_message": "server",
    "error": "server",
}

# The defaults of the profile: changing one of them changes what every endpoint is measured by.
DEFAULTS: dict[str, Any] = {
    "x-acknowledgement": {"event": "connection_ack", "session": "payload.sessionId"},
    "x-heartbeat": {
        "ping": "ping",
        "pong": "pong",
        "interval": 30,
        "tolerance": 0.2,
        "timeout": 10,
        "form": "message",
    },
    "x-timeouts": {"ack": 5, "response": 5, "quiet": 0.5},
    "x-reconnect": {"base": 1, "factor": 2, "cap": 30, "jitter": "full"},
    "x-limits": {"message_bytes": 65_536, "text_length": 4_096},
}
CLOSE_CODES = {
    "normal": 1000,
    "going_away": 1001,
    "protocol_error": 1002,
    "unsupported_data": 1003,
    "invalid_utf8": 1007,
    "policy": 1008,
    "too_large": 1009,
    "internal_error": 1011,
    "token_expired": 4401,
    "heartbeat_timeout": 4408,
    "rate_limited": 4429,
}
ERROR_CODES = {
    "INVALID_JSON",
    "INVALID_MESSAGE",
    "INVALID_PAYLOAD",
    "UNKNOWN_EVENT",
    "PERMISSION_DENIED",
    "CHANNEL_NOT_FOUND",
    "NOT_JOINED",
    "RATE_LIMITED",
    "INTERNAL_ERROR",
}


@pytest.fixture(scope="module")
def document() -> Any:
    return yaml.safe_load(SPEC.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def extensions() -> Draft202012Validator:
    path = ROOT / "schemas" / "asyncapi-extensions.schema.json"
    return Draft202012Validator(json.loads(path.read_text(encoding="utf-8")))


class TestMessages:
    """What `contract` relies on in the document's shape."""

    def test_each_message_is_its_envelope(self, document: Any) -> None:
        messages = document["components"]["messages"]
        assert set(messages) == set(EVENTS)
        for name, message in messages.items():
            assert message["name"] == name
            assert message["payload"] == {
                "allOf": [
                    {"$ref": "../../schemas/envelope.schema.json"},
                    {
                        "properties": {
                            "event": {"const": name},
                            "payload": {"$ref": f"../../schemas/payloads/{name}.schema.json"},
                        }
                    },
                ]
            }

    def test_each_event_has_its_direction(self, document: Any) -> None:
        sides = {"send": "server", "receive": "client"}
        seen = {
            message["$ref"].rpartition("/")[2]: sides[operation["action"]]
            for operation in document["operations"].values()
            for message in operation["messages"]
        }
        assert seen == EVENTS

    def test_replies(self, document: Any) -> None:
        def replies(operation: str) -> set[str]:
            reply = document["operations"][operation]["reply"]
            return {message["$ref"].rpartition("/")[2] for message in reply["messages"]}

        assert replies("sendMessage") == {"new_message", "error"}
        assert replies("joinChannel") == {"error"}

    def test_each_reference_leads_somewhere(self, document: Any) -> None:
        for reference in references(document):
            target = document
            path, _, inner = reference.partition("#")
            if path:
                assert (SPEC.parent / path).is_file(), reference
                assert not inner, reference
                continue
            for name in inner.strip("/").split("/"):
                assert name in target, reference
                target = target[name]

    def test_token_travels_in_the_query(self, document: Any) -> None:
        scheme = document["components"]["securitySchemes"]["token"]
        query = document["channels"]["socket"]["bindings"]["ws"]["query"]
        assert (scheme["type"], scheme["in"]) == ("httpApiKey", "query")
        assert query["required"] == [scheme["name"]] == ["access_token"]
        for server in document["servers"].values():
            assert server["pathname"] == "/v1/socket"
            assert server["security"] == [{"$ref": "#/components/securitySchemes/token"}]


class TestExtensions:
    """The `x-` members."""

    def test_are_valid(self, document: Any, extensions: Draft202012Validator) -> None:
        assert list(extensions.iter_errors(document)) == []

    def test_have_the_defaults_of_the_profile(self, document: Any) -> None:
        assert {name: document[name] for name in DEFAULTS} == DEFAULTS
        codes = {name: one["code"] for name, one in document["x-close-codes"].items()}
        assert codes == CLOSE_CODES
        assert set(document["x-error-codes"]) == ERROR_CODES

    def test_name_declared_events_and_members(self, document: Any) -> None:
        """A path of `x-delivery` that no schema declares would silently find nothing."""
        roles = [*document["x-delivery"].values(), document["x-acknowledgement"]]
        for role in roles:
            assert role["event"] in EVENTS
            path = SPEC.parent / f"../../schemas/payloads/{role['event']}.schema.json"
            schema = json.loads(path.read_text(encoding="utf-8"))
            for name in role.keys() - {"event"}:
                first, *rest = role[name].split(".")
                assert first == "payload"
                part = schema
                for step in rest:
                    part = part["properties"][step]

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            ("x-hartbeat", {"ping": "ping", "pong": "pong"}),
            ("x-heartbeat.ping", None),
            ("x-heartbeat.interval", 0),
            ("x-heartbeat.interval", "30s"),
            ("x-heartbeat.tolerance", 20),
            ("x-heartbeat.form", "frames"),
            ("x-heartbeat.jitter", 1),
            ("x-acknowledgement.event", ""),
            ("x-acknowledgement.session", "payload..sessionId"),
            ("x-timeouts.ack", -1),
            ("x-timeouts.connect", 1),
            ("x-reconnect.factor", 0.5),
            ("x-reconnect.jitter", "some"),
            ("x-limits.text_length", 1.5),
            ("x-limits.message_bytes", 0),
            ("x-close-codes.policy.code", 999),
            ("x-close-codes.policy.code", 1005),
            ("x-close-codes.policy.code", 1006),
            ("x-close-codes.policy.code", 1015),
            ("x-close-codes.policy.code", 2999),
            ("x-close-codes.policy.code", 5000),
            ("x-close-codes.policy.meaning", "a rule"),
            ("x-close-codes.Policy", {"code": 1008, "meaning": {"en": "a", "ja": "b"}}),
            ("x-error-codes.NOT_JOINED.meaning", {"en": "Not joined."}),
            ("x-error-codes.NOT_JOINED.code", 1),
            ("x-delivery.post", {"event": "send_message", "channel": "payload.channelId"}),
            ("x-delivery.post.txt", "payload.text"),
            ("x-delivery.delivery.id", ["payload", "message", "id"]),
            ("x-delivery.joined", {"event": "join_channel"}),
            ("operations.joinChannel.action", "join"),
        ],
    )
    def test_refuse(self, document: Any, extensions: Draft202012Validator, path: str, value: Any) -> None:
        changed = copy.deepcopy(document)
        *parents, last = path.split(".")
        place = changed
        for name in parents:
            place = place[name]
        place[last] = value
        assert list(extensions.iter_errors(changed))

    @pytest.mark.parametrize("code", [1000, 1003, 1007, 1011, 1012, 1014, 3000, 4999])
    def test_allow_legal_close_codes(self, document: Any, extensions: Draft202012Validator, code: int) -> None:
        changed = copy.deepcopy(document)
        changed["x-close-codes"]["policy"]["code"] = code
        assert list(extensions.iter_errors(changed)) == []


def references(value: Any) -> Iterator[str]:
    """Every `$ref` inside a value."""
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from references(one)
