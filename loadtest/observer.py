"""Measures one virtual user: what its stage sends and receives, and how its connections begin and end."""

import re
from collections import OrderedDict
from typing import Any

from conformance.actions import CloseReceived, Ended, Happening, Opened, Received
from conformance.deliveries import nonce_of
from conformance.record import Message, Sent
from conformance.stage import Failure
from conformance.values import NONCE_DIGITS
from contract.model import Contract, value_at
from loadtest.recorder import Recorder

MAX_POSTS = 200_000
"""Posts that are remembered for `post_to_receive`; the oldest are forgotten first."""

NO_CODE = 1005
"""Stands for a close frame without a code (RFC 6455 §7.1.5)."""

MAX_CODE_CHARACTERS = 60
MAX_CAUSE_CHARACTERS = 80

_NONCES = re.compile(rb"[0-9]{%d}" % NONCE_DIGITS)

Poster = tuple["Observer", str]
"""A virtual user and the actor of its journey that posted."""


class Posts:
    """When which nonce was posted, and by whom: shared by all users of a process."""

    def __init__(self, limit: int = MAX_POSTS) -> None:
        self._limit = limit
        self._sent: OrderedDict[str, tuple[float, Poster]] = OrderedDict()

    def add(self, nonce: str, t: float, poster: Poster) -> None:
        """A post went out."""
        self._sent[nonce] = (t, poster)
        if len(self._sent) > self._limit:
            self._sent.popitem(last=False)

    def get(self, nonce: str) -> tuple[float, Poster] | None:
        """When and by whom this nonce was posted."""
        return self._sent.get(nonce)


class Observer:
    """One user's meter. The stage tells it of every message and every other happening; times are the transport's."""

    def __init__(self, contract: Contract, recorder: Recorder, posts: Posts, secrets: tuple[str, ...] = ()) -> None:
        self.contract = contract
        self.recorder = recorder
        self.posts = posts
        self.opened: dict[str, float] = {}
        """Since when which actor has a connection that was accepted and has not ended."""
        self._secrets = secrets
        self._delivery = b'"%s"' % contract.delivery.delivery["event"].encode() if contract.delivery else None
        self._joining: dict[str, float] = {}
        self._codes: dict[str, int] = {}
        # A stage connects and closes one actor at a time, and waits for the outcome.
        self._connecting: float | None = None
        self._leaving: float | None = None

    def connecting(self, t: float) -> None:
        """An actor begins to connect."""
        self._connecting, self._leaving = t, None

    def leaving(self, t: float) -> None:
        """An actor sends its close frame."""
        self._leaving = t

    def sent(self, message: Sent) -> None:
        """A message of the user."""
        names = self.contract.delivery
        event = message.value.get("event") if isinstance(message.value, dict) else None
        if names is None or event is None:
            return
        actor = message.conversation.actor
        if event == names.join["event"]:
            self._joining[actor] = message.t
        elif event == names.post["event"]:
            nonce = nonce_of(value_at(message.value, names.post["text"]))
            if nonce:
                self.posts.add(nonce, message.t, (self, actor))

    def received(self, message: Message) -> None:
        """A message of the server."""
        names = self.contract.delivery
        if message.event == self.contract.ack_event:
            opened = self.opened.get(message.conversation.actor)
            if opened is not None:
                self.recorder.measured("ack", message.t - opened, message.t)
        elif names is not None and message.event == names.delivery["event"]:
            self._delivered(message, nonce_of(value_at(message.value, names.delivery["text"])))
        elif names is not None and message.event == names.error["event"]:
            code = self._masked(value_at(message.value, names.error["code"]))
            self.recorder.failed(f"the server sent the error {code}", message.t)

    def overheard(self, happening: Received) -> bool:
        """Whether this delivers a post of another virtual user; it is measured then.

        Most of what a user of a crowded channel receives is such, so that it is told by the bytes: whatever is not
        recognised here goes the way of every message.
        """
        if self._delivery is None or self._delivery not in happening.data:
            return False
        for found in _NONCES.findall(happening.data):
            post = self.posts.get(found.decode())
            if post is not None and post[1][0] is not self:
                self.recorder.measured("post_to_receive", happening.t - post[0], happening.t)
                return True
        return False

    def _delivered(self, message: Message, nonce: str) -> None:
        found = self.posts.get(nonce)
        if found is None:
            return
        sent, poster = found
        actor = message.conversation.actor
        if poster != (self, actor):
            self.recorder.measured("post_to_receive", message.t - sent, message.t)
        elif actor in self._joining:
            # The first own message after a join proves that the join is in force.
            self.recorder.measured("join", message.t - self._joining.pop(actor), message.t)
        else:
            self.recorder.measured("post_to_own", message.t - sent, message.t)

    def _masked(self, code: Any) -> str:
        if not isinstance(code, str):
            return "without a code"
        for secret in self._secrets:
            code = code.replace(secret, "•••")
        return str(code[:MAX_CODE_CHARACTERS])

    def happened(self, happening: Happening) -> None:
        """Anything but a message."""
        match happening:
            case Opened(t=t, actor=actor):
                self.opened[actor] = t
                self._joining.pop(actor, None)
                self._codes.pop(actor, None)
                self.recorder.opened(t)
                if self._connecting is not None:
                    self.recorder.measured("connect", t - self._connecting, t)
            case CloseReceived(actor=actor, code=code):
                self._codes[actor] = code if code is not None else NO_CODE
            case Ended(t=t, actor=actor):
                if self._leaving is not None and actor in self._codes:
                    self.recorder.measured("close", t - self._leaving, t)
                self.ended(actor, t)
            case _:
                pass

    def ended(self, actor: str, t: float) -> None:
        """An actor's connection is over, or given up; counted once."""
        if self.opened.pop(actor, None) is not None:
            self.recorder.closed(self._codes.pop(actor, None), t)


def describe(failure: Failure) -> str:
    """What failed, by its requirements, with how the connection ended where it did.

    Other things received differ from failure to failure, and would make each one a kind of its own.
    """
    received = failure.received or "nothing"
    shown = received != "nothing" and "{" not in received and len(received) <= MAX_CAUSE_CHARACTERS
    requirements = " ".join(failure.charge.requirements)
    return (f"{requirements}: " if requirements else "") + failure.message + (f" ({received})" if shown else "")
