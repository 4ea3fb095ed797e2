"""Settled turn by turn, a run comes to the same as settled at once, and as a plain model says: for any history."""

import gc
import math
import random
import tracemalloc

from hypothesis import event, given, settings
from hypothesis import strategies as st

from loadtest.delivery.balance import Balance
from loadtest.delivery.entries import Seat, Stream
from loadtest.delivery.ledger import Ledger
from loadtest.delivery.parts import answer, part_of
from loadtest.delivery.reconciliation import Settlement
from tests.loadtest.histories import AFTER, GRACE, RUN, World

ACTS = (
    *("join", "join", "post", "post", "post", "post", "deliver", "deliver", "deliver", "deliver", "deliver", "deliver"),
    *("in_order", "in_order", "in_order", "in_order", "in_order", "in_order", "all", "all", "all", "all", "again"),
    *("lose", "lose", "lose_all", "refuse", "leave", "leave", "wait", "wait", "turn", "turn"),
    *("answer", "answer", "answer"),
)


def play(world: World, act: str, one: int, other: int) -> None:
    world.t += 0.001
    match act:
        case "in_order":
            world.deliver(one, 0)
        case "all":
            while any(user.on_its_way for user in world.present):
                world.deliver(0, 0)
        case _:
            getattr(world, act)(one, other)


@settings(max_examples=3 * settings().max_examples)
@given(st.integers(1, 3), st.integers(0, 2**32), st.integers(10, 400))
def test_turn_by_turn_at_once_and_by_the_model_it_comes_to_the_same(processes: int, seed: int, length: int) -> None:
    chance = random.Random(seed)
    world = World(processes)
    for number in range(4):
        world.join(number, 0)
    for number in range(4):
        world.post(number, 0)
    world.deliver(0, 0)
    for _ in range(length):
        play(world, chance.choice(ACTS), chance.randrange(12), chance.randrange(12))
    event(f"streams settled before the end: {min(world.settled, 5)}")
    at_once, by_turns = world.at_once(), world.by_turns()
    assert by_turns.counts == at_once.counts
    assert (at_once.lost, at_once.undecided) == world.by_the_model()
    assert (at_once.delivered, at_once.duplicated, at_once.reordered) == (
        world.delivered,
        world.duplicated,
        world.reordered,
    )
    for kind in ("lost", "undecided"):
        assert by_turns.times(kind) == at_once.times(kind)
        assert by_turns.course.windows.get(kind) == at_once.course.windows.get(kind)
    assert {one.kind for one in by_turns.examples} == {one.kind for one in at_once.examples}
    assert sum(by_turns.phase(begin, begin + 50)["lost"] for begin in range(100, 2000, 50)) == by_turns.lost


class Hall:
    """One process's users, in order and without losses, settled every two seconds."""

    def __init__(self) -> None:
        self.t = 0.0
        self.ledger = Ledger(RUN, grace=GRACE)
        self.ledger.foresee((b"", AFTER))
        self.settlement = Settlement(GRACE)
        self.question = self.settlement.turn(["it"])
        self.users: list[tuple[Seat, Stream]] = []

    def enter(self) -> None:
        seat, stream = self.ledger.seat("red", "somebody"), self.ledger.stream("red", "somebody")
        stream.home = seat
        self.users.append((seat, stream))
        self.post(stream)
        self.ledger.enforce(seat, self.t)

    def post(self, stream: Stream, *, missed: bool = False) -> None:
        text = b"%b%08d%b" % (stream.prefix, stream.post(self.t, self.t), AFTER)
        for seat, own in self.users[missed:]:
            self.ledger.receive({"red": seat}, "somebody", "red", text.decode(), f"author {own.key!r}", self.t)

    def leave(self) -> None:
        seat, stream = self.users.pop()
        seat.until, stream.end = self.t, "orderly"
        self.ledger.over(seat)

    def wait(self, seconds: float) -> None:
        for _ in range(math.ceil(seconds / 2)):
            self.t += 2.0
            self.settlement.tell("it", answer(self.ledger, self.question, self.t))
            self.question = self.settlement.turn(["it"])

    def churn(self, visits: int) -> None:
        """Some come and go while one stays and posts."""
        for visit in range(visits):
            self.t += 0.1
            if len(self.users) > 5:
                self.leave()
            self.t += 0.1
            self.enter()
            self.post(self.users[0][1])
            if visit % 20 == 0:
                self.wait(2)

    def balance(self) -> Balance:
        self.settlement.tell("it", part_of(self.ledger))
        return self.settlement.balance()


def traced(hall: Hall, visits: int) -> int:
    """Bytes that are held after so many visits."""
    hall.churn(visits)
    hall.wait(20)
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def test_what_is_kept_does_not_grow_with_the_run() -> None:
    tracemalloc.start()
    try:
        hall = Hall()
        early = traced(hall, 300)
        late = traced(hall, 1200)
    finally:
        tracemalloc.stop()
    # The course of the run has an entry for each second, up to so many of them; visits and posts leave nothing.
    assert late - early < 100 * hall.t
    assert hall.ledger.posts >= 3000
    found = hall.balance()
    assert (found.lost, found.undecided, found.duplicated) == (0, 0, 0)
    assert found.delivered > 15_000


def test_when_all_are_gone_nothing_is_left() -> None:
    hall = Hall()
    hall.churn(50)
    while hall.users:
        hall.leave()
    hall.wait(20)
    assert (hall.ledger.streams, hall.ledger.seats, hall.ledger.left) == ({}, {}, [])
    assert not hall.question.asked
    assert hall.balance().posts == hall.ledger.posts


def test_what_comes_again_long_after_its_poster_has_left_is_duplicated_for_those_who_were_there() -> None:
    hall = Hall()
    hall.enter()
    hall.enter()
    prefix = hall.users[1][1].prefix
    hall.leave()
    hall.wait(20)
    hall.enter()
    assert len(hall.ledger.streams) == 2
    text = (b"%b%08d%b" % (prefix, 1, AFTER)).decode()
    for seat, _ in hall.users:
        hall.ledger.receive({"red": seat}, "somebody", "red", text, "author", hall.t)
    # The second of them came later, and never had it.
    assert hall.balance().duplicated == 1


def test_a_post_that_somebody_still_lacks_is_remembered_until_it_comes() -> None:
    hall = Hall()
    hall.enter()
    hall.enter()
    poster = hall.users[1][1]
    hall.wait(2)
    hall.post(poster, missed=True)
    missing = (b"%b%08d%b" % (poster.prefix, poster.count, AFTER)).decode()
    for _ in range(100):
        hall.post(poster)
        hall.wait(2)
    assert next(number for number, _ in poster.known()) == 2
    assert len(list(poster.known())) < 20
    (seat, _), *_ = hall.users
    received = hall.ledger.receive({"red": seat}, "somebody", "red", missing, "author", hall.t)
    assert received is not None
    assert received[:2] == (poster, 2)
    found = hall.balance()
    assert (found.lost, found.reordered) == (0, 1)
