"""The procedures that every contract has: what they are made of, and the probe as a value."""

from pathlib import Path
from typing import Any

import pytest

from conformance.language.loading import load_scenarios
from conformance.language.scenario import Scenario
from conformance.language.values import InconclusiveError, Values
from contract.codec import JsonCodec, TextCodec
from contract.fixtures import User
from contract.folder import find_contract
from contract.model import Contract, load_contract
from contract.profile import Profile
from contract.roles import Probe

ROLES = """
format: wsproof.contract/1
include: [rfc6455]
acknowledgement: {send: {type: hello, token: abc}, expect: {name: welcome, match: {v: 1}}}
messages: {name: [{at: type}]}
errors: {message: {name: error, code: code}, reactions: {binary: [{error: E1}, {close: 1003}]}}
probe:
  prepare: [{send: {type: watch, of: "${group}"}}]
  send: {type: note, text: "${text}"}
  expect: [{name: noted, match: {text: "${text}", id: {$contains: "${nonce}"}}}]
"""

CALLS = """
format: wsproof.scenarios/1
scenarios:
  - {id: own, title: t, verifies: [WIRE-13], steps: [%s]}
"""


def contract_in(folder: Path, roles: str = ROLES) -> Contract:
    (folder / "contract.yaml").write_text(roles)
    return load_contract(find_contract(folder))


def steps(folder: Path, call: str, roles: str = ROLES) -> list[tuple[str, Any, tuple[str, ...]]]:
    """Verb, body and charge of what a call expands to."""
    file = folder / "own.yaml"
    file.write_text(CALLS % call)
    one: Scenario
    (one,) = load_scenarios(contract_in(folder, roles), file)
    return [(step.written.verb, step.written.body, step.charge.requirements) for step in one.steps if step.written]


class TestProcedures:
    def test_open_is_made_of_the_acknowledgement(self, tmp_path: Path) -> None:
        found = steps(tmp_path, "{call: open, with: {actor: alice}}")
        assert [verb for verb, _, _ in found] == ["connect", "send", "expect"]
        assert found[1][1]["message"] == {"type": "hello", "token": "abc"}
        assert found[2][1] == {"actor": "alice", "event": "welcome", "match": {"v": 1}, "within": "ack_timeout"}

    def test_without_one_it_connects(self, tmp_path: Path) -> None:
        alone = "format: wsproof.contract/1\ninclude: [rfc6455]\n"
        ((verb, _, charge),) = steps(tmp_path, "{call: open, with: {actor: alice}}", alone)
        assert (verb, charge) == ("connect", ("WIRE-10",))

    def test_ready_prepares_and_probes(self, tmp_path: Path) -> None:
        found = steps(tmp_path, "{call: ready, with: {actor: alice}}")
        sent = [body["message"] for verb, body, _ in found if verb == "send"]
        assert sent[1:] == [
            {"type": "watch", "of": "${group}"},
            {"type": "note", "text": "${nonce.probe-4} probe"},
        ]
        verb, body, charge = found[-1]
        assert (verb, charge) == ("expect", ("WIRE-13",))
        assert body["match"] == {"text": "${nonce.probe-4} probe", "id": {"$contains": "${nonce.probe-4}"}}

    def test_a_text_of_its_own(self, tmp_path: Path) -> None:
        call = '{call: open, with: {actor: alice}}, {call: probe, with: {actor: alice, nonce: x, text: "é ${nonce.x}"}}'
        *_, (_, sent, _), (_, body, _) = steps(tmp_path, call)
        assert sent["message"]["text"] == body["match"]["text"] == "é ${nonce.x}"
        assert body["match"]["id"] == {"$contains": "${nonce.x}"}

    def test_a_reaction_is_one_of_those_declared(self, tmp_path: Path) -> None:
        call = (
            "{call: open, with: {actor: alice}}, {call: reacts_to_binary, with: {actor: alice, requirement: WIRE-07}}"
        )
        _, body, _ = steps(tmp_path, call)[-1]
        assert body["of"][:2] == [{"event": "error", "match": {"code": {"$error_code": "E1"}}}, {"close": [1003]}]
        assert body["of"][2]["fails"]["requirement"] == ["WIRE-07", "WIRE-18"]

    def test_a_contracts_own_one_wins(self, tmp_path: Path) -> None:
        (tmp_path / "scenarios").mkdir()
        only = "{parameters: {actor: null}, steps: [{connect: {actor: alice}}]}"
        own = f"format: wsproof.scenarios/1\nprocedures: {{open: {only}}}\n"
        (tmp_path / "scenarios" / "procedures.yaml").write_text(own)
        assert [verb for verb, _, _ in steps(tmp_path, "{call: open, with: {actor: alice}}")] == ["connect"]


def values(probe: Probe | None, *, text: bool = False) -> Values:
    return Values(Profile(), lambda name: f"#{name}", probe=probe, codec=TextCodec() if text else JsonCodec())


PROBE = Probe(send={"to": "${group}", "text": "${text}"}, prepare=({"send": {"join": "${group}"}},))
ECHO = Probe(send_text="say ${text}", expect_text="${text}")


class TestValues:
    def test_the_message_with_a_text(self) -> None:
        found = values(PROBE).render({"$probe": 'é "x"'})
        assert found == '{"to":"#room","text":"é \\"x\\""}'
        assert found.encode()[found.start :].startswith("é".encode())

    def test_bytes_behind_the_text(self) -> None:
        found = values(PROBE).render({"$probe": {"text": "ab", "hex": "c0 af"}})
        assert found == b'{"to":"#room","text":"ab\xc0\xaf"}'
        assert values(PROBE).render({"$probe": {"hex": "c3", "cut": True}}) == b'{"to":"#room","text":"\xc3'

    def test_the_first_message(self) -> None:
        assert values(PROBE).render({"$probe": {"first": "x"}}) == '{"join":"#room"}'
        assert values(ECHO, text=True).render({"$probe": {"first": "x"}}) == "say x"

    @pytest.mark.parametrize("probe", [PROBE, ECHO])
    def test_padded_to_a_size(self, probe: Probe) -> None:
        of = values(probe, text=probe is ECHO)
        pad = {"probe": "あ", "bytes": 60}
        message, text = of.render({"$pad": pad}), of.render({"$pad": {**pad, "part": "text"}})
        assert len(message.encode()) == 60
        assert message.rstrip() == of.render({"$probe": text})

    def test_it_is_the_actors(self) -> None:
        profile = Profile(users={"bob": User("bob", "t-bob", members={"vin": "V1"})})
        probe = Probe(send={"text": "${text}", "by": "${user.vin}", "token": "${token}"})
        found = Values(profile, str, probe=probe, sender="bob").render({"$probe": "x"})
        assert found == '{"text":"x","by":"V1","token":"t-bob"}'

    def test_there_is_none(self) -> None:
        with pytest.raises(InconclusiveError, match="the contract declares no probe"):
            values(None).render({"$probe": "x"})
