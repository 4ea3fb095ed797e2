"""The engine at a scenario's ends: connecting, closing, and what an endpoint does not offer."""

from typing import Any

import pytest

from conformance.language.values import InconclusiveError
from conformance.play.context import Setting
from conformance.play.engine import check_needs
from conformance.transport.exchange import Open, Opened, Refused, Send
from contract.findings import phrase
from contract.fixtures import Channels, Tokens
from contract.profile import Profile
from tests.bundled import load_profile
from tests.conformance.driver import (
    CONNECT,
    CONTRACT,
    DEFAULTS,
    REQUIREMENTS,
    START,
    close,
    played,
    scenario,
    text,
)

ERROR = {"expect": {"actor": "alice", "event": "error"}, "requirement": "ERR-01"}
WHY = phrase("answer-wrong")
JOIN = {"send": {"actor": "alice", "event": "join_channel", "payload": {"channelId": "c"}}}


class TestHandshake:
    """What opening a connection sends, and how it may fail."""

    def test_the_token_travels_in_the_query(self) -> None:
        ((_, opened),) = (one for one in played(scenario(CONNECT)).actions if isinstance(one[1], Open))
        assert isinstance(opened, Open)
        assert opened.request.target == "/v1/socket?access_token=alice-token"

    @pytest.mark.parametrize(
        ("override", "headers", "subprotocols"),
        [
            ({"auth.in": "header"}, (("Authorization", "Bearer alice-token"),), ()),
            ({"auth.in": "header", "auth.name": "X-Token"}, (("X-Token", "alice-token"),), ()),
            ({"auth.in": "subprotocol"}, (), ("access_token", "alice-token")),
        ],
    )
    def test_or_elsewhere(
        self,
        override: dict[str, str],
        headers: tuple[tuple[str, str], ...],
        subprotocols: tuple[str, ...],
    ) -> None:
        ((_, opened), *_) = played(scenario(CONNECT), profile=load_profile(overrides=override)).actions
        assert isinstance(opened, Open)
        assert opened.request.target == "/v1/socket"
        assert (opened.request.headers, opened.request.subprotocols) == (headers, subprotocols)

    def test_no_transcript_shows_a_token(self) -> None:
        result = played(scenario(CONNECT, ERROR), text(0.1, "alice", "you are alice-token"))
        assert all("alice-token" not in str(entry.data) for entry in result.outcome.record.entries)
        assert "alice-token" not in str(result.outcome.failures[0].received)
        assert "•••" in str(result.noted("handshake")[0])

    def test_no_answer_fails_in_time(self) -> None:
        result = played(scenario(CONNECT), accept=False)
        assert result.charges() == [(("CONN-01",), None)]
        assert result.outcome.duration == pytest.approx(5.0)
        assert result.outcome.failures[0].message == phrase("handshake-late")
        assert result.noted("timeout") == [phrase("note-no-answer")]

    @pytest.mark.parametrize(
        ("problem", "status", "charge"),
        [
            ("status", 503, "CONN-01"),
            ("status", 401, "CONN-01"),
            ("lost", None, "CONN-01"),
            ("unreachable", None, "CONN-01"),
            ("not-listening", None, "CONN-01"),
            ("accept", 101, "CONN-07"),
            ("negotiation", 101, "CONN-07"),
        ],
    )
    def test_a_wrong_answer_has_its_own_requirement(self, problem: Any, status: int | None, charge: str) -> None:
        refused = Refused(START + 0.1, "alice", problem, status, (), b"", WHY)
        result = played(scenario(CONNECT), refused, accept=False)
        assert [names for names, _ in result.charges()] == [(charge,)]
        # One that speaks of load is asked for again; then no answer comes.
        assert result.outcome.failures[0].received == (None if status == 503 else WHY)

    @pytest.mark.parametrize(
        ("offer", "status", "charged"),
        [
            ({"server_max_window_bits": 9}, 400, False),
            ({"server_max_window_bits": 9}, 500, True),
            (True, 400, True),
            (False, 400, True),
        ],
    )
    def test_what_an_offer_of_compression_demands_may_be_refused(self, offer: Any, status: int, charged: bool) -> None:
        refused = Refused(START + 0.1, "alice", "status", status, (), b"", WHY)
        offering = {"connect": {"actor": "alice", "deflate": offer}, "requirement": "WIRE-09"}
        result = played(scenario(offering), refused, accept=False)
        assert bool(result.charges()) is charged
        assert (result.noted("note") == [phrase("note-demands-refused")]) is not charged

    @pytest.mark.parametrize(("offer", "charge"), [(True, "WIRE-09"), (False, "CONN-07")])
    @pytest.mark.parametrize("code", ["answer-extension", "answer-extension-not-offered"])
    def test_a_wrong_answer_to_an_offer_of_compression_is_charged_to_its_step(
        self, offer: bool, charge: str, code: str
    ) -> None:
        """What it accepts of the offer; what was not offered at all, CONN-07 forbids."""
        detail = phrase(code, extensions="permessage-deflate; server_max_window_bits=99")
        refused = Refused(START + 0.1, "alice", "negotiation", 101, (), b"", detail)
        offering = {"connect": {"actor": "alice", "deflate": offer}, "requirement": "WIRE-09"}
        result = played(scenario(offering), refused, accept=False)
        (failure,) = result.outcome.failures
        expected = charge if code == "answer-extension" else "CONN-07"
        assert (failure.charge.requirements, failure.received) == ((expected,), detail)

    def test_the_first_answer_counts(self) -> None:
        """A context that knows no such connection takes nothing in."""
        stray = Opened(START, "alice", (), None)
        result = played(scenario(CONNECT), stray, accept=False)
        assert result.outcome.ending == "finished"


