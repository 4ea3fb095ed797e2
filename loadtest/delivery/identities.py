"""Whether two posts have the same id: looked through once a second, for all that came in it.

An id costs an append while it comes, and memory without a pointer: a dictionary of all ids is more than a processor's
cache holds, and one look-up in it would cost as much as the rest of a delivery.
"""

from array import array
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

MAX_IDS = 20_000
"""Ids that are remembered of the seconds before, and those that came in a second with the first of them."""


@dataclass(slots=True)
class Batch:
    """Ids that came in a second, by their hashes, and the posts that they came with; to whom (`users`), and when."""

    ids: "array[int]" = field(default_factory=lambda: array("q"))
    posts: "array[int]" = field(default_factory=lambda: array("q"))
    users: list[str] = field(default_factory=list)
    times: "array[float]" = field(default_factory=lambda: array("d"))


class Identities:
    """The ids of one process: those of this second are entered in `latest`; others are remembered for `seconds`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.latest = Batch()
        self._before: deque[tuple[float, array[int], array[int]]] = deque()
        self._count = 0

    def shared(self, t: float) -> Iterator[tuple[str, float]]:
        """Who got an id that another post has, and when; called about once a second."""
        new, self.latest = self.latest, Batch()
        self._forget(t - self._seconds)
        ids = set(new.ids)
        if len(ids) < len(new.ids) or not all(ids.isdisjoint(one) for _, one, _ in self._before):
            yield from self._compare(new)
        if new.ids:
            self._before.append((t, new.ids, new.posts))
            self._count += len(new.ids)

    def _forget(self, until: float) -> None:
        """Forget what came until a time, and what is older than enough."""
        before = self._before
        while before and (before[0][0] < until or self._count - len(before[0][1]) >= MAX_IDS):
            self._count -= len(before.popleft()[1])

    def _compare(self, new: Batch) -> Iterator[tuple[str, float]]:
        """An id came twice: with two posts, or with one post to two receivers, one after the other."""
        holders: dict[int, int] = {}
        for _, ids, posts in self._before:
            holders.update(zip(ids, posts, strict=True))
        for identity, post, user, t in zip(new.ids, new.posts, new.users, new.times, strict=True):
            if holders.get(identity, post) != post:
                yield user, t
            holders[identity] = post
