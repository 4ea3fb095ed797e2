"""The chat protocol as an ASGI application: Starlette, served by uvicorn."""

import asyncio
import json
import os
import re
import socket
import sys
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from secrets import randbelow
from typing import Any, NamedTuple
from uuid import uuid4

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

HOST = "127.0.0.1"
PATH = "/v1/socket"
HEARTBEAT_INTERVAL = float(os.environ.get("HEARTBEAT_INTERVAL", "30"))
HEARTBEAT_TIMEOUT = float(os.environ.get("HEARTBEAT_TIMEOUT", "10"))

MESSAGE_BYTES = 65_536
TRANSPORT_BYTES = 1_048_576  # so far `error` answers; beyond it uvicorn closes with 1009
OUTBOX_LENGTH = 4_096
CLOSE_GRACE = 2.0  # seconds
NEVER = float("inf")
JAPAN = timezone(timedelta(hours=9))

GOING_AWAY, UNSUPPORTED_DATA, POLICY = 1001, 1003, 1008
TOKEN_EXPIRED, NO_PONG = 4401, 4408


class User(NamedTuple):
    id: str
    name: str
    lifetime: float | None = None  # seconds from connecting


class Close(NamedTuple):
    code: int
    reason: str


class ProtocolError(Exception):
    """What is wrong with a client's message: `error.payload`."""

    def __init__(self, code: str, message: str, event: str | None = None) -> None:
        super().__init__(message)
        self.payload = {"code": code, "message": message}
        if event is not None:
            self.payload["originalEvent"] = event


# --- Users and channels ---------------------------------------------------------------------------

USERS = {
    "alice-token": User("user-001", "Taro Yamada"),
    "bob-token": User("user-002", "Hanako Suzuki"),
    "carol-token": User("user-003", "Carol"),
    "expiring-token": User("user-900", "Guest", lifetime=2.0),
}


def user_of(token: str | None) -> User | None:
    if token and re.fullmatch(r"load-[0-9]{1,9}", token):
        number = token.removeprefix("load-")
        return User(f"user-load-{number}", f"Load {number}")
    return USERS.get(token) if token else None


def check_channel(channel: str, user: User, event: str) -> None:
    if channel == "channel-private" and user.id != "user-003":
        raise ProtocolError("PERMISSION_DENIED", "This channel is private.", event)
    if channel.startswith("missing-"):
        raise ProtocolError("CHANNEL_NOT_FOUND", "No such channel.", event)


# --- Messages -------------------------------------------------------------------------------------


def is_text(value: object, longest: int) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= longest and is_unicode(value)


def is_unicode(value: str) -> bool:
    """Half a surrogate pair, which JSON can escape, has no UTF-8 to be repeated in."""
    return not re.search("[\ud800-\udfff]", value)


def read_json(text: str) -> object:
    if len(text.encode()) > MESSAGE_BYTES:
        raise ProtocolError("INVALID_MESSAGE", f"A message has at most {MESSAGE_BYTES} bytes.")

    def refuse(constant: str) -> None:
        raise ValueError(constant)  # NaN and Infinity are Python's, not JSON's

    try:
        return json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError):
        raise ProtocolError("INVALID_JSON", "The message is not JSON.") from None


def read_message(text: str) -> tuple[str, dict[str, Any]]:
    """Returns event and payload of a message; raises ProtocolError."""
    message = read_json(text)
    if not isinstance(message, dict):
        raise ProtocolError("INVALID_MESSAGE", "A message is an object.")
    event = message.get("event")
    if not isinstance(event, str) or not is_unicode(event):
        raise ProtocolError("INVALID_MESSAGE", "`event` must be a string.")
    payload = message.get("payload")
    if not isinstance(payload, dict):
        raise ProtocolError("INVALID_MESSAGE", "`payload` must be an object.", event)
    sequence = message.get("sequence", 0)
    if not isinstance(sequence, int) or isinstance(sequence, bool):
        raise ProtocolError("INVALID_MESSAGE", "`sequence` must be an integer.", event)

    if event not in ("pong", "join_channel", "send_message"):
        raise ProtocolError("UNKNOWN_EVENT", "Clients do not send this event.", event)
    if event != "pong" and not is_text(payload.get("channelId"), 128):
        raise ProtocolError("INVALID_PAYLOAD", "`channelId` must have 1 to 128 characters.", event)
    if event == "send_message" and not is_text(payload.get("text"), 4096):
        raise ProtocolError("INVALID_PAYLOAD", "`text` must have 1 to 4,096 characters.", event)
    return event, payload


# --- Sessions -------------------------------------------------------------------------------------


