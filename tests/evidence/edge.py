"""An edge: a proxy before the reference server, which answers handshakes itself, or watches what clients send."""

import asyncio
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager, suppress

from reference_server.faults.frames import take
from wire.frames import RawFrame

HEAD_BYTES = 1_048_576

Door = Callable[[bytes], bytes | None]
"""Gets a request's head. None lets the server answer it, bytes are the answer, and no bytes reset the connection."""

Watch = Callable[[RawFrame], bool]
"""Gets each frame of a client. True: the connections of all clients are cut, and the server never sees the frame."""


def open_door(head: bytes) -> bytes | None:
    """The server answers everything."""
    return None


def unconcerned(frame: RawFrame) -> bool:
    """No frame matters."""
    return False


class Edge:
    """A proxy on a port of this machine, before the server on port `behind`; with `tls`, where TLS ends."""

    def __init__(
        self, behind: int, door: Door = open_door, watch: Watch = unconcerned, tls: ssl.SSLContext | None = None
    ) -> None:
        self._behind = behind
        self.tls = tls
        self.door = door
        self.watch = watch
        self._clients: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = {}

    async def start(self, port: int = 0) -> asyncio.Server:
        """Accept connections."""
        tls = self.tls
        return await asyncio.start_server(self._serve, "127.0.0.1", port, backlog=512, limit=HEAD_BYTES, ssl=tls)

    def cut_all(self) -> None:
        """End every client's connection at once, without a close frame."""
        for one in tuple(self._clients):
            one.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers = [writer]
        # The loop alone does not keep a task alive whose client has left.
        self._clients[writer] = asyncio.current_task()
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                head = await reader.readuntil(b"\r\n\r\n")
                answer = self.door(head)
                if answer is None:
                    far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._behind)
                    writers.append(far_writer)
                    far_writer.write(head)
                    await asyncio.gather(self._watched(reader, far_writer), self.pass_back(far_reader, writer))
                elif answer:
                    writer.write(answer)
                    await writer.drain()
                else:
                    reset(writer)
        finally:
            del self._clients[writer]
            for one in writers:
                one.close()

    async def pass_back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Give a client what the server sends."""
        await pass_on(reader, writer)

    async def _watched(self, reader: asyncio.StreamReader, far: asyncio.StreamWriter) -> None:
        """Pass on what a client sends, until a frame of it matters."""
        buffer = bytearray()
        while data := await read(reader):
            buffer += data
            while (frame := take(buffer)) is not None:
                if self.watch(frame):
                    self.cut_all()
                    return
            await write(far, data)
        await _end(far)


async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Write what is read, the end included."""
    while data := await read(reader):
        await write(writer, data)
    await _end(writer)


async def read(reader: asyncio.StreamReader) -> bytes:
    """What has come; nothing at the end, however it came."""
    with suppress(OSError):
        return await reader.read(65_536)
    return b""


async def write(writer: asyncio.StreamWriter, data: bytes) -> None:
    """Write, as far as somebody reads."""
    with suppress(OSError):
        writer.write(data)
        await writer.drain()


async def _end(writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        if writer.can_write_eof():
            writer.write_eof()
        else:
            writer.close()


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection by a TCP reset."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def edge_before(
    url: str, door: Door = open_door, watch: Watch = unconcerned, tls: ssl.SSLContext | None = None
) -> AbstractContextManager[str]:
    """Run an edge before the server at `url`; gives the URL that leads through it."""
    return leading_through(Edge(port_of(url), door, watch, tls), url)


@contextmanager
def leading_through(edge: Edge, url: str) -> Iterator[str]:
    """Run an edge in a thread of this process; gives the URL that leads through it."""
    started: Future[tuple[int, Callable[[], None]]] = Future()

    async def main() -> None:
        over, loop = asyncio.Event(), asyncio.get_running_loop()
        server = await edge.start()

        def stop_soon() -> None:
            loop.call_soon_threadsafe(over.set)

        started.set_result((server.sockets[0].getsockname()[1], stop_soon))
        await over.wait()
        server.close()
        edge.cut_all()

    thread = threading.Thread(target=lambda: asyncio.run(main()), name="edge")
    thread.start()
    port, stop = started.result()
    try:
        through = url.replace(f":{port_of(url)}/", f":{port}/")
        yield through if edge.tls is None else through.replace("ws://", "wss://")
    finally:
        stop()
        thread.join()


def port_of(url: str) -> int:
    """The TCP port in a URL of this machine."""
    return int(url.partition("://")[2].partition("/")[0].rpartition(":")[2])
