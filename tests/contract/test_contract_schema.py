"""The published schema of contract.yaml: it names what `read_roles` reads and nothing else, and says what each is."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract.errors import ContractError
from contract.files import DATA_ROOT, Document, load_yaml
from contract.folder import bundled_names
from contract.mistakes import check_document
from contract.role_reading import read_roles
from contract.roles import CAUSES, Roles
from contract.schemas import SCHEMAS

SCHEMA = json.loads((SCHEMAS / "contract.schema.json").read_text(encoding="utf-8"))

EVERYTHING = """\
format: wsproof.contract/1
title: Orders
description: What the shop says.
describes: client
include: [rfc6455]
channels: [orders]
handshake: {path: "/${user.id}", subprotocols: {offer: [x], selected: x, otherwise: [{close: 4406}, {status: 400}]}}
authentication: {in: query, name: access_token, refused: {status: [401, 403]}, expired: [{close: expired}]}
sessions: {per_user: 2}
history: join
messages:
  name: [{match: {"0": 3}, has: "1", name: result, at: "2"}]
  payload: [{match: {"0": 2}, at: "3"}]
  envelope: {schema: "#/components/schemas/envelope", payload: payload}
  codec: {text: "(?P<type>[0-6])(?P<data>.*)", json: [data]}
  generate: [order]
limits: {message_bytes: 65536, text_length: 4096}
reconnect: {base: 1s, factor: 2, cap: 30s, jitter: full}
acknowledgement:
  send: {type: hello}
  expect: {name: welcome, match: {type: welcome}, id: session}
  id: session
  within: 5s
  before: error
  due: {within: 3s, else: [{close: 4408}]}
  again: [{close: [4429, policy]}]
heartbeats:
  - by: either
    every: 30s
    tolerance: 20%
    ping: {name: ping, match: {type: ping}, id: id, send: {type: ping}}
    answer: {name: pong, match: {type: pong}, id: id, send: {type: pong, id: "${message.id}"}}
    timeout: 10s
    mute: [{close: 4408}]
requests:
  - by: client
    name: call
    id: id
    replies: [{name: result, id: id, times: any, last: true, failure: false}]
    cancel: {name: stop, match: {type: stop}, id: id}
    outstanding: 1
    id_in_use: [{close: 4409}]
answers: [{to: ask, send: {type: answer}}]
errors:
  message: {name: error, code: code, text: text, about: {name: about.type, id: about.id}}
  codes: {NOT_FOUND: {meaning: {en: There is no such order.}}, "-32600": null}
  reactions: {not-json: [{error: NOT_FOUND}, {error: -32600}, error]}
numbers: [{at: number, step: 1, per: topic, of: [price]}]
close_codes: {normal: 1000, expired: {code: 4401, meaning: {en: The token has expired.}}}
probe:
  prepare: [{send: {type: subscribe}}]
  send: {type: say, text: "${text}"}
  expect: [{name: said, match: {text: "${text}"}, id: id}]
  send_text: "${text}"
  expect_text: "${text}"
  text: {max: 100}
flows:
  talk:
    subscribe: {name: subscribe, group: topic, send: {type: subscribe, topic: "${group}"}, in_force: {name: subscribed}}
    unsubscribe: {name: unsubscribe, group: topic, send: {type: unsubscribe}, in_force: {name: bye}}
    post: {name: say, group: topic, stamp: text}
    delivery:
      {name: said, group: topic, stamp: text, id: id, time: at, author: {id: by.id, name: by.name}, number: n, step: 1}
    owed: others
    metrics: {reply: post_to_own, receive: post_to_receive}
"""
"""Every member that there is."""

PLAIN = {("errors", "codes"), ("close_codes",), ("flows",)}
"""Where names are the author's choice."""

Path_ = tuple[str, ...]


class Watched(dict[str, Any]):
    """A mapping that notes which of its members are asked for."""

    def __init__(self, value: Mapping[str, Any], at: Path_, asked: set[Path_]) -> None:
        super().__init__({name: watched(member, (*at, name), asked) for name, member in value.items()})
        self.at, self.asked = at, asked

    def __getitem__(self, name: str) -> Any:
        self.asked.add((*self.at, name))
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self.asked.add((*self.at, name))
        return super().get(name, default)

    def __contains__(self, name: object) -> bool:
        self.asked.add((*self.at, str(name)))
        return super().__contains__(name)


