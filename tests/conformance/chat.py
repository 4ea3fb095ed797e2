"""A small chat server, right by default and wrong on demand."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection

from tests.bundled import load_profile
from tests.conformance.servers import websocket_server

USERS = {user.token: user for user in load_profile().users.values()}


class Chat:
    """Members of channels, and counters. The members of the class are what a test may change."""

    def __init__(
        self,
        *,
        before_ack: Callable[[], object] = lambda: None,
        loses_posts: bool = False,
        leaks: bool = False,
        bare_errors: bool = False,
    ) -> None:
        self.before_ack = before_ack
        self.loses_posts = loses_posts
        self.leaks = leaks
        self.bare_errors = bare_errors
        self.lock = threading.Lock()
        self.channels: dict[str, set[ServerConnection]] = {}
        self.connections: set[ServerConnection] = set()
        self.count = 0

    @contextmanager
    def serve(self) -> Iterator[str]:
        with websocket_server(self.handle) as url:
            yield url

    def handle(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        query = parse_qs(urlsplit(connection.request.path).query)
        user = USERS.get(query.get("access_token", [""])[0])
        if user is None:
            connection.close(1008, HTTPStatus.UNAUTHORIZED.phrase)
            return
        with self.lock:
            self.count += 1
            session = f"session-{self.count}"
            self.connections.add(connection)
        try:
            self.before_ack()
            say(connection, "connection_ack", {"sessionId": session})
            for text in connection:
                self.obey(connection, json.loads(text), {"id": user.id, "name": user.name})
        finally:
            with self.lock:
                self.connections.discard(connection)
                for members in self.channels.values():
                    members.discard(connection)

    def obey(self, connection: ServerConnection, message: Any, author: Any) -> None:
        event, payload = message["event"], message["payload"]
        if event == "join_channel":
            with self.lock:
                self.channels.setdefault(payload["channelId"], set()).add(connection)
        elif event == "send_message":
            self.post(payload, author)
        elif event != "pong":
            error = {"code": "UNKNOWN_EVENT", "message": "No such event.", "originalEvent": event}
            say(connection, "error", {"code": "X", "message": "m"} if self.bare_errors else error)

    def post(self, payload: Any, author: Any) -> None:
        if self.loses_posts:
            return
        with self.lock:
            self.count += 1
            body = {
                "id": f"m-{self.count}",
                "text": payload["text"],
                "author": author,
                "timestamp": datetime.now(UTC).isoformat(),
            }
            members = self.connections if self.leaks else self.channels.get(payload["channelId"], set())
            for member in set(members):
                try:
                    say(member, "new_message", {"channelId": payload["channelId"], "message": body})
                except ConnectionClosed:
                    continue


def say(connection: ServerConnection, event: str, payload: Any) -> None:
    connection.send(json.dumps({"event": event, "payload": payload}))
