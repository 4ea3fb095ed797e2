"""The steps that expect messages: sets, lists, alternatives, silence, and graded checks."""

import json
from collections.abc import Iterable
from typing import Any, ClassVar

import pytest

from conformance.play.receiving import MOST_DIFFERENCES
from conformance.transport.exchange import Action, Control, Happening, Send
from contract.findings import Phrase, Text, phrase
from tests.conformance.driver import (
    CONNECT,
    START,
    Played,
    close,
    ended,
    message,
    played,
    pong,
    scenario,
    text,
)
from wire.frames import Opcode

TWO = {"alice": "alice", "bob": "bob"}


def error(t: float, code: str, **members: Any) -> Happening:
    return message(t, "alice", "error", {"code": code, "message": "m", **members})


def coded(code: str) -> dict[str, Any]:
    return {"event": "error", "match": {"payload": {"code": code}}}


def one_of(*alternatives: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"expect_one": {"actor": "alice", "of": list(alternatives), **more}}


def all_of(*codes: str, **more: Any) -> dict[str, Any]:
    return {"expect_all": {"actor": "alice", "of": [coded(code) for code in codes], **more}}


class TestAll:
    @pytest.mark.parametrize("order", ["AB", "BA"])
    def test_a_set_comes_in_any_order(self, order: str) -> None:
        result = played(scenario(CONNECT, all_of("A", "B")), *(error(0.1, code) for code in order))
        assert (result.outcome.ending, result.charges()) == ("finished", [])

    def test_a_list_comes_in_order(self) -> None:
        result = played(scenario(CONNECT, all_of("A", "B", order="listed")), error(0.1, "A"), error(0.2, "B"))
        assert result.charges() == []

    @pytest.mark.parametrize("t", [0.1, 3.0])
    def test_another_order_is_a_failure_that_ends_nothing(self, t: float) -> None:
        one = scenario(CONNECT, {**all_of("A", "B", order="listed"), "requirement": "SEND-07"})
        result = played(one, error(0.1, "B"), error(t, "A"))
        assert result.outcome.ending == "finished"
        assert result.charges() == [(("SEND-07",), None)]
        (failure,) = result.outcome.failures
        assert failure.message == phrase("messages-out-of-order")
        first, second = (str(one.data) for one in result.outcome.record.entries if one.event == "error")
        assert failure.received == phrase("in-order", items=[first, second])
        assert failure.expected == phrase("in-order", items=[second, first])

    def test_one_deadline_holds_for_all(self) -> None:
        one = scenario(CONNECT, all_of("A", "B", "C", within=3))
        result = played(one, error(2.0, "A"), error(2.9, "B"), error(3.5, "C"))
        assert result.outcome.ending == "stopped"
        assert result.outcome.duration == pytest.approx(3.0)
        assert "C" in str(result.outcome.failures[0].expected)
        assert "A" not in str(result.outcome.failures[0].expected)

    def test_two_that_are_alike_need_two_messages(self) -> None:
        one = scenario(CONNECT, all_of("A", "A"))
        assert played(one, error(0.1, "A")).outcome.ending == "stopped"
        assert played(one, error(0.1, "A"), error(0.1, "A")).outcome.ending == "finished"