def watched(value: Any, at: Path_, asked: set[Path_]) -> Any:
    if isinstance(value, dict):
        return Watched(value, at, asked)
    if isinstance(value, list):
        return [watched(one, at, asked) for one in value]
    return value


def resolved(schema: Any) -> Iterator[Mapping[str, Any]]:
    """A schema and what it refers to or has as alternatives; what is a profile's stays there."""
    yield schema
    reference = schema.get("$ref", "")
    if reference.startswith("#/$defs/"):
        yield from resolved(SCHEMA["$defs"][reference.removeprefix("#/$defs/")])
    for one in schema.get("anyOf", ()):
        yield from resolved(one)


def members(schema: Any, at: Path_ = ()) -> Iterator[tuple[Path_, Mapping[str, Any], bool]]:
    """The paths of all members, their schemas, and whether they must be given; items of lists have their list's."""
    if schema.get("$ref") == "#/$defs/outcomes":
        at = ("outcome",)
    for part in resolved(schema):
        for name, inner in part.get("properties", {}).items():
            yield (*at, name), inner, name in part.get("required", ())
            yield from members(inner, (*at, name))
        if isinstance(part.get("items"), dict):
            yield from members(part["items"], at)
        if isinstance(part.get("additionalProperties"), dict):
            yield from members(part["additionalProperties"], (*at, "*"))


MEMBERS = {path: (schema, required) for path, schema, required in members(SCHEMA)}


def with_stars(path: Path_) -> Path_:
    """A path with `*` for the names that are the author's choice; outcomes, which stand in many places, are one."""
    if MEMBERS.get(path[:-1], ({}, False))[0].get("$ref") == "#/$defs/outcomes":
        return ("outcome", path[-1])
    return tuple("*" if path[:index] in PLAIN else name for index, name in enumerate(path))


def test_it_names_what_is_read_and_nothing_else() -> None:
    asked: set[Path_] = set()
    value = yaml.safe_load(EVERYTHING)
    read_roles(watched(value, (), asked))
    read_roles(watched({**value, "errors": {**value["errors"], "codes": ["A"]}}, (), asked))
    # What the schema of another file describes, the profile's reader reads; causes are read as a whole, `format` by the
    # schema alone, and prepared messages when they are sent.
    elsewhere = {path for path, (one, _) in MEMBERS.items() if one.get("$ref", "").startswith("profile.")}
    elsewhere |= {("errors", "reactions", cause) for cause in CAUSES} | {("format",), ("probe", "prepare", "send")}
    read = {with_stars(path) for path in asked}
    assert set(MEMBERS) - read - elsewhere == set()
    assert {path for path in read - set(MEMBERS) if path[-1] != "*"} == set()


def test_everything_is_right_and_read() -> None:
    value = yaml.safe_load(EVERYTHING)
    check_document(Document(Path("contract.yaml"), value, None), "contract")
    roles = read_roles(value)
    unread = {name for name in Roles.__dataclass_fields__ if getattr(roles, name) == getattr(Roles(), name)}
    assert unread == set()
    assert [one.code for one in roles.errors.reactions["not-json"]] == ["NOT_FOUND", "-32600", None]
    assert dict(roles.errors.codes["NOT_FOUND"]) == {"en": "There is no such order."}


def test_its_causes_are_those_of_the_code() -> None:
    assert tuple(SCHEMA["properties"]["errors"]["properties"]["reactions"]["properties"]) == CAUSES


@pytest.mark.parametrize("path", MEMBERS, ids=".".join)
def test_each_member_says_what_it_is(path: Path_) -> None:
    schema, _ = MEMBERS[path]
    said = [one["description"] for one in resolved(schema) if "description" in one]
    assert said, "give it a `description`"
    assert said[0].endswith("."), "a sentence"
    if str(schema.get("$ref", "")).endswith("/duration"):
        assert "Seconds, or a text such as 500ms" in said[0], "name the unit"


