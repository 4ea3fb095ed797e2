"""A user's connection against servers that speak in every legal and illegal way."""

import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from conformance.transport.exchange import Received, Refused, Request
from conformance.transport.target import resolve
from contract.choices import Tls
from contract.findings import Phrase, phrase
from loadtest.users.line import MAX_UNSENT_BYTES
from loadtest.users.link import Link
from loadtest.users.opening import Known, opening_of
from reference_server.core.settings import ServerSettings
from reference_server.network import running
from tests.bundled import load_profile
from tests.conformance.certificates import certificate
from tests.conformance.servers import raw_server, read_request, reset
from tests.hostile.modes import accepted, frame, upgraded
from tests.loadtest.reactor import SelectorReactor
from wire.frames import Opcode, RawFrame, decode
from wire.masking import mask

Talk = Callable[[socket.socket], None]


@dataclass
class Heard:
    """A user who only notes what it hears."""

    said: list[bytes] = field(default_factory=list)
    odd: list[Received] = field(default_factory=list)
    told: list[Refused] = field(default_factory=list)
    ends: list[tuple[int | None, Phrase]] = field(default_factory=list)
    accepted: int = 0
    pings: int = 0

    def opened(self, t: float) -> None:
        self.accepted += 1

    def refused(self, refused: Refused) -> None:
        self.told.append(refused)

    def message(self, data: bytes, t: float) -> None:
        self.said.append(data)

    def strange(self, happening: Received, t: float) -> None:
        self.odd.append(happening)

    def pinged(self, t: float) -> None:
        self.pings += 1

    def ended(self, code: int | None, how: Phrase, t: float) -> None:
        self.ends.append((code, how))

    @property
    def over(self) -> bool:
        return bool(self.told or self.ends)


def dial(url: str, ca: str | None = None) -> tuple[Heard, Link, SelectorReactor]:
    heard, reactor, target = Heard(), SelectorReactor(), resolve(url, Tls(ca=ca))
    return heard, Link(heard, reactor, target, opening_of(target, Request(target.path))), reactor


def listen(talk: Talk) -> Heard:
    """Connect to a server that talks so, until it is over."""
    with raw_server(talk) as url:
        heard, link, reactor = dial(url)
        reactor.run(lambda: heard.over)
        link.shut()
    return heard


def test_a_known_answer_is_taken_with_what_comes_behind_it_and_another_one_is_read() -> None:
    extra = {b"/more": b"X-More: 1\r\n", b"/wrong": b"Sec-WebSocket-Extensions: x-none\r\n"}

    def talk(connection: socket.socket) -> None:
        request = read_request(connection)
        path = request.partition(b" ")[2].partition(b" ")[0]
        head = accepted(request)[:-2] + extra.get(path, b"") + b"\r\n"
        connection.sendall(head + frame(b"hello") + frame(b"\x03\xe8", 8))

    known, heard = Known(), [Heard() for _ in range(4)]
    with raw_server(talk) as url:
        target, reactor = resolve(url, Tls()), SelectorReactor()
        for path, one in zip(("/plain", "/plain", "/more", "/wrong"), heard, strict=True):
            Link(one, reactor, target, opening_of(target, Request(path), known))
            reactor.run(partial(getattr, one, "over"))
    *fine, wrong = heard
    assert [(one.accepted, one.said, one.ends[0][0]) for one in fine] == [(1, [b"hello"], 1000)] * 3
    assert [one.problem for one in wrong.told] == ["negotiation"]


