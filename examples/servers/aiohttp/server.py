"""The chat protocol on aiohttp."""

import asyncio
import json
import os
import re
import signal
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final
from uuid import uuid4

from aiohttp import WSCloseCode, WSMsgType, web

HOST: Final = "127.0.0.1"
PATH: Final = "/v1/socket"

MAX_MESSAGE_BYTES: Final = 65_536
MAX_TEXT_LENGTH: Final = 4_096
MAX_CHANNEL_ID_LENGTH: Final = 128
MAX_WAITING_MESSAGES: Final = 4_096
CLOSE_GRACE: Final = 2.0  # seconds for the peer to answer a close frame

TOKEN_EXPIRED: Final = 4401
HEARTBEAT_TIMEOUT: Final = 4408

PRIVATE_CHANNEL: Final = "channel-private"
MISSING_PREFIX: Final = "missing-"


@dataclass(frozen=True, slots=True)
class User:
    id: str
    name: str
    expires_after: float | None = None  # seconds from connecting


USERS: Final = {
    "alice-token": User("user-001", "Taro Yamada"),
    "bob-token": User("user-002", "Hanako Suzuki"),
    "carol-token": User("user-003", "Carol"),
    "expiring-token": User("user-004", "Expiring", expires_after=2.0),
}


def authenticate(token: str) -> User | None:
    if load := re.fullmatch(r"load-([0-9]{1,9})", token):
        return User(f"load-user-{load[1]}", f"Load user {load[1]}")
    return USERS.get(token)


class ClientError(Exception):
    """A message the server does not act on; answered with `error`."""

    def __init__(self, code: str, message: str, event: str | None = None) -> None:
        super().__init__(message)
        self.payload = {"message": message, "code": code}
        if event is not None:
            self.payload["originalEvent"] = event


# What clients may send: the string members of each payload, and their longest lengths.
EVENTS: Final[Mapping[str, Mapping[str, int]]] = {
    "pong": {},
    "join_channel": {"channelId": MAX_CHANNEL_ID_LENGTH},
    "send_message": {"channelId": MAX_CHANNEL_ID_LENGTH, "text": MAX_TEXT_LENGTH},
}


def refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")  # json.loads would take NaN and Infinity


def parse(text: str) -> tuple[str, dict[str, Any]]:
    """Returns event and payload; raises ClientError for the first rule that the message breaks."""
    try:
        message = json.loads(text, parse_constant=refuse_constant)
    except (ValueError, RecursionError):
        raise ClientError("INVALID_JSON", "this is not JSON") from None

    if not isinstance(message, dict):
        raise ClientError("INVALID_MESSAGE", "a message is a JSON object")
    event, payload = message.get("event"), message.get("payload")
    if not isinstance(event, str):
        raise ClientError("INVALID_MESSAGE", "a message has an event, a string")
    if not isinstance(payload, dict):
        raise ClientError("INVALID_MESSAGE", "a message has a payload, an object", event)
    if type(message.get("sequence", 0)) is not int:  # isinstance would let True pass
        raise ClientError("INVALID_MESSAGE", "sequence is an integer", event)

    limits = EVENTS.get(event)
    if limits is None:
        raise ClientError("UNKNOWN_EVENT", "there is no such event for clients to send", event)
    for member, longest in limits.items():
        value = payload.get(member)
        if not isinstance(value, str) or not 1 <= len(value) <= longest:
            raise ClientError("INVALID_PAYLOAD", f"{member} has 1 to {longest} characters", event)
    return event, payload


class Session:
    """One connection. A task of its own writes, so that a slow reader delays nobody else."""

    def __init__(self, ws: web.WebSocketResponse, transport: asyncio.Transport, user: User) -> None:
        self.user = user
        self._ws = ws
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._outbox: asyncio.Queue[str | tuple[int, str]] = asyncio.Queue()
        self._closing = False
        self._pong_deadline: asyncio.TimerHandle | None = None

    def send(self, message: str) -> None:
        if self._closing:
            return
        if self._outbox.qsize() >= MAX_WAITING_MESSAGES:
            self._closing = True
            self._transport.abort()
            return
        self._outbox.put_nowait(message)

    def close(self, code: int, reason: str) -> None:
        """Closes behind everything that still waits to be sent."""
        if not self._closing:
            self._closing = True
            self._outbox.put_nowait((code, reason))
            # For a peer that reads nothing, the close frame included.
            self._loop.call_later(2 * CLOSE_GRACE, self._transport.abort)

    def ping(self, timeout: float) -> None:
        self.send(encode("ping", {}))
        if self._pong_deadline is None:  # the oldest unanswered ping counts
            self._pong_deadline = self._loop.call_later(timeout, self.close, HEARTBEAT_TIMEOUT, "no pong")

    def pong(self) -> None:
        if self._pong_deadline is not None:
            self._pong_deadline.cancel()
            self._pong_deadline = None

    async def run(self, hub: "Hub") -> None:
        """Serves the connection until it ends."""
        writer = asyncio.create_task(self._write())
        self.send(encode("connection_ack", {"sessionId": f"session-{uuid4().hex}"}))
        expiry = None
        if self.user.expires_after is not None:
            expiry = self._loop.call_later(self.user.expires_after, self.close, TOKEN_EXPIRED, "token expired")
        try:
            async for message in self._ws:
                if message.type is WSMsgType.TEXT:
                    self._receive(message.data, hub)
                elif message.type is WSMsgType.BINARY:
                    self._refuse(ClientError("INVALID_MESSAGE", "messages are text, not binary"))
        finally:
            self.pong()
            if expiry is not None:
                expiry.cancel()
            if not self._closing:  # otherwise the writer is still closing the connection
                writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)

    def _receive(self, text: str, hub: "Hub") -> None:
        if self._closing:
            return
        try:
            match parse(text):
                case "join_channel", {"channelId": channel}:
                    hub.join(channel, self)
                case "send_message", {"channelId": channel, "text": text}:
                    hub.post(channel, text, self)
                case _:
                    self.pong()
        except ClientError as error:
            self._refuse(error)

    def _refuse(self, error: ClientError) -> None:
        self.send(encode("error", error.payload))

    async def _write(self) -> None:
        try:
            while isinstance(item := await self._outbox.get(), str):
                await self._ws.send_str(item)
            code, reason = item
            await self._ws.close(code=code, message=reason.encode())
        except ConnectionError:
            pass  # the reading side sees the end as well, and cleans up


