"""A contract that a user brings, and the mistakes in it."""

import shutil
from pathlib import Path

import pytest

from contract.choices import Limits
from contract.errors import ContractError
from contract.files import DATA_ROOT
from contract.folder import find_contract
from contract.model import Contract, load_contract

OWN = """\
asyncapi: 3.1.0
info: {title: Lamp, version: 2.0.0}
defaultContentType: application/json
servers:
  lamp: {host: lamp.example, protocol: ws}
channels:
  socket:
    address: /lamp
    messages:
      hello: {$ref: '#/components/messages/hello'}
      beat: {$ref: '#/components/messages/beat'}
      beaten: {$ref: '#/components/messages/beaten'}
operations:
  tell:
    action: send
    channel: {$ref: '#/channels/socket'}
    messages:
      - {$ref: '#/channels/socket/messages/hello'}
      - {$ref: '#/channels/socket/messages/beat'}
  hear:
    action: receive
    channel: {$ref: '#/channels/socket'}
    messages: [{$ref: '#/channels/socket/messages/beaten'}]
components:
  schemas:
    envelope: {$ref: own/envelope.schema.json}
  messages:
    hello:
      payload:
        allOf:
          - $ref: own/envelope.schema.json
          - properties:
              event: {const: hello}
              payload: {properties: {colour: {type: string, maxLength: 5, x-limit: text_length}}}
    beat:
      payload: {$ref: own/envelope.schema.json}
    beaten:
      payload: {$ref: own/envelope.schema.json}
"""

ROLES = """\
format: wsproof.contract/1
messages:
  name: [{at: event}]
  envelope: {schema: "#/components/schemas/envelope", payload: payload}
acknowledgement: {expect: {name: hello}, id: payload.colour}
heartbeats: [{by: server, every: 30s, ping: {name: beat}, answer: {name: beaten}}]
"""

ENVELOPE = """{
  "type": "object",
  "required": ["event"],
  "properties": {"event": {"type": "string"}, "payload": {"type": "object"}}
}"""


class Own:
    """A user's small contract in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "own").mkdir()
        self.write("own/envelope.schema.json", ENVELOPE)
        self.write("contract.yaml", ROLES)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")

    def load(self, text: str = OWN, limits: Limits | None = None) -> Contract:
        self.write("asyncapi.yaml", text)
        find_contract.cache_clear()
        return load_contract(find_contract(self.folder), limits)


@pytest.fixture
def own(tmp_path: Path) -> Own:
    return Own(tmp_path)


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


class TestOwn:
    def test_it_loads(self, own: Own) -> None:
        contract = own.load()
        assert (contract.title, contract.version, contract.flow) == ("Lamp", "2.0.0", None)
        assert {event.name: "".join(event.senders) for event in contract.events.values()} == {
            "hello": "server",
            "beat": "server",
            "beaten": "client",
        }
        assert (contract.ack_event, contract.ping_event) == ("hello", "beat")
        assert contract.pong({"event": "beat"}) == {"event": "beaten"}
        assert contract.check_envelope({"event": "x"}) == ()
        assert [one.rule for one in contract.check_payload("hello", {"payload": {"colour": "purple"}})] == ["maxLength"]
        assert contract.undeclared_members("hello", {"event": "hello", "payload": {"size": 1}}) == ("/payload/size",)

    def test_its_own_limits(self, own: Own) -> None:
        contract = own.load(limits=Limits(text_length=300))
        assert contract.check_payload("hello", {"payload": {"colour": "x" * 300}}) == ()

    def test_a_copy_of_the_bundled_one_elsewhere(self, tmp_path: Path) -> None:
        for name in ("spec", "schemas"):
            shutil.copytree(DATA_ROOT / name, tmp_path / name)
        contract = load_contract(find_contract(tmp_path / "spec" / "chat"))
        assert set(contract.events) == set(load_contract(find_contract("chat")).events)

    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            (
                "beat:\n      payload: {$ref: own/",
                "beat:\n      payload: {$ref: no/",
                "asyncapi.yaml:36:17: $ref to 'no/envelope.schema.json': there is no file ",
            ),
            ("type: string, maxL", "type: text, maxL", "asyncapi.yaml:34:47: type: expected one or more of array, "),
            (
                "beaten:\n      payload: {$ref: own/",
                "beaten:\n      payload: {$ref: https://x.example/",
                "asyncapi.yaml:38:17: $ref to 'https://x.example/envelope.schema.json': only local files are read",
            ),
            ("messages/beaten'}]", "messages/beat'}]", "asyncapi.yaml:37:5: no operation sends or receives"),
        ],
    )
    def test_what_is_broken_is_said_and_stops_nothing_else(self, own: Own, old: str, new: str, message: str) -> None:
        assert old in OWN
        own.write("contract.yaml", ROLES.partition("heartbeats")[0])
        contract = own.load(OWN.replace(old, new))
        assert any(message in str(note) for note in contract.notes), [*map(str, contract.notes)]
        assert "hello" in contract.events

    def test_a_schema_that_is_no_json(self, own: Own) -> None:
        own.write("own/envelope.schema.json", '{\n"type": \n')
        assert "envelope.schema.json:3:1: invalid YAML" in str(own.load().notes[0])

    def test_a_folder_without_one(self, tmp_path: Path) -> None:
        with pytest.raises(ContractError, match=r"not a contract: expected contract\.yaml or asyncapi\.yaml in it"):
            find_contract(tmp_path)
