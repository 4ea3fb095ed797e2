"""Messages that are no objects, and expectations that name none: by match, by index, or by `name`."""

from pathlib import Path
from typing import Any

import pytest

from contract.findings import phrase
from tests.conformance.calls import call_scenario, play_calls, profile, said


def send(message: Any) -> Any:
    return {"send": {"actor": "alice", "message": message}}


def expect(**body: Any) -> Any:
    return {"expect": {"actor": "alice", **body}}


@pytest.mark.parametrize("message", [[2, "x", "Add", {}], 7, "text", None, [], {"a": [1]}])
def test_any_value_is_a_message(tmp_path: Path, message: Any) -> None:
    assert play_calls(call_scenario(tmp_path, send(message))).sent() == [(0.0, message)]


class TestExpectations:
    def test_name_and_event_are_one(self, tmp_path: Path) -> None:
        for member in ("event", "name"):
            one = call_scenario(tmp_path, expect(**{member: "Event", "match": {"1": "news"}}))
            assert play_calls(one, said(0.1, [3, "a", {}]), said(0.2, [5, "news"])).outcome.ending == "finished"
            assert "Event" in str(one.steps[1].label)

    def test_a_match_alone_takes_any_message_that_fits(self, tmp_path: Path) -> None:
        one = call_scenario(tmp_path, expect(match={"0": 5}))
        assert play_calls(one, said(0.1, [3, "a", {}]), said(0.2, [5, "news"])).outcome.ending == "finished"
        assert "Event" in str(one.steps[1].label)

    def test_what_has_no_name_is_called_by_its_match(self, tmp_path: Path) -> None:
        one = call_scenario(tmp_path, expect(match={"1": "news"}, within=1))
        assert '{"1":"news"}' in str(one.steps[1].label).replace(" ", "")
        (failure,) = play_calls(one).outcome.failures
        assert '"news"' in str(failure.message)
        assert str(failure.expected) == '{"1": "news"}'

    def test_a_failure_names_what_the_match_tells(self, tmp_path: Path) -> None:
        one = call_scenario(tmp_path, expect(match={"0": 5, "1": "news"}, within=1))
        (failure,) = play_calls(one, said(0.1, [5, "old"])).outcome.failures
        assert failure.message == phrase("came-otherwise", events=["`Event`"])
        assert '1 is "old", not "news"' in str(failure.received)

    @pytest.mark.parametrize("match", [[5, "news", {"$any": True}], {"2": 7}, {"-1": 7}, {"$prefix": [5, "news"]}])
    def test_whole_lists_and_items(self, tmp_path: Path, match: Any) -> None:
        one = call_scenario(tmp_path, expect(name="Event", match=match, within=1))
        assert play_calls(one, said(0.1, [5, "news", 7])).outcome.ending == "finished"
        assert play_calls(one, said(0.1, [5, "old", 8])).outcome.ending == "stopped"

    def test_captures_by_index(self, tmp_path: Path) -> None:
        first = expect(name="Event", capture={"what": "1", "last": "-1"})
        one = call_scenario(tmp_path, first, send([6, "${what}", "${last}"]))
        assert play_calls(one, said(0.1, [5, "news", 7])).sent() == [(0.1, [6, "news", 7])]

    def test_outcomes_and_silence(self, tmp_path: Path) -> None:
        of = [{"match": {"0": 4}}, {"name": "Event"}, {"close": [1000]}]
        step = {"expect_one": {"actor": "alice", "of": of, "within": 1}}
        for value in ([4, "a", "b"], [5, "news"]):
            assert play_calls(call_scenario(tmp_path, step), said(0.1, value)).outcome.ending == "finished"
        failed = play_calls(call_scenario(tmp_path, step), said(0.1, [3, "a", {}])).outcome
        assert "`Failure`" in str(failed.failures[0].expected)
        silence = {"expect_nothing": {"actors": ["alice"], "match": {"0": 4}, "for": 1}}
        assert play_calls(call_scenario(tmp_path, silence), said(0.1, [5, "x"])).outcome.ending == "finished"
        assert play_calls(call_scenario(tmp_path, silence), said(0.1, [4, "x", "y"])).outcome.ending == "stopped"

    def test_the_next_one_may_be_any(self, tmp_path: Path) -> None:
        step = {"expect_one": {"actor": "alice", "next": True, "of": [{"match": {"0": 5}}], "within": 3}}
        result = play_calls(call_scenario(tmp_path, step), said(0.1, [3, "a", {}]), said(0.2, [5, "x"]))
        assert result.outcome.ending == "stopped"
        assert result.outcome.duration == pytest.approx(0.1)

    def test_either_side_may_send_some(self, tmp_path: Path) -> None:
        one = call_scenario(tmp_path, send([6, 1]), expect(name="Note"))
        result = play_calls(one, said(0.1, [6, 2]))
        assert (result.outcome.ending, result.sent()) == ("finished", [(0.0, [6, 1])])


