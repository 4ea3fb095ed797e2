"""The search for the knee: on any endpoint that bears less the more it gets, it ends near the truth, and soon."""

import math

from hypothesis import given
from hypothesis import strategies as st

from contract.findings import phrase
from loadtest.measure.capacity import MAX_STEPS, TOLERANCE, Search


def play(search: Search, bears: float) -> Search:
    """Search on an endpoint that bears so much."""
    while (load := search.next()) is not None:
        search.tell(load, passed=load <= bears)
    return search


@given(st.integers(1, 5000), st.integers(1, 100_000))
def test_the_knee_of_whole_loads_is_found(start: int, bears: int) -> None:
    search = play(Search(float(start), 1_000_000.0), float(bears))
    assert search.knee is not None
    assert search.broke is not None
    assert search.knee <= bears < search.broke
    assert search.broke - search.knee <= max(search.knee * TOLERANCE + 1, 1)
    assert len(search.tried) == len(set(search.tried)) <= MAX_STEPS


@given(st.floats(0.1, 100.0), st.floats(0.05, 10_000.0))
def test_the_knee_of_a_rate_is_found(start: float, bears: float) -> None:
    search = play(Search(start, 1_000_000.0, whole=False), bears)
    assert search.knee is not None
    assert search.broke is not None
    assert search.knee <= bears < search.broke <= search.knee * (1 + TOLERANCE) * 1.0001


def test_an_endpoint_that_bears_everything_is_said_to() -> None:
    search = play(Search(100.0, 1000.0), math.inf)
    assert (search.knee, search.broke) == (1000.0, None)
    assert search.tried == [100.0, 200.0, 400.0, 800.0, 1000.0]
    assert "up to the maximum load" in str(search.reason)


def test_an_endpoint_that_bears_nothing_is_said_to() -> None:
    search = play(Search(8.0, 1000.0), 0.0)
    assert (search.knee, search.broke) == (None, 1.0)
    assert "even the lowest load" in str(search.reason)


def test_the_generators_own_limit_ends_the_search() -> None:
    search = Search(10.0, 1000.0)
    search.stop(phrase("capacity-limited", load="10", unit=phrase("unit-users"), why="busy"))
    assert search.next() is None
    assert "generator" in str(search.reason)


@given(st.integers(1, 1000), st.lists(st.booleans(), max_size=60))
def test_whatever_happens_it_ends(start: int, answers: list[bool]) -> None:
    search, steps = Search(float(start), 100_000.0), iter(answers)
    count = 0
    while (load := search.next()) is not None:
        search.tell(load, passed=next(steps, False))
        count += 1
        assert count <= MAX_STEPS
    assert search.reason
