"""Transcript checks of what was posted and what was delivered, over the flow of the contract."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import combinations, pairwise
from typing import Any

from conformance.judge.findings import Finding
from conformance.play.history import History
from conformance.play.owed import owing
from conformance.play.posts import Arrival, Deliveries
from conformance.play.record import Conversation
from contract.findings import Phrase, phrase
from contract.json_text import dump_json
from contract.paths import value_at
from contract.roles import Delivery
from contract.schemas import is_date_time

CLOCK_TOLERANCE = 300.0
"""Seconds by which a timestamp may differ from the tester's clock."""

SHOWN = 5
"""Messages of an order that are shown."""

SHOWN_CHARACTERS = 200
"""Characters of a text that was changed."""


NO_PATHS = Delivery("")


def _paths(history: History) -> Delivery:
    """Where deliveries have what they say."""
    flow = history.contract.flow
    return flow.delivery if flow is not None else NO_PATHS


def check_delivered(history: History, found: Deliveries) -> Iterator[Finding]:
    """A post reaches every connection whose join was in force before, and that stayed for the response timeout.

    A join is in force once anything of the channel has arrived. What was refused, or not plain, is owed nothing; what
    one connection received was accepted, and is owed to the others.
    """
    ended = history.record.ended
    for post, conversation, due, arrived in owing(history, found, ended):
        if arrived:
            history.chance("delivered")
        elif conversation.stayed(ended) >= due:
            history.chance("delivered")
            text, expected = phrase("undelivered"), phrase("post", text=post.text[:400])
            yield Finding("delivered", conversation, text, expected, phrase("nothing-came"), absent="undelivered")


def check_fidelity(history: History, found: Deliveries) -> Iterator[Finding]:
    """Channel and text are those posted, character for character."""
    for one in found.arrivals:
        history.chance("intact")
        conversation = one.message.conversation
        if one.text != one.post.text:
            text, posted, came = phrase("text-changed"), one.post.text, one.text
            yield Finding("intact", conversation, text, *_apart(posted, came))
        if _paths(history).group is not None and one.channel != one.post.channel:
            text, channel = phrase("channel-changed"), _shown(one.channel)
            yield Finding("intact", conversation, text, one.post.channel, channel)


def check_membership(history: History, found: Deliveries) -> Iterator[Finding]:
    """Nothing arrives on a connection that has not joined the channel before, whoever posted it."""
    for post in {one.post.nonce: one.post for one in found.arrivals}.values():
        for conversation in history.record.conversations:
            opened = conversation.opened
            if opened is None or found.has_joined(conversation, post.channel):
                continue
            if opened.t < post.sent.t < conversation.stayed(history.record.ended):
                history.chance("membership")
    ours = {id(one.message) for one in found.arrivals}
    for message, channel in found.unjoined(history.profile):
        history.chance("membership", times=id(message) not in ours)
        text, expected = phrase("not-joined"), phrase("nothing-of", channel=channel)
        yield Finding("membership", message.conversation, text, expected, message.text)


def check_once(history: History, found: Deliveries) -> Iterator[Finding]:
    """Each connection receives each message once; where joining replays what was said, once more for each join."""
    for conversation in history.record.conversations:
        seen: Counter[str] = Counter()
        for one in found.at(conversation):
            history.chance("delivered-once")
            seen[one.post.nonce] += 1
            if seen[one.post.nonce] > found.copies(one, history.profile):
                yield Finding(
                    "delivered-once", conversation, phrase("delivered-twice"), phrase("once"), one.message.text
                )


def check_ids(history: History, found: Deliveries) -> Iterator[Finding]:
    """No two messages share an id, and all receivers see the same."""
    path = _paths(history).id
    by_post: dict[str, str] = {}
    by_id: dict[str, str] = {}
    for one in found.arrivals:
        identity = value_at(one.message.value, path) if path is not None else None
        if not isinstance(identity, str) or not identity:
            continue
        conversation = one.message.conversation
        history.chance("delivery-id", times=bool(by_id))
        first = by_post.setdefault(one.post.nonce, identity)
        if first != identity:
            yield Finding("delivery-id", conversation, phrase("two-ids"), first, identity)
        if by_id.setdefault(identity, one.post.nonce) != one.post.nonce:
            yield Finding("delivery-id", conversation, phrase("shared-id"), phrase("own-id"), one.message.text)


def check_timestamps(history: History, found: Deliveries) -> Iterator[Finding]:
    """Near the tester's clock, and not decreasing in a channel."""
    path = _paths(history).time
    for conversation in history.record.conversations:
        latest: dict[str, float] = {}
        arrivals = found.at(conversation)
        # What is replayed once more has the time of its first delivery.
        for one in _firsts(arrivals) if history.profile.history == "join" else arrivals:
            stamp = value_at(one.message.value, path) if path is not None else None
            moment = _unix(stamp)
            if moment is None:
                continue
            history.chance("delivery-time")
            now = one.message.t + history.offset
            if abs(moment - now) > CLOCK_TOLERANCE:
                clock = phrase("clock", time=_rfc3339(now), tolerance=CLOCK_TOLERANCE)
                apart = phrase("behind" if moment < now else "ahead", time=str(stamp), seconds=abs(moment - now))
                yield Finding("delivery-time", conversation, phrase("clocks-differ"), clock, apart)
            before, latest[one.post.channel] = latest.get(one.post.channel, moment), moment
            if moment < before:
                expected = phrase("not-before", time=_rfc3339(before))
                yield Finding("delivery-time", conversation, phrase("time-falls"), expected, str(stamp))


