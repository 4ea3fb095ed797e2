"""Locust with websocket-client, as one writes it by its handbook: a user, a task, one `request` event for each message.

PEER_MODE is `roundtrip` (post, wait for the own message), `idle` (read) or `fanout` (one channel for all: a greenlet
posts at PEER_RATE, the task reads); PEER_SIZE is the length of a text.
"""

import json
import os
import random
import time
from itertools import count
from typing import Any

import gevent
import websocket
from locust import User, task

MODE, SIZE, RATE = os.environ["PEER_MODE"], int(os.environ["PEER_SIZE"]), float(os.environ["PEER_RATE"])
NUMBERS = count()


class Chatter(User):
    """A chat user; pings of the protocol do not come within a measurement."""

    def on_start(self) -> None:
        """Connect, wait for the acknowledgement, join."""
        number = next(NUMBERS)
        self.channel = "locust-00000" if MODE == "fanout" else f"locust-{number:05}"
        self.socket: Any = websocket.create_connection(f"{self.host}?access_token=load-{number}")
        self.posted = 0
        while json.loads(self.socket.recv())["event"] != "connection_ack":
            pass
        if MODE != "idle":
            self.say("join_channel", channelId=self.channel)
        if MODE == "fanout":
            gevent.spawn(self.post_at_rate)

    def say(self, event: str, **payload: str) -> None:
        """Send a message of the protocol."""
        self.socket.send(json.dumps({"event": event, "payload": payload}))

    def post(self) -> str:
        """Post a text that tells when, and return it."""
        self.posted += 1
        text = f"{time.perf_counter():.9f} {self.posted} ".ljust(SIZE, ".")
        self.say("send_message", channelId=self.channel, text=text)
        return text

    def post_at_rate(self) -> None:
        """Post for ever."""
        gevent.sleep(random.random() / RATE)  # each at a moment of its own
        while True:
            self.post()
            gevent.sleep(1 / RATE)

    def read(self) -> str:
        """The text of the next message that somebody posted."""
        while (message := json.loads(self.socket.recv()))["event"] != "new_message":
            pass
        return str(message["payload"]["message"]["text"])

    @task
    def play(self) -> None:
        """One round trip, or one message that came."""
        own = self.post() if MODE == "roundtrip" else None
        text = self.read()
        while own is not None and text != own:
            text = self.read()
        took = 1000 * (time.perf_counter() - float(text.split()[0]))
        self.environment.events.request.fire(
            request_type="WS", name=MODE, response_time=took, response_length=len(text), exception=None, context={}
        )
