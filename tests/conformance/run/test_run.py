"""Many scenarios at once, against a real server."""

import json
import socket
import threading
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from websockets.sync.server import ServerConnection

from conformance.judge.outcomes import unfinished
from conformance.judge.verdicts import ScenarioVerdict, charge_failures, requirement_verdicts
from conformance.language.deed import Charge
from conformance.language.scenario import Scenario, Step
from conformance.language.selection import SelectionError, select
from conformance.language.values import InconclusiveError
from conformance.play.engine import CUT_OFF
from conformance.play.plan import Channels, Plan
from conformance.run.progress import longest_wait
from conformance.run.results import RunFacts, results_document
from conformance.run.run import Run
from conformance.transport.target import resolve
from contract.files import DATA_ROOT
from contract.findings import phrase
from contract.profile import Profile
from contract.schemas import compile_schema
from tests.bundled import bundled, load_contract, load_profile, load_requirements
from tests.conformance.chat import Chat
from tests.conformance.driver import CONNECT, scenario
from tests.conformance.pair import server_frame
from tests.conformance.servers import PATIENCE, drain, raw_server, websocket_server

REQUIREMENTS = load_requirements()
CONTRACT = load_contract()
PROFILE = replace(load_profile(), ack_timeout=PATIENCE, response_timeout=PATIENCE, quiet_period=0.05)

MEET = [
    {"call": "enter", "with": {"actor": "alice", "channel": "${channel.room}"}},
    {"call": "enter", "with": {"actor": "bob", "channel": "${channel.room}"}},
    {"call": "post", "with": {"actor": "alice", "channel": "${channel.room}", "nonce": "n"}},
    {"call": "receive", "with": {"actor": "bob", "nonce": "n"}},
]
OPEN = [{"call": "open", "with": {"actor": "alice"}}]
STRANGER: list[dict[str, Any]] = [
    {"call": "open", "with": {"actor": "bob"}},
    {"call": "enter", "with": {"actor": "alice", "channel": "${channel.room}"}},
    {"expect_nothing": {"actors": ["bob"], "event": "new_message"}, "requirement": "JOIN-02"},
]


def named(name: str, steps: list[Any], **members: Any) -> Scenario:
    actors = {"alice": "alice", "bob": "bob"}
    return scenario(*steps, id=name, actors=actors, **{"verifies": ["SEND-01"], **members})


def plan(url: str, profile: Profile = PROFILE, **members: Any) -> Plan:
    return Plan(resolve(url), CONTRACT, profile, REQUIREMENTS, **members)


def play_all(url: str, scenarios: list[Scenario], **members: Any) -> dict[str, ScenarioVerdict]:
    run = Run(plan(url, **members), scenarios)
    run.start()
    try:
        return {one.id: run.result(one) for one in scenarios}
    finally:
        run.stop()


class TestAtOnce:
    def test_all_play_side_by_side(self) -> None:
        """Nobody is acknowledged before all six are connected."""
        meeting = threading.Barrier(6, timeout=PATIENCE)
        with Chat(before_ack=meeting.wait).serve() as url:
            found = play_all(url, [named(f"open-{number}", OPEN) for number in range(6)], jobs=6)
        assert {one.verdict for one in found.values()} == {"passed"}

    def test_a_right_server_passes(self) -> None:
        scenarios = [named(f"meet-{number}", MEET) for number in range(8)]
        with Chat().serve() as url:
            found = play_all(url, scenarios, jobs=4)
        assert [(one.verdict, one.charged) for one in found.values()] == [("passed", ())] * 8

    def test_rounds(self) -> None:
        """A thorough run repeats what does not last long by itself, and stops repeating what failed.

        What did not come is asked for once more in the end.
        """
        scenarios = [
            named("short", OPEN),
            named("long", OPEN, tags=["slow"]),
            named("refuted", [*OPEN, {"expect": {"actor": "alice", "event": "error", "within": 0}}]),
        ]
        connections: list[None] = []
        with Chat(before_ack=lambda: connections.append(None)).serve() as url:
            found = play_all(url, scenarios, rounds=3)
        assert [one.verdict for one in found.values()] == ["passed", "passed", "failed"]
        assert len(connections) == 3 + 1 + (1 + 1)

    def test_no_more_than_the_jobs(self) -> None:
        with Chat().serve() as url:
            leave = [*OPEN, {"close": {"actor": "alice"}}]
            found = play_all(url, [named(f"open-{number}", leave) for number in range(5)], jobs=1)
        outcomes = [one.outcome for one in found.values()]
        spans = sorted((one.started, one.started + one.duration) for one in outcomes)
        assert all(end <= start + 1e-6 for (_, end), (start, _) in pairwise(spans))

    def test_each_is_told_once_when_it_is_finished(self) -> None:
        scenarios = [named(f"open-{number}", OPEN) for number in range(5)]
        told: list[str] = []
        with Chat().serve() as url:
            run = Run(plan(url), scenarios)
            run.start(lambda verdict: told.append(verdict.outcome.scenario.id))
            results = [run.result(one) for one in scenarios]
            run.stop()
        assert sorted(told) == [one.id for one in scenarios]
        assert run.verdicts() == results
        assert run.complete
        status = run.status()
        assert (status.finished, status.failed, status.playing) == (5, 0, ())

    def test_the_longest_begins(self) -> None:
        profile = load_profile()
        slow, waiting, quick = (
            named("slow", [CONNECT, {"expect_heartbeat": {"actor": "alice", "intervals": 2}}]),
            named("waiting", [CONNECT, {"expect_nothing": {"actors": ["alice"]}}]),
            named("quick", OPEN),
        )
        waits = [longest_wait(one, profile) for one in (slow, waiting, quick)]
        assert waits == sorted(waits, reverse=True)
        assert waits[0] > 60


