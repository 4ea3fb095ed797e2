"""The opening handshake's bytes: what is asked, and what counts as which refusal."""

import pytest
from websockets.http11 import Request as HttpRequest

from conformance.transport.exchange import Opened, Refused, Request
from conformance.transport.protocol import Wire
from tests.conformance.pair import LIMIT, URI, Pair
from wire.deflate import Deflate


class TestHandshake:
    def test_the_request(self) -> None:
        headers = (("X-One", "1"), ("Connection", "keep-alive, Upgrade"))
        made = Pair(Request("/v1/socket?t=1", headers, ("a", "b")))
        (request,) = made.to_server()
        assert isinstance(request, HttpRequest)
        assert request.path == "/v1/socket?t=1"
        assert request.headers["X-One"] == "1"
        assert request.headers.get_all("Connection") == ["keep-alive, Upgrade"]
        assert request.headers["Sec-WebSocket-Protocol"] == "a, b"

    def test_accepted(self) -> None:
        (opened,) = Pair().open()
        assert isinstance(opened, Opened)
        assert (opened.t, opened.actor, opened.subprotocol) == (1.0, "alice", None)
        assert not opened.compressed
        assert ("Upgrade", "websocket") in opened.headers

    @pytest.mark.parametrize(("offered", "accepts"), [(Deflate(), True), (Deflate(), False), (None, True)])
    def test_compression(self, offered: Deflate | None, accepts: bool) -> None:
        (opened,) = Pair(Request("/", deflate=offered), deflate=accepts).open()
        assert isinstance(opened, Opened)
        assert opened.compressed is (accepts and offered is not None)

    def test_a_plain_request_has_no_upgrade(self) -> None:
        wire = Wire("alice", URI, Request("/x", upgrade=False), LIMIT)
        data, _ = wire.out()
        head = data.decode().lower()
        assert head.startswith("get /x http/1.1\r\n")
        assert "host: example.test" in head
        assert "upgrade" not in head
        assert "sec-websocket" not in head

    @pytest.mark.parametrize(
        ("response", "problem", "status"),
        [
            (b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno", "status", 401),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "status", 200),
            (
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n",
                "accept",
                101,
            ),
            (b"SSH-2.0-OpenSSH\r\n\r\n", "response", None),
        ],
    )
    def test_refused(self, response: bytes, problem: str, status: int | None) -> None:
        wire = Wire("alice", URI, Request("/"), LIMIT)
        wire.out()
        (refused,) = wire.feed(response, 2.0)
        assert isinstance(refused, Refused)
        assert (refused.problem, refused.status) == (problem, status)
        assert list(wire.feed(b"more", 3.0)) == []
        assert list(wire.eof(3.0)) == []
        if status == 401:
            assert (refused.body, refused.headers) == (b"no", (("Content-Length", "2"),))

    @pytest.mark.parametrize("extra", ["Sec-WebSocket-Protocol: x", "Sec-WebSocket-Extensions: permessage-deflate"])
    def test_what_was_not_offered_is_a_wrong_negotiation(self, extra: str) -> None:
        made = Pair()
        (request,) = made.to_server()
        assert isinstance(request, HttpRequest)
        response = made.server.accept(request)
        name, _, value = extra.partition(": ")
        response.headers[name] = value
        (refused,) = made.wire.feed(response.serialize(), 1.0)
        assert isinstance(refused, Refused)
        assert (refused.problem, refused.status) == ("negotiation", 101)

    @pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 101 Swit", b"HTTP/1.1 101 Switching Protocols\r\nUp"])
    def test_the_end_without_an_answer(self, sent: bytes) -> None:
        wire = Wire("alice", URI, Request("/"), LIMIT)
        wire.out()
        assert list(wire.feed(sent, 1.0)) == []
        (refused,) = wire.eof(2.0)
        assert isinstance(refused, Refused)
        assert refused.problem == "lost"