def says(*pieces: bytes) -> Talk:
    """Accept, send the pieces one by one, and end the connection."""

    def talk(connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if upgraded(connection):
            for piece in pieces:
                connection.sendall(piece)

    return talk


SHORT, LONG, HUGE = b"{}", b"x" * 300, b"y" * 70_000
WHOLE = frame(SHORT) + frame(LONG) + frame(HUGE) + frame("日本".encode())
MESSAGES = [SHORT, LONG, HUGE, "日本".encode()]


def test_whole_messages_come_whole() -> None:
    heard = listen(says(WHOLE))
    assert (heard.said, heard.odd, heard.accepted) == (MESSAGES, [], 1)
    assert heard.ends == [(None, phrase("tcp-eof"))]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_messages_are_the_same_however_the_stream_is_cut(size: int) -> None:
    small = frame(SHORT) + frame(LONG) + frame(b"") + frame(b"end")
    heard = listen(says(*(small[start : start + size] for start in range(0, len(small), size))))
    assert heard.said == [SHORT, LONG, b"", b"end"]


def test_fragments_are_joined_and_what_follows_takes_the_short_way_again() -> None:
    parts = frame(b"one ", fin=False) + frame(b"ping", 9) + frame(b"two ", 0, fin=False) + frame(b"three", 0)
    heard = listen(says(frame(SHORT) + parts + frame(LONG)))
    assert heard.said == [SHORT, LONG]
    assert [one.data for one in heard.odd] == [b"one two three"]


def test_a_binary_message_is_told_as_such() -> None:
    heard = listen(says(frame(b"\x00\x01", 2) + frame(SHORT)))
    assert [(one.opcode, one.data) for one in heard.odd] == [(2, b"\x00\x01")]
    assert heard.said == [SHORT]


def test_a_control_ping_is_answered() -> None:
    answers: list[bytes] = []

    def talk(connection: socket.socket) -> None:
        if not upgraded(connection):
            return
        connection.sendall(frame(b"are you there", 9))
        data = b""
        while len(data) < 6 + len(b"are you there"):
            data += connection.recv(100)
        answers.append(bytes([data[0]]) + mask(data[6:], data[2:6]))

    heard = listen(talk)
    assert answers == [b"\x8aare you there"]
    assert heard.ends == [(None, phrase("tcp-eof"))]


@pytest.mark.parametrize(
    ("payload", "code"), [(b"\x03\xe8bye", 1000), (b"\x11\x31", 4401), (b"", 1005)], ids=["1000", "4401", "none"]
)
def test_a_close_frame_gives_its_code(payload: bytes, code: int) -> None:
    heard = listen(says(frame(SHORT) + frame(payload, 8)))
    assert [one[0] for one in heard.ends] == [code]
    assert heard.said == [SHORT]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ([frame(b"\x03\xe8", 8)], (1000, True, None, [])),
        ([frame(b"\x03\xe8bye", 8)], (1000, True, None, [])),
        ([b"\x88", b"\x02\x03", b"\xe8"], (1000, True, None, [])),
        ([frame(SHORT) + frame(b"here?", 9) + frame(b"\x03\xe8", 8)], (1000, True, None, [SHORT])),
        ([frame(b"\x03\xe8", 8) + frame(SHORT), frame(LONG)], (1000, True, None, [])),
        ([frame(b"\x03\xe8", 8), frame(b"\x03\xe9", 8)], (1000, True, None, [])),
        ([frame(b"\x03\xe9", 8)], (1001, True, None, [])),
        ([frame(b"", 8)], (1005, True, None, [])),
        ([frame(b"\x03\xec", 8)], (1004, False, "frame-close", [])),
        ([frame(b"\x03", 8)], (1005, False, "frame-close", [])),
        ([frame(b"\x03\xe8", 8, rsv=4)], (None, True, "frame-reserved-bits", [])),
        ([frame(b"x", 3)], (None, True, "frame-opcode", [])),
        ([], (None, True, None, [])),
    ],
)
@pytest.mark.parametrize("code", [1000, 3000], ids=["as-nearly-always", "through-the-wire"])
def test_leaving_however_the_server_answers(
    answer: list[bytes], expected: tuple[int | None, bool, str | None, list[bytes]], code: int
) -> None:
    received: list[RawFrame] = []

    def talk(connection: socket.socket) -> None:
        if not upgraded(connection):
            return
        data, sent = b"", None
        while sent is None:
            data += connection.recv(100)
            sent = decode(data)
        received.append(sent[0])
        for piece in answer:
            connection.sendall(piece)

    with raw_server(talk) as url:
        heard, link, reactor = dial(url)
        link.close(code)  # too early
        reactor.run(lambda: heard.accepted > 0)
        link.close(code)
        link.close(code)
        link.send_text(b"too late")
        reactor.run(lambda: heard.over)
    assert received == [RawFrame(Opcode.CLOSE, code.to_bytes(2, "big"))]
    violation = link.violation.code if link.violation is not None else None
    messages = heard.said + [one.data for one in heard.odd]
    assert (link.code, link.legal, violation, messages) == expected
    assert [one[0] for one in heard.ends] == [link.code]


