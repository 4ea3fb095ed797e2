"""A small API of another shape than the chat's, for tests: its messages are lists, and the client begins the heartbeat.

[2, id, "Add", {"a": 1, "b": 2}]   a call of the client
[3, id, {"sum": 3}]                its result
[4, id, "reason"]                  or its failure
[5, "news", 7]                     an event of the server
[6, 1]                             a note that either side may send
"""

import json
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from conformance.language.loading import load_scenarios, read_scenarios
from conformance.language.scenario import Scenario
from conformance.play.context import Setting
from conformance.transport.exchange import Happening
from contract.errors import ContractError
from contract.folder import find_contract
from contract.model import Contract, load_contract
from contract.profile import Profile, load_profile
from tests.conformance.driver import Played, Reply, alive, played, text

ROLES: dict[str, Any] = {
    "format": "wsproof.contract/1",
    "describes": "server",
    "authentication": {"in": "none"},
    "messages": {
        "name": [
            {"match": {"0": 2}, "at": "2"},
            *({"match": {"0": n}, "name": name} for n, name in enumerate(("Result", "Failure", "Event", "Note"), 3)),
        ]
    },
    "heartbeats": [
        {
            "by": "client",
            "every": "30s",
            "ping": {"name": "Heartbeat", "send": [2, "${uuid}", "Heartbeat", {}]},
            "answer": "reply",
        }
    ],
    "requests": [
        {
            "name": "Add",
            "id": "1",
            "replies": [
                {"name": "Result", "id": "1", "last": True},
                {"name": "Failure", "id": "1", "last": True, "failure": True},
            ],
        },
        {"name": "Heartbeat", "id": "1", "replies": [{"name": "Result", "id": "1", "last": True}]},
        {
            "name": "Count",
            "id": "1",
            "replies": [
                {"name": "Event", "id": "1", "times": "any"},
                {"name": "Result", "id": "1", "last": True},
                {"name": "Failure", "id": "1", "failure": True},
            ],
        },
    ],
}

CLIENTS: dict[str, list[Any]] = {
    "Add": [{"const": 2}, {"type": "string"}, {"const": "Add"}, {"type": "object"}],
    "Count": [{"const": 2}, {"type": "integer"}, {"const": "Count"}],
    "Heartbeat": [{"const": 2}, {"type": "string"}, {"const": "Heartbeat"}, {"type": "object"}],
}
SERVERS: dict[str, list[Any]] = {
    "Result": [{"const": 3}, {"type": ["string", "integer"]}, {"type": "object"}],
    "Failure": [{"const": 4}, {"type": ["string", "integer"]}, {"type": "string"}],
    "Event": [{"const": 5}, {"type": ["string", "integer"]}],
}
BOTH: dict[str, list[Any]] = {"Note": [{"const": 6}]}
SUM = {"type": "object", "required": ["sum"], "properties": {"sum": {"type": "number"}}, "additionalProperties": False}


def document() -> dict[str, Any]:
    """Its AsyncAPI document."""

    def operation(action: str, messages: dict[str, Any]) -> dict[str, Any]:
        listed = [{"$ref": f"#/channels/socket/messages/{name}"} for name in messages]
        return {"action": action, "channel": {"$ref": "#/channels/socket"}, "messages": listed}

    items = {**CLIENTS, **SERVERS, **BOTH}
    messages = {
        name: {"payload": {"type": "array", "prefixItems": one, "minItems": len(one)}} for name, one in items.items()
    }
    named = {name: {"$ref": f"#/components/messages/{name}"} for name in items}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Calls", "version": "1"},
        "channels": {"socket": {"address": "/", "messages": named}},
        "operations": {
            "receive": operation("receive", CLIENTS | BOTH),
            "send": operation("send", SERVERS | BOTH),
        },
        "components": {"schemas": {"sum": SUM}, "messages": messages},
    }


PROFILE = {
    "users": {"alice": {"id": "u-1", "name": "Alice", "car": {"vin": "W1", "wheels": 4}}, "bob": {}},
    "values": {"room": 7},
}


@cache
def calls() -> Contract:
    """The contract, from files."""
    folder = Path(mkdtemp(prefix="wsproof-calls-"))
    for name, value in (("contract", ROLES), ("asyncapi", document()), ("profile", PROFILE)):
        (folder / f"{name}.yaml").write_text(json.dumps(value), encoding="utf-8")
    return load_contract(find_contract(folder))


def profile(**overrides: Any) -> Profile:
    """A profile of it, with other values."""
    return load_profile(None, overrides or None, contract=calls().folder)


def call_scenario(folder: Path, *steps: Any, **members: Any) -> Scenario:
    """A scenario of these steps, by the way of a file; `members` are the scenario's."""
    (loaded,) = read_scenarios(calls(), _written(folder, steps, members))
    return loaded


def mistakes(folder: Path, *steps: Any, **members: Any) -> list[str]:
    """What is wrong with a scenario of these steps."""
    try:
        load_scenarios(calls(), _written(folder, steps, members))
    except ContractError as error:
        return [line.partition(": ")[2] for line in error.lines]
    return []


def _written(folder: Path, steps: Any, members: Any) -> Path:
    one = {"id": "it", "title": "It", "verifies": ["IT-01"], **members, "steps": [CONNECT, *steps]}
    path = folder / "it.yaml"
    path.write_text(json.dumps({"format": "wsproof.scenarios/1", "scenarios": [one]}), encoding="utf-8")
    return path


CONNECT = {"connect": {"actor": "alice"}}


def said(t: float, value: Any, actor: str = "alice") -> Happening:
    """A message of the server, `t` seconds after the start."""
    return text(t, actor, json.dumps(value))


def play_calls(
    one: Scenario, *happenings: Happening, with_profile: Profile | None = None, reply: Reply = alive
) -> Played:
    """Play a scenario of this API."""
    setting = Setting(calls(), {}, with_profile or profile(), str, 1.0, "/")
    return played(one, *happenings, setting=setting, reply=reply)
