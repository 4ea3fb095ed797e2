"""A proxy between wsproof and a real server, which a fault makes a wrong one: what passes is changed on its way.

Without a fault it changes nothing: messages, close codes and the subprotocol are those of the server.
"""

import asyncio
import json
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol


@dataclass(frozen=True)
class Text:
    """A message that is no JSON."""

    text: str


@dataclass(frozen=True)
class Up:
    """Goes to the server."""

    message: Any


@dataclass(frozen=True)
class Down:
    """Goes to the client."""

    message: Any


@dataclass(frozen=True)
class End:
    """Ends the client's connection."""

    code: int


@dataclass(frozen=True)
class Later:
    """Goes its way after some seconds; what comes after it goes on."""

    seconds: float
    what: Up | Down


Action = Up | Down | End | Later


class Link:
    """A client's connection and the one that the proxy has for it, and what a fault remembers of the two."""

    def __init__(self, proxy: "Proxy", client: ServerConnection, server: ClientConnection) -> None:
        self.proxy, self.client, self.server = proxy, client, server
        self.ids: dict[Any, Any] = {}
        self.count = 0
        self.held: list[Any] = []

    @property
    def others(self) -> list["Link"]:
        """All that are open besides this one."""
        return [one for one in self.proxy.links if one is not self]

    def push(self, message: Any) -> None:
        """Send something to the client, as soon as may be."""
        self.proxy.tasks.add(asyncio.ensure_future(self.perform([Down(message)])))

    async def perform(self, actions: Iterable[Action]) -> None:
        """Do them in order. What cannot be sent any more is lost."""
        for one in actions:
            try:
                await self._perform(one)
            except ConnectionClosed:
                return

    async def _perform(self, action: Action) -> None:
        match action:
            case Up(message):
                await self.server.send(written(message))
            case Down(message):
                await self.client.send(written(message))
            case End(code):
                await self.client.close(code)
            case Later(seconds, what):
                self.proxy.tasks.add(asyncio.ensure_future(self._later(seconds, what)))

    async def _later(self, seconds: float, what: Up | Down) -> None:
        await asyncio.sleep(seconds)
        await self.perform([what])


def written(message: Any) -> str:
    return message.text if isinstance(message, Text) else json.dumps(message)


def read(text: str | bytes) -> Any:
    """The value of a text; `Text` where it is no JSON."""
    try:
        return json.loads(text)
    except ValueError:
        return Text(text if isinstance(text, str) else text.decode("utf-8", "replace"))


def up(_: Link, message: Any) -> Iterable[Action]:
    yield Up(message)


def down(_: Link, message: Any) -> Iterable[Action]:
    yield Down(message)


def same_code(_: Link, code: int) -> int | None:
    return code


@dataclass(frozen=True)
class Fault:
    """What is wrong, and the requirements that it breaks; none: it is a liberty, which no correct client may mind.

    `from_client` and `from_server` say what becomes of a message, `closing` of a close code of the server's (None: the
    client's connection stays open), `offer` of the subprotocols that a client offers. One that `selects` answers
    with the server's, if the client offers it.
    """

    name: str
    text: str
    breaks: frozenset[str]
    from_client: Callable[[Link, Any], Iterable[Action]] = up
    from_server: Callable[[Link, Any], Iterable[Action]] = down
    closing: Callable[[Link, int], int | None] = same_code
    offer: Callable[[list[str]], list[str]] = list
    selects: bool = True


NONE = Fault("none", "Nothing is wrong.", frozenset())


@dataclass
class Proxy:
    """One that listens on a port of its own while it is `running`."""

    target: str
    fault: Fault = NONE
    links: list[Link] = field(default_factory=list)
    tasks: set[Any] = field(default_factory=set)
    _upstream: dict[ServerConnection, ClientConnection] = field(default_factory=dict)

    @contextmanager
    def running(self) -> Iterator[str]:
        """Yields its URL."""
        ready: list[str] = []
        started, stop = threading.Event(), asyncio.Event()
        loops: list[asyncio.AbstractEventLoop] = []

        async def main() -> None:
            loops.append(asyncio.get_running_loop())
            async with serve(
                self._serve,
                "127.0.0.1",
                0,
                process_request=self._connect,
                select_subprotocol=self._selected,
                compression=None,
                ping_interval=None,
                close_timeout=1,
            ) as server:
                port = next(iter(server.sockets)).getsockname()[1]
                path = "/" + self.target.partition("://")[2].partition("/")[2]
                ready.append(f"ws://127.0.0.1:{port}{path}")
                started.set()
                await stop.wait()

        # Whatever is still on its way is cancelled at the end.
        thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
        thread.start()
        started.wait()
        try:
            yield ready[0]
        finally:
            loops[0].call_soon_threadsafe(stop.set)
            thread.join()

    async def _connect(self, client: ServerConnection, request: Request) -> Response | None:
        offered = [name.strip() for name in request.headers.get("Sec-WebSocket-Protocol", "").split(",") if name]
        offered = self.fault.offer(offered)
        try:
            self._upstream[client] = await connect(
                self.target,
                subprotocols=[Subprotocol(name) for name in offered] or None,
                compression=None,
                ping_interval=None,
                close_timeout=1,
            )
        except InvalidHandshake as refused:
            return client.respond(HTTPStatus.BAD_REQUEST, f"{refused}\n")
        return None

    def _selected(self, client: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
        name = self._upstream[client].subprotocol
        return name if name in offered and self.fault.selects else None

    async def _serve(self, client: ServerConnection) -> None:
        link = Link(self, client, self._upstream.pop(client))
        self.links.append(link)
        try:
            await asyncio.gather(self._to_server(link), self._to_client(link))
        finally:
            self.links.remove(link)

    async def _to_server(self, link: Link) -> None:
        try:
            async for text in link.client:
                await link.perform(self.fault.from_client(link, read(text)))
        except ConnectionClosed:
            pass
        # What the client left is left.
        await link.server.close(link.client.close_code if link.client.close_code in (1000, 1001) else 1000)

    async def _to_client(self, link: Link) -> None:
        try:
            async for text in link.server:
                await link.perform(self.fault.from_server(link, read(text)))
        except ConnectionClosed:
            pass
        code = self.fault.closing(link, link.server.close_code or 1006)
        if code is None:
            await link.client.wait_closed()
        elif code == 1006:
            link.client.transport.abort()
        else:
            await link.client.close(code, link.server.close_reason or "")
