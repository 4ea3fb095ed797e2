"""A run of several processes, in a world that is settled at once and in one that is settled turn by turn."""

import math
from dataclasses import dataclass, field

from loadtest.delivery.balance import Balance
from loadtest.delivery.entries import Seat, Stream
from loadtest.delivery.ledger import Ledger
from loadtest.delivery.parts import answer, packed, part_of, unpacked_part, unpacked_question
from loadtest.delivery.reconciliation import LEAST_SECONDS, Settlement

RUN = b"12345678"
AFTER = b" under load"
GRACE = 2.0
CHANNELS = ("red", "blue")


@dataclass(eq=False)
class User:
    """One connection, in the world that is settled at once and in the one that is settled turn by turn."""

    process: int
    channel: str
    seats: tuple[Seat, Seat]
    streams: tuple[Stream, Stream] | None = None
    sent: list[float] = field(default_factory=list)
    got: dict["User", set[int]] = field(default_factory=dict)
    on_its_way: list[tuple["User", int]] = field(default_factory=list)
    gone: bool = False

    @property
    def since(self) -> float:
        return self.seats[0].since

    def is_owed(self, poster: "User", number: int) -> bool:
        return self.since < poster.sent[number - 1]


class World:
    """Users of several processes, and a server that delivers in order or not, twice, or not at all."""

    def __init__(self, processes: int) -> None:
        self.t = 100.0
        self.ledgers = [tuple(self.new_ledger(number) for _ in range(2)) for number in range(processes)]
        self.users: list[User] = []
        self.duplicated = self.reordered = self.delivered = 0
        self.settlement = Settlement(GRACE)
        self.question = self.settlement.turn(self.names)
        self.silent = self.names
        self.turns = self.settled = 0

    def new_ledger(self, number: int) -> Ledger:
        made = Ledger(RUN, number, grace=GRACE)
        made.foresee((b"", AFTER))
        return made

    @property
    def names(self) -> list[str]:
        return [str(number) for number in range(len(self.ledgers))]

    @property
    def present(self) -> list[User]:
        return [user for user in self.users if not user.gone]

    # What happens

    def join(self, process: int, channel: int) -> None:
        process, name = process % len(self.ledgers), CHANNELS[channel % 2]
        one, other = (ledger.seat(name, f"user {len(self.users)}") for ledger in self.ledgers[process])
        self.users.append(User(process, name, (one, other)))

    def post(self, who: int, late: int) -> None:
        if not self.present:
            return
        poster = self.present[who % len(self.present)]
        if poster.streams is None:
            one, other = (ledger.stream(poster.channel, "poster") for ledger in self.ledgers[poster.process])
            one.home, other.home = poster.seats
            poster.streams = one, other
        for stream in poster.streams:
            stream.post(self.t - late, self.t)
        poster.sent.append(self.t)
        for user in self.present:
            if user.channel == poster.channel:
                user.on_its_way.append((poster, len(poster.sent)))

    def deliver(self, who: int, which: int, *, keep: bool = False) -> None:
        """The first on its way, or another one; it is late for those who are owed it only."""
        present = [user for user in self.present if user.on_its_way]
        if not present:
            return
        user = present[who % len(present)]
        poster, number = user.on_its_way.pop(which % len(user.on_its_way))
        if self.t - poster.sent[number - 1] > GRACE and not user.is_owed(poster, number):
            return
        self.receive(user, poster, number)
        if keep:
            user.on_its_way.append((poster, number))

    def again(self, who: int, which: int) -> None:
        """Deliver again what came before, in whatever stream of the same process, however old."""
        known = [
            (user, poster, number)
            for user in self.present
            for poster, numbers in user.got.items()
            for number in sorted(numbers)
            if poster.process == user.process and user.is_owed(poster, number)
        ]
        if known:
            self.receive(*known[(who + which) % len(known)])

    def receive(self, user: User, poster: User, number: int) -> None:
        assert poster.streams is not None
        text = (b"%b%08d%b" % (poster.streams[0].prefix, number, AFTER)).decode()
        for ledger, seat in zip(self.ledgers[user.process], user.seats, strict=True):
            ledger.receive({user.channel: seat}, seat.user, user.channel, text, "author", self.t)
            if poster is user and seat.since == math.inf:
                ledger.enforce(seat, self.t)
        got = user.got.setdefault(poster, set())
        if number in got:
            self.duplicated += 1
            return
        self.delivered += 1
        self.reordered += any(number < other for other in got)
        got.add(number)

    def lose(self, who: int, which: int) -> None:
        present = [user for user in self.present if user.on_its_way]
        if present:
            user = present[who % len(present)]
            user.on_its_way.pop(which % len(user.on_its_way))

    def lose_all(self, who: int, which: int) -> None:
        """A post comes to nobody."""
        posted = [(poster, n) for poster in self.users for n in range(1, len(poster.sent) + 1)]
        if posted:
            lost = posted[-1 - which % min(len(posted), 4)]
            for user in self.users:
                user.on_its_way = [one for one in user.on_its_way if one != lost]

    def refuse(self, who: int, _: int) -> None:
        posting = [user for user in self.present if user.streams]
        if posting:
            for stream in posting[who % len(posting)].streams or ():
                stream.refused += 1

    def leave(self, who: int, how: int) -> None:
        if not self.present:
            return
        user = self.present[who % len(self.present)]
        user.gone = True
        for ledger, seat in zip(self.ledgers[user.process], user.seats, strict=True):
            seat.until = self.t
            ledger.over(seat)
        for stream in user.streams or ():
            stream.end = ("orderly", "broken")[how % 2]

    def wait(self, seconds: int, _: int) -> None:
        self.t += (0.1, 0.7, LEAST_SECONDS + 0.5)[seconds % 3]

    def answer(self, who: int, _: int) -> None:
        """One process more answers; with the last one, it is the turn of the next question."""
        name = self.silent.pop(who % len(self.silent))
        part = packed(answer(self.ledgers[int(name)][1], unpacked_question(packed(self.question)), self.t))
        self.settlement.tell(name, unpacked_part(part))
        if self.settlement.awaits(self.names):
            return
        self.question = self.settlement.turn(self.names)
        self.turns += 1
        self.settled += sum(map(len, self.question.settled.values()))
        self.silent = self.names

    def turn(self, who: int, _: int) -> None:
        """All answer that have not yet."""
        turns = self.turns
        while self.turns == turns:
            self.answer(who, 0)

    # What it comes to

    def at_once(self) -> Balance:
        whole = Settlement(GRACE)
        for name, (ledger, _) in zip(self.names, self.ledgers, strict=True):
            whole.tell(name, part_of(ledger))
        return whole.balance()

    def by_turns(self) -> Balance:
        for name, (_, ledger) in zip(self.names, self.ledgers, strict=True):
            self.settlement.tell(name, part_of(ledger))
        return self.settlement.balance()

    def by_the_model(self) -> tuple[int, int]:
        """Lost and undecided: one seat and one post after the other."""
        lost = undecided = 0
        for user in self.users:
            for poster in self.users:
                if poster.channel == user.channel and poster.streams is not None:
                    one, other = self._between(user, poster, poster.streams[0])
                    lost, undecided = lost + one, undecided + other
        return lost, undecided

    def _between(self, user: User, poster: User, stream: Stream) -> tuple[int, int]:
        everybody = set().union(*(one.got.get(poster, set()) for one in self.users))
        refused = [n for n in range(1, len(poster.sent) + 1) if n not in everybody][: stream.refused]
        got, until = user.got.get(poster, set()), user.seats[0].until
        lost = undecided = 0
        for number, sent in enumerate(poster.sent, 1):
            overtaken = number < max(got, default=0)
            if number in got or sent <= user.since or not (overtaken or sent <= until):
                continue
            taken = stream.end == "orderly" or number <= max(everybody, default=0)
            owed = (sent <= until - GRACE and taken) or (overtaken and not self.reordered)
            if owed and number not in refused:
                lost += 1
            else:
                undecided += 1
        return lost, undecided