class Hub:
    """Who is connected, and who listens to which channel."""

    def __init__(self) -> None:
        self.sessions: set[Session] = set()
        self._channels: defaultdict[str, dict[Session, None]] = defaultdict(dict)
        self._message_numbers = count(1)
        self._last_time = datetime.now(UTC)

    def leave(self, session: Session) -> None:
        self.sessions.discard(session)
        for channel, members in list(self._channels.items()):
            members.pop(session, None)
            if not members:
                del self._channels[channel]

    def join(self, channel: str, session: Session) -> None:
        self._check_permission(channel, session, "join_channel")
        if channel.startswith(MISSING_PREFIX):
            raise ClientError("CHANNEL_NOT_FOUND", "there is no such channel", "join_channel")
        self._channels[channel][session] = None

    def post(self, channel: str, text: str, author: Session) -> None:
        self._check_permission(channel, author, "send_message")
        members = self._channels.get(channel, {})
        if author not in members:
            raise ClientError("NOT_JOINED", "join the channel to post there", "send_message")
        self._last_time = max(self._last_time, datetime.now(UTC))  # the clock may be set back
        message = {
            "timestamp": self._last_time.isoformat(timespec="milliseconds"),
            "author": {"name": author.user.name, "id": author.user.id},
            "text": text,
            "id": f"m{next(self._message_numbers)}",
        }
        new_message = encode("new_message", {"message": message, "channelId": channel})
        for session in members:
            session.send(new_message)

    def _check_permission(self, channel: str, session: Session, event: str) -> None:
        if channel == PRIVATE_CHANNEL and session.user.id != "user-003":
            raise ClientError("PERMISSION_DENIED", "you may not use this channel", event)


def encode(event: str, payload: Mapping[str, Any]) -> str:
    return json.dumps({"payload": payload, "event": event}, separators=(",", ":"))


HUB: Final = web.AppKey("hub", Hub)


async def serve_socket(request: web.Request) -> web.StreamResponse:
    ws = web.WebSocketResponse(
        max_msg_size=MAX_MESSAGE_BYTES + 1,  # the first size that aiohttp refuses
        timeout=CLOSE_GRACE,
        compress=False,  # over invalid deflate data aiohttp would close with 1000
    )
    if not ws.can_prepare(request).ok:
        headers = {"Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
        raise web.HTTPUpgradeRequired(headers=headers)
    user = authenticate(request.query.get("access_token", ""))
    await ws.prepare(request)
    if user is None:
        await ws.close(code=TOKEN_EXPIRED, message=b"no valid token")
        return ws

    hub, transport = request.app[HUB], request.transport
    if transport is None:  # gone already
        return ws
    session = Session(ws, transport, user)
    hub.sessions.add(session)
    try:
        await session.run(hub)
    finally:
        hub.leave(session)
    return ws


async def heartbeat(hub: Hub, interval: float, timeout: float) -> None:
    """One clock for everybody: the first ping comes anywhere within the first interval."""
    loop = asyncio.get_running_loop()
    tick = loop.time()
    while True:
        tick += interval
        await asyncio.sleep(tick - loop.time())
        for session in list(hub.sessions):
            session.ping(timeout)


async def close_sessions(app: web.Application) -> None:
    for session in app[HUB].sessions:
        session.close(WSCloseCode.GOING_AWAY, "server shutdown")


async def main() -> None:
    app = web.Application()
    app[HUB] = Hub()
    app.add_routes([web.get(PATH, serve_socket, allow_head=False)])
    app.on_shutdown.append(close_sessions)

    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)

    # No access log: it would hold the tokens.
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=2 * CLOSE_GRACE)
    await runner.setup()
    await web.TCPSite(runner, HOST, int(os.environ.get("PORT", "8765"))).start()
    print(f"listening on ws://{HOST}:{runner.addresses[0][1]}{PATH}", flush=True)

    interval = float(os.environ.get("HEARTBEAT_INTERVAL", "30"))
    timeout = float(os.environ.get("HEARTBEAT_TIMEOUT", "10"))
    clock = asyncio.create_task(heartbeat(app[HUB], interval, timeout))
    await stopped.wait()
    clock.cancel()
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main())
