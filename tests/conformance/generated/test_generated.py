"""What a contract gives by itself: a right server is conformant, and each faulty one is found, and nothing else."""

from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection

from conformance.language.deeds import Connect
from conformance.play.handshakes import request_for
from conformance.run.suite import load_suite
from contract.folder import find_contract
from contract.model import Contract, load_contract
from contract.profile import load_profile
from tests.bundled import load_suite as chat_suite
from tests.conformance.generated.desk import ASYNCAPI, PROFILE, ROLES, TOKEN, Checked, Desk, Talk, written
from tests.slow import slow_but


@pytest.fixture
def contract(tmp_path: Path) -> Contract:
    return written(tmp_path / "desk")


def test_the_right_server_is_conformant(contract: Contract) -> None:
    desk = Desk()
    found = Checked(contract, desk)
    assert (found.failed, found.undecided) == (set(), {})
    decided = {one.requirement.id for one in found.requirements if one.deciding.verdict == "passed"}
    assert decided == set(found.suite.requirements)
    assert desk.resets == 0


class AcceptsAnybody(Desk):
    def authorised(self, key: str | None) -> bool:
        return True


class RefusesOtherwise(Desk):
    def refused(self, connection: ServerConnection, request: Request) -> Response | None:
        return connection.respond(HTTPStatus.GONE, "no\n") if super().refused(connection, request) else None


class WelcomesNobody(Desk):
    def welcome(self, talk: Talk) -> None:
        pass


class WelcomesTwice(Desk):
    def welcome(self, talk: Talk) -> None:
        session = self.session()
        for _ in range(2):
            talk.say(kind="welcome", session=session)


class WelcomesLate(Desk):
    def welcome(self, talk: Talk) -> None:
        talk.say(kind="part", id=None, text="early")
        super().welcome(talk)


class OneSession(Desk):
    def session(self) -> str:
        return "s"


class Heartless(Desk):
    def beaten(self, talk: Talk) -> None:
        pass


class Silent(Desk):
    def found(self, talk: Talk, identity: Any) -> None:
        pass


class OnlyAPart(Desk):
    def found(self, talk: Talk, identity: Any) -> None:
        talk.say(kind="part", id=identity, text="one")


class IdAsText(Desk):
    def found(self, talk: Talk, identity: Any) -> None:
        super().found(talk, f"{identity}")


class Twice(Desk):
    def found(self, talk: Talk, identity: Any) -> None:
        super().found(talk, identity)
        talk.say(kind="found", id=identity, count=1)


class HangsUp(Desk):
    def found(self, talk: Talk, identity: Any) -> None:
        talk.connection.close(1011)


class Countless(Desk):
    def found(self, talk: Talk, identity: Any) -> None:
        talk.say(kind="found", id=identity)


class Talkative(Desk):
    def found(self, talk: Talk, identity: Any) -> None:
        talk.say(kind="found", id=identity, count=1, more=True)


class Parrot(Desk):
    def beaten(self, talk: Talk) -> None:
        talk.say(kind="beat")
        super().beaten(talk)


class Nameless(Desk):
    def beaten(self, talk: Talk) -> None:
        talk.say(hello=1)
        super().beaten(talk)


class NotJson(Desk):
    def beaten(self, talk: Talk) -> None:
        talk.connection.send("beaten")
        super().beaten(talk)


class Leaps(Desk):
    def beaten(self, talk: Talk) -> None:
        next(talk.count)
        super().beaten(talk)


class Indiscreet(Desk):
    def found(self, talk: Talk, identity: Any) -> None:
        talk.say(kind="part", id=identity, text=f"for {TOKEN}")
        talk.say(kind="found", id=identity, count=1)


class IgnoresTexts(Desk):
    def heard(self, talk: Talk, text: str | bytes) -> None:
        if "{" in str(text) and "}" not in str(text):
            return
        super().heard(talk, text)


class IgnoresNumbers(Desk):
    def heard(self, talk: Talk, text: str | bytes) -> None:
        if text != "42":
            super().heard(talk, text)


class IgnoresUnknown(Desk):
    def unknown(self, talk: Talk, name: str) -> None:
        pass


class OtherCode(Desk):
    def colourless(self, talk: Talk) -> None:
        self.fault(talk, "NOT_JSON", "look")


class Lenient(Desk):
    def colourless(self, talk: Talk) -> None:
        pass


class OtherClose(Desk):
    def reversed(self, talk: Talk) -> None:
        talk.connection.close(4402)


class BlamesAnother(Desk):
    def unknown(self, talk: Talk, name: str) -> None:
        self.fault(talk, "NOBODY_KNOWS", "beat")


class GivesUp(Desk):
    def wrong(self, talk: Talk) -> None:
        super().wrong(talk)
        talk.connection.close(1011)


