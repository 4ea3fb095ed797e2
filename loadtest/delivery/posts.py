"""The posts of one stream, as the settlement knows them: when they went out, and which of them anybody received."""

import math
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from loadtest.delivery.entries import Came, End, Ranges, common, lacking
from loadtest.delivery.parts import Inquiry, SeatPart, StreamPart
from loadtest.delivery.stamps import RUN, STREAM, WORKER

ENDLESS = 10**9


@dataclass(slots=True)
class Claim:
    """A post that seats lack which are settled: how many of each kind, and whose some of them were."""

    t: float
    counts: Counter[str] = field(default_factory=Counter)
    receivers: list[tuple[str, str]] = field(default_factory=list)


class Posts:
    """A stream. Times are in seconds of the common clock; those of posts that nobody waits for are forgotten."""

    __slots__ = (
        *("_kept", "_kept_times", "_times", "_unseen", "begin", "channel", "claimed", "count", "end", "last"),
        *("prefix", "refused", "user"),
    )

    def __init__(self, prefix: bytes, channel: str, user: str) -> None:
        self.prefix = prefix
        self.channel = channel
        self.user = user
        self.count = 0
        self.begin, self.last = math.inf, -math.inf
        self.refused = 0
        self.end: End = "open"
        self.claimed: dict[int, Claim] = {}
        self._times = array("d")
        """Of the last posts, without a gap."""
        self._kept, self._kept_times = array("L"), array("d")
        """Of those before them that a seat lacked."""
        self._unseen: Ranges = ((1, ENDLESS),)
        """What no seat has received of which that is known."""

    @staticmethod
    def key_of(prefix: bytes) -> bytes:
        """The stream's key in its stamp."""
        return prefix[RUN : RUN + STREAM]

    @staticmethod
    def worker_of(prefix: bytes) -> int:
        """The worker's number in a stamp."""
        return int(prefix[RUN : RUN + WORKER])

    @property
    def key(self) -> bytes:
        """The stream's key."""
        return self.key_of(self.prefix)

    @property
    def worker(self) -> int:
        """Whose stream it is."""
        return self.worker_of(self.prefix)

    def tell(self, news: StreamPart) -> None:
        """Add what is new."""
        sent = news.sent[self.count - news.told :]
        if sent:
            # They are in order; a clock that is known better than before must not turn it round.
            turned = bisect_left(sent, self.last)
            self.begin = min(self.begin, sent[0])
            self._times.extend([self.last] * turned)
            self._times.extend(sent[turned:])
            self.last = self._times[-1]
        self.count = max(self.count, news.told + len(news.sent))
        self.refused, self.end = news.refused, news.end

    # When they went out

    @property
    def _base(self) -> int:
        return self.count - len(self._times)

    def within(self, low: int, high: int, after: float) -> Iterator[tuple[int, float]]:
        """Numbers and times of posts from `low` to `high` that went out after a time, if anybody lacked them yet."""
        for index in range(bisect_left(self._kept, low), bisect_right(self._kept, high)):
            if self._kept_times[index] > after:
                yield self._kept[index], self._kept_times[index]
        base = self._base
        begin = max(low - base - 1, bisect_right(self._times, after), 0)
        for index in range(begin, min(high, self.count) - base):
            yield base + 1 + index, self._times[index]

    def missing(self, seat: SeatPart, after: float) -> Ranges:
        """What a seat lacks that may concern it: it is owed nothing from before `after`."""
        if self.last <= after:
            return ()
        came = seat.came.get(self.prefix)
        if came is None:
            return ((1, self.count),) if self.begin <= seat.until else ()
        return lacking(came, 1, self.count)

    def inquiry(self, horizon: float) -> Inquiry | None:
        """What to ask the seats that last: about posts from before the horizon."""
        closely = bool(self.claimed or self.refused)
        if self.end != "open" and self.last <= horizon:
            return Inquiry(self.prefix, 1, self.count, self.last, closely)
        base = self._base
        old = bisect_right(self._times, horizon)
        if old or self.claimed:
            return Inquiry(self.prefix, base + 1, base + old, self._times[old - 1] if old else -math.inf, closely)
        return None

    def is_whole(self, inquiry: Inquiry) -> bool:
        """Whether the stream has ended, and the inquiry was about all of it."""
        return self.end != "open" and inquiry.low == 1 and inquiry.high == self.count

    def forget(self, high: int, lacked: Collection[int]) -> None:
        """Forget the times of posts up to `high`, but of those that a seat lacks."""
        base = self._base
        for number in range(base + 1, high + 1) if lacked else ():
            if number in lacked:
                self._kept.append(number)
                self._kept_times.append(self._times[number - base - 1])
        if high > base:
            del self._times[: high - base]

    # Who received them

    def see(self, came: Came) -> None:
        """A seat received so much."""
        first, following, holes = came
        if len(self._unseen) == 1 and not holes and first <= self._unseen[0][0]:
            self._unseen = ((max(following, self._unseen[0][0]), ENDLESS),)
        else:
            self._unseen = common(self._unseen, ((1, first - 1), *holes, (following, ENDLESS)))

    @property
    def highest(self) -> int:
        """The highest number that anybody received."""
        return self._unseen[-1][0] - 1

    def is_seen(self, number: int) -> bool:
        """Whether anybody received a post."""
        return not any(low <= number <= high for low, high in self._unseen)

    def vanished(self) -> Iterator[int]:
        """Posts that nobody received, as many as the server answered with an error: these were not taken."""
        left = self.refused
        for low, high in self._unseen:
            for number in range(low, min(high, self.count, low + left - 1) + 1):
                left -= 1
                yield number
