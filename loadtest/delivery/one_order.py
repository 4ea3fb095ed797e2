"""Whether all receivers of a channel see its posts in one order, without a list of all that they see.

Each post has the rank at which it came first to anybody here. Who gets a post after one of a higher rank may just have
joined late, or may have been spared what got lost: that alone shows nothing. But from then on it is known that somebody
got these two so (`turned`), and whoever has got them the other way round, or does so later, proves two orders. What a
receiver got is remembered for its last `RECENT` posts.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from weakref import WeakSet

RECENT = 32
"""Ranks that a receiver remembers of what it got."""

MAX_TURNED = 1000
"""Posts that are remembered because somebody got a post of a lower rank after them."""

MAX_ASKED = 64
"""Receivers that are looked at when a post came late to another one."""


@dataclass(slots=True, eq=False, weakref_slot=True)
class View:
    """What one receiver has seen of one channel: the highest rank, the recent ones, and the timestamp of the last."""

    user: str
    peers: "WeakSet[View]"
    rank: int = 0
    stamp: str = ""
    recent: deque[int] = field(default_factory=lambda: deque(maxlen=RECENT))

    def after(self, rank: int) -> set[int]:
        """What it got after the post of this rank, as far as it remembers; nothing where it has not got that."""
        ranks = list(self.recent)
        return set(ranks[ranks.index(rank) + 1 :]) if rank in self.recent else set()


class OneOrder:
    """Of all channels of one process."""

    def __init__(self) -> None:
        self._channels: dict[str, WeakSet[View]] = {}
        self.turned: dict[int, dict[int, bool]] = {}
        """By the rank of a post: lower ones that somebody got after it, and whether anybody got them before."""

    def view(self, channel: str, user: str) -> View:
        """For a new receiver."""
        peers = self._channels.setdefault(channel, WeakSet())
        made = View(user, peers)
        peers.add(made)
        return made

    def is_another(self, view: View, rank: int) -> bool:
        """Whether a post that comes to a receiver now proves that it and another one see two orders.

        Only if it comes after one of a higher rank, or is `turned`, it may.
        """
        proved = rank in self.turned and self._meets(view, self.turned[rank])
        if rank < view.rank:
            higher = [one for one in view.recent if one > rank]
            proved = self._turn(view, rank, higher) or proved
        return proved

    def _meets(self, view: View, lower: dict[int, bool]) -> bool:
        """Whether it got one of these before, which somebody got after."""
        met = [one for one in lower if one in view.recent]
        lower.update(dict.fromkeys(met, True))
        return bool(met)

    def _turn(self, view: View, rank: int, higher: Iterable[int]) -> bool:
        """It got a post after these; whether anybody got it before one of them."""
        unasked, proved = set(), False
        for one in higher:
            known = self.turned.setdefault(one, {})
            if rank in known:
                proved = proved or known[rank]
            else:
                unasked.add(one)
                known[rank] = False
        if unasked:
            before = {one for peer in islice(view.peers, MAX_ASKED) for one in peer.after(rank) & unasked}
            for one in before:
                self.turned[one][rank] = True
            proved = proved or bool(before)
        while len(self.turned) > MAX_TURNED:
            del self.turned[next(iter(self.turned))]
        return proved
