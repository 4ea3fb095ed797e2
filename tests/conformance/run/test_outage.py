"""The signs that an endpoint has died, or has ended everybody's connection, and what is none."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, ClassVar

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

from conformance.language.scenario import Scenario
from conformance.play.outage import (
    CANDIDATES,
    CROWD,
    MOMENT,
    PHANTOMS,
    RECENT,
    SHOWN,
    Trip,
    Watch,
    outage,
    solved,
)
from conformance.run.run import Run
from contract.findings import Phrase, phrase
from tests.conformance.chat import Chat
from tests.conformance.run.test_run import OPEN, named, plan
from tests.conformance.servers import PATIENCE, port_of

T = 100.0
"""When it happens."""


def crowd(count: int = CROWD) -> list[str]:
    return [f"s-{number}" for number in range(count)]


def connected(*names: str, at: float = T - 10) -> Watch:
    watch = Watch()
    for name in names:
        watch.began(name)
        watch.opened(name, 1, at)
    return watch


def tripped(watch: Watch) -> Trip:
    assert watch.trip is not None
    return watch.trip


class TestRefused:
    """TCP refuses a connection: nobody listens."""

    def test_it_has_stopped(self) -> None:
        watch = connected("a")
        watch.refused(T)
        assert watch.trip == Trip("stopped", T, T, (), ("a",))

    def test_it_stopped_when_the_first_connection_ended(self) -> None:
        watch = connected("a", "b")
        watch.ended("a", 1, T - 0.2)
        watch.ended("b", 1, T - 0.1)
        watch.refused(T)
        assert (tripped(watch).since, tripped(watch).at) == (T - 0.2, T)

    def test_an_end_of_long_ago_was_another_one(self) -> None:
        watch = connected("a")
        watch.ended("a", 1, T - RECENT - 0.1)
        watch.refused(T)
        assert tripped(watch).at == T

    def test_the_first_sign_holds(self) -> None:
        watch = connected("a")
        watch.refused(T)
        watch.refused(T + 1)
        assert tripped(watch).at == T

    def test_that_nobody_listens_says_more_than_that_all_have_ended(self) -> None:
        watch = connected(*crowd())
        for name in crowd():
            watch.ended(name, 1, T)
        assert tripped(watch).kind == "dropped"
        watch.refused(T + 0.1)
        assert (tripped(watch).kind, tripped(watch).since) == ("stopped", T)


class TestDropped:
    """Connections on which nothing unusual was done end at once."""

    def test_a_crowd(self) -> None:
        watch = connected(*crowd())
        for number, name in enumerate(crowd()):
            assert watch.trip is None
            watch.ended(name, 1, T + number * MOMENT / CROWD)
        assert (tripped(watch).kind, tripped(watch).since) == ("dropped", T)
        assert tripped(watch).playing == tuple(crowd())

    def test_too_few(self) -> None:
        watch = connected(*crowd(CROWD - 1))
        for name in crowd(CROWD - 1):
            watch.ended(name, 1, T)
        assert watch.trip is None

    def test_many_connections_of_one_scenario_are_no_crowd(self) -> None:
        watch = Watch()
        for number in range(2 * CROWD):
            watch.opened("a", number, T - 1)
        for number in range(2 * CROWD):
            watch.ended("a", number, T)
        assert watch.trip is None

    def test_one_after_the_other(self) -> None:
        watch = connected(*crowd())
        for number, name in enumerate(crowd()):
            watch.ended(name, 1, T + number * (MOMENT + 0.1))
        assert watch.trip is None

    def test_one_that_lives_on(self) -> None:
        watch = connected(*crowd(), "survivor")
        for name in crowd():
            watch.ended(name, 1, T)
        assert watch.trip is None

    def test_one_that_came_after_it_is_no_survivor(self) -> None:
        watch = connected(*crowd())
        watch.opened("late", 1, T + 0.01)
        for number, name in enumerate(crowd()):
            watch.ended(name, 1, T + 0.02 * number)
        assert tripped(watch).kind == "dropped"

    def test_one_that_is_over_is_no_survivor(self) -> None:
        watch = connected(*crowd(), "over")
        watch.over("over")
        for name in crowd():
            watch.ended(name, 1, T)
        assert tripped(watch).playing == tuple(crowd())

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda watch, name: watch.unusual(name, 1),
            lambda watch, name: watch.over(name),
            lambda watch, name: watch.ended(name, 1, T - 5),
        ],
    )
    def test_an_end_that_may_have_another_cause_is_no_sign(self, spoil: Callable[[Watch, str], None]) -> None:
        watch = connected(*crowd())
        spoil(watch, crowd()[0])
        for name in crowd():
            watch.ended(name, 1, T)
        assert watch.trip is None

    def test_a_close_frame_and_the_end_of_tcp_are_one_end(self) -> None:
        watch = connected(*crowd(CROWD - 1))
        for name in crowd(CROWD - 1):
            watch.ended(name, 1, T)
            watch.ended(name, 1, T + 0.01)
        assert watch.trip is None

    def test_a_connection_that_nobody_knows(self) -> None:
        watch = Watch()
        for name in crowd():
            watch.ended(name, 1, T)
        assert watch.trip is None


class TestSenders:
    """Who sent something last is the likeliest culprit."""

    def senders(self, **sent: float) -> tuple[str, ...]:
        watch = connected("a")
        for name, at in sent.items():
            watch.sent(name, at)
        watch.refused(T)
        return tripped(watch).senders

    def test_the_last_one_first(self) -> None:
        assert self.senders(a=T - 0.3, b=T - 0.1, c=T - 0.2) == ("b", "c", "a")

    def test_only_recent_ones(self) -> None:
        assert self.senders(a=T - RECENT - 0.01, b=T - RECENT + 0.01) == ("b",)

    def test_what_was_sent_after_it_comes_last(self) -> None:
        """It cannot have been the cause, as far as clocks can tell."""
        assert self.senders(a=T - 0.5, b=T + 0.2, c=T - 0.1) == ("c", "a", "b")

    def test_what_was_sent_after_the_first_end_comes_last(self) -> None:
        """An endpoint that is gone is often noticed late, by a refused connection."""
        watch = connected("a", "b")
        for name, at in {"culprit": T - 0.31, "c": T - 0.2, "d": T - 0.1}.items():
            watch.sent(name, at)
        watch.ended("a", 1, T - 0.3)
        watch.refused(T)
        assert tripped(watch).senders == ("culprit", "d", "c")

    def test_what_was_sent_long_after_it_does_not_come_at_all(self) -> None:
        assert self.senders(a=T + MOMENT + 0.1) == ()

    def test_the_last_thing_that_was_sent_counts(self) -> None:
        watch = connected("a")
        watch.sent("a", T - 0.9)
        watch.sent("b", T - 0.5)
        watch.sent("a", T - 0.1)
        watch.refused(T)
        assert tripped(watch).senders == ("a", "b")

    def test_they_are_bounded(self) -> None:
        found = self.senders(**{f"s{number}": T - 0.001 * number for number in range(2 * CANDIDATES)})
        assert found == tuple(f"s{number}" for number in range(CANDIDATES))


class TestReset:
    def drop(self, watch: Watch) -> None:
        for name in crowd():
            watch.opened(name, 1, T - 1)
        for name in crowd():
            watch.ended(name, 1, T)

    def test_it_begins_anew(self) -> None:
        watch = connected(*crowd())
        watch.sent("a", T)
        self.drop(watch)
        watch.reset()
        assert watch.trip is None
        watch.ended("a", 1, T)
        assert watch.trip is None, "its connections are forgotten"
        watch.refused(T)
        assert watch.trip == Trip("stopped", T, T, (), tuple(crowd()))

    def test_phantoms_wear_the_sign_out(self) -> None:
        """A server that ends connections in crowds for reasons of its own."""
        watch = Watch()
        for _ in range(PHANTOMS):
            self.drop(watch)
            assert tripped(watch).kind == "dropped"
            watch.reset(phantom=True)
        self.drop(watch)
        assert watch.trip is None
        watch.refused(T)
        assert tripped(watch).kind == "stopped"

    def test_real_ones_do_not(self) -> None:
        watch = Watch()
        for _ in range(2 * PHANTOMS):
            self.drop(watch)
            assert tripped(watch).kind == "dropped"
            watch.reset()


class TestOutage:
    TRIP = Trip("stopped", T, T, tuple(f"s-{number}" for number in range(2 * SHOWN)), ("a", "b"))

    def test_what_is_known_at_once(self) -> None:
        known = outage(self.TRIP, T - 3.5, self.TRIP.senders)
        assert (known.at, known.kind, known.playing, known.back_after, known.culprit) == (
            3.5,
            "stopped",
            ("a", "b"),
            None,
            None,
        )
        assert known.suspected == self.TRIP.senders[:SHOWN]
        assert outage(self.TRIP, T + 1, ()).at == 0.0

    def test_who_is_convicted_frees_the_suspected(self) -> None:
        known = solved(outage(self.TRIP, T, self.TRIP.senders), "s-1")
        assert (known.culprit, known.suspected) == ("s-1", ())


class TestRun:
    """The same over sockets: the culprit is found, and nobody else is blamed."""

    KILL: ClassVar[list[Any]] = [
        {"call": "open", "with": {"actor": "bob"}},
        {"call": "provoke", "with": {"actor": "bob"}},
    ]

    def scenarios(self, stay: float = 3.0) -> list[Scenario]:
        """Six that stay open for so many seconds, and the culprit."""
        steps = [
            *OPEN,
            {"expect_open": {"actor": "alice", "for": stay}, "requirement": "HB-03"},
            {"close": {"actor": "alice"}},
        ]
        killer = named("killer", self.KILL, verifies=["ERR-04"])
        return [*(named(f"stay-{number}", steps, verifies=["HB-03"]) for number in range(6)), killer]

    def test_a_message_that_ends_everybodys_connection(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("conformance.play.outage.MOMENT", PATIENCE)  # however busy this machine is
        with Deadly().serve() as url:
            run = Run(plan(url, jobs=8), self.scenarios())
            run.start()
            found = {one.outcome.scenario.id: one for one in run.verdicts()}
        reasons = {name: str(one.outcome.reason) for name, one in found.items()}
        assert {name: one.verdict for name, one in found.items() if name != "killer"} == dict.fromkeys(
            [f"stay-{number}" for number in range(6)], "passed"
        ), reasons
        assert {one.requirement for one in found["killer"].charged} == {"ERR-04"}
        (charged,) = found["killer"].charged
        assert phrase("ended-everybody") in parts(charged.failure.message)
        (known,) = run.outages
        assert (known.kind, known.culprit, known.back_after, known.suspected) == ("dropped", "killer", 0.0, ())
        assert run.complete

    def test_an_endpoint_that_stays_away(self) -> None:
        """Nothing is charged; candidates are suspected, and what was not played is untested with that reason."""
        with Deadly(for_good=True).serve() as url:
            run = Run(plan(url, jobs=8, time_scale=0.1), self.scenarios(stay=300.0))
            run.start()
            found = run.verdicts()
        assert [one.charged for one in found] == [()] * 7
        assert {one.verdict for one in found} <= {"untested", "inconclusive"}
        (known,) = run.outages
        assert (known.kind, known.culprit, known.back_after) == ("stopped", None, None), known
        assert "killer" in known.suspected
        assert any(one.outcome.reason == phrase("not-played-away") for one in found)


def parts(message: Phrase) -> list[Any]:
    """What a message says, where it says several things."""
    items = message.params.get("items")
    return [*items] if message.code == "and" and isinstance(items, tuple) else [message]


class Deadly(Chat):
    """Ends all connections on an event that it does not know; `for_good`: and takes no more.

    Bob is acknowledged once six others are there, the first time.
    """

    def __init__(self, *, for_good: bool = False) -> None:
        self.arrived = threading.Semaphore(0)
        self.expected = 6
        self.for_good = for_good
        self.server: Server | None = None
        super().__init__(before_ack=self.arrived.release)

    @contextmanager
    def serve(self) -> Iterator[str]:
        with serve(self.handle, "127.0.0.1", 0, close_timeout=PATIENCE) as self.server:
            thread = threading.Thread(target=self.server.serve_forever)
            thread.start()
            try:
                yield f"ws://127.0.0.1:{port_of(self.server)}/v1/socket"
            finally:
                self.server.shutdown()
                thread.join()

    def handle(self, connection: ServerConnection) -> None:
        if connection.request is not None and "bob-token" in connection.request.path:
            for _ in range(self.expected):
                self.arrived.acquire(timeout=PATIENCE)
            self.expected = 0
        with suppress(ConnectionClosed):
            super().handle(connection)

    def obey(self, connection: ServerConnection, message: Any, author: Any) -> None:
        if message["event"] != "wsproof_no_such_event":
            super().obey(connection, message, author)
            return
        if self.for_good and self.server is not None:
            self.server.socket.shutdown(socket.SHUT_RDWR)
        with self.lock:
            for one in self.connections:
                with suppress(OSError):
                    one.socket.shutdown(socket.SHUT_RDWR)