class TestWrongServers:
    def test_lost_posts(self) -> None:
        profile = replace(PROFILE, response_timeout=3.0)  # a handshake must fit in as well
        with Chat(loses_posts=True).serve() as url:
            found = play_all(url, [named("meet", MEET), named("open", OPEN)], profile=profile)
        assert {name: one.verdict for name, one in found.items()} == {
            "meet": "failed",
            "open": "passed",
        }
        assert {one.requirement for one in found["meet"].charged} == {"JOIN-01", "SEND-01"}

    @pytest.mark.parametrize(("times", "verdict"), [(2, "inconclusive"), (9, "failed")])
    def test_a_close_frame_that_haste_lost_is_asked_for_again(self, times: int, verdict: str) -> None:
        """Two accidents that do not happen again are neither a failure nor a pass."""
        left = iter(range(times))

        def serve(connection: ServerConnection) -> None:
            ack = b'{"event": "connection_ack", "payload": {"sessionId": "s"}}'
            with connection.protocol_mutex:  # so that no close frame comes between
                connection.socket.sendall(server_frame(1, ack))
                if next(left, None) is not None:
                    connection.socket.shutdown(socket.SHUT_WR)
            for _ in connection:
                pass

        leave = [*OPEN, {"close": {"actor": "alice"}, "requirement": "CLOSE-01"}]
        with websocket_server(serve) as url:
            found = play_all(url, [named("one", leave), named("two", leave)])
        assert [one.verdict for one in found.values()] == [verdict] * 2
        charges = [one.charged if verdict == "failed" else one.unconfirmed for one in found.values()]
        assert [[each.requirement for each in one] for one in charges] == [["CLOSE-01"]] * 2
        judged = {
            one.requirement.id: one.deciding.verdict for one in requirement_verdicts(REQUIREMENTS, found.values())
        }
        assert judged["CLOSE-01"] == verdict

    def test_transcript_checks_are_charged(self) -> None:
        provoke = [*OPEN, {"call": "provoke", "with": {"actor": "alice"}}]
        with Chat(bare_errors=True).serve() as url:
            found = play_all(url, [named("provoke", provoke, verifies=["ERR-04"])])
        assert [(one.requirement, one.level) for one in found["provoke"].charged] == [("ERR-09", "SHOULD")]

    def test_what_a_leak_spoilt_is_played_again_alone(self) -> None:
        """A server that tells everybody everything: only what is charged to the leak remains."""
        silence = {
            "expect_nothing": {"actors": ["alice"], "event": "new_message"},
            "requirement": "CONN-05",
        }
        alone = named("alone", [*OPEN, silence], verifies=["ERR-05"])
        with Chat(leaks=True).serve() as url:
            found = play_all(url, [named("stranger", STRANGER), alone], jobs=2)
        assert found["alone"].verdict == "passed"
        assert "JOIN-02" in {one.requirement for one in found["stranger"].charged}
        document = document_of([*found.values()])
        assert document["verdict"] == "non-conformant"


