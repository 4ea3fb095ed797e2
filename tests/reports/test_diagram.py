"""Sequence diagrams: what has a row, where, and that they stay small."""

from itertools import pairwise
from typing import Any

import pytest

from contract.findings import Phrase, phrase, texts
from reports.check.diagram import HEAD_EVENTS, MAX_ACTORS, TAIL_EVENTS, Diagram, diagram
from reports.check.failure_location import MAX_SHOWN, place
from reports.formats import html
from tests.reports.builder import HOSTILE, event, failure, results, scenario
from tests.reports.page import Page

ACK = event(0.004, "in", "message", event="connection_ack", data='{"event":"connection_ack","payload":{"n":1}}')
EXCHANGE = [
    event(0.001, "out", "handshake", data="GET /v1/socket"),
    event(0.002, "in", "handshake", data="101 Switching Protocols"),
    ACK,
    event(0.005, "out", "message", event="join_channel", data="{}"),
    event(5.005, "none", "timeout", data="no new_message in time"),
    event(5.005, "none", "note", data="no error arrived within 5 s"),
    event(5.006, "in", "close", data="1000 bye"),
    event(5.007, "in", "end", data="eof"),
]


def drawn(entries: list[Any], *failures: Any) -> Diagram:
    found = diagram(entries, failures)
    assert found is not None
    return found


def test_every_event_has_a_row_and_arrows_point_the_way_it_went() -> None:
    found = drawn(EXCHANGE)
    forms = [(row.form, row.label) for row in found.rows]
    assert forms == [
        ("arrow", "handshake"),
        ("arrow", "handshake"),
        ("arrow", "connection_ack"),
        ("arrow", "join_channel"),
        ("pause", "5.00 s without an event"),
        ("mark", "timeout"),
        ("mark", "note"),
        ("arrow", "close frame"),
        ("broken", "end"),
    ]
    alice, endpoint = found.lifelines
    assert (found.rows[0].x, found.rows[0].to, found.rows[0].way) == (alice.x, endpoint.x, 1)
    assert (found.rows[2].x, found.rows[2].to, found.rows[2].way) == (endpoint.x, alice.x, -1)
    assert found.rows[2].detail == '{"n":1}'
    assert found.rows[7].detail == "1000 bye"
    assert all(earlier.y < later.y < found.foot for earlier, later in pairwise(found.rows))


def test_a_connection_is_open_from_its_handshake_to_its_end() -> None:
    found = drawn(EXCHANGE)
    assert found.lifelines[0].open == ((found.rows[1].y, found.rows[-1].y - found.rows[1].y),)
    assert drawn(EXCHANGE[:1]).lifelines[0].open == ()
    still = drawn(EXCHANGE[:3])
    assert still.lifelines[0].open == ((still.rows[1].y, still.foot - still.rows[1].y),)


def test_the_failure_stands_where_it_was_found_and_only_once() -> None:
    found = drawn(EXCHANGE, failure("ERR-01"), failure("ERR-02"))
    labels = [row.label for row in found.rows]
    assert labels[6] == "ERR-01, ERR-02 failed: no error arrived within 5 s (Step 3 expect error)"
    assert found.rows[6].form == "failed"
    assert "note" not in labels


def closed(received: Phrase) -> dict[str, Any]:
    return failure("A", message="wrong", received=str(received), **texts(received=received))


def test_where_a_failure_is_found() -> None:
    assert place(EXCHANGE, failure("A")) == 5
    assert place(EXCHANGE, failure("A", message="wrong", received=ACK["data"])) == 2
    assert place(EXCHANGE, closed(phrase("closed-because", code="1000", reason="bye"))) == 6
    assert place(EXCHANGE, closed(phrase("came", items=["{}", phrase("closed", code="1000")]))) == 6
    assert place(EXCHANGE, closed(phrase("closed", code="10001"))) is None
    assert place(EXCHANGE, closed(phrase("post", text="1000"))) is None
    assert place(EXCHANGE, failure("A", actor="bob")) is None
    assert place(EXCHANGE, failure("A", actor=None)) == 5


