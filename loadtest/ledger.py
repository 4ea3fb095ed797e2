"""The delivery ledger of one process: who posted what, and who received it. `loadtest.settling` draws the balance.

A stream is what one connection posts to one channel, numbered from 1; a seat is one connection's subscription of one
channel. A receipt costs a look-up and a comparison: a seat keeps for each stream only the number that comes next,
and what was left out before it.
"""

import math
from array import array
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from contract.findings import Phrase, phrase
from loadtest.stamps import LENGTH, PREFIX, RUN, STREAM, channel_key, stream_key

MAX_EXAMPLES = 5
"""Examples that are kept of each kind."""

MAX_HOLES = 10_000
"""Gaps that a seat remembers of one stream; a peer that makes more loses what is in them for good."""

Kind = Literal["lost", "duplicated", "reordered", "misdelivered"]
End = Literal["open", "orderly", "broken"]

Text = tuple[bytes, bytes]
"""What stands before and after the stamp in a posted text (UTF-8)."""


@dataclass(slots=True, eq=False)
class Stream:
    """Posts of one connection to one channel. Times are in seconds, monotonic.

    `posted` has the times they were meant for, which latencies count from; `sent` those they went out at, which decide
    who was owed them. `refused`: errors that the server answered with, each of which may stand for a post. `end`:
    "orderly" where the server has certainly taken all posts, "broken" where it may have missed the last ones.
    """

    key: bytes
    channel: str
    user: str
    prefix: bytes
    """A stamp of this stream, up to the number."""
    posted: "array[float]" = field(default_factory=lambda: array("d"))
    sent: "array[float]" = field(default_factory=lambda: array("d"))
    refused: int = 0
    end: End = "open"

    def post(self, meant: float, sent: float) -> int:
        """Enter a post that goes out now; its number, from 1."""
        self.posted.append(meant)
        self.sent.append(sent)
        return len(self.posted)


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


