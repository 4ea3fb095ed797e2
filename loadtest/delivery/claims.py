"""What seats did not get: claimed of the streams, and in the end lost or undecided."""

from collections import Counter
from collections.abc import Iterable

from contract.findings import phrase
from loadtest.delivery.balance import Balance
from loadtest.delivery.course import Course
from loadtest.delivery.entries import Came, Example, Kind, Ranges
from loadtest.delivery.ledger import MAX_EXAMPLES
from loadtest.delivery.parts import SeatPart
from loadtest.delivery.posts import Claim, Posts

NEVER_CAME = phrase("never-came").json

MAX_SHOWN = 100
"""Examples from which the earliest are taken now and then."""

OVERTAKEN = "overtaken"
"""A later post of the stream came: lost where the server keeps the order, undecided otherwise."""


class Claims:
    """All claims of a run that began at `began`, and what became of them."""

    def __init__(self, began: float, course: Course) -> None:
        self._began = began
        self._counts: Counter[str] = Counter()
        self._course = course
        self._examples: dict[str, list[Example]] = {"lost": [], OVERTAKEN: []}

    def claim(self, posts: Posts, seat: SeatPart, missing: Ranges, after: float, due: float) -> None:
        """A seat lacks these posts. It was owed those that went out after `after`, and not after `due`."""
        following = min(seat.came[posts.prefix][1], posts.count + 1) if posts.prefix in seat.came else 1
        for low, high in missing:
            for number, t in posts.within(low, high, after):
                if t > seat.until and number >= following:
                    return
                if t > due and number >= following:
                    self._count("undecided", t, 1)
                    continue
                claim = posts.claimed.get(number)
                if claim is None:
                    claim = posts.claimed[number] = Claim(t)
                kind = "lost" if t <= due else OVERTAKEN
                claim.counts[kind] += 1
                if claim.counts[kind] <= MAX_EXAMPLES:
                    claim.receivers.append((kind, seat.user))

    def gaps(self, seat: SeatPart, prefix: bytes, came: Came) -> None:
        """Nobody told of this stream: what came late shows what is missing, and nothing else does."""
        for low, high in came[2]:
            self._count("lost", seat.since, high - low + 1)
            # What a hostile peer makes up may be a hundred million wide.
            for number in range(low, min(high, low + MAX_EXAMPLES - 1) + 1):
                self._show("lost", seat.since, seat.channel, Posts.key_of(prefix), number, seat.user, "")

    def decide(self, posts: Posts, *, certain: bool, last: bool) -> None:
        """Decide the claims of posts that somebody received; with `last`, those of all others.

        `certain`: the server has taken them all. What it answered with an error, it has not.
        """
        refused = frozenset(posts.vanished()) if last and posts.claimed else frozenset()
        for number, claim in list(posts.claimed.items()):
            if not (last or posts.is_seen(number)):
                continue
            del posts.claimed[number]
            owed = certain or number <= posts.highest
            for kind, count in claim.counts.items():
                if number in refused or (kind == "lost" and not owed):
                    self._count("undecided", claim.t, count)
                else:
                    self._count(kind, claim.t, count)
                    for receiver in [user for one, user in claim.receivers if one == kind]:
                        self._show(kind, claim.t, posts.channel, posts.key, number, receiver, posts.user)

    def _count(self, kind: str, t: float, count: int) -> None:
        self._counts[kind] += count
        self._course.add(kind, t - self._began, count)

    def _show(self, kind: str, t: float, channel: str, stream: bytes, number: int, receiver: str, poster: str) -> None:
        shown = self._examples[kind]
        shown.append(Example("lost", t, channel, stream, number, receiver, NEVER_CAME, poster))
        if len(shown) > MAX_SHOWN:
            self._examples[kind] = earliest(shown)

    def enter(self, balance: Balance, *, ordered: bool) -> None:
        """Enter what became of the claims. `ordered`: nothing ever came out of order."""
        counts, shown = self._counts, self._examples["lost"]
        if ordered:
            shown = shown + self._examples[OVERTAKEN]
        self._course.rename(OVERTAKEN, "lost" if ordered else "undecided")
        balance.lost = counts["lost"] + ordered * counts[OVERTAKEN]
        balance.undecided = counts["undecided"] + (not ordered) * counts[OVERTAKEN]
        balance.examples += shown


def earliest(examples: Iterable[Example]) -> list[Example]:
    """The earliest ones of each kind."""
    seen: Counter[Kind] = Counter()
    kept = []
    for example in sorted(examples, key=lambda example: example.t):
        seen[example.kind] += 1
        if seen[example.kind] <= MAX_EXAMPLES:
            kept.append(example)
    return kept
