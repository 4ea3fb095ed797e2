"""A scripted endpoint: answers a journey's actions without any socket, on a clock of its own."""

import json
from collections import deque
from collections.abc import Callable, Generator
from typing import Any, TypeVar

from conformance.actions import (
    Action,
    Close,
    CloseReceived,
    Ended,
    Happening,
    Open,
    Opened,
    Received,
    Refused,
    Send,
    Tick,
    Wait,
)

Result = TypeVar("Result")

Answer = Callable[["Endpoint", Action], None]


class Endpoint:
    """Plays a script to its end. Every answer comes `delay` seconds after what it answers."""

    def __init__(self, answer: Answer | None = None, delay: float = 0.25) -> None:
        self.answer = answer or polite
        self.delay = delay
        self.now = 1000.0
        self.actions: list[Action] = []
        self.waits: list[Wait] = []
        self.alarm: tuple[float, Callable[[], None]] | None = None
        """What is to be done once so much time has passed, whoever waits then."""
        self._queue: deque[Happening] = deque()

    def run(self, script: Generator[Action, Happening, Result]) -> Result:
        """Give the script what it waits for; time passes only while it waits."""
        try:
            action = next(script)
            while True:
                action = script.send(self._perform(action))
        except StopIteration as stop:
            result: Result = stop.value
            return result

    def _perform(self, action: Action) -> Happening:
        if not isinstance(action, Wait):
            self.actions.append(action)
            self.answer(self, action)
            return Tick(self.now)
        self.waits.append(action)
        assert len(self.waits) < 10_000, "the script waits for ever"
        if self._queue and self._queue[0].t <= max(action.deadline, self.now):
            happening = self._queue.popleft()
        else:
            happening = Tick(max(self.now, action.deadline))
        self.now = max(self.now, happening.t)
        if self.alarm is not None and self.now >= self.alarm[0]:
            self.alarm[1]()
            self.alarm = None
        return happening

    @property
    def due(self) -> float:
        """When an answer to something that happens now arrives."""
        return self.now + self.delay

    def happens(self, happening: Happening) -> None:
        """Something arrives, at its own time."""
        self._queue.append(happening)
        self._queue = deque(sorted(self._queue, key=lambda one: one.t))

    def message(self, actor: str, event: str, payload: Any, after: float | None = None) -> None:
        """A message arrives, `after` so many seconds."""
        data = json.dumps({"event": event, "payload": payload}).encode()
        self.happens(Received(self.now + (self.delay if after is None else after), actor, 1, data))

    def accept(self, actor: str) -> None:
        """The handshake is accepted, and acknowledged as late again."""
        self.happens(Opened(self.due, actor, (), None))
        self.message(actor, "connection_ack", {"sessionId": "s"}, after=2 * self.delay)

    def refuse(self, actor: str, status: int) -> None:
        """The handshake is refused."""
        self.happens(Refused(self.due, actor, "status", status, (), b"", "refused"))

    def deliver(self, actor: str, channel: str, text: str) -> None:
        """A message of a channel arrives."""
        message = {"id": "m", "text": text, "author": {"id": "u", "name": "U"}, "timestamp": "2026-01-01T00:00:00Z"}
        self.message(actor, "new_message", {"channelId": channel, "message": message})

    def close(self, actor: str, code: int | None, after: float | None = None) -> None:
        """A close frame arrives, and the end of the connection right behind it."""
        t = self.now + (self.delay if after is None else after)
        self.happens(CloseReceived(t, actor, code, ""))
        self.happens(Ended(t, actor, "eof"))


def polite(endpoint: Endpoint, action: Action) -> None:
    """What a right endpoint answers to one user."""
    match action:
        case Open(actor=actor):
            endpoint.accept(actor)
        case Close(actor=actor, code=code):
            endpoint.close(actor, code)
        case Send(actor=actor):
            value = json.loads(action.frames[0].payload)
            if value["event"] == "send_message":
                endpoint.deliver(actor, value["payload"]["channelId"], value["payload"]["text"])
        case _:
            pass