@dataclass(slots=True, eq=False)
class Seat:
    """One connection's subscription of one channel, in force from `since` to `until` (seconds, monotonic).

    `asked`: when it was asked for; it is in force once an own post has come back. `stalled`: for how many seconds this
    process stood still and read nothing, just before `until`.

    All of it is by a stream's prefix: `following` has the number after the highest that came, `first` the lowest where
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
    stalled: float = 0.0


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


class Ledger:
    """Keeps account of one process's virtual users. `run` are the run's digits, the same in all processes.

    `texts` are those that are posted in the run. Other processes post what this one may not have posted yet:
    `all_texts` gives them all, or None where they cannot be foreseen. `grace`: seconds that a delivery may take.
    """

    def __init__(
        self,
        run: bytes,
        worker: int = 0,
        all_texts: Callable[[], set[Text] | None] = set,
        grace: float = 0.0,
    ) -> None:
        self.run = run
        self.worker = worker
        self.grace = grace
        self.stalled_since: Callable[[float], float] = _never_stalled
        """For how many seconds this process has stood still since a time."""
        self.streams: dict[bytes, Stream] = {}
        self.seats: list[Seat] = []
        self.texts: set[Text] = set()
        self.delivered = 0
        self.strangers = 0
        self.elsewhere = 0
        """Deliveries that could not be entered at any seat."""
        self.counts: Counter[Kind] = Counter()
        self.examples: list[Example] = []
        self._sources: dict[bytes, Source] = {}
        self._all_texts: Callable[[], set[Text] | None] | None = all_texts
        self._any_text = False

    def stream(self, channel: str, user: str) -> Stream:
        """A new stream."""
        key, place = stream_key(self.worker, len(self.streams)), channel_key(channel)
        made = Stream(key, channel, user, self.run + key + place)
        self.streams[key] = made
        self._sources[made.prefix] = Source(key, place, made)
        return made

    def seat(self, channel: str, user: str) -> Seat:
        """A new subscription; it is in force once `since` is set."""
        made = Seat(channel, channel_key(channel), user)
        self.seats.append(made)
        return made

    def leave(self, seat: Seat, t: float) -> None:
        """End a subscription now, at time `t`; a second time changes nothing."""
        if t < seat.until:
            seat.until, seat.stalled = t, self.stall_before(t)

    def stall_before(self, t: float) -> float:
        """For how many seconds this process stood still, of the time that what is due just before `t` had."""
        stalled, found = 0.0, self.stalled_since(t - self.grace)
        while found > stalled:
            # What lasts for longer reaches back further, and may have met another stall there.
            stalled, found = found, self.stalled_since(t - self.grace - found)
        return stalled

    def receive(
        self, seats: dict[str, Seat], user: str, channel: str, text: str, author: str, t: float
    ) -> tuple[Stream, int] | None:
        """Enter a delivery to a connection that has these seats.

        Gives the stream and the number where it came for the first time and was posted by this process.
        """
        data = text.encode()
        at = data.find(self.run)
        if at < 0:
            self.strangers += 1
            return None
        prefix, digits = data[at : at + PREFIX], data[at + PREFIX : at + LENGTH]
        source = self._sources.get(prefix) or self._foreign(prefix)
        if source is None or not digits.isdigit():
            self.elsewhere += 1
            self._wrong("misdelivered", t, channel, b"", None, user, phrase("damaged-stamp"))
            return None
        number, stream, seat = int(digits), source.stream, seats.get(channel)
        if seat is None or seat.place != source.place:
            self.elsewhere += 1
            detail = phrase("not-joined" if seat is None else "channel-changed")
            self._wrong("misdelivered", t, channel, source.key, number, user, detail)
            return None
        if stream is not None and number > len(stream.posted):
            self.elsewhere += 1
            self._wrong("misdelivered", t, channel, source.key, number, user, phrase("never-posted"))
            return None
        after = data[at + LENGTH :]
        if author != source.author or after != source.after or at:
            self._compare(source, (data[:at], after), author, t, seat, number)
        if seat.following.get(prefix) == number:
            seat.following[prefix] = number + 1
        elif not self._irregular(seat, prefix, number, t):
            return None
        self.delivered += 1
        return None if stream is None else (stream, number)

    def _foreign(self, prefix: bytes) -> Source | None:
        """A stream of another process, seen for the first time; None where these are no digits."""
        if len(prefix) < PREFIX or not prefix.isdigit():
            return None
        made = Source(prefix[RUN : RUN + STREAM], prefix[RUN + STREAM :], None)
        if made.key[:3] == b"%03d" % self.worker:
            # No process but this one posts on such a stream, and it has none.
            return None
        self._sources[prefix] = made
        return made

    def _compare(self, source: Source, text: Text, author: str, t: float, seat: Seat, number: int) -> None:
        """Hold a delivery against what was posted."""
        if self._is_posted(text):
            source.after = text[1]
        else:
            self._wrong("misdelivered", t, seat.channel, source.key, number, seat.user, phrase("text-changed"))
        if source.author is None:
            source.author = author
        elif author != source.author:
            detail = phrase("another-author", author=author[:80])
            self._wrong("misdelivered", t, seat.channel, source.key, number, seat.user, detail)

    def _is_posted(self, text: Text) -> bool:
        if text not in self.texts and self._all_texts is not None:
            foreseen = self._all_texts()
            self._all_texts, self._any_text = None, foreseen is None
            self.texts |= foreseen or set()
        return self._any_text or text in self.texts

    def _irregular(self, seat: Seat, prefix: bytes, number: int, t: float) -> bool:
        """A number that does not follow the one before; False where it has come already."""
        following = seat.following.get(prefix)
        if following is None:
            seat.following[prefix] = number + 1
            if number != 1:
                seat.first[prefix] = number
            return True
        if number > following:
            holes = seat.holes.setdefault(prefix, [])
            if len(holes) < MAX_HOLES:
                holes.append((following, number - 1))
            seat.following[prefix] = number + 1
            return True
        first = seat.first.get(prefix, 1)
        if number < first:
            seat.first[prefix] = number
            if number + 1 < first:
                seat.holes.setdefault(prefix, []).insert(0, (number + 1, first - 1))
        elif not _fill(seat.holes.get(prefix, []), number):
            self._wrong(
                "duplicated", t, seat.channel, prefix[RUN : RUN + STREAM], number, seat.user, phrase("came-before")
            )
            return False
        self._wrong(
            "reordered",
            t,
            seat.channel,
            prefix[RUN : RUN + STREAM],
            number,
            seat.user,
            phrase("came-after", number_before=following - 1),
        )
        return True

    def _wrong(
        self,
        kind: Kind,
        t: float,
        channel: str,
        stream: bytes,
        number: int | None,
        receiver: str,
        detail: Phrase,
    ) -> None:
        self.counts[kind] += 1
        if self.counts[kind] <= MAX_EXAMPLES:
            self.examples.append(Example(kind, t, channel, stream, number, receiver, detail.json))

    @property
    def arrived(self) -> int:
        """Deliveries of any kind."""
        return self.delivered + self.strangers + self.counts["duplicated"] + self.elsewhere

    def so_far(self) -> dict[str, int]:
        """The counts that are certain while the run goes on."""
        wrong: tuple[Kind, ...] = ("duplicated", "reordered", "misdelivered")
        return {"delivered": self.delivered, **{kind: self.counts[kind] for kind in wrong}}


def _never_stalled(since: float) -> float:
    return 0.0


def _fill(holes: list[tuple[int, int]], number: int) -> bool:
    """Take a number out of the holes; False where it is in none."""
    for index, (low, high) in enumerate(holes):
        if low <= number <= high:
            rest = [(low, number - 1), (number + 1, high)]
            holes[index : index + 1] = [(a, b) for a, b in rest if a <= b]
            return True
    return False
