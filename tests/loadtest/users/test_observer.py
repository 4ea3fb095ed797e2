"""What is watched of one connection: a real context, and happenings by hand."""

import json
from dataclasses import replace
from typing import Any

import pytest

from conformance.transport.exchange import Refused
from contract.findings import phrase
from loadtest.judge.judge import Judged
from loadtest.settings.settings import LoadSettings
from loadtest.users.load_context import MAX_SESSIONS, LoadContext
from loadtest.users.observer import Observer
from tests.loadtest.reactor import SelectorReactor

TOKEN = "a-token-of-sixteen-characters"
VALUES: dict[str, Any] = {"heartbeat.interval": 1.0, "heartbeat.timeout": 4.0}


class Watched:
    """One connection that was opened at second 100."""

    def __init__(self, url: str, **values: Any) -> None:
        settings = LoadSettings(url, 1, 1, 600.0, "", overrides={**VALUES, **values})
        self.context = LoadContext(settings, SelectorReactor())
        self.stalls: list[tuple[float, float]] = []
        self.context.judge.stalled_since = lambda since: sum(
            max(end - max(begin, since), 0.0) for begin, end in self.stalls
        )
        self.observer = Observer(self.context, "1", TOKEN)

    def open(self, session: str = "s-1") -> "Watched":
        self.observer.opened(100.0)
        self.observer.acknowledged({"event": "connection_ack", "payload": {"sessionId": session}}, 100.1)
        return self

    def error(self, code: str, about: str | None = None, *, turned_away: bool = False) -> str | None:
        payload = {"code": code, "message": "no", **({"originalEvent": about} if about else {})}
        return self.observer.errored({"event": "error", "payload": payload}, 101.0, turned_away=turned_away)

    def taken(self) -> Judged:
        return self.context.judge.take(0.0)

    def found(self) -> set[str]:
        """The requirements that are charged."""
        return {json.loads(key)["requirement"] for key in self.taken().findings}


@pytest.fixture
def watched(url: str) -> Watched:
    return Watched(url)


def refusal(status: int | None, problem: Any = "status", *headers: tuple[str, str]) -> Refused:
    return Refused(101.0, "user", problem, status, headers, b"", phrase("handshake-unanswered"))


@pytest.mark.parametrize(
    ("refused", "charged", "shed"),
    [
        (refusal(500), {"CONN-01"}, {}),
        (refusal(403), {"CONN-01"}, {}),
        (refusal(None, "lost"), {"CONN-01"}, {}),
        (refusal(101, "accept"), {"CONN-07"}, {}),
        (refusal(101, "negotiation"), {"CONN-07"}, {}),
        (refusal(503), set(), {"HTTP 503": 1}),
        (refusal(429), set(), {"HTTP 429": 1}),
        (refusal(500, "status", ("Retry-After", "2")), set(), {"HTTP 500": 1}),
    ],
)
def test_refused_handshakes(watched: Watched, refused: Refused, charged: set[str], shed: dict[str, int]) -> None:
    watched.observer.refused(refused, 100.0)
    taken = watched.taken()
    assert {json.loads(key)["requirement"] for key in taken.findings} == charged
    assert taken.shed == shed


def test_the_acknowledgement(watched: Watched) -> None:
    watched.open()
    assert watched.found() == set()
    watched.open()
    assert watched.found() == {"CONN-05"}
    again = Observer(watched.context, "2", TOKEN)
    again.heard = True
    again.acknowledged({"payload": {"sessionId": "s-1"}}, 102.0)
    assert watched.found() == {"CONN-04", "CONN-06"}


def test_as_many_sessions_are_remembered_as_users_have_and_no_more_than_a_bound(watched: Watched) -> None:
    context = watched.context
    assert all(context.new_session(f"s-{number}") for number in range(MAX_SESSIONS + 100))
    assert len(context._sessions) == MAX_SESSIONS
    assert not context.new_session("s-100")
    assert context.new_session("s-99")
    context.settings = replace(context.settings, users=MAX_SESSIONS)
    assert all(context.new_session(f"t-{number}") for number in range(MAX_SESSIONS))
    assert not context.new_session("s-101")


def test_two_empty_sessions_are_another_checks(watched: Watched) -> None:
    for name in "12":
        Observer(watched.context, name, TOKEN).acknowledged({"payload": {"sessionId": ""}}, 100.0)
    assert watched.found() == set()


def test_a_token_is_looked_for_if_it_is_long(watched: Watched) -> None:
    watched.observer.opened(100.0)
    assert watched.taken().chances["secret-echo"] == 1
    Observer(watched.context, "2", "short").opened(100.0)
    assert "secret-echo" not in watched.taken().chances


@pytest.mark.parametrize(
    ("numbers", "charged"),
    [
        ([5, 6, 7], set()),
        ([5, 6, 6], {"ENV-04"}),
        ([5, 6, 4], {"ENV-04"}),
        ([5, 7], {"ENV-05"}),
        ([5, None, 7], set()),
        ([5, None, 7, 9], {"ENV-05"}),
    ],
)
def test_numbers(watched: Watched, numbers: list[int | None], charged: set[str]) -> None:
    for number in numbers:
        if number is None:
            watched.observer.unreadable()
        elif not watched.observer.expects(number):
            watched.observer.numbered(number, 101.0)
    assert watched.found() == charged


# Heartbeats