class TestEnding:
    """However it went, open connections are closed."""

    @pytest.mark.parametrize("step", [JOIN, ERROR])
    def test_all_are_closed_with_1000(self, step: dict[str, Any]) -> None:
        bob = {"connect": {"actor": "bob"}}
        one = scenario(CONNECT, bob, step, actors={"alice": "alice", "bob": "bob"})
        assert played(one).closes() == [("alice", 1000), ("bob", 1000)]

    def test_those_that_are_over_are_not(self) -> None:
        one = scenario(CONNECT, {"expect_close": {"actor": "alice", "codes": ["policy"]}})
        assert played(one, close(0.1, "alice", 1008)).closes() == []

    def test_a_step_of_an_actor_that_never_connected_is_an_error(self) -> None:
        result = played(scenario(JOIN))
        assert result.outcome.ending == "error"
        assert "alice has not connected before this step" in str(result.outcome.reason)

    def test_a_closed_connection_is_sent_nothing_it_could_be_charged_with(self) -> None:
        wait = {"expect_close": {"actor": "alice", "codes": ["policy"]}}
        result = played(scenario(CONNECT, wait, JOIN), close(0.1, "alice", 1008))
        assert result.noted("note") == [phrase("not-sent")]
        assert result.outcome.record.conversations[0].sent == []
        assert [one for _, one in result.actions if isinstance(one, Send)]


class TestNeeds:
    """What an endpoint cannot offer makes a scenario inconclusive, and never passed."""

    BARE = Profile(users={"alice": DEFAULTS.users["alice"]}, tokens=Tokens(), channels=Channels())

    @pytest.mark.parametrize(
        ("need", "setting"),
        [
            ("bob", "users.bob"),
            ("carol", "users.carol"),
            ("private_channel", "channels.private"),
            ("missing_channel", "channels.missing"),
            ("expired_token", "tokens.expired"),
            ("expiring_token", "tokens.expiring"),
        ],
    )
    def test_lacking(self, need: str, setting: str) -> None:
        result = played(scenario(CONNECT, needs=[need]), profile=self.BARE)
        assert (result.outcome.ending, result.actions) == ("inconclusive", ())
        assert result.outcome.reason == phrase("lacking", setting=setting)
        check_needs(scenario(CONNECT, needs=[need]), Setting(CONTRACT, REQUIREMENTS, DEFAULTS, str))

    @pytest.mark.parametrize(
        ("form", "lacking"),
        [("none", {"heartbeat", "message_heartbeat"}), ("control", {"message_heartbeat"})],
    )
    def test_forms_of_heartbeat(self, form: str, lacking: set[str]) -> None:
        setting = Setting(CONTRACT, REQUIREMENTS, load_profile(overrides={"heartbeat.form": form}), str)
        forms = {"heartbeat": "heartbeat.form: message, or control", "message_heartbeat": "heartbeat.form: message"}
        for need, wanted in forms.items():
            one = scenario(CONNECT, needs=[need])
            if need in lacking:
                with pytest.raises(InconclusiveError) as caught:
                    check_needs(one, setting)
                assert caught.value.reason == phrase("lacking", setting=wanted)
            else:
                check_needs(one, setting)

    def test_a_user_without_a_token(self) -> None:
        result = played(scenario({"connect": {"actor": "alice"}}, actors={"alice": "bob"}), profile=self.BARE)
        assert result.outcome.ending == "inconclusive"
        assert result.outcome.reason == phrase("lacking", setting="users.bob")
