"""What receivers saw, held against each other: ids, times, authors, and one order for all."""

import time
from collections.abc import Sequence
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.delivery.deliveries import CLOCK_TOLERANCE, TERM_SECONDS, Deliveries
from loadtest.delivery.one_order import View
from loadtest.judge.judge import Judge, Judged
from tests.bundled import load_requirements

STAMP = "2026-11-30T10:00:{:02}Z"

REQUIREMENTS = load_requirements()

Arrival = tuple[int, int]
"""A receiver, and the post that comes to it."""


class Seen:
    """Receivers of one channel."""

    def __init__(self, *, distinct: bool = True) -> None:
        self.judge = Judge(REQUIREMENTS)
        self.wall = time.time
        self.deliveries = Deliveries(self.judge, lambda: self.wall(), distinct=distinct)
        self.views: dict[int, View] = {}

    def get(self, receiver: int, post: int, identity: str | None = None, stamp: str = "") -> None:
        if receiver not in self.views:
            self.views[receiver] = self.deliveries.view("room", f"user {receiver}")
        view = self.views[receiver]
        self.deliveries.receive(view, post, f"id-{post}" if identity is None else identity, stamp, 1.0)

    @property
    def taken(self) -> Judged:
        self.deliveries.tick(2.0)
        return self.judge.take(0.0)

    def found(self) -> dict[str, int]:
        """Findings by their checks."""
        counts: dict[str, int] = {}
        for key, one in self.taken.findings.items():
            check = key.partition('"check": "')[2].partition('"')[0]
            counts[check] = counts.get(check, 0) + one.count
        return counts


def order_found(arrivals: Sequence[Arrival]) -> bool:
    seen = Seen()
    for receiver, post in arrivals:
        seen.get(receiver, post)
    return "one-order" in seen.found()


@st.composite
def arrivals_in_one_order(draw: st.DrawFn) -> list[Arrival]:
    """Each receiver gets some of the posts, from wherever it joins, in the order of all; who gets his first is free."""
    posts = range(draw(st.integers(1, 12)))
    shares = draw(st.lists(st.lists(st.sampled_from(posts), unique=True).map(sorted), min_size=1, max_size=4))
    return draw(interleaved([[(receiver, post) for post in share] for receiver, share in enumerate(shares)]))


def interleaved(queues: list[list[Arrival]]) -> st.SearchStrategy[list[Arrival]]:
    """All arrivals, each receiver's in their own order."""
    turns = st.permutations([receiver for receiver, queue in enumerate(queues) for _ in queue])

    def merge(order: list[int]) -> list[Arrival]:
        places = [iter(queue) for queue in queues]
        return [next(places[receiver]) for receiver in order]

    return turns.map(merge)


@given(arrivals_in_one_order())
def test_one_order_is_never_called_two(arrivals: list[Arrival]) -> None:
    assert not order_found(arrivals)


@st.composite
def arrivals_in_any_order(draw: st.DrawFn) -> list[Arrival]:
    """Each receiver gets some of the posts, in an order of its own."""
    posts = range(draw(st.integers(1, 6)))
    shares = draw(st.lists(st.lists(st.sampled_from(posts), unique=True), min_size=1, max_size=4))
    return draw(interleaved([[(receiver, post) for post in share] for receiver, share in enumerate(shares)]))


def two_orders(arrivals: Sequence[Arrival]) -> bool:
    """Whether two receivers got two posts the other way round."""
    orders: dict[int, list[int]] = {}
    for receiver, post in arrivals:
        orders.setdefault(receiver, []).append(post)
    pairs = {pair for order in orders.values() for pair in combinations(order, 2)}
    return any((later, earlier) in pairs for earlier, later in pairs)


@given(arrivals_in_any_order())
def test_two_orders_are_always_found(arrivals: list[Arrival]) -> None:
    """Whoever got first what, and whoever missed something."""
    assert order_found(arrivals) is two_orders(arrivals)


# Ids


def test_receivers_who_see_two_ids_of_a_post() -> None:
    seen = Seen()
    seen.get(1, 1, "a")
    seen.get(2, 1, "b")
    assert seen.found() == {"delivery-id": 1}


def test_two_posts_of_one_id() -> None:
    seen = Seen()
    seen.get(1, 1, "a")
    seen.get(1, 2, "a")
    assert seen.found() == {"delivery-id": 1}


@pytest.mark.parametrize("ids", [("", "", "b"), ("", "a", "a"), ("a", "", "a")])
def test_an_empty_id_is_another_checks(ids: tuple[str, ...]) -> None:
    """It is no id that two posts share, and none that differs."""
    seen = Seen()
    for receiver, identity in enumerate(ids):
        seen.get(receiver, 1, identity)
    seen.get(0, 2, "")
    assert seen.found() == {}


def test_an_id_is_remembered_over_a_term() -> None:
    seen = Seen()
    seen.get(1, 1, "a")
    seen.deliveries.tick(TERM_SECONDS)
    seen.get(1, 2, "a")
    assert seen.found() == {"delivery-id": 1}


# Times


def test_timestamps_that_fall_for_a_receiver() -> None:
    seen = Seen()
    seen.wall = lambda: 1_796_032_800.0
    for post, second in enumerate((1, 2, 2, 1, 3)):
        seen.get(1, post, stamp=STAMP.format(second))
    assert seen.found() == {"delivery-time": 1}


def test_a_later_moment_may_be_written_with_another_offset() -> None:
    seen = Seen()
    seen.wall = lambda: 1_796_032_800.0
    seen.get(1, 1, stamp="2026-11-30T19:00:00+09:00")
    seen.get(1, 2, stamp="2026-11-30T10:00:01Z")
    assert seen.found() == {}


@pytest.mark.parametrize(
    ("off", "found"), [(0, {}), (CLOCK_TOLERANCE - 1, {}), (CLOCK_TOLERANCE + 1, {"delivery-time": 1})]
)
def test_the_endpoints_clock(off: float, found: dict[str, int]) -> None:
    seen = Seen()
    seen.wall = lambda: 1_796_032_800.0 + off
    view = seen.deliveries.view("room", "user 1")
    seen.deliveries.latest = (view, STAMP.format(0), 1.0)
    seen.deliveries.tick(1.0)
    assert seen.found() == found


# Authors


def authors(*said: tuple[str, str, str], distinct: bool = True) -> dict[str, int]:
    """Findings about tokens with the author's id and name that they show."""
    seen = Seen(distinct=distinct)
    for token, author, name in said:
        seen.deliveries.author(token, f"user of {token}", author, name, 1.0)
    return seen.found()


def test_a_token_keeps_its_author_and_his_name() -> None:
    assert authors(("t1", "a", "A"), ("t1", "a", "A"), ("t2", "b", "A")) == {}
    assert authors(("t1", "a", "A"), ("t1", "b", "A")) == {"author": 1}
    assert authors(("t1", "a", "A"), ("t1", "a", "B")) == {"author-name": 1}


def test_two_users_have_two_authors_unless_nobody_knows_that_they_are_two() -> None:
    assert authors(("t1", "a", "A"), ("t2", "a", "A")) == {"author-distinct": 1}
    assert authors(("t1", "a", "A"), ("t2", "a", "A"), distinct=False) == {}
