"""Text that has to fit."""

from reports.text.fitting import columns, cut
from tests.reports.builder import HOSTILE


def test_cutting_says_how_much_is_missing() -> None:
    assert cut("abc", 3) == "abc"
    assert cut("abcdef", 3) == "abc… (+3 characters)"


def test_columns_of_a_terminal() -> None:
    assert columns("abc") == 3
    assert columns("日本") == 4
    assert columns("e\u0301") == 1
    assert columns(HOSTILE[:0]) == 0
