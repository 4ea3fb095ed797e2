"""What processes tell the settlement of their ledgers, bit by bit, and what it asks them.

A process tells of each stream the posts that it has not told of, and of each seat that is over all that came to it. Of
seats that last it tells only what they lack of the streams that it is asked about: so the settlement knows which posts
nobody waits for any more, and need not know what came.
"""

import math
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from loadtest.delivery.course import Course, Spans, Windows
from loadtest.delivery.entries import Came, End, Example, Kind, Ranges, Seat, Stream, lacking
from loadtest.delivery.ledger import Ledger
from loadtest.delivery.stamps import RUN, STREAM


@dataclass(frozen=True, slots=True)
class StreamPart:
    """News of a stream. `sent`: when the posts after the first `told` ones went out, on the common clock (seconds)."""

    prefix: bytes
    channel: str
    user: str
    told: int
    sent: Sequence[float]
    refused: int
    end: End

    @property
    def key(self) -> bytes:
        """The stream's key."""
        return self.prefix[RUN : RUN + STREAM]


@dataclass(frozen=True, slots=True)
class SeatPart:
    """A seat as it is settled: what `came`, by the streams' prefixes.

    `stalled`: for how many seconds its process stood still and read nothing, just before `until`.
    """

    channel: str
    user: str
    since: float
    until: float
    stalled: float
    came: dict[bytes, Came]


@dataclass(frozen=True, slots=True)
class Inquiry:
    """Which posts of a stream do seats lack that are not over: those from `low` to `high`, the last sent at `t`?

    `closely`: and what came to them of it?
    """

    prefix: bytes
    low: int
    high: int
    t: float
    closely: bool


@dataclass(frozen=True, slots=True)
class Question:
    """The settlement's question to all processes, by channels; `settled` streams are to be forgotten."""

    number: int = 0
    settled: dict[str, list[bytes]] = field(default_factory=dict)
    asked: dict[str, list[Inquiry]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lack:
    """What a seat lacks that has been in force since a time (seconds, common clock)."""

    channel: str
    prefix: bytes
    since: float
    ranges: Ranges


@dataclass(frozen=True, slots=True)
class Part:
    """News of one process's ledger at time `t`. `number`: of the question that it answers.

    Counts and examples are those since the beginning of the run; `last`: there will be no more, and nobody is left.
    """

    worker: int
    t: float
    number: int
    last: bool
    streams: tuple[StreamPart, ...]
    seats: tuple[SeatPart, ...]
    lacks: tuple[Lack, ...]
    seen: tuple[tuple[str, bytes, Came], ...]
    delivered: int
    posts: int
    strangers: int
    counts: dict[Kind, int]
    examples: tuple[Example, ...]
    windows: Windows
    spans: Spans
    """When what came since the last part came, in seconds of the run."""


_part_decoder = msgspec.msgpack.Decoder(Part)
_question_decoder = msgspec.msgpack.Decoder(Question)


def packed(told: Part | Question) -> bytes:
    """As processes send it to each other."""
    return msgspec.msgpack.encode(told, enc_hook=list)


def unpacked_part(data: bytes) -> Part:
    """What `packed` made of a part."""
    return _part_decoder.decode(data)


def unpacked_question(data: bytes) -> Question:
    """What `packed` made of a question."""
    return _question_decoder.decode(data)


def part_of(ledger: Ledger, shift: float = 0.0) -> Part:
    """All that has not been told; `shift` seconds are added to times, to make them those of the common clock."""
    seats = [*ledger.left, *(seat for here in ledger.seats.values() for seat in here)]
    return _part(ledger, Question(), 0.0, shift, seats, (), (), last=True)


def answer(ledger: Ledger, question: Question, t: float, shift: float = 0.0) -> Part:
    """The answer at time `t`; what it tells is not told again, and what nobody needs is forgotten."""
    for channel, prefixes in question.settled.items():
        for prefix in prefixes:
            ledger.forget(channel, prefix)
    lacks: list[Lack] = []
    seen: list[tuple[str, bytes, Came]] = []
    for channel, inquiries in question.asked.items():
        here = list(ledger.seats.get(channel, ()))
        for inquiry in inquiries:
            lacks += _lacks(channel, inquiry, here, shift)
            if inquiry.closely:
                came = [(channel, inquiry.prefix, seat.came(inquiry.prefix)) for seat in here]
                seen += [one for one in came if one[2][1] > 1]
    ledger.mark(t)
    part = _part(ledger, question, t + shift, shift, ledger.left, lacks, seen, last=False)
    ledger.left, ledger.course = [], Course()
    for stream in ledger.streams.values():
        stream.told = stream.state
    _forget(ledger, question, lacks)
    return part


def _forget(ledger: Ledger, question: Question, lacks: Iterable[Lack]) -> None:
    """Forget when own posts were sent that nobody here lacks any more."""
    lacked: dict[bytes, Ranges] = {}
    for lack in lacks:
        lacked[lack.prefix] = lacked.get(lack.prefix, ()) + lack.ranges
    for channel, inquiries in question.asked.items():
        for inquiry in inquiries:
            own = ledger.streams.get(inquiry.prefix[RUN : RUN + STREAM])
            if own is not None:
                here = ledger.seats.get(channel, {})
                own.forget(inquiry.low, inquiry.high, lacked.get(inquiry.prefix, ()), here)


def _lacks(channel: str, inquiry: Inquiry, here: Iterable[Seat], shift: float) -> list[Lack]:
    """What seats lack that were in force before the last of these posts."""
    prefix, low, high = inquiry.prefix, inquiry.low, inquiry.high
    latest = inquiry.t - shift
    return [
        Lack(channel, prefix, seat.since + shift, ranges)
        for seat in here
        if seat.since < latest and (ranges := lacking(seat.came(prefix), low, high))
    ]


def _part(
    ledger: Ledger,
    question: Question,
    t: float,
    shift: float,
    seats: Iterable[Seat],
    lacks: Iterable[Lack],
    seen: Iterable[tuple[str, bytes, Came]],
    *,
    last: bool,
) -> Part:
    return Part(
        ledger.worker,
        t,
        question.number,
        last,
        tuple(_stream(one, shift) for one in ledger.streams.values() if one.state != one.told),
        tuple(_seat(ledger, one, shift) for one in seats if one.following or one.since < one.until),
        tuple(lacks),
        tuple(seen),
        ledger.delivered,
        ledger.posts,
        ledger.strangers,
        dict(ledger.counts),
        tuple(replace(one, t=one.t + shift) if shift else one for one in ledger.examples),
        ledger.course.windows,
        ledger.course.spans,
    )


def _stream(stream: Stream, shift: float) -> StreamPart:
    told = stream.told[0]
    sent = stream.sent[told - stream.passed :]
    if shift:
        sent = array("d", [t + shift for t in sent])
    return StreamPart(stream.prefix, stream.channel, stream.user, told, sent, stream.refused, stream.end)


def _seat(ledger: Ledger, seat: Seat, shift: float) -> SeatPart:
    came = {prefix: seat.came(prefix) for prefix in seat.following}
    stalled = ledger.stalled_before(seat.until) if seat.until < math.inf else 0.0
    return SeatPart(seat.channel, seat.user, seat.since + shift, seat.until + shift, stalled, came)