class Session:
    """One connection: a task that reads, one that writes, one that keeps the time."""

    def __init__(self, websocket: WebSocket, user: User, rooms: "Rooms") -> None:
        self.websocket = websocket
        self.user = user
        self.rooms = rooms
        self.outbox: asyncio.Queue[str | Close] = asyncio.Queue()
        self.sequence = randbelow(1_000_000)  # any start will do
        self.pong_deadline = NEVER
        self.closing = False

    def send(self, event: str, payload: dict[str, Any]) -> None:
        if self.closing:
            return
        if self.outbox.qsize() >= OUTBOX_LENGTH:
            self.close(POLICY, "You read too slowly.")
            return
        message = {"event": event, "sequence": self.sequence, "payload": payload}
        self.outbox.put_nowait(json.dumps(message, ensure_ascii=False))
        self.sequence += 1

    def close(self, code: int, reason: str) -> None:
        if not self.closing:
            self.closing = True
            self.outbox.put_nowait(Close(code, reason))

    async def run(self) -> None:
        self.send("connection_ack", {"sessionId": str(uuid4())})
        work = (self.read(), self.write(), self.keep_time())
        tasks = [asyncio.create_task(part) for part in work]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()  # a fault of our own ends up in uvicorn's log
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def read(self) -> None:
        while True:
            message = await self.websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            if self.closing:
                continue
            text = message.get("text")
            if text is None:
                self.close(UNSUPPORTED_DATA, "Text messages only.")
            else:
                self.handle(text)

    def handle(self, text: str) -> None:
        try:
            event, payload = read_message(text)
            if event == "pong":
                self.pong_deadline = NEVER
            elif event == "join_channel":
                self.rooms.join(self, payload["channelId"])
            else:
                self.rooms.post(self, payload["channelId"], payload["text"])
        except ProtocolError as error:
            self.send("error", error.payload)

    async def write(self) -> None:
        # uvicorn says RuntimeError where it has itself closed the connection, over a bad frame.
        with suppress(WebSocketDisconnect, RuntimeError):
            while not isinstance(item := await self.outbox.get(), Close):
                await self.websocket.send_text(item)
            await self.websocket.close(item.code, item.reason)

    async def keep_time(self) -> None:
        """The first ping follows the ack at once, the others on a fixed beat.

        Ends some time after the session has decided to close: as long as the writer may take.
        """
        clock = asyncio.get_running_loop().time
        next_ping = clock()
        expiry = clock() + self.user.lifetime if self.user.lifetime else NEVER
        while not self.closing:
            now = clock()
            if now >= expiry:
                self.close(TOKEN_EXPIRED, "Your token has expired.")
            elif now >= self.pong_deadline:
                self.close(NO_PONG, "No pong in time.")
            elif now >= next_ping:
                self.send("ping", {})
                next_ping += HEARTBEAT_INTERVAL
                # The oldest unanswered ping counts.
                self.pong_deadline = min(self.pong_deadline, now + HEARTBEAT_TIMEOUT)
            await asyncio.sleep(min(next_ping, expiry, self.pong_deadline) - clock())
        await asyncio.sleep(CLOSE_GRACE)


class Rooms:
    def __init__(self) -> None:
        self.sessions: set[Session] = set()
        self.members: dict[str, list[Session]] = {}
        self.last_post = datetime.now(JAPAN)

    def join(self, session: Session, channel: str) -> None:
        check_channel(channel, session.user, "join_channel")
        members = self.members.setdefault(channel, [])
        if session not in members:
            members.append(session)

    def post(self, session: Session, channel: str, text: str) -> None:
        check_channel(channel, session.user, "send_message")
        members = self.members.get(channel, [])
        if session not in members:
            raise ProtocolError("NOT_JOINED", "Join this channel first.", "send_message")
        self.last_post = max(self.last_post, datetime.now(JAPAN))  # the clock may be set back
        message = {
            "id": str(uuid4()),
            "author": {"id": session.user.id, "name": session.user.name},
            "timestamp": self.last_post.isoformat(timespec="microseconds"),
            "text": text,
        }
        for member in members:
            member.send("new_message", {"channelId": channel, "message": message})

    def leave(self, session: Session) -> None:
        self.sessions.discard(session)
        for channel in [name for name, members in self.members.items() if session in members]:
            self.members[channel].remove(session)
            if not self.members[channel]:
                del self.members[channel]


# --- The application ------------------------------------------------------------------------------

rooms = Rooms()


async def serve_socket(websocket: WebSocket) -> None:
    user = user_of(websocket.query_params.get("access_token"))
    if user is None:
        await websocket.close()  # before accepting, this is ASGI's way to say HTTP 403
        return
    await websocket.accept()
    session = Session(websocket, user, rooms)
    rooms.sessions.add(session)
    try:
        await session.run()
    finally:
        rooms.leave(session)


async def serve_no_socket(websocket: WebSocket) -> None:
    await websocket.send_denial_response(PlainTextResponse("Not found.\n", status_code=404))


async def ask_for_upgrade(_: Request) -> PlainTextResponse:
    headers = {"Upgrade": "websocket", "Connection": "Upgrade"}
    return PlainTextResponse("WebSocket only.\n", status_code=426, headers=headers)


app = Starlette(
    routes=[
        Route(PATH, ask_for_upgrade),
        WebSocketRoute(PATH, serve_socket),
        WebSocketRoute("/{path:path}", serve_no_socket),
    ]
)
app.router.redirect_slashes = False  # a redirect would repeat the query, token and all


class Server(uvicorn.Server):
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Closes the sessions with 1001 first; uvicorn alone would say 1012."""
        for server in self.servers:
            server.close()
        for session in rooms.sessions:
            session.close(GOING_AWAY, "The server is shutting down.")
        for _ in range(20):
            if not rooms.sessions:
                break
            await asyncio.sleep(CLOSE_GRACE / 20)
        await super().shutdown(sockets)


def main() -> None:
    # uvicorn logs whole URLs, tokens included, when it logs connections: it must not.
    config = uvicorn.Config(
        app,
        ws="websockets-sansio",
        ws_max_size=TRANSPORT_BYTES,
        ws_ping_interval=None,  # the protocol has its own heartbeat
        log_level="warning",
    )
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, int(os.environ.get("PORT", "8765"))))
        listener.listen()
        sys.stdout.write(f"listening on ws://{HOST}:{listener.getsockname()[1]}{PATH}\n")
        sys.stdout.flush()
        Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