class TestInterruptions:
    def test_stop(self) -> None:
        connected = threading.Barrier(4, timeout=PATIENCE)
        held = threading.Event()

        def hold() -> None:
            connected.wait()
            held.wait(PATIENCE)

        scenarios = [named(f"open-{number}", OPEN) for number in range(3)]
        with Chat(before_ack=hold).serve() as url:
            run = Run(plan(url, jobs=3), scenarios)
            run.start()
            connected.wait()
            assert {one.scenario for one in run.status().playing} == {one.id for one in scenarios}
            run.stop()
            held.set()
            outcomes = [one.outcome for one in run.verdicts()]
        assert [(one.ending, one.reason) for one in outcomes] == [("unfinished", CUT_OFF)] * 3
        assert not run.complete

    def test_what_never_began_is_unfinished(self) -> None:
        told: list[ScenarioVerdict] = []
        with raw_server(drain) as url:
            run = Run(plan(url, jobs=1), [named(f"open-{number}", OPEN) for number in range(20)])
            run.start(told.append)
            run.stop()
        assert [one.outcome.ending for one in run.verdicts()] == ["unfinished"] * 20
        assert told == []

    def test_a_run_that_never_started(self) -> None:
        with Chat().serve() as url:
            run = Run(plan(url), [named("open", OPEN)])
        assert [one.verdict for one in run.verdicts()] == ["untested"]
        assert not run.complete

    def test_a_fault_of_ours_is_an_error_and_nobodys_failure(self) -> None:
        broken = replace(named("broken", OPEN), steps=(Step(object(), Charge(), "1"),))  # type: ignore[arg-type]
        with Chat().serve() as url:
            found = play_all(url, [broken, named("open", OPEN)])
        assert {name: one.verdict for name, one in found.items()} == {
            "broken": "error",
            "open": "passed",
        }
        assert str(found["broken"].outcome.reason).startswith("internal error in wsproof: KeyError")


def document_of(verdicts: list[ScenarioVerdict], **facts: Any) -> Any:
    given = RunFacts("0.1.0", "ws://example.test/", ("Chat", "1"), "2026-01-01T00:00:00.000Z", 1.5, **facts)
    return results_document(given, REQUIREMENTS, verdicts)


class TestDocument:
    def test_it_is_valid_and_holds_no_token(self) -> None:
        scenarios = [named("meet", MEET), named("lacking", OPEN, verifies=["JOIN-07"], needs=["missing_channel"])]
        scenarios += [named("must", OPEN, verifies=["JOIN-01"], needs=["missing_channel"])]
        profile = replace(PROFILE, channels=replace(PROFILE.channels, missing=None))
        with Chat().serve() as url:
            found = play_all(url, scenarios, profile=profile)
        document = document_of([*found.values()], settings={"jobs": 2})
        schema = compile_schema({"$ref": (DATA_ROOT / "schemas" / "results.schema.json").as_uri()})
        assert [str(error) for error in schema.iter_errors(document)] == []
        text = json.dumps(document)
        assert not [token for token in PROFILE.secrets() if token in text]
        assert document["verdict"] == "incomplete"

    def test_what_was_not_selected_does_not_count(self) -> None:
        with Chat().serve() as url:
            found = play_all(url, [named("meet", MEET)])
        document = document_of([*found.values()])
        assert document["verdict"] == "conformant"
        requirements = {one["id"]: one for one in document["requirements"]}
        shown = {name: (one["verdict"], one["selected"]) for name, one in requirements.items()}
        assert (shown["SEND-01"], shown["ENV-01"]) == (("passed", True), ("passed", False))
        assert shown["ERR-01"] == ("untested", False)
        assert requirements["ERR-01"]["reason"] == "no selected scenario verifies it"
        (clause,) = requirements["ENV-01"]["clauses"]
        assert (clause["applied"] > 0, clause["of"], clause["steps"]) == (True, "message", 0)
        (clause,) = requirements["SEND-01"]["clauses"]
        assert (clause["of"], clause["steps"]) == ("delivery", 3), "each enters, and one receives"

    def test_the_summary_counts_clauses(self) -> None:
        assert {count for counts in document_of([])["summary"].values() for count in counts.values()} == {0}
        everything = named("everything", OPEN, verifies=sorted(REQUIREMENTS))
        summary = document_of([charge_failures(unfinished(everything, "unfinished", CUT_OFF), (), REQUIREMENTS)])[
            "summary"
        ]
        clauses = [
            clause.level for one in REQUIREMENTS.values() if one.section.id != "CLIENT" for clause in one.clauses
        ]
        for level in ("MUST", "SHOULD", "MAY"):
            assert summary[level]["untested"] == clauses.count(level)
            assert sum(summary[level].values()) == clauses.count(level)


