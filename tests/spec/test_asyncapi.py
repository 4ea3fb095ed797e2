"""`spec/chat/asyncapi.yaml`: its shape."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

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


@pytest.fixture(scope="module")
def document() -> Any:
    return yaml.safe_load(SPEC.read_text(encoding="utf-8"))


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


def references(value: Any) -> Iterator[str]:
    """Every `$ref` inside a value."""
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from references(one)
