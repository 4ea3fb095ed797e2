"""Settles the ledger: what receivers were owed, and what of it came. A pure function of every process's part.

A receiver is owed a post where its own subscription was certainly in force before the post went out, and lasted
certainly long enough after it. Clocks of several machines agree only so far; what lies within that margin, what was
on its way when somebody left, and what a broken connection may never have carried, nobody can demand. Nor what came due
while the receiver's process stood still and read nothing: of the time between a post, which counts from when it really
went out, and the receiver's leaving, that in which its process stood still does not count.
"""

import math
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from contract.findings import phrase
from loadtest.ledger import MAX_EXAMPLES, End, Example, Kind, Ledger
from loadtest.stamps import RUN, STREAM

LONG_SECONDS = 10.0
"""Streams that last longer are compared with every seat of their channel; shorter ones with those of their time."""


NEVER_CAME = phrase("never-came").json


@dataclass(frozen=True, slots=True)
class StreamPart:
    """A stream as it is settled; `sent`: when its posts went out, in seconds on the common clock."""

    key: bytes
    channel: str
    user: str
    sent: Sequence[float]
    refused: int
    end: End


@dataclass(frozen=True, slots=True)
class SeatPart:
    """A seat as it is settled: `came` has first, following and holes for each stream of which anything came."""

    channel: str
    user: str
    since: float
    until: float
    stalled: float
    came: dict[bytes, tuple[int, int, tuple[tuple[int, int], ...]]]


@dataclass(frozen=True, slots=True)
class Part:
    """One process's ledger."""

    streams: tuple[StreamPart, ...]
    seats: tuple[SeatPart, ...]
    delivered: int
    posts: int
    strangers: int
    counts: dict[Kind, int]
    examples: tuple[Example, ...]


@dataclass(slots=True)
class Balance:
    """What it comes to. `undecided` were not delivered, and nobody can demand them."""

    expected: int = 0
    delivered: int = 0
    lost: int = 0
    duplicated: int = 0
    reordered: int = 0
    misdelivered: int = 0
    posts: int = 0
    strangers: int = 0
    undecided: int = 0
    examples: list[Example] = field(default_factory=list)


def part_of(ledger: Ledger, shift: float = 0.0) -> Part:
    """A ledger's part; `shift` seconds are added to its times, to make them those of the common clock."""
    streams = tuple(
        StreamPart(
            one.key,
            one.channel,
            one.user,
            array("d", (t + shift for t in one.sent)) if shift else one.sent,
            one.refused,
            one.end,
        )
        for one in ledger.streams.values()
    )
    seats = tuple(
        SeatPart(
            one.channel,
            one.user,
            one.since + shift,
            one.until + shift,
            one.stalled,
            {
                prefix[RUN : RUN + STREAM]: (one.first.get(prefix, 1), following, tuple(one.holes.get(prefix, ())))
                for prefix, following in one.following.items()
            },
        )
        for one in ledger.seats
    )
    shifted = tuple(
        Example(one.kind, one.t + shift, one.channel, one.stream, one.number, one.receiver, one.detail)
        for one in ledger.examples
    )
    counts = (ledger.delivered, sum(len(one.sent) for one in streams), ledger.strangers)
    return Part(streams, seats, *counts, dict(ledger.counts), shifted)


def settle(parts: Iterable[Part], grace: float, margin: float = 0.0, *, patient: bool = False) -> Balance:
    """Draw the balance. `grace`: seconds that a delivery may take; `margin`: seconds that clocks may differ by.

    With `patient`, what was posted on connections that are still open is taken for owed: it may yet come.
    """
    balance = Balance()
    streams: dict[str, list[StreamPart]] = defaultdict(list)
    seats: dict[str, list[SeatPart]] = defaultdict(list)
    for part in parts:
        for stream in part.streams:
            streams[stream.channel].append(stream)
        for seat in part.seats:
            seats[seat.channel].append(seat)
        balance.delivered += part.delivered
        balance.posts += part.posts
        balance.strangers += part.strangers
        balance.duplicated += part.counts.get("duplicated", 0)
        balance.reordered += part.counts.get("reordered", 0)
        balance.misdelivered += part.counts.get("misdelivered", 0)
        balance.examples += part.examples
    # Where nothing ever came out of order, what was overtaken is lost, even to those who did not stay to see.
    ordered = not balance.reordered
    for channel, found in seats.items():
        account = _Channel(streams[channel], found, _highest(found), patient=patient, ordered=ordered)
        for seat in found:
            account.settle(seat, grace, margin, balance)
    balance.expected = balance.delivered + balance.lost
    balance.examples = _few(balance.examples)
    return balance


def _highest(seats: Iterable[SeatPart]) -> dict[bytes, int]:
    """The highest number that anybody received, by stream."""
    highest: dict[bytes, int] = {}
    for seat in seats:
        for key, (_, following, _) in seat.came.items():
            if following - 1 > highest.get(key, 0):
                highest[key] = following - 1
    return highest