@pytest.mark.parametrize(
    "wrong",
    [
        frame(b"x", 3),
        frame(b"x", rsv=4),
        b"\x81\x83\x00\x00\x00\x00abc",
        b"\x81\x7f" + (2**40).to_bytes(8, "big"),
        frame(b"x" * 126, 9),
    ],
    ids=["opcode", "reserved", "masked", "too-large", "long-ping"],
)
def test_what_is_illegal_ends_the_connection(wrong: bytes) -> None:
    heard = listen(says(frame(SHORT) + wrong + frame(LONG)))
    assert len(heard.ends) == 1
    assert heard.said == [SHORT]


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno", "status"),
        (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: d3Jvbmc=\r\n\r\n",
            "accept",
        ),
        (b"", "lost"),
        (b"HTTP/1.1 200 OK\r\n", "lost"),
    ],
    ids=["status", "accept", "nothing", "half"],
)
def test_a_handshake_that_fails_is_told(answer: bytes, problem: str) -> None:
    def talk(connection: socket.socket) -> None:
        connection.recv(10_000)
        connection.sendall(answer)

    heard = listen(talk)
    assert [one.problem for one in heard.told] == [problem]
    assert (heard.accepted, heard.ends) == (0, [])


def test_nobody_listening_is_a_refusal() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"ws://127.0.0.1:{server.getsockname()[1]}/"
        target = resolve(url)
    heard, reactor = Heard(), SelectorReactor()
    Link(heard, reactor, target, opening_of(target, Request(target.path)))
    reactor.run(lambda: heard.over)
    assert [one.problem for one in heard.told] == ["lost"]


def test_a_reset_before_we_look_is_told_as_one_a_moment_later() -> None:
    over = threading.Semaphore(0)

    def talk(connection: socket.socket) -> None:
        reset(connection)
        over.release()

    with raw_server(talk) as url:
        heard, reactor, target = Heard(), SelectorReactor(), resolve(url)
        assert over.acquire(timeout=60)
        Link(heard, reactor, target, opening_of(target, Request(target.path)))
        assert over.acquire(timeout=60)
        reactor.run(lambda: heard.over)
    assert [(one.problem, one.detail.code) for one in heard.told] == [("lost", "handshake-unanswered")]


def test_an_endpoint_that_reads_nothing_costs_no_more_than_a_bound() -> None:
    ended = threading.Event()

    def talk(connection: socket.socket) -> None:
        if upgraded(connection):
            ended.wait(60)  # nothing is read any more

    with raw_server(talk) as url:
        heard, link, reactor = dial(url)
        reactor.run(lambda: heard.accepted > 0)
        sent = 0
        while not link.over and sent < 100 * MAX_UNSENT_BYTES:
            link.send_text(b"x" * 60_000)
            sent += 60_000
        reactor.run(lambda: heard.over)
        ended.set()
        assert heard.ends[0][1].code == "reads-too-slowly"
    assert sent < 100 * MAX_UNSENT_BYTES


def test_over_tls_it_is_the_same(tmp_path: Path) -> None:
    own = certificate(tmp_path, "127.0.0.1")
    settings = ServerSettings(profile=load_profile(None, {}), port=0, certificate=own.cert, key=own.key)
    with running(settings) as server:
        target = resolve(server.url, Tls(ca=str(own.cert)))
        heard, reactor = Heard(), SelectorReactor()
        link = Link(heard, reactor, target, opening_of(target, Request(f"{target.path}?access_token=alice-token")))
        reactor.run(lambda: len(heard.said) == 1)
        assert b"connection_ack" in heard.said[0]
        link.send_text(b'{"event":"x","payload":{}}' + b" " * 60_000)
        reactor.run(lambda: len(heard.said) == 2)
        assert b"UNKNOWN_EVENT" in heard.said[1]
        link.close(1000)
        reactor.run(lambda: heard.over)
        assert heard.ends == [(1000, phrase("tcp-eof"))]
        # Whose certificate nobody vouches for is refused.
        stranger = resolve(server.url, Tls(ca=str(own.cert)))
        assert stranger.tls is not None
        untrusting = type(stranger)(stranger.uri, stranger.family, stranger.address, ssl.create_default_context())
        heard = Heard()
        Link(heard, reactor, untrusting, opening_of(target, Request(target.path)))
        reactor.run(lambda: heard.over)
        assert [one.problem for one in heard.told] == ["tls"]