class TestChannels:
    def test_of_a_pattern(self) -> None:
        channels = Channels(load_profile(), 0)
        room, other = channels("room"), channels("other")
        assert room != other
        assert channels("room") == room
        assert room.startswith("wsproof-")
        assert Channels(load_profile(), 0)("room") != room

    def test_of_a_closed_list(self) -> None:
        overrides = {"channels": {"open": ["a", "b", "c"], "private": "p", "missing": "m-{nonce}"}}
        channels = Channels(load_profile(overrides=overrides), 2)
        assert [channels(name) for name in ("x", "y", "x", "private")] == ["c", "a", "c", "p"]
        assert channels("z") == "b"
        with pytest.raises(InconclusiveError) as caught:
            channels("one too many")
        assert caught.value.reason.code == "no-other-channel"
        assert "more channels than the 3 listed in the profile" in str(caught.value)
        assert channels("missing").startswith("m-")
        assert "{" not in channels("missing")


class TestSelection:
    SCENARIOS = bundled()

    @pytest.mark.parametrize("name", ["ERR", "err", "ERR-01", "err-01", "slow", "MUST", "should"])
    def test_names(self, name: str) -> None:
        chosen = select(self.SCENARIOS, REQUIREMENTS, [name])
        left = select(self.SCENARIOS, REQUIREMENTS, [], [name])
        assert 0 < len(chosen) < len(self.SCENARIOS)
        assert len(chosen) + len(left) == len(self.SCENARIOS)

    def test_an_id_and_one_variant(self) -> None:
        variant = next(one for one in self.SCENARIOS if "/" in one.id)
        base = variant.id.partition("/")[0]
        assert select(self.SCENARIOS, REQUIREMENTS, [variant.id]) == (variant,)
        assert variant in select(self.SCENARIOS, REQUIREMENTS, [base])

    @pytest.mark.parametrize(
        ("wanted", "unwanted", "message"),
        [
            (["ERR-1"], [], "--select ERR-1: no scenario has this id.*did you mean ERR-1"),
            (["join-2"], [], "--select join-2: .*did you mean JOIN-02"),
            (["musts"], [], "--select musts: .*did you mean MUST"),
            ([], ["slwo"], "--deselect slwo: no scenario has this id.*did you mean slow"),
            (["ERR"], ["ERR"], "--select ERR --deselect ERR: no scenarios are selected"),
            (["nonsense-at-all"], [], "--select nonsense-at-all: .* or tag$"),
        ],
    )
    def test_nothing(self, wanted: list[str], unwanted: list[str], message: str) -> None:
        with pytest.raises(SelectionError, match=message):
            select(self.SCENARIOS, REQUIREMENTS, wanted, unwanted)


def test_a_fault_of_the_conductor_ends_the_run_with_a_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Any, __: Any) -> None:
        raise ZeroDivisionError("no luck")

    monkeypatch.setattr("conformance.run.replays.Replays.confirmed", broken)
    with Chat().serve() as url:
        run = Run(plan(url), [named("open", OPEN), named("meet", MEET)])
        run.start()
        verdicts = {one.outcome.scenario.id: one for one in run.verdicts()}
    assert not run.complete
    assert {name: one.verdict for name, one in verdicts.items()} == {"open": "error", "meet": "passed"}
    assert verdicts["open"].outcome.reason == phrase("own-fault", error="ZeroDivisionError: no luck")
    assert run.fault == verdicts["open"].outcome.reason


def test_a_fault_in_the_thread_of_a_scenario_ends_the_run() -> None:
    def finished(_: ScenarioVerdict) -> None:
        raise ZeroDivisionError("no luck")

    with Chat().serve() as url:
        run = Run(plan(url, jobs=1), [named("open", OPEN), named("meet", MEET)])
        run.start(finished)
        verdicts = {one.outcome.scenario.id: one.verdict for one in run.verdicts()}
    assert not run.complete
    assert run.fault == phrase("own-fault", error="ZeroDivisionError: no luck")
    assert sorted(verdicts.values()) == ["error", "passed"]
