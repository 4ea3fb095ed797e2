"""A server without sockets, with a clock of its own."""

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from reference_server.assembly import assemble
from reference_server.core.exchange import (
    Account,
    Binary,
    Close,
    ControlPong,
    Copies,
    Frame,
    Happening,
    Lost,
    Opened,
    Outgoing,
    ShuttingDown,
    Text,
)
from reference_server.core.handshake import Request
from reference_server.core.settings import ServerSettings
from wire.frames import Opcode

EPOCH = 1_780_000_000.0


class Client:
    """One connection of a bench: what it got, and how it ended."""

    def __init__(self, bench: "Bench", session: int) -> None:
        self._bench = bench
        self.session = session
        self.frames: list[Frame] = []
        self.inbox: list[dict[str, Any]] = []
        self.times: list[float] = []
        self.closed: Close | None = None
        self.aborted = False

    def send(self, event: str, payload: Any, **members: Any) -> None:
        """Send an envelope."""
        self.raw(json.dumps({"event": event, "payload": payload, **members}))

    def raw(self, text: str) -> None:
        """Send any text."""
        self._bench.happen(Text(self.session, text))

    def binary(self, data: bytes) -> None:
        """Send a binary message."""
        self._bench.happen(Binary(self.session, data))

    def pong_frame(self) -> None:
        """Send a control pong."""
        self._bench.happen(ControlPong(self.session))

    def leave(self, *, clean: bool = True) -> None:
        """End the connection."""
        self._bench.happen(Lost(self.session, clean))

    def join(self, channel: str) -> None:
        """Join a channel."""
        self.send("join_channel", {"channelId": channel})

    def post(self, channel: str, text: str) -> None:
        """Post to a channel."""
        self.send("send_message", {"channelId": channel, "text": text})

    def take(self) -> list[dict[str, Any]]:
        """What has come since the last time."""
        taken, self.inbox = self.inbox, []
        return taken

    def events(self, event: str) -> list[dict[str, Any]]:
        """The payloads of one event, in order."""
        return [message["payload"] for message in self.inbox if message["event"] == event]

    def codes(self) -> list[str]:
        """The codes of all errors."""
        return [error["code"] for error in self.events("error")]

    def texts(self) -> list[str]:
        """The texts of all deliveries."""
        return [delivery["message"]["text"] for delivery in self.events("new_message")]


class Bench:
    """A whole server but for its sockets. `now` is its clock, in seconds; `waiting` has the bytes that wait for whoever
    does not read."""

    def __init__(self, settings: ServerSettings) -> None:
        self.now = 1000.0
        self.wall_clock: Callable[[], float] = lambda: EPOCH + self.now
        self.assembly = assemble(settings, lambda: self.wall_clock())
        self.clients: dict[int, Client] = {}
        self.waiting: dict[int, int] = {}
        for hook in self.assembly.hooks:
            hook.waiting = lambda session: self.waiting.get(session, 0)

    def connect(self, token: str = "alice-token") -> Client:
        """A connection that has passed the door."""
        request = Request(f"/v1/socket?access_token={token}")
        verdict = self.assembly.door.verdict(request)
        for hook in self.assembly.hooks:
            verdict = hook.verdict(request, verdict)
        assert isinstance(verdict, Account), verdict
        client = Client(self, len(self.clients) + 1)
        self.clients[client.session] = client
        self.happen(Opened(client.session, verdict))
        return client

    def happen(self, happening: Happening) -> None:
        """Tell the core something."""
        self._perform(self.assembly.core.handle(happening, self.now))

    def shut_down(self) -> None:
        """Stop the server."""
        self.happen(ShuttingDown())

    def advance(self, seconds: float) -> None:
        """Let time pass, and every deadline within it come at its time."""
        end = self.now + seconds
        while True:
            deadline = self.assembly.core.next_deadline()
            if deadline is None or deadline > end:
                break
            self.now = max(self.now, deadline)
            self._perform(self.assembly.core.tick(self.now))
        self.now = end

    def _perform(self, wanted: Iterable[Outgoing | Copies]) -> None:
        for one in (out for want in wanted for out in (want.each() if isinstance(want, Copies) else (want,))):
            client = self.clients[one.session]
            if isinstance(one, Frame):
                client.frames.append(one)
                client.times.append(self.now)
                if one.opcode in (Opcode.TEXT, Opcode.BINARY) and one.final and one.data.startswith(b"{"):
                    with suppress(ValueError):  # a fault may have cut it
                        client.inbox.append(json.loads(one.data.decode(errors="replace")))
            elif isinstance(one, Close):
                client.closed = client.closed or one
            else:
                client.aborted = True
