"""Settles the ledgers: what receivers were owed, and what of it came.

A receiver is owed a post where its own subscription was certainly in force before the post went out, and lasted
certainly long enough after it. Clocks of several machines agree only so far; what lies within that margin, what was
on its way when somebody left, and what a broken connection may never have carried, nobody can demand. Nor what came due
while the receiver's process stood still and read nothing: of the time between a post, which counts from when it really
went out, and the receiver's leaving, that in which its process stood still does not count.

It is settled as it ends, so that what is kept does not grow with the run. Processes tell of new posts, and of seats
that are over, and answer which posts the others lack that last. A turn takes all answers to a question:

- Seats that were over in the turn before are settled: by now all posts are known that they may have been owed. What a
  seat lacks is claimed: whether that is lost may depend on what others will receive, and on how the stream ends.
- Of posts that had their time, those that no seat lacks are forgotten. A stream that has ended, and of which nobody
  lacks anything, is settled: its claims are decided.

Settled at once in the end (`settle`), or turn by turn, the counts are the same.
"""

import math
from collections.abc import Iterable
from dataclasses import replace

from loadtest.delivery.balance import Balance
from loadtest.delivery.claims import Claims, earliest
from loadtest.delivery.course import Course
from loadtest.delivery.entries import lacking
from loadtest.delivery.parts import Inquiry, Part, Question, SeatPart
from loadtest.delivery.posts import Posts

LEAST_SECONDS = 5.0
"""Posts that are younger are not asked about: a process that has just begun may not have told of its seats."""


def settle(parts: Iterable[Part], grace: float, margin: float = 0.0, *, patient: bool = False) -> Balance:
    """Draw the balance. `grace`: seconds that a delivery may take; `margin`: seconds that clocks may differ by.

    With `patient`, what was posted on connections that are still open is taken for owed: it may yet come.
    """
    settlement = Settlement(grace, patient=patient)
    for number, part in enumerate(parts):
        settlement.tell(str(number), part, margin)
    return settlement.balance()


class _Channel:
    """The open streams of one channel, and the seats that are over and not settled."""

    def __init__(self) -> None:
        self.posts: dict[bytes, Posts] = {}
        self.arrived: list[SeatPart] = []
        self.waiting: list[SeatPart] = []
        self.asked: dict[bytes, Inquiry] = {}
        self.lacked: dict[bytes, set[int]] = {}