class UnknownCode(Desk):
    def found(self, talk: Talk, identity: Any) -> None:
        super().found(talk, identity)
        self.fault(talk, "OTHER", "look")


FAULTS: dict[type[Desk], set[str]] = {
    AcceptsAnybody: {"MSG-03"},
    RefusesOtherwise: {"MSG-04"},
    WelcomesNobody: {"MSG-06"},
    WelcomesTwice: {"MSG-08"},
    WelcomesLate: {"MSG-07", "MSG-24"},
    OneSession: {"MSG-09"},
    Heartless: {"MSG-22"},
    Silent: {"MSG-23"},
    OnlyAPart: {"MSG-23"},
    IdAsText: {"MSG-24"},
    Twice: {"MSG-25"},
    HangsUp: {"MSG-23"},
    Countless: {"MSG-14"},
    Talkative: {"MSG-15"},
    Parrot: {"MSG-16"},
    Nameless: {"MSG-12"},
    NotJson: {"MSG-11"},
    Leaps: {"MSG-18"},
    Indiscreet: {"MSG-05"},
    IgnoresTexts: {"MSG-28"},
    IgnoresNumbers: {"MSG-29"},
    IgnoresUnknown: {"MSG-30"},
    OtherCode: {"MSG-31"},
    Lenient: {"MSG-31"},
    OtherClose: {"MSG-32"},
    BlamesAnother: {"MSG-27"},
    GivesUp: {"MSG-34"},
    UnknownCode: {"MSG-26"},
}

ALWAYS = (AcceptsAnybody, HangsUp, IdAsText, Countless, Parrot, OtherCode, GivesUp)


@pytest.mark.parametrize("fault", slow_but(ALWAYS, FAULTS), ids=lambda one: one.__name__)
def test_a_faulty_server_is_found_and_nothing_else(contract: Contract, fault: type[Desk]) -> None:
    assert Checked(contract, fault()).failed == FAULTS[fault]


class TestWhatIsLeftOpen:
    """A contract without reactions: nothing is judged, and what was seen is listed."""

    BARE = ROLES[: ROLES.index("  reactions:")] + ROLES[ROLES.index("numbers:") :]

    @pytest.mark.parametrize(
        "server", [Desk, IgnoresTexts, OtherClose, GivesUp, OtherCode], ids=lambda one: one.__name__
    )
    def test_it_is_observed(self, tmp_path: Path, server: type[Desk]) -> None:
        found = Checked(written(tmp_path / "bare", self.BARE), server())
        assert (found.failed, found.undecided) == (set(), {})
        assert not {"MSG-28", "MSG-34"} & set(found.suite.requirements)
        assert len(found.observed) == 11

    def test_in_words(self, tmp_path: Path) -> None:
        seen = Checked(written(tmp_path / "bare", self.BARE), IgnoresTexts()).observed
        assert seen["A text that is not JSON"] == "no answer within 0.3 s; the connection stays open"
        assert seen["`beaten`, which only servers send"] == "closed with 4401"
        assert seen["A message with an unknown name"].startswith(
            'the next message: {"kind": "fault", "code": "NOBODY_KNOWS"'
        )


class Deaf(Desk):
    """It answers nothing more once something was wrong, and stays connected."""

    def fault(self, talk: Talk, code: str, about: str | None = None) -> None:
        super().fault(talk, code, about)
        for _ in talk.connection:
            pass


class TestAProbe:
    """With a probe, a sign of life is that a message is understood."""

    PROBE = (
        'probe: {send: {kind: look, id: "${text}", what: {colour: red}}, '
        'expect: [{name: found, match: {id: "${text}"}}]}\n'
    )

    @pytest.mark.parametrize(
        ("probe", "server", "failed"),
        [(PROBE, Desk, set()), (PROBE, Deaf, {"MSG-23", "MSG-34"}), (PROBE, GivesUp, {"MSG-34"}), ("", Deaf, set())],
        ids=["right", "deaf", "gives-up", "deaf-without-a-probe"],
    )
    def test_it_is_the_sign_of_life(self, tmp_path: Path, probe: str, server: type[Desk], failed: set[str]) -> None:
        assert Checked(written(tmp_path / "desk", ROLES + probe), server()).failed == failed


@pytest.mark.parametrize("settings", [{}, {"subprotocols": ["desk.v1"]}], ids=["contract", "contract-and-profile"])
def test_a_subprotocol_is_offered_once(tmp_path: Path, settings: dict[str, Any]) -> None:
    contract = written(tmp_path / "desk", ROLES + "handshake: {subprotocols: {offer: [desk.v1], selected: desk.v1}}\n")
    profile = load_profile(None, {**PROFILE, **settings}, contract=contract.folder)
    assert request_for(Connect("alice"), profile, "/", None, lambda one: one).subprotocols == ("desk.v1",)