class TestOne:
    def test_the_best_outcome_passes(self) -> None:
        best, tolerated = coded("A"), {**coded("B"), "fails": {"requirement": "ERR-05"}}
        result = played(scenario(CONNECT, one_of(best, tolerated)), error(0.1, "A"))
        assert (result.outcome.ending, result.charges()) == ("finished", [])

    @pytest.mark.parametrize(("translation", "ja"), [({}, "as it is"), ({"message_ja": "そのとおり"}, "そのとおり")])
    def test_a_tolerated_one_fails_only_what_it_names(self, translation: dict[str, str], ja: str) -> None:
        fails = {"requirement": "ERR-05", "level": "SHOULD", "message": "as it is", **translation}
        one = scenario(CONNECT, one_of(coded("A"), {**coded("B"), "fails": fails}), all_of("C"))
        result = played(one, error(0.1, "B"), error(0.1, "C"))
        assert result.outcome.ending == "finished"
        assert result.charges() == [(("ERR-05",), "SHOULD")]
        (failure,) = result.outcome.failures
        assert failure.message == phrase("said", en="as it is", ja=ja)
        assert (str(failure.message), failure.message.render("ja")) == ("as it is", ja)
        assert failure.expected == "`error`"

    def test_a_tolerated_one_of_which_its_author_says_nothing(self) -> None:
        tolerated = {**coded("B"), "fails": {"requirement": "ERR-05"}}
        (failure,) = played(scenario(CONNECT, one_of(coded("A"), tolerated)), error(0.1, "B")).outcome.failures
        assert failure.message == phrase("only-tolerated")

    def test_none_of_them(self) -> None:
        one = scenario(CONNECT, one_of(coded("A"), {"close": ["policy"]}, {"end": True}))
        result = played(one, error(0.1, "B"))
        (failure,) = result.outcome.failures
        assert failure.message == phrase("none-permitted")
        outcomes: list[Text] = ["`error`", phrase("close-with", codes=["1008"]), phrase("tcp-end")]
        assert failure.expected == phrase("any-of", items=outcomes)
        assert str(failure.expected) == "`error`, or a close frame with 1008, or the end of the TCP connection"
        assert '"B"' in str(failure.received)
        assert result.outcome.duration == pytest.approx(5.0)

    @pytest.mark.parametrize(
        ("alternative", "happenings", "fits"),
        [
            ({"close": ["policy"]}, [close(0.1, "alice", 1008)], True),
            ({"close": [1008, 4000]}, [close(0.1, "alice", 4000)], True),
            ({"close": ["policy"]}, [close(0.1, "alice", 1000)], False),
            ({"close": ["policy"]}, [close(0.1, "alice", None)], False),
            ({"closed": True}, [close(0.1, "alice", 1000)], True),
            ({"closed": True}, [close(0.1, "alice", None)], True),
            ({"closed": True}, [close(0.1, "alice", 4408)], False),
            ({"closed": True}, [ended(0.1, "alice")], False),
            ({"end": True}, [ended(0.1, "alice")], True),
            ({"end": True}, [close(0.1, "alice", 1000), ended(0.1, "alice")], False),
        ],
    )
    def test_ends(self, alternative: dict[str, Any], happenings: list[Happening], fits: bool) -> None:
        result = played(scenario(CONNECT, one_of(alternative)), *happenings)
        assert result.outcome.ending == ("finished" if fits else "stopped")

    @pytest.mark.parametrize("alternative", [{"closed": True}, {"end": True}])
    def test_one_that_left_pings_unread_may_be_cut_off_for_it(self, alternative: dict[str, Any]) -> None:
        steps = ({"stop_reading": {"actor": "alice"}}, {"read_on": {"actor": "alice"}}, one_of(alternative))
        result = played(scenario(CONNECT, *steps), close(0.1, "alice", 4408), ended(0.1, "alice"))
        assert result.outcome.ending == "finished"

    def test_without_next_an_unrelated_message_of_the_event_is_skipped(self) -> None:
        happenings = [error(0.1, "B"), error(0.2, "A")]
        assert played(scenario(CONNECT, one_of(coded("A"))), *happenings).outcome.ending == ("finished")

    def test_with_next_the_first_of_the_event_is_judged(self) -> None:
        happenings = [message(0.1, "alice", "typing"), error(0.2, "B"), error(0.3, "A")]
        result = played(scenario(CONNECT, one_of(coded("A"), next=True)), *happenings)
        assert result.outcome.ending == "stopped"
        assert result.outcome.duration == pytest.approx(0.2)

    def test_enough_ends_the_scenario_as_passed(self) -> None:
        never = {**all_of("never"), "requirement": "ERR-07"}
        enough = {"close": ["rate_limited"], "enough": True}
        result = played(scenario(CONNECT, one_of(enough), never), close(0.1, "alice", 4429))
        assert (result.outcome.ending, result.charges()) == ("finished", [])
        assert result.outcome.reached == {("CONN-01", None): 1, ("SEND-01", None): 1}, "and not what was left out"
        assert result.outcome.unreached == {}


class TestNothing:
    NOTHING: ClassVar[dict[str, Any]] = {
        "expect_nothing": {"actors": ["alice", "bob"], "event": "error", **{"for": 2}},
        "requirement": "ERR-08",
    }
    BOTH = (CONNECT, {"connect": {"actor": "bob"}})

    def test_silence_is_watched_for_as_long_as_it_says(self) -> None:
        result = played(scenario(*self.BOTH, self.NOTHING, actors=TWO))
        assert result.outcome.ending == "finished"
        assert result.outcome.duration == pytest.approx(2.0)

    @pytest.mark.parametrize("actor", ["alice", "bob"])
    @pytest.mark.parametrize("t", [0.0, 1.9])
    def test_one_message_is_a_failure_at_once(self, actor: str, t: float) -> None:
        result = played(scenario(*self.BOTH, self.NOTHING, actors=TWO), message(t, actor, "error"))
        (failure,) = result.outcome.failures
        assert (failure.actor, failure.charge.requirements) == (actor, ("ERR-08",))
        assert result.outcome.duration == pytest.approx(t)

    def test_what_arrived_unconsumed_before_counts(self) -> None:
        bob_waits = {"expect": {"actor": "bob", "event": "new_message"}}
        one = scenario(*self.BOTH, bob_waits, self.NOTHING, actors=TWO)
        result = played(one, message(0.1, "alice", "error"), message(1.0, "bob", "new_message"))
        assert [names for names, _ in result.charges()] == [("ERR-08",)]

    def test_others_do_not_count(self) -> None:
        match = {"actors": ["alice"], "match": {"payload": {"code": "A"}}}
        one = scenario(CONNECT, {"expect_nothing": match})
        assert played(one, error(0.1, "B"), text(0.2, "alice", "{")).outcome.ending == "finished"
        assert played(one, error(0.1, "A")).outcome.ending == "stopped"

    def test_the_end_of_a_connection_is_silence(self) -> None:
        result = played(scenario(*self.BOTH, self.NOTHING, actors=TWO), ended(0.1, "alice"))
        assert result.outcome.ending == "finished"