def _unix(stamp: object) -> float | None:
    if not isinstance(stamp, str) or not is_date_time(stamp):
        return None
    text = stamp.upper().replace("Z", "+00:00").replace(":60", ":59", 1) if ":60" in stamp else stamp.upper()
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        return None


def check_authors(history: History, found: Deliveries) -> Iterator[Finding]:
    """`author`: one id for one token; `author-name`: with one name; `author-distinct`: another id for another user."""
    paths = _paths(history)
    if paths.author is None:
        return
    identities: dict[str, tuple[Any, Any]] = {}
    for one in found.arrivals:
        user = one.post.sent.conversation.user
        author = value_at(one.message.value, paths.author)
        name = value_at(one.message.value, paths.author_name) if paths.author_name is not None else None
        if not isinstance(author, str):
            continue
        conversation = one.message.conversation
        for check in ("author", "author-name") if paths.author_name is not None else ("author",):
            history.chance(check, times=user in identities)
        first = identities.setdefault(user, (author, name))
        expected, received = f"{first[0]} ({_shown(first[1])})", f"{author} ({_shown(name)})"
        if author != first[0]:
            yield Finding("author", conversation, phrase("two-authors", user=user), expected, received)
        elif name != first[1]:
            yield Finding("author-name", conversation, phrase("two-author-names", user=user), expected, received)
    for (user, (author, _)), (other, (another, _)) in combinations(identities.items(), 2):
        history.chance("author-distinct")
        if author == another:
            text = phrase("one-author", user=user, other=other)
            yield Finding("author-distinct", None, text, phrase("two-author-ids"), author)


def check_poster_order(history: History, found: Deliveries) -> Iterator[Finding]:
    """The posts of one connection to one channel arrive in the order posted."""
    for conversation in history.record.conversations:
        lines: dict[tuple[int, str], list[Arrival]] = {}
        for one in _firsts(found.at(conversation)):
            lines.setdefault((id(one.post.sent.conversation), one.post.channel), []).append(one)
        for line in lines.values():
            for before, after in pairwise(line):
                history.chance("order")
                if after.post.number < before.post.number:
                    text, posts = phrase("out-of-order"), (after.post.text[:100], before.post.text[:100])
                    expected, received = (phrase("in-order", items=one) for one in (posts, posts[::-1]))
                    yield Finding("order", conversation, text, expected, received)


def check_common_order(history: History, found: Deliveries) -> Iterator[Finding]:
    """All receivers of a channel see its messages in one order."""
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
            history.chance("one-order", times=max(len(common) - 1, 0))
            orders_seen = [[nonce for nonce in line if nonce in common] for line in (seen, other)]
            if orders_seen[0] != orders_seen[1]:
                text = phrase("two-orders", first=first.actor, second=second.actor, channel=channel)
                yield Finding("one-order", second, text, *_orders(first, second, *orders_seen))


def _orders(first: Conversation, second: Conversation, one: list[str], other: list[str]) -> tuple[Phrase, Phrase]:
    """What two receivers saw, from where they differ."""
    start = next(number for number, pair in enumerate(zip(one, other, strict=True)) if pair[0] != pair[1])
    shown = [(actor, line[start : start + SHOWN]) for actor, line in ((first.actor, one), (second.actor, other))]
    a, b = (phrase("order-seen", actor=actor, items=line) for actor, line in shown)
    return a, b


def _apart(posted: str, came: str) -> tuple[str, str]:
    """Two texts from a little before the place where they differ; what does not show is escaped."""
    start = next((at for at, pair in enumerate(zip(posted, came, strict=False)) if pair[0] != pair[1]), 0)
    start = 0 if start < SHOWN_CHARACTERS else start - SHOWN_CHARACTERS // 2
    cut = "…" if start else ""
    a, b = (f"{cut}{text[start : start + SHOWN_CHARACTERS]!a}" for text in (posted, came))
    return a, b


def _shown(value: object) -> str:
    return value if isinstance(value, str) else dump_json(value)


def _rfc3339(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _firsts(arrivals: list[Arrival]) -> list[Arrival]:
    seen: set[str] = set()
    return [one for one in arrivals if not (one.post.nonce in seen or seen.add(one.post.nonce))]  # type: ignore[func-returns-value]


DELIVERY_CHECKS: tuple[Callable[[History, Deliveries], Iterator[Finding]], ...] = (
    check_delivered,
    check_fidelity,
    check_membership,
    check_once,
    check_ids,
    check_timestamps,
    check_authors,
    check_poster_order,
    check_common_order,
)