@pytest.mark.parametrize(
    ("beats", "charged"),
    [
        ([101.1, 102.1, 103.1], set()),
        ([100.2, 101.2], set()),  # the first one may be early
        ([101.1, 102.0, 103.15], set()),
        ([101.1, 101.7], {"HB-01"}),
        ([101.1, 102.5], {"HB-01"}),
        ([101.4], {"HB-01"}),
    ],
)
def test_heartbeats_and_their_tolerance(watched: Watched, beats: list[float], charged: set[str]) -> None:
    watched.open()
    for t in beats:
        watched.observer.beat(t)
    assert watched.found() == charged


def test_a_stall_moves_heartbeats(watched: Watched) -> None:
    watched.open()
    watched.stalls = [(101.0, 101.7)]
    for t in (101.7, 102.1):
        watched.observer.beat(t)
    taken = watched.taken()
    assert (taken.findings, taken.undecided) == ({}, {"heartbeat-period": 2})


@pytest.mark.parametrize(("ended", "charged"), [(102.2, set()), (103.0, {"HB-01"})])
def test_heartbeats_that_stopped_before_the_end(watched: Watched, ended: float, charged: set[str]) -> None:
    watched.open().observer.beat(101.1)
    watched.observer.over(ended, reading=True)
    assert watched.found() == charged


def test_no_heartbeats_where_there_are_none(url: str) -> None:
    watched = Watched(url, **{"heartbeat.form": "none"}).open()
    watched.observer.over(500.0, reading=True)
    assert watched.found() == set()


# Errors


@pytest.mark.parametrize(
    ("about", "charged"),
    [("send_message", "SEND-01"), ("join_channel", "JOIN-01"), ("pong", "HB-05"), (None, "ERR-08")],
)
def test_errors_that_nobody_provoked(watched: Watched, about: str | None, charged: str) -> None:
    assert watched.error("INTERNAL_ERROR", about) == about
    assert watched.found() == {charged}


def test_a_code_that_the_contract_does_not_name(watched: Watched) -> None:
    watched.error("E_7", "send_message")
    assert watched.found() == {"SEND-01", "ERR-09"}


def test_load_that_is_shed_by_errors(watched: Watched) -> None:
    watched.error("RATE_LIMITED", "send_message")
    taken = watched.taken()
    assert (taken.findings, taken.shed) == ({}, {"RATE_LIMITED": 1})


def test_a_post_after_a_join_that_was_refused_for_load(watched: Watched) -> None:
    watched.error("NOT_JOINED", "send_message", turned_away=True)
    assert watched.found() == set()


# The end


@pytest.mark.parametrize(
    ("code", "charged", "shed"),
    [
        (1011, {"HB-03"}, {}),
        (4408, {"HB-03"}, {}),
        (None, {"HB-03"}, {}),
        (4429, set(), {"4429": 1}),
        (4401, set(), {}),
    ],
)
def test_ends_that_nobody_asked_for(
    watched: Watched, code: int | None, charged: set[str], shed: dict[str, int]
) -> None:
    watched.open().observer.ended(code, phrase("tcp-eof"), 101.0, None)
    taken = watched.taken()
    assert {json.loads(key)["requirement"] for key in taken.findings} == charged
    assert taken.shed == shed


def test_an_end_before_the_acknowledgement(watched: Watched) -> None:
    watched.observer.opened(100.0)
    watched.observer.ended(1011, phrase("tcp-eof"), 100.2, None)
    assert watched.found() == {"CONN-02"}


def test_an_illegal_close_frame_is_no_message_and_no_broken_heartbeat(watched: Watched) -> None:
    """As in a check: it breaks CLOSE-02 alone. What is wrong in another frame breaks ENV-01."""
    violation = phrase("frame-close")
    watched.open().observer.closed(1005, legal=False, t=101.0)
    watched.observer.ended(1005, violation, 101.0, violation)
    assert watched.found() == {"CLOSE-02"}
    watched.observer.ended(None, violation, 101.0, phrase("frame-masked"))
    assert watched.found() == {"ENV-01"}


@pytest.mark.parametrize(("stalled", "charged"), [(1.9, {"HB-03"}), (2.1, set())])
def test_a_user_who_was_stalled_for_half_the_time_may_not_have_answered(
    watched: Watched, stalled: float, charged: set[str]
) -> None:
    watched.open().observer.beat(101.1)
    watched.stalls = [(102.0, 102.0 + stalled)]
    watched.observer.ended(4408, phrase("tcp-eof"), 106.0, None)
    assert watched.found() == charged


def test_the_closing_handshake(watched: Watched) -> None:
    watched.observer.answered(1000, 105.0, 105.1, reset=False)
    watched.observer.answered(None, 105.0, 105.1, reset=True)  # it may have overtaken the frame
    assert watched.found() == set()
    watched.observer.answered(None, 105.0, 105.1, reset=False)
    assert watched.found() == {"CLOSE-01"}
    watched.observer.never_answered(105.0, 110.0)
    assert watched.found() == {"CLOSE-01"}
    watched.observer.closed(1005, legal=False, t=105.0)
    assert watched.found() == {"CLOSE-02"}


@pytest.mark.parametrize(("latency", "charged"), [(5.6, {"SEND-01"}), (5.2, set())])
def test_a_late_delivery_counts_without_the_time_that_the_generator_stood_still(
    watched: Watched, latency: float, charged: set[str]
) -> None:
    """Of 5.2 s, of which it stood still for 0.3 s, it took less than the response timeout of 5 s."""
    watched.stalls = [(101.0, 101.3)]
    watched.observer.late(latency, 100.0 + latency)
    assert watched.found() == charged
