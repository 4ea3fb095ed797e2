"""The server of the contract beside it, on a free port; `wrong` names what it does otherwise."""

import asyncio
import itertools
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

CONTRACT = Path(__file__).parent / "contract"

KEYS = {"desk-token-of-ann-0001": "north", "desk-token-of-ben-0002": "south"}

SELDOM = 25
"""A fault shows once in so many times."""

LATE = 2.5
"""Seconds; the tests let an answer take less."""

BEAT, TICK = 0.5, 0.05
"""Seconds between heartbeats, and between prices."""


class Desk:
    """All connections of a server."""

    def __init__(self, wrong: str) -> None:
        self.wrong = wrong
        self.seats: set[Seat] = set()
        self.numbers = itertools.count(1)
        self.price = 0
        self.made = 0
        self.tasks: list[Any] = []

    def faulty(self, name: str) -> bool:
        """Whether this is the time to do this wrong."""
        if self.wrong != name:
            return False
        self.made += 1
        return self.made % SELDOM == 0

    async def note(self, message: Any) -> None:
        number = f"n{next(self.numbers)}"
        delivery = {"type": "noticed", "topic": message["topic"], "text": message["text"], "number": number}
        if self.faulty("note-lost"):
            return
        for seat in [*self.seats]:
            if message["topic"] in seat.topics:
                await seat.send(delivery)
                if self.faulty("note-twice"):
                    await seat.send(delivery)
            elif self.faulty("note-leaked"):
                await seat.send(delivery)

    async def tick(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            self.price += 1
            for seat in [*self.seats]:
                if not seat.watches or self.faulty("price-lost"):
                    continue
                price = {"type": "price", "symbol": "A", "number": self.price, "price": 1.5}
                await seat.send(price)
                if self.faulty("price-again"):
                    await seat.send(price)


class Seat:
    """One connection."""

    def __init__(self, desk: Desk, connection: ServerConnection) -> None:
        self.desk, self.connection = desk, connection
        self.topics: set[str] = set()
        self.watches = False
        self.ready = False

    async def send(self, message: Any) -> None:
        with suppress(ConnectionClosed):
            await self.connection.send(json.dumps(message))

    async def serve(self) -> None:
        beats = asyncio.ensure_future(self.beat())
        self.desk.tasks.append(beats)
        try:
            async for text in self.connection:
                message = json.loads(text)
                await getattr(self, "on_" + message["type"])(message)
        finally:
            beats.cancel()
            self.desk.seats.discard(self)

    async def beat(self) -> None:
        for number in itertools.count():
            await asyncio.sleep(BEAT)
            if self.ready and not (self.desk.wrong == "beats-stop" and number):
                await self.send({"type": "ping", "nonce": number})

    async def on_hello(self, message: Any) -> None:
        if KEYS.get(message["key"]) != message["desk"]:
            await self.connection.close(4401)
            return
        self.ready = True
        self.desk.seats.add(self)
        session = "s" if self.desk.wrong == "one-session" else f"s{next(self.desk.numbers)}"
        await self.send({"type": "welcome", "session": session})

    async def on_pong(self, message: Any) -> None:
        if type(message["nonce"]) is not int:
            await self.connection.close(4408)

    async def on_alive(self, message: Any) -> None:
        if self.desk.wrong != "deaf":
            await self.send({"type": "noted"})

    async def on_quote(self, message: Any) -> None:
        desk, identity = self.desk, message["id"]
        if desk.faulty("reply-lost"):
            return
        if desk.faulty("wrong-id"):
            identity = f"{identity}x"
        bid: Any = "1" if desk.faulty("bid-text") else 1
        reply = {"type": "quoted", "id": identity, "bid": bid, "ask": 1.5}
        if desk.faulty("reply-late"):
            desk.tasks.append(asyncio.ensure_future(self.later(reply)))
            return
        await self.send(reply)
        if desk.faulty("reply-twice"):
            await self.send(reply)

    async def later(self, reply: Any) -> None:
        await asyncio.sleep(LATE)
        await self.send(reply)

    async def on_follow(self, message: Any) -> None:
        self.topics.add(message["topic"])
        await self.send({"type": "following", "topic": message["topic"]})

    async def on_note(self, message: Any) -> None:
        await self.desk.note(message)

    async def on_watch(self, message: Any) -> None:
        self.watches = True
        await self.send({"type": "watching", "symbol": message["symbol"]})


@contextmanager
def desk(wrong: str = "") -> Iterator[str]:
    """One on a free port; yields its URL."""
    loop = asyncio.new_event_loop()
    started, stop = threading.Event(), asyncio.Event()
    urls: list[str] = []
    made = Desk(wrong)

    async def handler(connection: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            await Seat(made, connection).serve()

    async def main() -> None:
        protocols = [Subprotocol("desk.v1")]
        async with serve(handler, "127.0.0.1", 0, close_timeout=1, subprotocols=protocols) as server:
            urls.append(f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/desk")
            made.tasks.append(asyncio.ensure_future(made.tick()))
            started.set()
            await stop.wait()
        for task in made.tasks:
            task.cancel()
        await asyncio.gather(*made.tasks, return_exceptions=True)

    thread = threading.Thread(target=loop.run_until_complete, args=(main(),), daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield urls[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()