@pytest.mark.parametrize(("server", "failed"), [(Desk, set()), (Heartless, {"MSG-22"})], ids=["right", "heartless"])
def test_heartbeats_that_clients_go_on_sending(tmp_path: Path, server: type[Desk], failed: set[str]) -> None:
    """What is waited for in the end was sent before: each wait had a heartbeat more, and none came to an end."""
    roles = ROLES.replace("{by: client, ping", "{by: client, every: 200ms, ping")
    assert Checked(written(tmp_path / "desk", roles), server()).failed == failed


class TestADocumentsReply:
    """An operation of AsyncAPI 3 may say what answers it, without an id that tells whom."""

    DOCUMENT = ASYNCAPI.replace(
        "      - {$ref: '#/channels/socket/messages/reset'}\n",
        "  set:\n    action: receive\n    channel: {$ref: '#/channels/socket'}\n"
        "    messages: [{$ref: '#/channels/socket/messages/reset'}]\n"
        "    reply: {messages: [{$ref: '#/channels/socket/messages/beaten'}]}\n",
    )

    class Answering(Desk):
        def reset(self, talk: Talk) -> None:
            talk.say(kind="beaten")

    class Otherwise(Desk):
        def reset(self, talk: Talk) -> None:
            talk.say(kind="welcome", session="s")

    @pytest.mark.parametrize(
        ("server", "failed"),
        [(Answering, set()), (Desk, {"MSG-49"}), (Otherwise, {"MSG-08", "MSG-49"})],
        ids=["answers", "is-silent", "answers-otherwise"],
    )
    def test_it_is_awaited(self, tmp_path: Path, server: type[Desk], failed: set[str]) -> None:
        found = Checked(written(tmp_path / "desk", ROLES, self.DOCUMENT), server())
        assert "MSG-49" in found.suite.requirements
        assert found.failed == failed

    def test_without_one_nothing_is_said_of_it(self, contract: Contract) -> None:
        assert "MSG-49" not in load_suite(contract).requirements


class TestWhatIsSent:
    def test_no_example_without_a_declared_reply(self, contract: Contract) -> None:
        ids = {one.id for one in load_suite(contract).scenarios}
        assert "generated-answer/look" in ids
        assert not any("reset" in one for one in ids)

    def test_but_what_the_contract_marks(self, tmp_path: Path) -> None:
        roles = ROLES.replace("name: [{at: kind}]", "name: [{at: kind}], generate: [reset]")
        desk = Desk()
        found = Checked(written(tmp_path / "desk", roles), desk)
        assert (found.failed, desk.resets) == (set(), 1)

    def test_ids_do_not_depend_on_chance(self, contract: Contract) -> None:
        first, second = ([one.id for one in load_suite(contract).scenarios] for _ in range(2))
        assert first == second
        assert len(set(first)) == len(first)

    def test_ids_of_names_that_hold_anything(self, tmp_path: Path) -> None:
        document = ASYNCAPI.replace("what: {type: object, required: [colour]", '"what / 何": {type: object').replace(
            "required: [kind, id, what]", 'required: [kind, id, "what / 何"]'
        )
        document = document.replace("what: {colour: red}", '"what / 何": {colour: red}')
        ids = [one.id for one in load_suite(written(tmp_path / "desk", ROLES, document)).scenarios]
        assert "generated-invalid/missing-look-what-/-" in ids
        assert len(set(ids)) == len(ids)

    def test_the_chat_gets_none(self) -> None:
        assert not [one.id for one in chat_suite().scenarios if one.id.startswith("generated-")]


class TestLittle:
    """Contracts that say next to nothing."""

    def test_a_probe_alone(self, tmp_path: Path) -> None:
        (tmp_path / "contract.yaml").write_text(
            'format: wsproof.contract/1\nprobe: {send_text: "${text}", expect_text: "${text}"}\n', encoding="utf-8"
        )
        suite = load_suite(load_contract(find_contract(tmp_path)))
        assert [one.id for one in suite.scenarios] == ["generated-connects"]

    def test_a_document_alone_is_only_looked_at(self, tmp_path: Path) -> None:
        (tmp_path / "desk.yaml").write_text(ASYNCAPI, encoding="utf-8")
        found = Checked(load_contract(find_contract(tmp_path / "desk.yaml")), AcceptsAnybody())
        assert (found.failed, found.undecided) == (set(), {})
        assert not any(one.id.startswith("generated-answer") for one in found.suite.scenarios)
        # The welcome, which nothing declares, may come before what is said of the message.
        seen = found.observed["JSON that is not a message"]
        assert seen.startswith(('the next message: {"kind": "fault"', 'the next message: {"kind": "welcome"'))
