"""What a ledger enters: streams of posts, seats of receivers, and examples of what went wrong. Times are monotonic.

A stream is what one connection posts to one channel, numbered from 1; a seat is one connection's subscription of one
channel. A seat keeps for each stream only the number that comes next, and what was left out before it.
"""

import math
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from loadtest.delivery.one_order import View

MAX_HOLES = 10_000
"""Gaps that a seat remembers of one stream; a peer that makes more loses what is in them for good."""

MAX_OPEN = 1_000
"""Posts of a stream whose times are kept for latencies while somebody waits for them."""

Kind = Literal["lost", "duplicated", "reordered", "misdelivered"]
End = Literal["open", "orderly", "broken"]

Text = tuple[bytes, bytes]
"""What stands before and after the stamp in a posted text (UTF-8)."""

Ranges = tuple[tuple[int, int], ...]
"""Stretches of numbers, first and last, in order."""

Came = tuple[int, int, Ranges]
"""What came of a stream: the lowest number, the one after the highest, and what is missing between them."""


@dataclass(slots=True, eq=False)
class Seat:
    """One connection's subscription of one channel, in force from `since` to `until` (seconds, monotonic).

    `asked`: when it was asked for; it is in force once an own post has come back. `born`: how many streams this process
    had had by then.

    The rest is by a stream's prefix: `following` has the number after the highest that came, `first` the lowest where
    it is not 1, `holes` the numbers between them that have not come.
    """

    channel: str
    place: bytes
    user: str
    since: float = math.inf
    until: float = math.inf
    following: dict[bytes, int] = field(default_factory=dict)
    first: dict[bytes, int] = field(default_factory=dict)
    holes: dict[bytes, list[tuple[int, int]]] = field(default_factory=dict)
    asked: float = 0.0
    born: float = math.inf
    view: View | None = None
    """What its receiver saw, beside other receivers."""

    def came(self, prefix: bytes) -> Came:
        """What came of a stream."""
        return self.first.get(prefix, 1), self.following.get(prefix, 1), tuple(self.holes.get(prefix, ()))

    def has(self, prefix: bytes, number: int) -> bool:
        """Whether a post has come."""
        first, following, holes = self.came(prefix)
        return first <= number < following and not any(low <= number <= high for low, high in holes)

    def fill(self, prefix: bytes, number: int) -> bool:
        """Take a number out of the holes; False where it is in none."""
        holes = self.holes.get(prefix, [])
        for index, (low, high) in enumerate(holes):
            if low <= number <= high:
                rest = [(low, number - 1), (number + 1, high)]
                holes[index : index + 1] = [(a, b) for a, b in rest if a <= b]
                return True
        return False

    def forget(self, prefix: bytes) -> None:
        """A stream is over. What was left out of it stays: what comes of it yet has to be told from what came."""
        if prefix not in self.first and not self.holes.get(prefix):
            self.following.pop(prefix, None)
            self.holes.pop(prefix, None)


