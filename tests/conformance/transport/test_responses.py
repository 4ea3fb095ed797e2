"""Answers to the handshake that are read though they are not as they should be, and what is said of refusals."""

import pytest
from websockets.http11 import Request as HttpRequest

from conformance.transport.exchange import Happening, Opened, Refused, Request
from conformance.transport.protocol import Wire
from contract.findings import Phrase, phrase
from tests.conformance.pair import LIMIT, URI, Pair

TEXT = b"Content-Type: text/plain\r\n"


def refused_with(answer: bytes, *, piece: int = 10_000) -> Refused:
    wire = Wire("alice", URI, Request("/"), LIMIT)
    wire.out()
    seen: list[Happening] = []
    for start in range(0, len(answer), piece):
        seen += wire.feed(answer[start : start + piece], 1.0)
    seen += wire.eof(2.0)
    (refused,) = seen
    assert isinstance(refused, Refused)
    return refused


def answered(change: tuple[bytes, bytes], *, piece: int = 10_000) -> Happening:
    """What becomes of a right answer in which something is changed."""
    made = Pair()
    (request,) = made.to_server()
    assert isinstance(request, HttpRequest)
    answer = made.server.accept(request).serialize()
    assert change[0] in answer
    answer = answer.replace(*change)
    seen: list[Happening] = []
    for start in range(0, len(answer), piece):
        seen += made.wire.feed(answer[start : start + piece], 1.0)
    (one,) = seen
    return one


class TestStatusLines:
    @pytest.mark.parametrize("piece", [1, 7, 10_000])
    def test_an_old_server_may_refuse(self, piece: int) -> None:
        refused = refused_with(b"HTTP/1.0 401 Unauthorized\r\nServer: x\r\n\r\nno", piece=piece)
        assert (refused.problem, refused.status, refused.body) == ("status", 401, b"no")
        assert refused.detail == phrase("answer-status", status=401, reason="Unauthorized")
        assert refused.note == phrase("note-http-1-0")

    @pytest.mark.parametrize("piece", [1, 7, 10_000])
    def test_the_space_behind_the_code_may_be_missing(self, piece: int) -> None:
        opened = answered((b"101 Switching Protocols", b"101"), piece=piece)
        assert isinstance(opened, Opened)
        assert opened.note == phrase("note-no-reason", status=101)

    def test_an_empty_reason_is_right(self) -> None:
        opened = answered((b"101 Switching Protocols", b"101 "))
        assert isinstance(opened, Opened)
        assert opened.note is None

    @pytest.mark.parametrize(
        "line", [b"HTTP/1.0 101 Switching Protocols", b"HTTP/1.0 101", b"HTTP/2 101 x", b"HTTP/1.1"]
    )
    def test_what_switches_no_protocol_is_refused(self, line: bytes) -> None:
        refused = answered((b"HTTP/1.1 101 Switching Protocols", line))
        assert isinstance(refused, Refused)
        assert (refused.problem, refused.detail) == ("response", phrase("answer-not-http"))

    def test_a_line_without_end_is_bounded(self) -> None:
        refused = refused_with(b"x" * 100_000)
        assert refused.problem == "response"


@pytest.mark.parametrize(
    ("line", "name", "values"),
    [
        (b"Upgrade: websocket\r\n", "Upgrade", ["websocket", "websocket"]),
        (b"Sec-WebSocket-Accept: x\r\n", "Sec-WebSocket-Accept", None),
        (b"Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: a\r\n", "Sec-WebSocket-Protocol", ["a", "a"]),
    ],
)
def test_a_header_that_stands_twice(line: bytes, name: str, values: list[str] | None) -> None:
    refused = answered((b"Connection:", line + b"Connection:"))
    assert isinstance(refused, Refused)
    assert refused.detail.code == "answer-header-again"
    assert (refused.detail.params["name"], refused.detail.params["count"]) == (name, 2)
    if values is not None:
        assert list(refused.detail.params["values"]) == values  # type: ignore[arg-type]


def test_connection_may_stand_twice() -> None:
    assert isinstance(answered((b"Connection:", b"Connection: keep-alive\r\nConnection:")), Opened)


@pytest.mark.parametrize(
    ("answer", "more"),
    [
        (b"302 Found\r\nLocation: /login?token=x\r\n\r\nhere", phrase("redirected-to", location="/login?…")),
        (
            b"301 Moved\r\nLocation: https://me:secret@x.example/a%20b#secret\r\n\r\n",
            phrase("redirected-to", location="https://x.example/a%20b"),
        ),
        (b"401 No\r\nLocation: /login\r\n\r\n", None),
        (b"401 No\r\n\r\n  bad\r\n token\x1b[2J", phrase("refusal-says", text="bad token\\u001b[2J")),
        (b"401 No\r\nContent-Type: application/problem+json\r\n\r\n{}", phrase("refusal-says", text="{}")),
        (b"401 No\r\nContent-Type: text/html\r\n\r\n<p>a&amp;b <b>c</b>", phrase("refusal-says", text="a&b c")),
        (b"401 No\r\nContent-Type: image/png\r\n\r\nPNG", None),
        (b"401 No\r\n\r\n\x00\x01", None),
        (b"401 No\r\n\r\n\xff\xfe\xfd", None),
        (b"503 No\r\n\r\n" + b"y" * 300, phrase("refusal-says", text="y" * 200 + "…")),
    ],
)
def test_what_a_refusal_tells(answer: bytes, more: Phrase | None) -> None:
    refused = refused_with(b"HTTP/1.1 " + answer)
    assert refused.more == more
    whole = refused.detail if more is None else phrase("answer-and-more", answer=refused.detail, more=more)
    assert refused.shown == whole


def test_a_hostile_page_takes_no_time() -> None:
    assert refused_with(b"HTTP/1.1 503 No\r\n\r\n" + b"<head" * 12_000).problem == "status"
