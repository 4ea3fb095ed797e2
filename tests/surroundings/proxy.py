"""A TCP proxy that delays every byte, in both directions."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class _Link:
    """One direction of one connection: what comes in goes out `delay` seconds later, the end included."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
        self.reader, self.writer, self.delay = reader, writer, delay
        self.queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def run(self) -> None:
        sender = asyncio.create_task(self._send())
        clock = asyncio.get_running_loop()
        data = b"."
        while data:
            try:
                data = await self.reader.read(65_536)
            except ConnectionError:
                data = b""
            await self.queue.put((clock.time() + self.delay, data))
        await sender

    async def _send(self) -> None:
        clock = asyncio.get_running_loop()
        while True:
            due, data = await self.queue.get()
            await asyncio.sleep(max(due - clock.time(), 0))
            with suppress(OSError):
                if not data:
                    self.writer.write_eof()
                    return
                self.writer.write(data)
                await self.writer.drain()
            if not data:
                return


@contextmanager
def delayed(port: int, delay: float) -> Iterator[int]:
    """A port that leads to `port` on this machine, `delay` seconds away in each direction."""
    started = threading.Event()
    loop = asyncio.new_event_loop()
    found: list[int] = []
    over = asyncio.Event()

    async def joined(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers = [writer]
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
            writers.append(far_writer)
            await asyncio.gather(_Link(reader, far_writer, delay).run(), _Link(far_reader, writer, delay).run())
        except asyncio.CancelledError:
            for one in writers:
                one.transport.abort()
            raise
        finally:
            for one in writers:
                one.close()
                with suppress(OSError):
                    await one.wait_closed()

    async def main() -> None:
        server = await asyncio.start_server(joined, "127.0.0.1", 0, backlog=512)
        found.append(server.sockets[0].getsockname()[1])
        started.set()
        await over.wait()
        server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    thread = threading.Thread(target=lambda: loop.run_until_complete(main()), daemon=True)
    thread.start()
    started.wait()
    try:
        yield found[0]
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()