@dataclass(slots=True, eq=False)
class Stream:
    """Posts of one connection to one channel.

    A post has a time that it was meant for, which latencies count from, and one that it went out at, which decides who
    was owed it. Both are known of the posts that somebody may still wait for. `refused`: errors that the server
    answered with, each of which may stand for a post. `end`: "orderly" where the server has certainly taken all posts,
    "broken" where it may have missed the last ones. `home`: the poster's own seat. `told`: what the settlement knows.
    """

    key: bytes
    channel: str
    user: str
    prefix: bytes
    """A stamp of this stream, up to the number."""
    base: int
    """Added to a post's number, it tells the post from all others of this process."""
    meant: "array[float]" = field(default_factory=lambda: array("d"))
    sent: "array[float]" = field(default_factory=lambda: array("d"))
    """Of all posts after the first `passed` ones."""
    passed: int = 0
    awaited: dict[int, tuple[float, float]] = field(default_factory=dict)
    """When those of the first ones were meant for and went out that somebody waits for, by their numbers."""
    refused: int = 0
    end: End = "open"
    home: Seat | None = None
    told: tuple[int, int, End] = (0, 0, "open")
    token: str = ""
    """The poster's; it stays in this process."""
    by: str | None = None
    """The author's name that deliveries showed last."""

    @property
    def count(self) -> int:
        """How many posts there are."""
        return self.passed + len(self.sent)

    def post(self, meant: float, sent: float) -> int:
        """Enter a post that goes out now; its number, from 1."""
        self.meant.append(meant)
        self.sent.append(sent)
        return self.passed + len(self.sent)

    def meant_for(self, number: int) -> float | None:
        """When a post was meant to go out; None where nobody waits for it, or where there is none."""
        index = number - self.passed - 1
        if 0 <= index < len(self.meant):
            return self.meant[index]
        return self.awaited[number][0] if number in self.awaited else None

    def sent_at(self, number: int) -> float:
        """When a post went out whose times are known."""
        return self.sent[number - self.passed - 1] if number > self.passed else self.awaited[number][1]

    def known(self) -> Iterator[tuple[int, float]]:
        """The posts whose times are known, and when they went out."""
        yield from ((number, sent) for number, (_, sent) in self.awaited.items())
        yield from enumerate(self.sent, self.passed + 1)

    @property
    def state(self) -> tuple[int, int, End]:
        """What there is to tell of it."""
        return self.count, self.refused, self.end

    def lacks(self, seat: Seat) -> bool:
        """Whether a seat lacks any of the posts."""
        came = seat.came(self.prefix)
        return bool(lacking(came, 1, self.count))

    def is_awaited(self, here: Iterable[Seat]) -> bool:
        """Whether a post may yet come to a seat here, as far as its time is known.

        Those that nobody has received may never have been taken: as many as the server answered with an error, and
        the last ones of a connection that broke.
        """
        known = list(self.known())
        missing = {
            seat: [n for n, sent in known if sent > seat.since and not seat.has(self.prefix, n)] for seat in here
        }
        gone = [n for n, _ in known if all(not seat.has(self.prefix, n) for seat in missing)]
        if self.end == "broken":
            highest = max((seat.following.get(self.prefix, 1) for seat in missing), default=1) - 1
            gone = [n for n in gone if n > highest]
        else:
            gone = gone[: self.refused]
        return any(set(numbers) - set(gone) for numbers in missing.values())

    def forget(self, low: int, high: int, lacked: Ranges, here: Iterable[Seat]) -> None:
        """Forget the times of posts up to `high`, but for those that somebody `here` waits for.

        `lacked`: from `low` on, no seat here waits for others than these.
        """
        home = self.home if self.end == "open" else None
        at_home = lacking(home.came(self.prefix), 1, high) if home is not None else ()
        doubtful = (*at_home, *lacked, (1, low - 1))
        kept = {
            number: times
            for number, times in self._let_pass(high, doubtful).items()
            if number > high
            or is_within(number, at_home)
            or ((number < low or is_within(number, lacked)) and self._is_lacked(number, times[1], here))
        }
        while kept and len(kept) + len(self.sent) > MAX_OPEN and (number := next(iter(kept))) <= high:
            del kept[number]
        self.awaited = kept

    def _let_pass(self, high: int, doubtful: Ranges) -> dict[int, tuple[float, float]]:
        """Take the times of posts up to `high` from the others; gives those in the ranges, and all older ones."""
        passed, size = self.passed, max(high - self.passed, 0)
        found = self.awaited
        if any(last > passed for _, last in doubtful):
            stretch = enumerate(zip(self.meant[:size], self.sent[:size], strict=True), passed + 1)
            found = found | {number: times for number, times in stretch if is_within(number, doubtful)}
        del self.meant[:size], self.sent[:size]
        self.passed = passed + size
        return found

    def _is_lacked(self, number: int, sent: float, here: Iterable[Seat]) -> bool:
        return any(seat.since < sent and not seat.has(self.prefix, number) for seat in here)


@dataclass(slots=True, eq=False)
class Source:
    """What is known here of a stream, of this process (`stream`) or of another one."""

    key: bytes
    place: bytes
    stream: Stream | None
    author: str | None = None
    """The author that its first delivery showed; the others have to agree."""
    after: bytes = b""
    """What followed the stamp in the text that came last, and was right."""


@dataclass(frozen=True, slots=True)
class Example:
    """One thing that went wrong. `stream` is the poster's; `t` in seconds, monotonic."""

    kind: Kind
    t: float
    channel: str
    stream: bytes
    number: int | None
    receiver: str
    detail: dict[str, Any]
    """A phrase, as documents have it: examples go from process to process."""
    poster: str = ""
    """Where it is known."""


def is_within(number: int, ranges: Ranges) -> bool:
    """Whether a number lies in one of the ranges."""
    return any(low <= number <= high for low, high in ranges)


def common(these: Iterable[tuple[int, int]], those: Iterable[tuple[int, int]]) -> Ranges:
    """The numbers that lie in both."""
    found, left, right = [], iter(these), iter(those)
    a, b = next(left, None), next(right, None)
    while a is not None and b is not None:
        low, high = max(a[0], b[0]), min(a[1], b[1])
        if low <= high:
            found.append((low, high))
        if a[1] < b[1]:
            a = next(left, None)
        else:
            b = next(right, None)
    return tuple(found)


def lacking(came: Came, low: int, high: int) -> Ranges:
    """What is missing from `low` to `high`."""
    first, following, holes = came
    if first <= low and following > high and not holes:
        return ()
    return common(((1, first - 1), *holes, (following, high)), ((low, high),))