class TestTaking:
    """What is done with a message that was expected."""

    CHECK: ClassVar[dict[str, Any]] = {
        "requirement": "ERR-06",
        "level": "SHOULD",
        "match": {"payload": {"originalEvent": "send_message"}},
        "message": "originalEvent is another",
    }

    def checked(self, *checks: dict[str, Any]) -> Any:
        return {"expect": {"actor": "alice", "event": "error", "checks": list(checks)}}

    def test_a_check_that_fails_is_charged_and_the_scenario_goes_on(self) -> None:
        one = scenario(CONNECT, self.checked(self.CHECK), all_of("B"))
        result = played(one, error(0.1, "A"), error(0.2, "B"))
        (failure,) = result.outcome.failures
        assert result.outcome.ending == "finished"
        assert (failure.charge.requirements, failure.charge.level) == (("ERR-06",), "SHOULD")
        assert failure.message == phrase("said", en="originalEvent is another", ja="originalEvent is another")

    def test_a_check_of_which_its_author_says_nothing(self) -> None:
        check = {name: value for name, value in self.CHECK.items() if name != "message"}
        (failure,) = played(scenario(CONNECT, self.checked(check)), error(0.1, "A")).outcome.failures
        assert failure.message == phrase("not-as-expected")

    def test_a_check_that_holds_is_silent(self) -> None:
        one = scenario(CONNECT, self.checked(self.CHECK))
        assert played(one, error(0.1, "A", originalEvent="send_message")).charges() == []

    def test_captured_values_stand_in_later_steps(self) -> None:
        first = {"event": "error", "capture": {"code": "payload.code", "none": "payload.x.y"}}
        again = {"send": {"actor": "alice", "event": "e", "payload": ["${code}", "a ${code}"]}}
        missing = {"send": {"actor": "alice", "event": "f", "payload": "${none}"}}
        one = scenario(CONNECT, {"expect": {"actor": "alice", **first}}, again, missing)
        result = played(one, error(0.1, "A"))
        assert [value["payload"] for _, value in result.sent()] == [["A", "a A"], None]

    def test_what_was_not_captured_is_the_authors_mistake(self) -> None:
        one = scenario(CONNECT, {"send": {"actor": "alice", "event": "e", "payload": "${code}"}})
        result = played(one)
        assert result.outcome.ending == "error"
        assert "${code}: no step before this one captures it" in str(result.outcome.reason)


