"""The chat's own document."""

from contract.asyncapi.document import read_asyncapi
from contract.files import DATA_ROOT
from contract.schemas import compile_schema, violations

API = read_asyncapi(DATA_ROOT / "spec" / "chat" / "asyncapi.yaml")


def test_its_messages_and_sides() -> None:
    assert {name: set(message.actions) for name, message in API.messages.items()} == {
        "connection_ack": {"send"},
        "ping": {"send"},
        "pong": {"receive"},
        "join_channel": {"receive"},
        "send_message": {"receive"},
        "new_message": {"send"},
        "error": {"send"},
    }
    assert API.messages["ping"].replies == ("pong",)
    assert API.messages["send_message"].replies == ("new_message", "error")
    assert {message.channels for message in API.messages.values()} == {("socket",)}
    assert API.notes == ()


def test_its_schemas_stand_alone() -> None:
    validator = compile_schema(API.messages["ping"].schema, API.registry)
    assert validator.quick is not None
    good = {"event": "ping", "payload": {"serverTime": "2026-01-01T00:00:00.000Z"}, "sequence": 1}
    good["timestamp"] = "2026-01-01T00:00:00.000Z"
    assert violations(validator, good) == ()
    assert [one.pointer for one in violations(validator, good | {"event": "pong"})] == ["/event"]


def test_its_servers_and_handshake() -> None:
    assert {server.url for server in API.servers.values()} == {
        "ws://127.0.0.1:8765/v1/socket",
        "wss://api.example.com/v1/socket",
    }
    (scheme,) = API.servers["template"].security
    assert (scheme.key, scheme.type, scheme.in_, scheme.name) == ("token", "httpApiKey", "query", "access_token")
    handshake = API.channels["socket"].ws
    assert handshake is not None
    assert handshake.query["required"] == ["access_token"]
