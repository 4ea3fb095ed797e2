"""Compares what the receivers of one process were delivered: ids, authors, times, and one order for all.

A post is known by a number of its own in this process (`Stream.base`). What its first receiver saw is remembered for
two terms, and then forgotten: memory grows with the rate of posts, and not with their number. One order without a list
of all: see `loadtest.delivery.one_order`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from contract.findings import phrase
from loadtest.delivery.identities import Identities
from loadtest.delivery.one_order import OneOrder, View
from loadtest.judge.judge import Judge

CLOCK_TOLERANCE = 300.0
"""Seconds by which a timestamp may differ from the generator's clock (SEND-05)."""

MAX_POSTS = 50_000
"""Posts that are remembered of one term; where more come, terms are shorter."""

TERM_SECONDS = 5.0
"""How long a term is."""

MAX_AUTHORS = 100_000
"""Users whose authorship is compared."""


@dataclass(slots=True, eq=False)
class Known:
    """A post as its first receiver saw it."""

    rank: int
    identity: str
    first: View


class Deliveries:
    """All deliveries of one process. `wall` reads the clock in seconds of UNIX time.

    `distinct`: whether users with different tokens are certainly different ones.
    """

    def __init__(self, judge: Judge, wall: Callable[[], float], *, distinct: bool) -> None:
        self._judge = judge
        self._wall = wall
        self._distinct = distinct
        self._order = OneOrder()
        self._rank = 0
        self._compared = 0
        self._young: dict[int, Known] = {}
        self._old: dict[int, Known] = {}
        self._identities = Identities(2 * TERM_SECONDS)
        self._authors: dict[str, tuple[str, str]] = {}
        self._owners: dict[str, str] = {}
        self.latest: tuple[View, str, float] | None = None
        """The receiver, the timestamp and the time of a delivery of the last second."""
        self._turned = 0.0
        self.forgetting: Callable[[], None] = lambda: None
        """What else is forgotten at the end of a term."""

    def compared(self) -> int:
        """Receipts since the last time that could be compared with those of others."""
        compared, self._compared = self._compared, 0
        return compared

    def tick(self, t: float) -> None:
        """Compare ids, and forget what came before the last term; called about once a second."""
        if self.latest is not None:
            self._compare_clocks(*self.latest)
        for user, when in self._identities.shared(t):
            self._judge.found("delivery-id", phrase("shared-id"), when, user)
        if t - self._turned >= TERM_SECONDS:
            self._turned = t
            self._turn()

    def _turn(self) -> None:
        self._old, self._young = self._young, {}
        self.forgetting()

    def view(self, channel: str, user: str) -> View:
        """For a new receiver in a channel."""
        return self._order.view(channel, user)

    def receive(self, view: View, post: int, identity: str, stamp: str, t: float) -> Known:
        """A post came to a receiver for the first time; what is known of it, by the one who got it `first`.

        An empty `identity` is another check's.
        """
        known = self._young.get(post) or self._old.get(post)
        if known is not None:
            if not known.identity:
                known.identity = identity
            elif identity and known.identity != identity:
                self._judge.found("delivery-id", phrase("two-ids"), t, view.user)
            self.again(view, known, stamp, t)
            return known
        self.alone(view, post, identity, stamp, t)
        rank = self._rank = self._rank + 1
        if len(self._young) >= MAX_POSTS:
            self._turn()
        known = self._young[post] = Known(rank, identity, view)
        view.rank = rank
        view.recent.append(rank)
        return known

    def alone(self, view: View, post: int, identity: str, stamp: str, t: float) -> None:
        """A post came to the first one who got it, or the only one."""
        if stamp < view.stamp:
            self._time_falls(view, stamp, t)
        view.stamp = stamp
        if identity:
            latest = self._identities.latest
            latest.ids.append(hash(identity))
            latest.posts.append(post)
            latest.users.append(view.user)
            latest.times.append(t)

    def again(self, view: View, known: Known, stamp: str, t: float) -> None:
        """A post came that others have got already, with the same id."""
        if stamp < view.stamp:
            self._time_falls(view, stamp, t)
        view.stamp = stamp
        self._compared += 1
        rank = known.rank
        if (rank < view.rank or rank in self._order.turned) and self._order.is_another(view, rank):
            self._judge.found("one-order", phrase("load-two-orders"), t, view.user)
        view.recent.append(rank)
        if rank > view.rank:
            view.rank = rank

    # Times

    def _compare_clocks(self, view: View, stamp: str, t: float) -> None:
        moment, now = _unix(stamp), self._wall()
        if moment is not None and abs(moment - now) > CLOCK_TOLERANCE:
            apart = phrase("behind" if moment < now else "ahead", time=stamp[:40], seconds=abs(moment - now))
            self._judge.found("delivery-time", phrase("clocks-differ"), t, view.user, apart)
        self.latest = None

    def _time_falls(self, view: View, stamp: str, t: float) -> None:
        """By their texts; whether really, their moments say."""
        before, after = _unix(view.stamp), _unix(stamp)
        if before is not None and after is not None and after < before:
            detail = phrase("load-time-fell", before=view.stamp[:40], after=stamp[:40])
            self._judge.found("delivery-time", phrase("time-falls"), t, view.user, detail)

    # Authors

    def author(self, token: str, user: str, author: str, name: str, t: float) -> None:
        """A post of a user was delivered, and this is who is named as its author. No token is kept but in memory."""
        if not author or not name:
            return  # another check's
        first = self._authors.get(token)
        if first is None:
            if len(self._authors) >= MAX_AUTHORS:
                return
            self._authors[token] = (author, name)
            self._own(token, user, author, t)
            return
        if author != first[0]:
            detail = phrase("load-author", author=author, first=first[0])
            self._judge.found("author", phrase("load-two-authors"), t, user, detail)
        elif name != first[1]:
            detail = phrase("load-author", author=name, first=first[1])
            self._judge.found("author-name", phrase("load-two-names"), t, user, detail)

    def _own(self, token: str, user: str, author: str, t: float) -> None:
        if not self._distinct:
            return
        self._judge.chance("author-distinct")
        if self._owners.setdefault(author, token) != token:
            detail = phrase("load-one-author", author=author)
            self._judge.found("author-distinct", phrase("load-shared-author"), t, user, detail)


def _unix(stamp: str) -> float | None:
    """Seconds of UNIX time; None where it is no date-time, which is another check's."""
    try:
        moment = datetime.fromisoformat(stamp.upper().replace("Z", "+00:00"))
        return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
    except (ValueError, OverflowError):
        return None
