"""However long the answer is on its way, and in which direction, the other clock lies within the error."""

from hypothesis import given
from hypothesis import strategies as st

from loadtest.runner.clocks import DRIFT, UNKNOWN_ERROR, ClockReading, best_reading

WAYS = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=8)


@given(st.floats(-1e6, 1e6), WAYS)
def test_the_shift_is_wrong_by_no_more_than_its_error(shift: float, ways: list[tuple[float, float]]) -> None:
    readings = [
        ClockReading(asked=10.0 * number, read=10.0 * number + there + shift, heard=10.0 * number + there + back)
        for number, (there, back) in enumerate(ways)
    ]
    now = readings[-1].heard
    found = best_reading(readings, now)
    assert abs(found.shift - shift) <= found.error + 1e-6
    assert found.error <= min((there + back) / 2 for there, back in ways) + DRIFT * now + 1e-6


def test_an_old_reading_is_trusted_less() -> None:
    reading = ClockReading(0.0, 0.0, 0.0)
    assert best_reading([reading], 100.0).error > best_reading([reading], 1.0).error


def test_without_an_answer_nothing_is_known() -> None:
    assert best_reading([], 5.0).error == UNKNOWN_ERROR
