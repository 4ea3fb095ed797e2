"""Hostile endpoints: each mode is what a raw server does on every connection it takes.

A mode must bear that the client leaves at any time: `raw_server` swallows the OSError.
"""

import base64
import itertools
import json
import socket
import struct
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from urllib.parse import parse_qs, urlsplit

from websockets.utils import accept_key

from tests.conformance.servers import Talk, drain, endless_header, read_request, reset
from wire.frames import RawFrame

PACE = threading.Event()
"""Never set; waiting for it is a pause that nobody can cut short but the client by leaving."""


def frame(payload: bytes, opcode: int = 1, *, fin: bool = True, rsv: int = 0) -> bytes:
    """A server's frame."""
    return RawFrame(opcode, payload, fin, rsv, masked=False).encode()


def message(event: str, payload: object) -> bytes:
    """A text frame with an envelope."""
    return frame(json.dumps({"event": event, "payload": payload}).encode())


ACKED = message("connection_ack", {"sessionId": "s-1"})


def new_message(number: int, text: str = "flood") -> bytes:
    """A valid post of a stranger."""
    body = {
        "id": f"m-{number}",
        "text": text,
        "author": {"id": "stranger", "name": "Stranger"},
        "timestamp": "2026-01-01T00:00:00Z",
    }
    return message("new_message", {"channelId": "room", "message": body})


def token_of(request: bytes) -> str:
    """The token in the request's query; empty where there is none."""
    target = request.split(b" ", 2)[1].decode("ascii", "replace") if request.count(b" ") > 1 else ""
    return parse_qs(urlsplit(target).query).get("access_token", [""])[0]


def accepted(request: bytes, extra: str = "", key: str | None = None) -> bytes:
    """The answer that accepts a handshake; empty where the request asks for none. `key` replaces the right one."""
    lines = [line.partition(":") for line in request.decode("latin-1").split("\r\n")[1:]]
    headers = {name.strip().lower(): value.strip() for name, _, value in lines}
    if "sec-websocket-key" not in headers:
        return b""
    if "permessage-deflate" in headers.get("sec-websocket-extensions", "") and extra == DEFLATE:
        extra = "Sec-WebSocket-Extensions: permessage-deflate\r\n"
    elif extra == DEFLATE:
        extra = ""
    accept = accept_key(headers["sec-websocket-key"]) if key is None else key
    return (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {accept}\r\n{extra}\r\n"
    ).encode("latin-1")


DEFLATE = "deflate"
"""Stands for the header that takes the client's offer of permessage-deflate."""


def upgraded(connection: socket.socket, extra: str = "") -> bytes:
    """Accept the handshake; the request, empty where the client left or asked for no WebSocket."""
    request = read_request(connection)
    answer = accepted(request, extra)
    if answer:
        connection.sendall(answer)
        return request
    if request:
        connection.sendall(b"HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n")
    return b""


def refusing(answer: bytes) -> Talk:
    """Answers every request so, and ends the connection."""

    def talk(connection: socket.socket) -> None:
        if read_request(connection):
            connection.sendall(answer)

    return talk


def endless(pieces: Callable[[], Iterator[bytes]], before: bytes = b"") -> Talk:
    """Acknowledges, then sends pieces until the client leaves. Nothing is read any more."""

    def talk(connection: socket.socket) -> None:
        if upgraded(connection):
            connection.sendall(before)
            for piece in pieces():
                connection.sendall(piece)

    return talk


def after_ack(then: bytes) -> Talk:
    """Acknowledges, sends something, and reads until the client leaves."""

    def talk(connection: socket.socket) -> None:
        if upgraded(connection):
            connection.sendall(ACKED + then)
            drain(connection)

    return talk


def silent(connection: socket.socket) -> None:
    """Never answers."""
    drain(connection)


def loris(connection: socket.socket) -> None:
    """Answers one byte a second."""
    for byte in accepted(read_request(connection)):
        connection.sendall(bytes([byte]))
        PACE.wait(1)


def endless_headers(connection: socket.socket) -> None:
    """A status line, and headers without end."""
    if read_request(connection):
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\n")
        for number in itertools.count():
            connection.sendall(b"X-%d: and one more\r\n" % number)


