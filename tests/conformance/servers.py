"""Small servers on ephemeral ports: one behaviour each."""

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve
from websockets.utils import accept_key

Talk = Callable[[socket.socket], None]

PATIENCE = 30.0
"""Seconds after which a test that hangs fails; nothing is measured by it."""


@contextlib.contextmanager
def websocket_server(
    handler: Callable[[ServerConnection], None], *, tls: ssl.SSLContext | None = None
) -> Iterator[str]:
    """A `websockets` server; gives its URL."""

    def handle(connection: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            handler(connection)

    with serve(handle, "127.0.0.1", 0, ssl=tls, close_timeout=PATIENCE) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"{'wss' if tls else 'ws'}://localhost:{port_of(server)}/v1/socket"
        finally:
            server.shutdown()
            thread.join()


def port_of(server: Server) -> int:
    return int(server.socket.getsockname()[1])


@contextlib.contextmanager
def raw_server(talk: Talk) -> Iterator[str]:
    """A TCP server that plays `talk` on every connection it takes; gives its URL.

    The trial connection of `resolve` is one of them: `talk` must bear an end at any time.
    """
    threads: list[threading.Thread] = []
    stopping = threading.Event()

    def play(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(PATIENCE)
            talk(connection)

    def accept() -> None:
        while True:
            connection, _ = listener.accept()
            if stopping.is_set():
                connection.close()
                return
            threads.append(threading.Thread(target=play, args=(connection,)))
            threads[-1].start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        accepting = threading.Thread(target=accept)
        accepting.start()
        port = listener.getsockname()[1]
        try:
            yield f"ws://127.0.0.1:{port}/v1/socket"
        finally:
            stopping.set()
            socket.create_connection(("127.0.0.1", port)).close()
            accepting.join()
            for thread in threads:
                thread.join()


def read_request(connection: socket.socket) -> bytes:
    """The bytes up to the end of the request's head; fewer where the client leaves before."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(4_096)
        if not more:
            break
        data += more
    return data


def upgrade(connection: socket.socket) -> bool:
    """Accept the opening handshake by hand. False: the client left before it asked."""
    return accept(connection, read_request(connection))


def accept(connection: socket.socket, request: bytes) -> bool:
    """Accept the handshake whose request was read. False: it is none."""
    for line in request.split(b"\r\n"):
        name, _, value = line.partition(b": ")
        if name.lower() == b"sec-websocket-key":
            head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            head += f"Sec-WebSocket-Accept: {accept_key(value.decode())}\r\n\r\n"
            connection.sendall(head.encode())
            return True
    return False


def endless_header(connection: socket.socket) -> None:
    """Answer with one header without end."""
    if read_request(connection):
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nX-Long: ")
        while True:
            connection.sendall(b"x" * 65_536)


def drain(connection: socket.socket) -> None:
    """Read until the client leaves."""
    while connection.recv(65_536):
        pass


def reset(connection: socket.socket) -> None:
    """End the connection by a TCP reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
