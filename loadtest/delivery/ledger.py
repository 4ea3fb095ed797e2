"""The delivery ledger of one process: who posted what, and who received it.

`loadtest.delivery.reconciliation` draws the balance.

A receipt costs a look-up and a comparison. The ledger holds what is open: seats that are over are handed to the
settlement (`loadtest.delivery.parts`), which says when a stream is settled; then it is forgotten here as well. What
comes of it even later can still be told: whoever was there before it began has had all of it.
"""

import math
from collections import Counter
from collections.abc import Callable

from contract.findings import Phrase, phrase
from loadtest.delivery.course import Course
from loadtest.delivery.entries import MAX_HOLES, Example, Kind, Seat, Source, Stream, Text
from loadtest.delivery.stamps import LENGTH, NUMBER, PREFIX, RUN, STREAM, WORKER, channel_key, stream_key

MAX_EXAMPLES = 5
"""Examples that are kept of each kind."""

STALL_PRECISION = 0.001
"""Seconds; shorter stalls are none."""

MAX_TEXTS = 100_000
"""Texts that are known, where each post has one of its own."""


class Ledger:
    """Keeps account of one process's virtual users. `run` are the run's digits, the same in all processes.

    `texts` are those that are posted in the run. Other processes post what this one may not have posted yet:
    `all_texts` gives them all, or None where they cannot be foreseen. `grace`: seconds that a delivery may take.
    `told` hears of everything wrong: its kind, what it is, when it came and to whom. `replays`: what was said before
    may come to whoever connects.
    """

    def __init__(
        self,
        run: bytes,
        worker: int = 0,
        all_texts: Callable[[], set[Text] | None] = set,
        grace: float = 0.0,
        *,
        told: Callable[[Kind, Phrase, float, str], None] = lambda *_: None,
        replays: bool = False,
    ) -> None:
        self.told = told
        self.masked: Callable[[str, str], str] = lambda _, text: text
        """What the endpoint said to a user, without a token in any spelling."""
        self.replays = replays
        self.run = run
        self.worker = worker
        self.grace = grace
        self.began = 0.0
        self.stalled_since: Callable[[float], float] = _never_stalled
        """For how many seconds this process has stood still since a time."""
        self.streams: dict[bytes, Stream] = {}
        """Those that are not settled, by their keys."""
        self.seats: dict[str, dict[Seat, None]] = {}
        """Those that are not over, by their channels."""
        self.left: list[Seat] = []
        """Those that are over, and not handed on."""
        self.course = Course()
        """When what came since the last answer came; posts that did not are the settlement's."""
        self._marked, self._counted = 0.0, 0
        self.texts: set[Text] = set()
        self.delivered = 0
        self.strangers = 0
        self.elsewhere = 0
        """Deliveries that could not be entered at any seat."""
        self.counts: Counter[Kind] = Counter()
        self.wrong = 0
        """How often anything was wrong."""
        self.examples: list[Example] = []
        self._made = 0
        self._settled_posts = 0
        self._sources: dict[bytes, Source] = {}
        self._all_texts: Callable[[], set[Text] | None] | None = all_texts
        self._any_text = False

    def stream(self, channel: str, user: str) -> Stream:
        """A new stream."""
        key, place = stream_key(self.worker, self._made), channel_key(channel)
        made = Stream(key, channel, user, self.run + key + place, self._made * 10**NUMBER)
        self._made += 1
        self.streams[key] = made
        self._sources[made.prefix] = Source(key, place, made)
        return made

    def seat(self, channel: str, user: str) -> Seat:
        """A new subscription; it is not in force yet."""
        made = Seat(channel, channel_key(channel), user)
        self.seats.setdefault(channel, {})[made] = None
        return made

    def enforce(self, seat: Seat, t: float) -> None:
        """A subscription is in force from time `t` on."""
        seat.since, seat.born = t, self._made

    def over(self, seat: Seat) -> None:
        """Nothing comes to this seat any more. Idempotent."""
        here = self.seats.get(seat.channel, {})
        if seat in here:
            del here[seat]
            self.left.append(seat)
            if not here:
                del self.seats[seat.channel]

    def forget(self, channel: str, prefix: bytes) -> None:
        """A stream of this process, or of another one, is settled.

        What comes again even later of another process's stream is taken for new: nobody here knows when it began.
        """
        source = self._sources.pop(prefix, None)
        if source is not None and source.stream is not None:
            del self.streams[source.key]
            self._settled_posts += source.stream.count
        for seat in self.seats.get(channel, {}):
            if prefix in seat.following and (
                int(prefix[RUN + WORKER : RUN + STREAM]) >= seat.born or not self._own(prefix)
            ):
                seat.forget(prefix)

    def begin(self, t: float) -> None:
        """The run begins."""
        self.began = self._marked = t

    def mark(self, t: float) -> None:
        """Take what was delivered since the last time for delivered in between; called about once a second."""
        count = self.delivered - self._counted
        if count:
            self.course.add("delivered", (self._marked + t) / 2 - self.began, count)
        self._marked, self._counted = t, self.delivered

    @property
    def posts(self) -> int:
        """Posts of this process so far."""
        return self._settled_posts + sum(stream.count for stream in self.streams.values())

    def stalled_before(self, t: float) -> float:
        """For how many seconds this process stood still, of the time that what was due just before `t` had."""
        later = self.stalled_since(t)

        def awake(seconds: float) -> float:
            """For how many of the last seconds it did not."""
            return seconds - (self.stalled_since(t - seconds) - later)

        low = high = self.grace
        while awake(high) < self.grace:
            low, high = high, 2 * high
        while high - low > STALL_PRECISION:
            middle = (low + high) / 2
            low, high = (middle, high) if awake(middle) < self.grace else (low, middle)
        return high - self.grace

    def receive(
        self, seats: dict[str, Seat], user: str, channel: str, text: str, author: str, t: float
    ) -> tuple[Stream, int, float] | None:
        """Enter a delivery to a connection that has these seats.

        Gives the stream, the number, and when the post was meant to go out, where it came for the first time and was
        posted by this process.
        """
        data = text.encode()
        at = data.find(self.run)
        seat = seats.get(channel)
        if at < 0 or (seat is None and self.replays):
            self.strangers += 1
            if seat is None and not self.replays:
                self._wrong("misdelivered", t, channel, b"", None, user, phrase("not-joined"))
            return None
        prefix, digits = data[at : at + PREFIX], data[at + PREFIX : at + LENGTH]
        source = self._sources.get(prefix) or self._foreign(prefix)
        if source is None or not digits.isdigit():
            self.elsewhere += 1
            self._wrong("misdelivered", t, channel, b"", None, user, phrase("damaged-stamp"))
            return None
        number, stream, meant = int(digits), source.stream, None
        if seat is None or seat.place != source.place:
            self.elsewhere += 1
            joined = seat is not None or any(one.place == source.place for one in seats.values())
            detail = phrase("channel-changed" if joined else "not-joined")
            self._wrong("misdelivered", t, channel, source.key, number, user, detail)
            return None
        if stream is not None:
            meant = stream.meant_for(number)
            # Of what all who were owed it have had, nobody knows any more when it was posted.
            if meant is None and not 0 < number <= stream.count:
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
        return None if stream is None or meant is None else (stream, number, meant)

    def _foreign(self, prefix: bytes) -> Source | None:
        """A stream of another process that is not known yet, or one that is settled; None where these are no digits."""
        if len(prefix) < PREFIX or not prefix.isdigit():
            return None
        made = Source(prefix[RUN : RUN + STREAM], prefix[RUN + STREAM :], None)
        if self._own(prefix):
            # No process but this one posts on such a stream: it is settled, or was made up.
            number = int(made.key[WORKER:])
            return made if number < self._made and made.key not in self.streams else None
        self._sources[prefix] = made
        return made

    def _own(self, prefix: bytes) -> bool:
        return prefix.startswith(b"%03d" % self.worker, RUN)

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

    def foresee(self, text: Text) -> None:
        """A text that is posted. Where they are too many to know them all, any text is taken for posted."""
        self._any_text = self._any_text or len(self.texts) >= MAX_TEXTS
        if not self._any_text:
            self.texts.add(text)

    def _is_posted(self, text: Text) -> bool:
        if text not in self.texts and self._all_texts is not None:
            foreseen = self._all_texts()
            self._all_texts, self._any_text = None, self._any_text or foreseen is None
            self.texts |= foreseen or set()
        return self._any_text or text in self.texts

    def _irregular(self, seat: Seat, prefix: bytes, number: int, t: float) -> bool:
        """A number that does not follow the one before; False where it has come already."""
        following = seat.following.get(prefix)
        if following is None and self._has_been(seat, prefix):
            self._twice(seat, prefix, number, t)
            return False
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
        elif not seat.fill(prefix, number):
            self._twice(seat, prefix, number, t)
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

    def _has_been(self, seat: Seat, prefix: bytes) -> bool:
        """Whether a stream of this process is settled that began after the seat: all of it came here, once."""
        return (
            prefix not in self._sources and self._own(prefix) and int(prefix[RUN + WORKER : RUN + STREAM]) >= seat.born
        )

    def _twice(self, seat: Seat, prefix: bytes, number: int, t: float) -> None:
        key = prefix[RUN : RUN + STREAM]
        self._wrong("duplicated", t, seat.channel, key, number, seat.user, phrase("came-before"))

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
        if detail.params:
            detail = detail.changed(lambda text: self.masked(receiver, text))
        self.counts[kind] += 1
        self.wrong += 1
        self.course.add(kind, t - self.began)
        self.told(kind, detail, t, receiver)
        if self.counts[kind] <= MAX_EXAMPLES:
            own = self.streams.get(stream)
            poster = own.user if own is not None else ""
            self.examples.append(Example(kind, t, channel, stream, number, receiver, detail.json, poster))

    @property
    def waits(self) -> bool:
        """Whether a seat in force lacks a post of this process that may yet come."""
        for stream in self.streams.values():
            here = [seat for seat in self.seats.get(stream.channel, ()) if seat.since < seat.until == math.inf]
            if any(stream.lacks(seat) for seat in here) and stream.is_awaited(here):
                return True
        return False

    @property
    def several_channels(self) -> bool:
        """Whether users have joined more than one channel, so that there are some who are owed nothing of another."""
        return len(self.seats) > 1

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