def wrong_accept_key(connection: socket.socket) -> None:
    """The accept key of another request."""
    connection.sendall(accepted(read_request(connection), key=base64.b64encode(b"x" * 20).decode()))
    drain(connection)


def quiet_after_101(connection: socket.socket) -> None:
    """Accepts, and says nothing."""
    if upgraded(connection):
        drain(connection)


def never_closes(connection: socket.socket) -> None:
    """Acknowledges; answers no close frame, and keeps the connection."""
    after_ack(b"")(connection)


def deflate_bomb(connection: socket.socket) -> None:
    """Where compression is offered: a frame of about 100 KB that inflates to 100 MB."""
    request = upgraded(connection, DEFLATE)
    if request:
        connection.sendall(ACKED)
        if b"permessage-deflate" in request:
            connection.sendall(frame(_bomb(), rsv=4))
        drain(connection)


@cache
def _bomb() -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = b"".join(packer.compress(b"0" * 1_000_000) for _ in range(100)) + packer.flush(zlib.Z_SYNC_FLUSH)
    return packed[:-4]


def resets(connection: socket.socket) -> None:
    """Resets the connection at once."""
    reset(connection)


def resets_after_ack(connection: socket.socket) -> None:
    """Resets the connection after the acknowledgement."""
    if upgraded(connection):
        connection.sendall(ACKED)
        connection.recv(1)
        reset(connection)


def leaves_pings_unread(connection: socket.socket) -> None:
    """Pings without end, whose pongs are never read."""
    endless(lambda: itertools.repeat(frame(b"p" * 125, 9) * 100), ACKED)(connection)


def flood(connection: socket.socket) -> None:
    """Valid posts of a stranger without end."""
    posts = b"".join(new_message(number) for number in range(200))
    endless(lambda: itertools.repeat(posts), ACKED)(connection)


HTML = b"<!doctype html><title>Welcome</title><script>alert(1)</script>"
NESTED = frame(b'{"event":"x","payload":' + b"[" * 100_000 + b"]" * 100_000 + b"}")
NUMBER = frame(b'{"event":"x","payload":{},"sequence":' + b"7" * 1_000_000 + b"}")
EMPTIES = frame(b'{"event":"new_message","payload":[' + b"{}," * 300_000 + b"{}]}")

REDIRECT = b"HTTP/1.1 302 Found\r\nLocation: /v1/socket\r\nContent-Length: 0\r\n\r\n"
PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s" % (len(HTML), HTML)

MODES: Mapping[str, Talk] = {
    "never-answers": silent,
    "byte-a-second": loris,
    "endless-headers": endless_headers,
    "endless-header-line": endless_header,
    "endless-refusal": lambda connection: _endless_refusal(connection),
    "wrong-accept-key": wrong_accept_key,
    "redirect-loop": refusing(REDIRECT),
    "html": refusing(PAGE),
    "quiet-after-101": quiet_after_101,
    "flood": flood,
    "junk": endless(lambda: itertools.repeat(frame(b"\x01 junk <b>") * 500), ACKED),
    "empty-messages": endless(lambda: itertools.repeat(frame(b"") * 5_000), ACKED),
    "many-values": endless(lambda: itertools.repeat(EMPTIES), ACKED),
    "huge-frame": after_ack(struct.pack("!BBQ", 0x81, 127, 2**62) + b"x" * 1_000),
    "endless-fragments": endless(
        lambda: itertools.repeat(frame(b"x", 0, fin=False) * 5_000), ACKED + frame(b"x", fin=False)
    ),
    "empty-fragments": endless(
        lambda: itertools.repeat(frame(b"", 0, fin=False) * 5_000), ACKED + frame(b"x", fin=False)
    ),
    "deflate-bomb": deflate_bomb,
    "nested-arrays": after_ack(NESTED * 3),
    "long-number": after_ack(NUMBER),
    "pings": leaves_pings_unread,
    "pongs": endless(lambda: itertools.repeat(frame(b"", 10) * 5_000), ACKED),
    "never-closes": never_closes,
    "resets": resets,
    "resets-after-ack": resets_after_ack,
}


def _endless_refusal(connection: socket.socket) -> None:
    """A refusal whose body never ends."""
    if read_request(connection):
        connection.sendall(b"HTTP/1.1 503 Service Unavailable\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65_536)