def test_a_failure_over_the_whole_transcript_stands_at_its_end() -> None:
    for step in (None, "transcript"):
        last = drawn(EXCHANGE, failure("ERR-01", message="ids repeat", step=step)).rows[-1]
        assert (last.form, last.label, last.time) == ("failed", "ERR-01 failed: ids repeat", "")


def test_only_so_many_failures_are_marked() -> None:
    found = drawn(EXCHANGE, *(failure(f"A-{n}", message=f"wrong {n}") for n in range(MAX_SHOWN + 3)))
    assert sum(row.form == "failed" for row in found.rows) == MAX_SHOWN + 1
    assert found.rows[-1].label == "and 3 more failures, listed above"


def test_a_long_transcript_keeps_its_ends_and_the_place_of_the_failure() -> None:
    entries = [event(n / 1000, "in", "message", event=f"e{n}", data=f"n{n}") for n in range(2000)]
    found = drawn(entries, failure("A", message="wrong", received="n1000"))
    labels = [row.label for row in found.rows]
    assert labels[:HEAD_EVENTS] == [f"e{n}" for n in range(HEAD_EVENTS)]
    assert labels[-TAIL_EVENTS:] == [f"e{n}" for n in range(2000 - TAIL_EVENTS, 2000)]
    assert labels[HEAD_EVENTS] == "987 events omitted"
    assert labels[labels.index("e1000") + 1].startswith("A failed: wrong")
    assert len(found.rows) < 60


def test_many_actors_share_a_lifeline() -> None:
    entries = [event(n / 1000, "out", "ping", actor=f"user{n}") for n in range(20)]
    found = drawn(entries)
    assert [line.name for line in found.lifelines][-2:] == ["14 others", "endpoint"]
    assert len(found.lifelines) == MAX_ACTORS + 2
    assert len({row.x for row in found.rows}) == MAX_ACTORS + 1


def test_what_belongs_to_no_actor() -> None:
    found = drawn([event(0.1, "none", "note", actor=None, data="remark")])
    assert [line.name for line in found.lifelines] == ["endpoint"]
    assert found.rows[0].detail == "remark"


def test_labels_fit_whatever_was_sent() -> None:
    entries = [
        event(0.1, "in", "message", event=text, actor=text, data=text) for text in (HOSTILE, "x" * 100_000, "日" * 500)
    ]
    found = drawn(entries, failure("A" * 5000, message=HOSTILE * 50, actor=None))
    assert all(len(row.label) + len(row.detail) < 170 and len(row.title) < 4000 for row in found.rows[:3])
    assert all(len(line.name) <= 16 for line in found.lifelines)


def test_only_failed_scenarios_have_a_diagram() -> None:
    page = Page(
        html.compliance(
            results(
                scenarios=[scenario("good"), scenario("bad", "failed", transcript=EXCHANGE, failures=[failure("E")])]
            )
        )
    )
    assert page.source.count("<svg") == 1
    part = page.part('id="scenario-bad"')
    assert 'role="img" aria-label="Sequence diagram of 8 events between alice and the endpoint.' in part
    assert "no new_message in time" in part


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        ('{"event":"ping","payload":{},"sequence":2}', '{} {"sequence":2}'),
        ('{"payload": {"a": 1}, "event": "ping"}', '{"a":1}'),
        ('{"event":"ping","payload":{"a":"cut', '{"event":"ping","payload":{"a":"cut'),
        ('"ping"', '"ping"'),
    ],
)
def test_a_message_shows_what_its_name_does_not_say(data: str, detail: str) -> None:
    found = diagram([event(0.1, "in", "message", event="ping", data=data)], [])
    assert found is not None
    assert [(row.label, row.detail) for row in found.rows] == [("ping", detail)]
