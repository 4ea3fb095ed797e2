"""Measures one virtual user from what its stage sends and receives."""

from collections import OrderedDict

from conformance.actions import CloseReceived, Ended, Happening, Opened, Refused
from conformance.deliveries import nonce_of
from conformance.record import Message, Sent
from contract.model import Contract, value_at
from loadtest.recorder import Recorder

MAX_POSTS = 200_000
"""Posts that are remembered for `post_to_receive`; the oldest are forgotten first."""


class Posts:
    """When which nonce was posted, by whom: shared by all users of a process."""

    def __init__(self) -> None:
        self._sent: OrderedDict[str, tuple[float, object]] = OrderedDict()

    def add(self, nonce: str, t: float, poster: object) -> None:
        """A post went out."""
        self._sent[nonce] = (t, poster)
        if len(self._sent) > MAX_POSTS:
            self._sent.popitem(last=False)

    def get(self, nonce: str) -> tuple[float, object] | None:
        """When and by whom this nonce was posted."""
        return self._sent.get(nonce)


class Observer:
    """One user's meter. `Stage` calls it for every message and every other happening."""

    def __init__(self, contract: Contract, recorder: Recorder, posts: Posts) -> None:
        self.contract = contract
        self.recorder = recorder
        self.posts = posts
        self.opening: float | None = None
        self.opened: float | None = None
        self.joining: float | None = None
        self.closing: float | None = None
        self.code: int | None = None

    def connecting(self, t: float) -> None:
        """The user begins to connect."""
        self.opening, self.opened, self.joining, self.closing, self.code = t, None, None, None, None

    def leaving(self, t: float) -> None:
        """The user sends its close frame."""
        self.closing = t

    def sent(self, message: Sent) -> None:
        """A message of the user."""
        names = self.contract.delivery
        event = message.value.get("event") if isinstance(message.value, dict) else None
        if names is None or event is None:
            return
        if event == names.join["event"]:
            self.joining = message.t
        elif event == names.post["event"]:
            nonce = nonce_of(value_at(message.value, names.post["text"]))
            if nonce:
                self.posts.add(nonce, message.t, self)

    def received(self, message: Message) -> None:
        """A message of the server."""
        names = self.contract.delivery
        if message.event == self.contract.ack_event and self.opened is not None:
            self.recorder.measured("ack", message.t - self.opened, message.t)
        if names is None or message.event != names.delivery["event"]:
            return
        found = self.posts.get(nonce_of(value_at(message.value, names.delivery["text"])))
        if found is None:
            return
        sent, poster = found
        if poster is not self:
            self.recorder.measured("post_to_receive", message.t - sent, message.t)
        elif self.joining is not None:
            self.recorder.measured("join", message.t - self.joining, message.t)
            self.joining = None
        else:
            self.recorder.measured("post_to_own", message.t - sent, message.t)

    def happened(self, happening: Happening) -> None:
        """Anything but a message."""
        match happening:
            case Opened():
                self.opened = happening.t
                if self.opening is not None:
                    self.recorder.measured("connect", happening.t - self.opening, happening.t)
            case CloseReceived():
                self.code = happening.code if happening.code is not None else 1005
            case Ended():
                if self.closing is not None:
                    self.recorder.measured("close", happening.t - self.closing, happening.t)
                self.recorder.closed(self.code, happening.t)
            case Refused():
                pass