class Settlement:
    """Of one run. Times are in seconds of one clock, on which the run began at `began`."""

    def __init__(self, grace: float, began: float = 0.0, *, patient: bool = False) -> None:
        self._grace = grace
        self._margin = 0.0
        self._patient = patient
        self._course = Course()
        self._claims = Claims(began, self._course)
        self._channels: dict[str, _Channel] = {}
        self._latest: dict[str, Part] = {}
        self._told_of: dict[int, bytes] = {}
        """The highest key of each worker's streams."""
        self._posters: dict[bytes, str] = {}
        self._question = Question()
        self._asked: set[str] = set()

    # What processes tell

    def tell(self, process: str, part: Part, margin: float = 0.0) -> None:
        """Add a process's news; its times may be off by `margin` seconds."""
        self._margin = max(self._margin, margin)
        for stream in part.streams:
            channel = self._channel(stream.channel)
            posts = channel.posts.get(stream.prefix)
            if posts is None:
                posts = channel.posts[stream.prefix] = Posts(stream.prefix, stream.channel, stream.user)
            posts.tell(stream)
            self._told_of[part.worker] = max(self._told_of.get(part.worker, b""), stream.key)
        for seat in part.seats:
            self._channel(seat.channel).arrived.append(seat)
        if part.number == self._question.number:
            for lack in part.lacks:
                self._note(self._channel(lack.channel), lack.prefix, lack.since, lack.ranges)
        for name, prefix, came in part.seen:
            known = self._channel(name).posts.get(prefix)
            if known is not None:
                known.see(came)
        self._course.merge(part.windows, part.spans)
        self._name_posters(part)
        self._latest[process] = part

    def lose(self, process: str) -> None:
        """A process is lost: its connections broke."""
        part = self._latest.get(process)
        if part is None or part.last:
            return
        for channel in self._channels.values():
            for posts in channel.posts.values():
                if posts.worker == part.worker and posts.end == "open":
                    posts.end = "broken"

    @property
    def is_told(self) -> bool:
        """Whether any process told of its ledger."""
        return bool(self._latest)

    def awaits(self, processes: Iterable[str]) -> bool:
        """Whether any of these has yet to answer; whoever was not there when it was asked need not."""
        number = self._question.number
        told = {process for process, part in self._latest.items() if part.last or part.number == number}
        return bool(self._asked.intersection(processes) - told)

    def _channel(self, name: str) -> _Channel:
        return self._channels.setdefault(name, _Channel())

    def _note(self, channel: _Channel, prefix: bytes, since: float, ranges: Iterable[tuple[int, int]]) -> None:
        """A seat lacks these; of those before it was in force, nothing is owed."""
        posts = channel.posts.get(prefix)
        if posts is not None:
            lacked = channel.lacked.setdefault(prefix, set())
            for low, high in ranges:
                lacked.update(number for number, _ in posts.within(low, high, since + self._margin))

    def _name_posters(self, part: Part) -> None:
        """Remember who posted what examples are about, as long as it is known."""
        for example in part.examples:
            if example.stream and example.stream not in self._posters and example.channel in self._channels:
                for posts in self._channels[example.channel].posts.values():
                    if posts.key == example.stream:
                        self._posters[example.stream] = posts.user

    # A turn

    def turn(self, processes: Iterable[str]) -> Question:
        """Settle what is over, once all of these processes have answered; gives the next question."""
        self._asked = set(processes)
        known = min((self._latest[one].t for one in self._asked if one in self._latest), default=-math.inf)
        horizon = known - max(self._grace, LEAST_SECONDS) - self._margin
        settled: dict[str, list[bytes]] = {}
        asked: dict[str, list[Inquiry]] = {}
        for name, channel in list(self._channels.items()):
            self._settle_seats(channel, channel.waiting)
            channel.waiting, channel.arrived = channel.arrived, []
            if prefixes := self._forget(channel):
                settled[name] = prefixes
            inquiries = [made for posts in channel.posts.values() if (made := posts.inquiry(horizon)) is not None]
            channel.asked = {one.prefix: one for one in inquiries}
            channel.lacked = {}
            if inquiries:
                asked[name] = inquiries
            if not (channel.posts or channel.waiting):
                del self._channels[name]
        self._question = Question(self._question.number + 1, settled, asked)
        return self._question

    def _forget(self, channel: _Channel) -> list[bytes]:
        """Forget posts that had their time and that nobody lacks; the streams that are settled with that."""
        for seat in channel.waiting:
            self._note_seat(channel, seat)
        settled = []
        for inquiry in channel.asked.values():
            posts = channel.posts[inquiry.prefix]
            lacked = channel.lacked.get(inquiry.prefix, set())
            if not posts.is_whole(inquiry):
                posts.forget(inquiry.high, lacked)
            elif not lacked and (inquiry.closely or not posts.claimed):
                self._claims.decide(posts, certain=posts.end == "orderly", last=True)
                del channel.posts[inquiry.prefix]
                settled.append(inquiry.prefix)
            if inquiry.closely and posts.claimed:
                self._claims.decide(posts, certain=False, last=False)
        return settled

    def _note_seat(self, channel: _Channel, seat: SeatPart) -> None:
        """What a seat lacks that is over, and will be settled in the next turn."""
        for prefix, inquiry in channel.asked.items():
            came = seat.came.get(prefix)
            if came is not None:
                channel.posts[prefix].see(came)
            elif channel.posts[prefix].begin > seat.until:
                continue
            if seat.since < inquiry.t:
                ranges = lacking(came or (1, 1, ()), inquiry.low, inquiry.high)
                self._note(channel, prefix, seat.since, ranges)

    def _settle_seats(self, channel: _Channel, seats: Iterable[SeatPart]) -> None:
        for seat in seats:
            for prefix, came in seat.came.items():
                if prefix in channel.posts:
                    channel.posts[prefix].see(came)
                elif self._is_unknown(prefix):
                    self._claims.gaps(seat, prefix, came)
            after, due = seat.since + self._margin, seat.until - seat.stalled - self._grace - self._margin
            for posts in channel.posts.values():
                missing = posts.missing(seat, after)
                if missing:
                    self._claims.claim(posts, seat, missing, after, due)

    def _is_unknown(self, prefix: bytes) -> bool:
        """Whether nobody told of this stream: its process was lost, or the endpoint made it up."""
        key = Posts.key_of(prefix)
        return key > self._told_of.get(Posts.worker_of(prefix), b"")

    # The end

    def balance(self) -> Balance:
        """Settle all that is left, and draw the balance; nothing can be told afterwards."""
        for channel in self._channels.values():
            self._settle_seats(channel, [*channel.waiting, *channel.arrived])
        for channel in self._channels.values():
            for posts in channel.posts.values():
                certain = posts.end == "orderly" or (self._patient and posts.end == "open")
                self._claims.decide(posts, certain=certain, last=True)
        balance = Balance(course=self._course)
        for part in self._latest.values():
            balance.delivered += part.delivered
            balance.posts += part.posts
            balance.strangers += part.strangers
            balance.duplicated += part.counts.get("duplicated", 0)
            balance.reordered += part.counts.get("reordered", 0)
            balance.misdelivered += part.counts.get("misdelivered", 0)
            balance.examples += part.examples
        # Where nothing ever came out of order, what was overtaken is lost, even to those who did not stay to see.
        self._claims.enter(balance, ordered=not balance.reordered)
        balance.expected = balance.delivered + balance.lost
        balance.examples = [
            replace(one, poster=one.poster or self._posters.get(one.stream, "")) for one in earliest(balance.examples)
        ]
        return balance
