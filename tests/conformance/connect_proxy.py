"""A proxy that knows CONNECT: every name leads to one port of this machine, as a company's own DNS might have it."""

import asyncio
import base64
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress

from tests.evidence.edge import pass_on

Answer = Callable[[int], bytes | None]
"""What is said to the n-th CONNECT, from 1; None makes the way, no bytes end the connection."""


def welcoming(number: int) -> bytes | None:
    """Everybody gets through."""
    return None


def refusing(status: int) -> Answer:
    """Nobody does."""
    return lambda number: f"HTTP/1.1 {status} s3cret\r\nContent-Length: 2\r\n\r\nno".encode()


class ConnectProxy:
    """`credentials` are `user:password`; whoever does not bring them gets 407."""

    def __init__(self, leads_to: int, credentials: str | None = None, answer: Answer = welcoming) -> None:
        self.leads_to = leads_to
        self.credentials = credentials
        self.answer = answer
        self.asked: list[str] = []
        self.port = 0
        self._writers: set[asyncio.StreamWriter] = set()

    @contextmanager
    def running(self) -> Iterator["ConnectProxy"]:
        """Run it in a thread of this process."""
        started: Future[Callable[[], object]] = Future()

        async def main() -> None:
            over, loop = asyncio.Event(), asyncio.get_running_loop()
            server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=512)
            self.port = server.sockets[0].getsockname()[1]
            started.set_result(lambda: loop.call_soon_threadsafe(over.set))
            await over.wait()
            server.close()
            for one in tuple(self._writers):
                one.transport.abort()

        thread = threading.Thread(target=lambda: asyncio.run(main()), name="proxy")
        thread.start()
        stop = started.result()
        try:
            yield self
        finally:
            stop()
            thread.join()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers = {writer}
        self._writers.add(writer)
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                self.asked.append(head.split()[1] if head.startswith("CONNECT ") else head)
                answer = self.answer(len(self.asked))
                wanted = base64.b64encode((self.credentials or "").encode()).decode()
                if self.credentials is not None and f"Proxy-Authorization: Basic {wanted}\r\n" not in head:
                    answer = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
                if answer is not None:
                    writer.write(answer)
                    await writer.drain()
                    return
                far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.leads_to)
                writers.add(far_writer)
                self._writers.add(far_writer)
                writer.write(b"HTTP/1.1 200 Connection established\r\nVia: 1.1 test\r\n\r\n")
                await asyncio.gather(pass_on(reader, far_writer), pass_on(far_reader, writer))
        finally:
            self._writers -= writers
            for one in writers:
                one.close()
