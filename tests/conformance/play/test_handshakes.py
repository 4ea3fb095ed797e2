"""A refusal shows something only between two good tokens that were accepted; and handshakes slow down for load."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import pytest

from conformance.language.scenario import Scenario
from conformance.play.admission import (
    BAD_ATTEMPTS,
    FIRST_SECONDS,
    GOOD_SECONDS,
    MOST_RETRY_AFTER,
    MOST_SECONDS,
    SHORTER,
    Admission,
    retry_after,
)
from conformance.play.engine import Outcome, play
from conformance.transport.exchange import Problem, Refused
from conformance.transport.sockets import Transport
from conformance.transport.target import resolve
from contract.choices import Auth, Where
from contract.findings import Phrase, phrase
from tests.bundled import load_profile
from tests.conformance.driver import CONNECT, DEFAULTS, START, played, scenario, setting_of
from tests.conformance.pair import server_frame
from tests.conformance.servers import PATIENCE, accept, drain, raw_server, read_request, reset

GOOD = b"alice-token"
SCALE = 0.03
"""The ten seconds for which a good handshake is tried are a third of a second then."""

BAD = scenario(
    {"connect": {"actor": "alice", "token": "invalid", "accepted": False}},
    {
        "expect_refusal": {"actor": "alice", "statuses": [401, 403], "codes": ["policy"], "graded": "AUTH-04"},
        "requirement": "AUTH-02",
    },
    verifies=["AUTH-02", "AUTH-04"],
)

Answer = Callable[[socket.socket, bytes], None]


def http(status: int, *headers: str) -> Answer:
    """Answer with a status."""

    def answer(connection: socket.socket, _: bytes) -> None:
        head = "\r\n".join((f"HTTP/1.1 {status} Because", "Content-Length: 0", *headers))
        connection.sendall(f"{head}\r\n\r\n".encode())
        drain(connection)

    return answer


def acknowledge(connection: socket.socket, request: bytes) -> None:
    """Accept the handshake, and say so."""
    if accept(connection, request):
        connection.sendall(server_frame(1, b'{"event": "connection_ack", "payload": {"sessionId": "s"}}'))
        drain(connection)


def lose(connection: socket.socket, _: bytes) -> None:
    reset(connection)


@dataclass
class Edge:
    """What stands before an endpoint: answers good and bad tokens, in the order in which they come."""

    good: Callable[[int], Answer]
    bad: Callable[[int], Answer]
    seen: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def serve(self) -> Iterator[str]:
        with raw_server(self.talk) as url:
            yield url

    def talk(self, connection: socket.socket) -> None:
        request = read_request(connection)
        if not request:
            return
        kind = "good" if GOOD in request else "bad"
        with self.lock:
            number = self.seen.count(kind)
            self.seen.append(kind)
        (self.good if kind == "good" else self.bad)(number)(connection, request)


def always(answer: Answer) -> Callable[[int], Answer]:
    return lambda _: answer


def outcome_of(edge: Edge, one: Scenario = BAD, time_scale: float = 1.0) -> Outcome:
    with edge.serve() as url:
        target = resolve(url)
        profile = replace(load_profile(), ack_timeout=PATIENCE / time_scale, response_timeout=PATIENCE / time_scale)
        setting = replace(setting_of(profile, time_scale), target=target.path)
        return Transport(target).run(play(one, setting))


def charges(outcome: Outcome) -> list[str]:
    return [name for one in outcome.failures for name in one.charge.requirements]


class TestControls:
    @pytest.mark.parametrize(("status", "charged"), [(401, []), (403, []), (500, ["AUTH-04"])])
    def test_only_the_bad_one_is_refused(self, status: int, charged: list[str]) -> None:
        edge = Edge(always(acknowledge), always(http(status)))
        outcome = outcome_of(edge)
        assert (outcome.ending, charges(outcome)) == ("finished", charged)
        assert edge.seen == ["good", "bad", "good"]
        assert outcome.reached == {("AUTH-02", None): 1, ("AUTH-04", None): 1}

    @pytest.mark.parametrize("status", [429, 502, 503, 504])
    def test_a_status_that_speaks_of_load_where_only_the_bad_one_gets_it(self, status: int) -> None:
        """Then it is that of a refusal, and the wrong one: a good token behind each attempt shows it."""
        edge = Edge(always(acknowledge), always(http(status)))
        outcome = outcome_of(edge, time_scale=SCALE * 10)
        assert (outcome.ending, charges(outcome)) == ("finished", ["AUTH-04"])
        assert edge.seen == ["good", *["bad", "good"] * BAD_ATTEMPTS, "good"]

    @pytest.mark.parametrize("status", [429, 502, 503, 504])
    def test_everybody_is_refused_for_load(self, status: int) -> None:
        """An edge in front of a server that accepts every token."""
        edge = Edge(always(http(status)), always(http(status)))
        outcome = outcome_of(edge, time_scale=SCALE)
        assert (outcome.ending, charges(outcome), outcome.disturbed) == ("inconclusive", [], True)
        answer = phrase("answer-status", status=status, reason="Because")
        assert outcome.reason == phrase("not-controlled", answer=phrase("handshake-refused-with", answer=answer))
        assert outcome.reached == {}

    def test_everybody_is_refused(self) -> None:
        outcome = outcome_of(Edge(always(http(401)), always(http(401))))
        assert (outcome.ending, charges(outcome)) == ("inconclusive", [])

    def test_good_ones_are_refused_afterwards(self) -> None:
        edge = Edge(lambda number: http(401) if number else acknowledge, always(http(401)))
        outcome = outcome_of(edge)
        assert (outcome.ending, charges(outcome), outcome.disturbed) == ("inconclusive", [], True)

    def test_load_that_passes_leaves_it_decided(self) -> None:
        """The control, and the refusal, are asked for again until there is an answer."""
        busy = http(503)
        edge = Edge(
            lambda number: acknowledge if number in (1, 3) else busy, lambda number: http(401) if number else busy
        )
        outcome = outcome_of(edge)
        assert (outcome.ending, charges(outcome)) == ("finished", [])
        assert edge.seen == ["good", "good", "bad", "good", "bad", "good"]

    def test_a_lost_connection_is_no_refusal(self) -> None:
        outcome = outcome_of(Edge(always(acknowledge), always(lose)))
        assert (outcome.ending, charges(outcome), outcome.disturbed) == ("inconclusive", [], True)
        assert isinstance(outcome.reason, Phrase)
        assert outcome.reason.code == "lost-handshake"

    def test_a_bad_token_that_is_accepted_convicts_at_once(self) -> None:
        edge = Edge(lambda number: http(503), always(acknowledge))
        outcome = outcome_of(edge, time_scale=SCALE)
        assert (outcome.ending, charges(outcome)) == ("stopped", ["AUTH-02"])

    def test_the_control_carries_the_actors_own_token(self) -> None:
        edge = Edge(always(acknowledge), always(http(401)))
        bob = scenario(
            {"connect": {"actor": "x", "token": "invalid", "accepted": False}},
            {"expect_refusal": {"actor": "x", "statuses": [401]}, "requirement": "AUTH-02"},
            actors={"x": "bob"},
        )
        outcome = outcome_of(edge, bob)
        assert edge.seen == ["bad", "bad"], "the edge knows Alice alone"
        assert (outcome.ending, charges(outcome)) == ("inconclusive", [])


@pytest.mark.parametrize(("where", "token"), [("header", " padded"), ("cookie", "é"), ("subprotocol", "a b")])
def test_a_token_that_cannot_travel_shows_nothing(where: Where, token: str) -> None:
    profile = replace(DEFAULTS, auth=Auth(where, "access_token"))
    result = played(scenario({"connect": {"actor": "alice", "token_text": token, "accepted": False}}), profile=profile)
    assert (result.outcome.ending, len(result.actions)) == ("inconclusive", 0)
    assert result.outcome.reason == phrase("token-not-carried", where=where)


class TestGood:
    """Handshakes that must be accepted."""

    ONE = scenario(CONNECT)

    def test_load_that_passes_is_waited_out(self) -> None:
        edge = Edge(lambda number: acknowledge if number == 3 else http(503), always(acknowledge))
        outcome = outcome_of(edge, self.ONE)
        assert (outcome.ending, charges(outcome)) == ("finished", [])
        assert len(edge.seen) == 4

    def test_load_that_stays_is_a_refusal_and_no_accident(self) -> None:
        outcome = outcome_of(Edge(always(http(503)), always(acknowledge)), self.ONE, time_scale=SCALE)
        (failure,) = outcome.failures
        assert (failure.charge.requirements, failure.absent) == (("CONN-01",), None)
        assert failure.message == phrase("handshake-refused")
        assert failure.received == phrase("answer-status", status=503, reason="Because")

    @pytest.mark.parametrize("status", [401, 404, 500])
    def test_another_refusal_is_not_asked_for_again(self, status: int) -> None:
        edge = Edge(always(http(status)), always(acknowledge))
        (failure,) = outcome_of(edge, self.ONE).failures
        assert (failure.charge.requirements, failure.absent) == (("CONN-01",), "refused")
        assert edge.seen == ["good"]

    @pytest.mark.parametrize("problem", ["status", "lost", "unreachable", "not-listening"])
    def test_how_long_on_a_fake_clock(self, problem: Problem) -> None:
        """Ten seconds of refusals for load; what is lost once, is lost."""
        status = 503 if problem == "status" else None

        def refuse(action: Any, now: float) -> Any:
            if hasattr(action, "request"):
                yield Refused(now, action.actor, problem, status, (), b"", phrase("answer-wrong"))

        result = played(self.ONE, accept=False, reply=refuse)
        assert result.charges() == [(("CONN-01",), None)]
        if problem == "status":
            assert GOOD_SECONDS < result.outcome.duration < GOOD_SECONDS + 2 * MOST_SECONDS
        else:
            assert result.outcome.duration == 0.0


class TestRetryAfter:
    @pytest.mark.parametrize(
        ("status", "headers", "seconds"),
        [
            (429, (), 0.0),
            (502, (), 0.0),
            (503, (), 0.0),
            (504, (), 0.0),
            (503, (("Retry-After", "1"),), 1.0),
            (503, (("retry-after", " 1 "),), 1.0),
            (503, (("Retry-After", "3600"),), MOST_RETRY_AFTER),
            (503, (("Retry-After", "9" * 5_000),), 0.0),
            (503, (("Retry-After", "Wed, 21 Oct 2015 07:28:00 GMT"),), 0.0),
            (503, (("Retry-After", "-1"),), 0.0),
            (503, (("Retry-After", "²"),), 0.0),
            (403, (("Retry-After", "1"),), 1.0),
            (401, (), None),
            (500, (), None),
            (426, (), None),
            (101, (("Retry-After", "1"),), None),
            (None, (), None),
        ],
    )
    def test_what_speaks_of_load(
        self, status: int | None, headers: tuple[tuple[str, str], ...], seconds: float | None
    ) -> None:
        refused = Refused(START, "alice", "status", status, headers, b"", phrase("answer-wrong"))
        assert retry_after(refused) == seconds

    def test_no_answer_does_not(self) -> None:
        assert retry_after(None) is None


class TestAdmission:
    def turns(self, admission: Admission, count: int, now: float = START) -> list[float]:
        return [admission.turn(now) for _ in range(count)]

    def gaps(self, admission: Admission, now: float = START) -> list[float]:
        return [round(after - before, 6) for before, after in pairwise(self.turns(admission, 4, now))]

    def test_nobody_waits_for_his_turn_without_load(self) -> None:
        assert self.turns(Admission(), 5) == [START] * 5

    def test_one_answer_spaces_all_handshakes(self) -> None:
        admission = Admission()
        admission.overloaded(START, 0.0)
        assert admission.turn(START) == pytest.approx(START + FIRST_SECONDS)
        assert self.gaps(admission) == [FIRST_SECONDS] * 3

    def test_each_answer_doubles_the_space_to_a_bound(self) -> None:
        admission = Admission()
        found = []
        for number in range(6):
            admission.overloaded(START + number, 0.0)
            found.append(self.gaps(admission)[0])
        assert found == [min(FIRST_SECONDS * 2**power, MOST_SECONDS) for power in range(6)]

    def test_answers_to_handshakes_that_were_on_their_way_count_once(self) -> None:
        admission = Admission()
        for _ in range(16):
            admission.overloaded(START, 0.0)
        assert self.gaps(admission) == [FIRST_SECONDS] * 3

    def test_what_was_asked_for_is_heeded(self) -> None:
        admission = Admission()
        admission.overloaded(START, 2.0)
        assert self.turns(admission, 2) == [START + 2.0, START + 2.0 + FIRST_SECONDS]

    def test_a_later_answer_takes_nothing_back(self) -> None:
        admission = Admission()
        admission.overloaded(START, 2.0)
        admission.overloaded(START, 0.0)
        assert admission.turn(START) == START + 2.0

    def test_who_comes_later_has_his_turn_at_once(self) -> None:
        admission = Admission()
        admission.overloaded(START, 0.0)
        assert admission.turn(START + 10) == START + 10

    def test_accepted_handshakes_make_it_fast_again(self) -> None:
        admission = Admission()
        for number in range(10):
            admission.overloaded(START + number, 0.0)
        for _ in range(400):
            admission.accepted()
        assert self.turns(admission, 3, START + 100) == [START + 100] * 3

    def test_one_of_them_does_not_yet(self) -> None:
        admission = Admission()
        for number in range(10):
            admission.overloaded(START + number, 0.0)
        admission.accepted()
        assert self.gaps(admission)[0] == pytest.approx(SHORTER * MOST_SECONDS)