class TestOptional:
    def test_one_that_comes_is_taken(self, tmp_path: Path) -> None:
        one = call_scenario(tmp_path, expect(name="Event", optional=True), expect(name="Event", within=1))
        assert play_calls(one, said(0.1, [5, "a"])).outcome.ending == "stopped"
        assert play_calls(one, said(0.1, [5, "a"]), said(0.7, [5, "b"])).outcome.ending == "finished"

    def test_one_that_does_not_come_is_not_missed(self, tmp_path: Path) -> None:
        result = play_calls(call_scenario(tmp_path, expect(name="Event", optional=True)))
        assert (result.outcome.ending, result.outcome.failures) == ("finished", ())
        assert result.outcome.duration == pytest.approx(profile().quiet_period)
        longer = play_calls(call_scenario(tmp_path, expect(name="Event", optional=True, within=3)))
        assert longer.outcome.duration == pytest.approx(3)

    def test_it_decides_nothing(self, tmp_path: Path) -> None:
        one = call_scenario(tmp_path, {**expect(name="Event", optional=True), "requirement": "IT-02"})
        assert ("IT-02", None) not in play_calls(one, said(0.1, [5, "a"])).outcome.reached

    @pytest.mark.parametrize("order", ["any", "listed"])
    @pytest.mark.parametrize("values", [[5, 3], [3]])
    def test_some_of_a_set(self, tmp_path: Path, order: str, values: list[int]) -> None:
        of = [{"name": "Event", "optional": True}, {"name": "Result"}]
        one = call_scenario(tmp_path, {"expect_all": {"actor": "alice", "order": order, "of": of}})
        messages = [said(0.1 * number, [kind, "a", {}]) for number, kind in enumerate(values, 1)]
        assert play_calls(one, *messages).outcome.ending == "finished"
        assert play_calls(one, said(0.1, [5, "a"])).outcome.ending == "stopped"

    def test_in_a_set_it_may_come_last(self, tmp_path: Path) -> None:
        of = [{"name": "Event", "optional": True}, {"name": "Result"}]
        one = call_scenario(tmp_path, {"expect_all": {"actor": "alice", "of": of}}, expect(name="Event", within=1))
        assert play_calls(one, said(0.1, [3, "a", {}]), said(0.3, [5, "a"])).outcome.ending == "stopped"


class TestHandshake:
    @pytest.mark.parametrize(("wanted", "good"), [(None, True), ("x", False)])
    def test_the_selected_subprotocol(self, tmp_path: Path, wanted: str | None, good: bool) -> None:
        one = call_scenario(tmp_path, {"expect_handshake": {"actor": "alice", "subprotocol": wanted}})
        result = play_calls(one)
        assert (result.outcome.ending == "finished") is good
        if not good:
            (failure,) = result.outcome.failures
            assert (str(failure.expected), str(failure.received)) == ("the subprotocol x", "no subprotocol")
