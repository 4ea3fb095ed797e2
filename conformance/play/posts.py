"""What was posted in a scenario, what was delivered of it, and who had asked for it: the flow of the contract.

A delivery may be judged only by what its connection asked for. A join counts from the moment it was sent, whatever
becomes of it: one that is on its way may be in force, and one that was refused is another requirement's matter. On a
connection that sent frames or bytes of its own, nobody knows what was asked for. What the profile calls `history` is
no leak: `join` replays a channel to whoever joins it, `connect` replays to a user what it missed.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any

from conformance.language.values import NONCE_DIGITS
from conformance.play.history import History
from conformance.play.record import Conversation, Message, Sent
from contract.paths import value_at
from contract.profile import Profile
from contract.roles import Flow, Owed


@dataclass(frozen=True, slots=True)
class Post:
    """A post of ours, found by the nonce in its text."""

    number: int
    nonce: str
    channel: str
    text: str
    sent: Sent


@dataclass(frozen=True, slots=True)
class Arrival:
    """A delivery of one of our posts."""

    post: Post
    message: Message
    channel: Any
    text: str


@dataclass(frozen=True, slots=True)
class Stranger:
    """A delivery of what this scenario has not posted; or has posted twice, so that nothing tells which one it is."""

    message: Message
    channel: str


Joins = Mapping[tuple[int | str, str], Sequence[float]]
"""When a channel was asked for: by connection, and by user."""


@dataclass(frozen=True, slots=True)
class Deliveries:
    """Posts and deliveries of one scenario, and what was asked for.

    By connection, `unread` has when frames or bytes were first sent on it: it may have joined any channel from then on.
    `everybody`: nobody has to ask. `owed` says who of those who asked is owed a post.
    """

    posts: tuple[Post, ...] = ()
    arrivals: tuple[Arrival, ...] = ()
    strangers: tuple[Stranger, ...] = ()
    joins: Joins = field(default_factory=dict)
    unread: Mapping[int, float] = field(default_factory=dict)
    everybody: bool = False
    owed: Owed = "subscribers"

    def is_owed(self, post: Post, conversation: Conversation) -> bool:
        """Whether a connection that asked for its channel is one that a post is for."""
        own = post.sent.conversation is conversation
        return own if self.owed == "sender" else not (own and self.owed == "others")

    def at(self, conversation: Conversation) -> list[Arrival]:
        """What one connection received, in order."""
        return [one for one in self.arrivals if one.message.conversation is conversation]

    def has_joined(self, conversation: Conversation, channel: str, before: float = inf) -> bool:
        """Whether a connection asked for a channel, by this time."""
        return self.everybody or any(t <= before for t in self.joins.get((id(conversation), channel), ()))

    def unjoined(self, profile: Profile) -> Iterator[tuple[Message, str]]:
        """Deliveries from channels that their connection had not asked for when they came."""
        for one in self.arrivals:
            if not self._asked(one.message, one.post.channel) and not self._missed(one, profile):
                yield one.message, one.post.channel
        if profile.history == "connect":
            return
        for other in self.strangers:
            if not self._asked(other.message, other.channel):
                yield other.message, other.channel

    def copies(self, one: Arrival, profile: Profile) -> int:
        """How often its connection may have received a post by now."""
        if profile.history != "join":
            return 1
        joins = self.joins.get((id(one.message.conversation), one.post.channel), ())
        live = any(t < one.post.sent.t for t in joins)
        return max(1, live + sum(one.post.sent.t <= t <= one.message.t for t in joins))

    def _asked(self, message: Message, channel: str) -> bool:
        """Whether its connection may have asked for the channel before a message came."""
        conversation = message.conversation
        unread = self.unread.get(id(conversation), inf) <= message.t
        return unread or self.has_joined(conversation, channel, message.t)

    def _missed(self, one: Arrival, profile: Profile) -> bool:
        """Whether this is what connecting replays: posted before, in a channel that an earlier connection of the user
        had joined. Where channels are shared by all scenarios, that may have been in any of them."""
        conversation = one.message.conversation
        opened = conversation.opened
        if profile.history != "connect" or opened is None or one.post.sent.t > opened.t:
            return False
        if isinstance(profile.channels.open, tuple):
            return True
        return any(t <= opened.t for t in self.joins.get((conversation.user, one.post.channel), ()))


def collect(history: History) -> Deliveries:
    """Match deliveries with posts. Only posts with a nonce count; all others are strangers'."""
    flow = history.contract.flow
    if flow is None:
        return Deliveries()
    sent = sorted((one for c in history.record.conversations for one in c.sent), key=lambda one: one.t)
    posts = _posts(sent, flow)
    arrivals: list[Arrival] = []
    strangers: list[Stranger] = []
    for message in history.record.messages:
        if message.event != flow.delivery.name:
            continue
        text = value_at(message.value, str(flow.delivery.stamp))
        channel = _group(message.value, flow.delivery.group)
        post = posts.get(nonce_of(text))
        if post is not None:
            arrivals.append(Arrival(post, message, channel, text))
        elif isinstance(channel, str):
            strangers.append(Stranger(message, channel))
    unread: dict[int, float] = {}
    for one in sent:
        if one.value is None:
            unread.setdefault(id(one.conversation), one.t)
    everybody = flow.subscribe is None
    found = tuple(posts.values()), tuple(arrivals), tuple(strangers), _joins(sent, flow), unread
    return Deliveries(*found, everybody, flow.owed)


def _group(value: Any, path: str | None) -> Any:
    """What a message belongs to; a flow without groups has one, without a name."""
    return "" if path is None else value_at(value, path)


def _posts(sent: Sequence[Sent], flow: Flow) -> dict[str, Post]:
    """Our posts by their nonces; not those posted twice, since nothing tells which of them arrived."""
    posts: dict[str, Post] = {}
    repeated: set[str] = set()
    post = flow.post
    if post is None:
        return {}
    for one, value in _of(post.name, sent):
        text, channel = value_at(value, post.stamp), _group(value, post.group)
        nonce = nonce_of(text)
        if nonce in posts:
            repeated.add(nonce)
        elif nonce and isinstance(channel, str):
            posts[nonce] = Post(len(posts), nonce, channel, text, one)
    return {nonce: post for nonce, post in posts.items() if nonce not in repeated}


def _joins(sent: Sequence[Sent], flow: Flow) -> Joins:
    joins: defaultdict[tuple[int | str, str], list[float]] = defaultdict(list)
    subscribe = flow.subscribe
    if subscribe is None:
        return {}
    for one, value in _of(subscribe.name, sent):
        channel = _group(value, subscribe.group)
        if isinstance(channel, str):
            joins[id(one.conversation), channel].append(one.t)
            joins[one.conversation.user, channel].append(one.t)
    return dict(joins)


def _of(event: str, sent: Sequence[Sent]) -> Iterator[tuple[Sent, Any]]:
    """Those of our messages that are of an event."""
    return ((one, one.value) for one in sent if one.event == event)


def nonce_of(text: object) -> str:
    """The first run of digits that is as long as a nonce."""
    if not isinstance(text, str):
        return ""
    run = ""
    for character in text[:256]:
        run = run + character if character in "0123456789" else ""
        if len(run) == NONCE_DIGITS:
            return run
    return ""