def _few(examples: Iterable[Example]) -> list[Example]:
    """The earliest ones of each kind."""
    seen: Counter[Kind] = Counter()
    kept = []
    for one in sorted(examples, key=lambda one: one.t):
        seen[one.kind] += 1
        if seen[one.kind] <= MAX_EXAMPLES:
            kept.append(one)
    return kept


class _Channel:
    """The streams of one channel, so that a seat finds those of its time."""

    def __init__(
        self,
        streams: list[StreamPart],
        seats: list[SeatPart],
        highest: dict[bytes, int],
        *,
        patient: bool,
        ordered: bool,
    ) -> None:
        self.patient = patient
        self.ordered = ordered
        self.seats = seats
        self.highest = highest
        self._refusals: dict[bytes, frozenset[int]] = {}
        posting = [one for one in streams if len(one.sent)]
        self.by_key = {one.key: one for one in streams}
        self.long = [one for one in posting if one.sent[-1] - one.sent[0] > LONG_SECONDS]
        self.short = sorted(
            (one for one in posting if one.sent[-1] - one.sent[0] <= LONG_SECONDS), key=lambda one: one.sent[0]
        )
        self.starts = [one.sent[0] for one in self.short]

    def settle(self, seat: SeatPart, grace: float, margin: float, balance: Balance) -> None:
        """Account for one seat."""
        for key, (first, following, holes) in seat.came.items():
            stream = self.by_key.get(key)
            if stream is None:
                # Its poster's process was lost: what came late shows what is missing, and nothing else does.
                self._lose(balance, seat, key, None, [number for low, high in holes for number in _some(low, high)])
                balance.lost += sum(max(high - low + 1 - len(_some(low, high)), 0) for low, high in holes)
            elif holes or first != 1 or following <= len(stream.sent):
                missing = [(1, first - 1), *holes, (following, len(stream.sent))]
                self._account(seat, stream, missing, grace, margin, balance)
        if seat.since == math.inf:
            return
        begin = bisect_left(self.starts, seat.since - LONG_SECONDS)
        end = bisect_right(self.starts, seat.until)
        for stream in (*self.long, *self.short[begin:end]):
            if stream.key not in seat.came and stream.sent[-1] > seat.since:
                self._account(seat, stream, [(1, len(stream.sent))], grace, margin, balance)

    def _account(
        self,
        seat: SeatPart,
        stream: StreamPart,
        missing: list[tuple[int, int]],
        grace: float,
        margin: float,
        balance: Balance,
    ) -> None:
        """What is missing of a stream: lost where it was owed, undecided where it may have been."""
        sent = stream.sent
        # A number beyond the posted ones was made up by the endpoint.
        following = min(seat.came[stream.key][1], len(sent) + 1) if stream.key in seat.came else 1
        owed_from = bisect_right(sent, seat.since + margin) + 1
        owed_to = bisect_right(sent, seat.until - seat.stalled - grace - margin)
        if stream.end == "broken" or (stream.end == "open" and not self.patient):
            owed_to = min(owed_to, self.highest.get(stream.key, 0))
        if self.ordered:
            owed_to = max(owed_to, following - 1)
        sent_to = max(bisect_right(sent, seat.until), following - 1)
        for low, end in missing:
            high = min(end, len(sent))
            owed = list(range(max(low, owed_from), min(high, owed_to) + 1))
            if stream.refused:
                owed = [number for number in owed if number not in self._refused(stream)]
            self._lose(balance, seat, stream.key, stream, owed)
            balance.undecided += max(min(high, sent_to) - max(low, owed_from) + 1 - len(owed), 0)

    def _refused(self, stream: StreamPart) -> frozenset[int]:
        """Posts that nobody received, as many as the server answered with an error: these were not taken."""
        if stream.key not in self._refusals:
            came: set[int] = set()
            for first, following, holes in (seat.came[stream.key] for seat in self.seats if stream.key in seat.came):
                came |= set(range(first, following)) - {
                    number for low, high in holes for number in range(low, high + 1)
                }
            vanished = [number for number in range(1, len(stream.sent) + 1) if number not in came]
            self._refusals[stream.key] = frozenset(vanished[: stream.refused])
        return self._refusals[stream.key]

    def _lose(
        self, balance: Balance, seat: SeatPart, key: bytes, stream: StreamPart | None, numbers: Sequence[int]
    ) -> None:
        for number in numbers[:MAX_EXAMPLES]:
            t = stream.sent[number - 1] if stream is not None else seat.since
            balance.examples.append(Example("lost", t, seat.channel, key, number, seat.user, NEVER_CAME))
        balance.lost += len(numbers)


def _some(low: int, high: int) -> range:
    """The first numbers of a gap: what a hostile peer makes up may be a hundred million wide."""
    return range(low, min(high, low + MAX_EXAMPLES - 1) + 1)
