"""Transcript checks of what was posted and what was delivered, over `x-delivery` of the contract."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any

from conformance.record import Conversation, Message, Sent
from conformance.stage import Failure
from conformance.values import NONCE_DIGITS
from contract.model import value_at
from contract.schemas import is_date_time

if TYPE_CHECKING:
    from conformance.checks import History

CLOCK_TOLERANCE = 300.0
"""Seconds by which a timestamp may differ from the tester's clock (SEND-05)."""


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
class Deliveries:
    """Posts and arrivals of one scenario; `joined` are the channels a connection asked for."""

    posts: tuple[Post, ...]
    arrivals: tuple[Arrival, ...]
    joined: dict[int, set[str]]

    def at(self, conversation: Conversation) -> list[Arrival]:
        """What one connection received, in order."""
        return [one for one in self.arrivals if one.message.conversation is conversation]


def collect(history: "History") -> Deliveries:
    """Match deliveries with posts. Only posts with a nonce count, and strangers' messages do not."""
    names = history.contract.delivery
    posts: dict[str, Post] = {}
    repeated: set[str] = set()
    joined: dict[int, set[str]] = {}
    arrivals: list[Arrival] = []
    if names is None:
        return Deliveries((), (), {})
    sent = sorted((one for c in history.record.conversations for one in c.sent), key=lambda one: one.t)
    for one in sent:
        if not isinstance(one.value, dict):
            continue
        if one.value.get("event") == names.join["event"]:
            channel = value_at(one.value, names.join["channel"])
            if isinstance(channel, str):
                joined.setdefault(id(one.conversation), set()).add(channel)
        elif one.value.get("event") == names.post["event"]:
            text, channel = value_at(one.value, names.post["text"]), value_at(one.value, names.post["channel"])
            nonce = nonce_of(text)
            if nonce in posts:
                repeated.add(nonce)
            elif nonce and isinstance(channel, str):
                posts[nonce] = Post(len(posts), nonce, channel, text, one)
    # A text posted twice arrives twice, and nothing tells which is which.
    posts = {nonce: post for nonce, post in posts.items() if nonce not in repeated}
    for message in history.record.messages:
        text = value_at(message.value, names.delivery["text"])
        nonce = nonce_of(text)
        if message.event == names.delivery["event"] and nonce in posts:
            channel = value_at(message.value, names.delivery["channel"])
            arrivals.append(Arrival(posts[nonce], message, channel, text))
    return Deliveries(tuple(posts.values()), tuple(arrivals), joined)


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


def check_fidelity(history: "History", found: Deliveries) -> Iterator[Failure]:
    """SEND-02: channel and text are those posted, character for character."""
    for one in found.arrivals:
        conversation = one.message.conversation
        if one.text != one.post.text:
            yield history.finding(
                "SEND-02",
                "MUST",
                conversation,
                "the text is not the one posted",
                expected=ascii(one.post.text[:400]),
                received=ascii(one.text[:400]),
            )
        if one.channel != one.post.channel:
            yield history.finding(
                "SEND-02",
                "MUST",
                conversation,
                "the channelId is not the one posted to",
                expected=one.post.channel,
                received=one.channel,
            )


def check_membership(history: "History", found: Deliveries) -> Iterator[Failure]:
    """JOIN-02: nothing arrives on a connection that has not joined the channel."""
    for one in found.arrivals:
        conversation = one.message.conversation
        if one.post.channel not in found.joined.get(id(conversation), set()):
            yield history.finding(
                "JOIN-02",
                "MUST",
                conversation,
                "a message of a channel that this connection has not joined",
                expected=f"nothing of {one.post.channel}",
                received=one.message.text,
            )


def check_once(history: "History", found: Deliveries) -> Iterator[Failure]:
    """SEND-03: each connection receives each message once."""
    for conversation in history.record.conversations:
        seen: set[str] = set()
        for one in found.at(conversation):
            if one.post.nonce in seen:
                yield history.finding(
                    "SEND-03", "SHOULD", conversation, "a message arrived twice", received=one.message.text
                )
            seen.add(one.post.nonce)


def check_ids(history: "History", found: Deliveries) -> Iterator[Failure]:
    """SEND-04: no two messages share an id, and all receivers see the same."""
    names = history.contract.delivery
    by_post: dict[str, str] = {}
    by_id: dict[str, str] = {}
    for one in found.arrivals:
        identity = value_at(one.message.value, names.delivery["id"]) if names else None
        if not isinstance(identity, str) or not identity:
            continue
        first = by_post.setdefault(one.post.nonce, identity)
        if first != identity:
            yield history.finding(
                "SEND-04",
                "SHOULD",
                one.message.conversation,
                "one message has two ids",
                expected=first,
                received=identity,
            )
        if by_id.setdefault(identity, one.post.nonce) != one.post.nonce:
            yield history.finding(
                "SEND-04", "SHOULD", one.message.conversation, "two messages share an id", received=one.message.text
            )


