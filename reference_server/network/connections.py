"""A running server: the core with its clock, and all connections."""

import asyncio
from collections.abc import Iterable
from typing import Protocol

from reference_server.assembly import Assembly
from reference_server.core.exchange import Copies, Frame, Happening, Outgoing
from reference_server.core.settings import ServerSettings
from wire.frames import FINAL_TEXT, Opcode, header

GRAIN = 0.004
"""Least seconds between two ticks: with thousands of heartbeats, several are served by one."""


class Connected(Protocol):
    """What the core's wishes are carried out on."""

    is_plain: bool
    """Whether it takes text frames as they stand."""

    @property
    def waiting(self) -> int:
        """Bytes that its socket has not taken yet."""

    def collect(self, framed: bytes) -> None:
        """Write a whole frame, soon."""

    def flush(self) -> None:
        """Write the frames that were collected."""

    def perform(self, outgoing: Outgoing) -> None:
        """Do what the core wants."""

    def cut(self, *, handshaking: bool) -> None:
        """End the TCP connection at once; with `handshaking`, only where there was no handshake yet."""


class Hall:
    """Where happenings reach the core, and what it wants reaches the connections.

    Must be made inside a running event loop, whose clock is the server's.
    """

    def __init__(self, settings: ServerSettings, assembly: Assembly) -> None:
        self.settings = settings
        self.assembly = assembly
        self._links: dict[int, Connected] = {}
        self._keys = 0
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._ticked = -GRAIN
        self._unwritten: list[Connected] = []
        self._emptied: asyncio.Event | None = None
        for hook in assembly.hooks:
            hook.waiting = self.waiting

    def waiting(self, key: int) -> int:
        """Bytes that a connection's socket has not taken yet."""
        link = self._links.get(key)
        return link.waiting if link is not None else 0

    def new_key(self) -> int:
        """A number for a connection to come."""
        self._keys += 1
        return self._keys

    def enter(self, key: int, link: Connected) -> None:
        """The beginning of a connection. One that comes while the server stops is ended at once."""
        self._links[key] = link
        if self._emptied is not None:
            link.cut(handshaking=True)

    def leave(self, key: int) -> None:
        """The end of a connection."""
        self._links.pop(key, None)
        if self._emptied is not None and not self._links:
            self._emptied.set()

    async def emptied(self) -> None:
        """Let nobody in any more, and wait until the last has left."""
        self._emptied = asyncio.Event()
        if self._links:
            await self._emptied.wait()

    def cut(self, *, handshaking: bool = False) -> None:
        """End all TCP connections, or those that have not come beyond the handshake."""
        for link in tuple(self._links.values()):
            link.cut(handshaking=handshaking)

    def handle(self, happening: Happening) -> None:
        """Tell the core, and do what it wants."""
        self._perform(self.assembly.core.handle(happening, self._loop.time()))

    def _tick(self) -> None:
        self._timer = None
        self._ticked = self._loop.time()
        self._perform(self.assembly.core.tick(self._ticked))

    def _perform(self, wanted: Iterable[Outgoing | Copies]) -> None:
        for one in wanted:
            if isinstance(one, Copies):
                self._copy(one)
            elif (link := self._links.get(one.session)) is not None:
                link.perform(one)
        deadline = self.assembly.core.next_deadline()
        if deadline is None:
            return
        deadline = max(deadline, self._ticked + GRAIN)
        if self._timer is None or deadline < self._timer.when():
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_at(deadline, self._tick)

    def _copy(self, copies: Copies) -> None:
        """Write one message to many: what is the same for several is put together once."""
        heads: dict[int, bytes] = {}  # by the length of the tail
        for session, number in copies.numbers:
            link = self._links.get(session)
            if link is None:
                continue
            tail = copies.tail(number)
            if not link.is_plain:
                link.perform(Frame(session, Opcode.TEXT, copies.head + tail))
                continue
            size = len(tail)
            if size not in heads:
                heads[size] = header(FINAL_TEXT, len(copies.head) + size) + copies.head
            link.collect(heads[size] + tail)

    # Writing

    def flush_soon(self, link: Connected) -> None:
        """Let a connection write what it has collected, when all that has come is handled."""
        if not self._unwritten:
            self._loop.call_soon(self._flush)
        self._unwritten.append(link)

    def _flush(self) -> None:
        links, self._unwritten = self._unwritten, []
        for link in links:
            link.flush()