@pytest.mark.parametrize("name", bundled_names())
def test_the_bundled_ones_keep_it(name: str) -> None:
    check_document(load_yaml(DATA_ROOT / "spec" / name / "contract.yaml"), "contract")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("acknowledgment: {expect: hi}\n", "2:1: unknown member 'acknowledgment' (did you mean 'acknowledgement'?)"),
        ("acknowledgement: {}\n", "2:1: acknowledgement: expected the member 'expect'"),
        ("acknowledgement: {expect: {nme: hi}}\n", "unknown member 'nme' (did you mean 'name'?)"),
        (
            "acknowledgement: {expect: [hi]}\n",
            "2:19: acknowledgement.expect: expected the name of a message, or a message such as {name: welcome}; got a",
        ),
        ("describes: servers\n", '2:1: describes: expected "server" or "client"; got "servers" (did you mean \'s'),
        ("history: always\n", '2:1: history: expected "none", "join" or "connect"; got "always"'),
        ("handshake: {path: chat}\n", 'expected a path that begins with a slash, such as /${user.id}; got "chat"'),
        ("authentication: {in: headers}\n", "(did you mean 'header'?)"),
        (
            "authentication: {in: query, refused: [{closed: 4401}]}\n",
            "refused[0]: expected exactly one of the members 'close', 'status', 'error'; got 'closed' (did you mean 'c",
        ),
        (
            "authentication: {in: query, refused: [{close: 1005}]}\n",
            "refused[0].close: expected a close code that is legal on the wire: 1000 to 1003, 1007 to 1014, or 3000 to",
        ),
        (
            "authentication: {in: query, refused: [{status: 200}]}\n",
            "refused[0].status: expected 300 or more; got 200",
        ),
        (
            "authentication: {in: query, refused: rejected}\n",
            'authentication.refused: expected error, or one of {error: CODE}, {close: 4401} and {status: 401}; got "',
        ),
        (
            "errors: {reactions: {not_json: [error]}}\n",
            "2:22: errors.reactions: unknown member 'not_json' (did you mean 'not-json'?)",
        ),
        (
            "errors: {codes: 5}\n",
            "errors.codes: expected a list of codes, or codes with their meanings, such as {NOT_F",
        ),
        ('messages: {name: [{match: {"0": 3}}]}\n', "messages.name[0]: expected one of the members 'at', 'name'"),
        ("messages: {codec: xml}\n", "messages.codec: expected json, text, or a pattern such as {text: "),
        ("messages: {payload: [{at: a b}]}\n", 'payload[0].at: expected a dotted path such as payload.id; got "a b"'),
        ("heartbeats: [{by: server, ping: ping, every: soon}]\n", "every: expected a duration such as 500ms, 5s or 2m"),
        ("heartbeats: [{by: servers, ping: ping}]\n", 'heartbeats[0].by: expected "server", "client" or "either"; '),
        ("requests: [{name: call, replies: []}]\n", "requests[0]: expected the member 'id'"),
        ("requests: [{name: call, id: id, replies: []}]\n", "requests[0].replies: expected at least 1 item; got 0"),
        (
            "close_codes: {Expired: 4401}\n",
            "expected lower-case letters, digits and underscores, such as token_expired",
        ),
        (
            "close_codes: {expired: 99}\n",
            "close_codes.expired: expected a close code that is legal on the wire: 1000 to",
        ),
        ("probe: {expects: [pong]}\n", "probe: unknown member 'expects' (did you mean 'expect'?)"),
        ("flows: {chat: {delivery: {name: x}, owed: everyone}}\n", 'flows.chat.owed: expected "sender", "subscribers'),
        (
            "flows: {Chat: {delivery: {name: x}}}\n",
            "expected lower-case letters, digits, hyphens and underscores, such",
        ),
        ("flows: {chat: {post: {name: say}}}\n", "2:9: flows.chat: expected the member 'delivery'"),
        ("limits: {message_bytes: 10}\n", "limits.message_bytes: expected 1024 or more; got 10"),
        ("sessions: {per_user: 0}\n", "sessions.per_user: expected 1 or more; got 0"),
    ],
)
def test_a_mistake_is_one_clear_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "contract.yaml"
    path.write_text(f"format: wsproof.contract/1\n{text}", encoding="utf-8")
    with pytest.raises(ContractError) as caught:
        check_document(load_yaml(path), "contract")
    lines = [line.removeprefix(f"{path}:") for line in str(caught.value).splitlines()]
    assert any(said in line for line in lines), lines