def check_timestamps(history: "History", found: Deliveries) -> Iterator[Failure]:
    """SEND-05: near the tester's clock, and not decreasing in a channel."""
    names = history.contract.delivery
    for conversation in history.record.conversations:
        latest: dict[str, float] = {}
        for one in found.at(conversation):
            stamp = value_at(one.message.value, names.delivery["timestamp"]) if names else None
            moment = _unix(stamp)
            if moment is None:
                continue
            now = one.message.t + history.offset
            if abs(moment - now) > CLOCK_TOLERANCE:
                yield history.finding(
                    "SEND-05",
                    "SHOULD",
                    conversation,
                    "the timestamp is far from the tester's clock",
                    expected=f"within {CLOCK_TOLERANCE:g} s",
                    received=stamp,
                )
            if moment < latest.get(one.post.channel, moment):
                yield history.finding(
                    "SEND-05", "SHOULD", conversation, "the timestamps of a channel decrease", received=stamp
                )
            latest[one.post.channel] = moment


def _unix(stamp: object) -> float | None:
    if not isinstance(stamp, str) or not is_date_time(stamp):
        return None
    text = stamp.upper().replace("Z", "+00:00").replace(":60", ":59", 1) if ":60" in stamp else stamp.upper()
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        return None


def check_authors(history: "History", found: Deliveries) -> Iterator[Failure]:
    """SEND-06: one author for one token, with one name; another for another user."""
    names = history.contract.delivery
    if names is None:
        return
    identities: dict[str, tuple[Any, Any]] = {}
    for one in found.arrivals:
        user = one.post.sent.conversation.user
        author = value_at(one.message.value, names.delivery["author"])
        name = value_at(one.message.value, names.delivery["author_name"])
        if not isinstance(author, str):
            continue
        first = identities.setdefault(user, (author, name))
        details = {"expected": f"{first[0]} ({first[1]})", "received": f"{author} ({name})"}
        if author != first[0]:
            text = "posts of one token have two authors"
            yield history.finding("SEND-06", "MUST", one.message.conversation, text, **details)
        elif name != first[1]:
            text = "the author's name changes"
            yield history.finding("SEND-06", "SHOULD", one.message.conversation, text, **details)
    for (user, (author, _)), (other, (another, _)) in combinations(identities.items(), 2):
        if author == another:
            text = f"the users {user} and {other} have the same author id"
            yield history.finding("SEND-06", "SHOULD", None, text, expected="two ids", received=author)


def check_poster_order(history: "History", found: Deliveries) -> Iterator[Failure]:
    """SEND-07: the posts of one connection to one channel arrive in the order posted."""
    for conversation in history.record.conversations:
        lines: dict[tuple[int, str], list[Arrival]] = {}
        for one in _firsts(found.at(conversation)):
            lines.setdefault((id(one.post.sent.conversation), one.post.channel), []).append(one)
        for line in lines.values():
            for before, after in pairwise(line):
                if after.post.number < before.post.number:
                    yield history.finding(
                        "SEND-07",
                        "SHOULD",
                        conversation,
                        "posts of one connection arrived in another order than posted",
                        expected=after.post.text[:100],
                        received=before.post.text[:100],
                    )


def check_common_order(history: "History", found: Deliveries) -> Iterator[Failure]:
    """SEND-08: all receivers of a channel see its messages in one order."""
    orders: dict[str, list[tuple[Conversation, list[str]]]] = {}
    for conversation in history.record.conversations:
        lines: dict[str, list[str]] = {}
        for one in _firsts(found.at(conversation)):
            lines.setdefault(one.post.channel, []).append(one.post.nonce)
        for channel, line in lines.items():
            orders.setdefault(channel, []).append((conversation, line))
    for channel, receivers in orders.items():
        for (first, seen), (second, other) in combinations(receivers, 2):
            common = set(seen) & set(other)
            if [nonce for nonce in seen if nonce in common] != [nonce for nonce in other if nonce in common]:
                yield history.finding(
                    "SEND-08",
                    "SHOULD",
                    second,
                    f"{first.actor} and {second.actor} saw the messages of {channel} in two orders",
                    expected="one order",
                    received="two",
                )


def _firsts(arrivals: list[Arrival]) -> list[Arrival]:
    seen: set[str] = set()
    return [one for one in arrivals if not (one.post.nonce in seen or seen.add(one.post.nonce))]  # type: ignore[func-returns-value]


DELIVERY_CHECKS: tuple[Callable[["History", Deliveries], Iterator[Failure]], ...] = (
    check_fidelity,
    check_membership,
    check_once,
    check_ids,
    check_timestamps,
    check_authors,
    check_poster_order,
    check_common_order,
)