class TestNearest:
    """A message that came, but not as it was expected, is shown member by member."""

    POST: ClassVar[dict[str, Any]] = {
        "send": {"actor": "alice", "event": "send_message", "payload": {"channelId": "c", "text": "${nonce.a} hello"}}
    }

    def deliver(self, *deliveries: dict[str, Any], match: dict[str, Any]) -> Played:
        """The outcome where these came, with the nonce that was posted for `NONCE`."""
        wait = {"expect": {"actor": "alice", "event": "new_message", "match": {"payload": match}, "within": 1}}
        posted: list[str] = []

        def reply(action: Action, now: float) -> Iterable[Happening]:
            if isinstance(action, Send) and b"send_message" in action.frames[0].payload:
                nonce = json.loads(action.frames[0].payload)["payload"]["text"].partition(" ")[0]
                posted.append(nonce)
                for one in deliveries:
                    value = json.loads(json.dumps(one).replace("NONCE", nonce))
                    yield message(now - START + 0.1, "alice", "new_message", value)

        result = played(scenario(CONNECT, self.POST, {**wait, "requirement": "SEND-06"}), reply=reply)
        assert len(posted) == 1
        return result

    def delivery(self, text: str = "NONCE hello", author: Any = "u-alice") -> dict[str, Any]:
        return {"channelId": "c", "message": {"text": text, "author": {"id": author}}}

    MATCH: ClassVar[dict[str, Any]] = {"message": {"text": "${nonce.a} hello", "author": {"id": "u-bob"}}}

    def test_another_author(self) -> None:
        (failure,) = self.deliver(self.delivery(), match=self.MATCH).outcome.failures
        assert failure.message == phrase("came-otherwise", events=["`new_message`"])
        assert str(failure.message) == "`new_message` arrived, but not as expected"
        assert isinstance(failure.received, Phrase)
        assert failure.received.code == "differs"
        difference = phrase("difference", place="payload.message.author.id", wanted='"u-bob"', value='"u-alice"')
        assert failure.received.params["items"] == (difference,)
        came = failure.received.params["came"]
        assert isinstance(came, Phrase)
        assert came.code == "came"
        assert 'payload.message.author.id is "u-alice", not "u-bob" (received: ' in str(failure.received)

    def test_a_member_that_is_missing(self) -> None:
        match = {"message": {"text": "${nonce.a} hello", "id": {"$nonempty": True}}}
        (failure,) = self.deliver(self.delivery(), match=match).outcome.failures
        assert "payload.message.id is <absent>, not " in str(failure.received)

    def test_another_nonce_is_another_message(self) -> None:
        other = self.delivery(text="1234567890123456 hello")
        (failure,) = self.deliver(other, match=self.MATCH).outcome.failures
        assert failure.message == phrase("missing", events=["`new_message`"])
        assert isinstance(failure.received, Phrase)
        assert failure.received.code == "came"

    def test_the_one_that_is_nearest(self) -> None:
        far = {"channelId": "d", "message": {"text": "NONCE hello", "author": {"id": 1}}}
        match = {"channelId": "c", **self.MATCH}
        (failure,) = self.deliver(far, self.delivery(), match=match).outcome.failures
        assert isinstance(failure.received, Phrase)
        difference = phrase("difference", place="payload.message.author.id", wanted='"u-bob"', value='"u-alice"')
        assert failure.received.params["items"] == (difference,)

    def test_differences_are_few(self) -> None:
        match = {**self.MATCH, **{f"m-{number}": number for number in range(2 * MOST_DIFFERENCES)}}
        (failure,) = self.deliver(self.delivery(), match=match).outcome.failures
        assert isinstance(failure.received, Phrase)
        items = failure.received.params["items"]
        assert isinstance(items, tuple)
        assert len(items) == MOST_DIFFERENCES

    def test_without_a_message_of_the_event_nothing_is_near(self) -> None:
        (failure,) = self.deliver(match=self.MATCH).outcome.failures
        assert failure.message == phrase("missing", events=["`new_message`"])
        assert failure.received == phrase("nothing-came")


class TestPongs:
    STEPS = (
        CONNECT,
        {"ping": {"actor": "alice", "payload": "p1"}},
        {"expect_pong": {"actor": "alice", "payload": "p1"}, "requirement": "HB-06"},
    )

    def test_the_same_payload(self) -> None:
        result = played(scenario(*self.STEPS), pong(0.1, "alice", b"x"), pong(0.2, "alice", b"p1"))
        assert result.outcome.ending == "finished"
        (ping,) = (action for _, action in result.actions if isinstance(action, Send))
        assert (ping.frames[0].opcode, ping.frames[0].payload) == (Opcode.PING, b"p1")

    def test_another_payload(self) -> None:
        result = played(scenario(*self.STEPS), pong(0.1, "alice", b"x"))
        (failure,) = result.outcome.failures
        assert (failure.charge.requirements, failure.message) == (("HB-06",), phrase("ping-unanswered"))
        assert failure.expected == phrase("pongs", payloads=["'p1'"])
        assert failure.received == phrase("pongs", payloads=["'x'"])

    def test_no_pong_at_all(self) -> None:
        (failure,) = played(scenario(*self.STEPS), message(0.1, "alice", "error")).outcome.failures
        assert failure.received == phrase("came", items=['{"event": "error", "payload": {}}'])

    @pytest.mark.parametrize(("or_end", "ending"), [(True, "finished"), (False, "stopped")])
    def test_the_end_instead(self, or_end: bool, ending: str) -> None:
        pong = {"expect_pong": {"actor": "alice", "payload": "p1", "or_end": or_end}}
        assert played(scenario(CONNECT, pong), ended(0.1, "alice")).outcome.ending == ending

    def test_a_ping_of_the_server_is_no_pong(self) -> None:
        ping = Control(START + 0.1, "alice", Opcode.PING, b"p1")
        assert played(scenario(*self.STEPS), ping).outcome.ending == "stopped"
