"""Limits of thresholds, as far as they can be drawn."""

import pytest

from reports.shared import limits
from reports.shared.limits import Limit
from tests.reports import builder


def _read(metric: str, limit: str) -> tuple[Limit, ...]:
    threshold = {"metric": metric, "limit": limit, "value": 1.0, "passed": False}
    return limits.read(builder.load(thresholds=[threshold]))


@pytest.mark.parametrize(
    ("metric", "limit", "value", "label"),
    [
        ("p99(post_to_own)", "< 200ms", 200, "p99 < 200 ms"),
        ("p99.9(ack)", "<= 1.5 s", 1500, "p99.9 <= 1.5 s"),
        ("max(close)", "<300us", 0.3, "max < 300 us"),
        ("mean(ping_period)", "> 4000", 4000, "mean > 4000 ms"),
    ],
)
def test_limits_of_latencies_are_read(metric: str, limit: str, value: float, label: str) -> None:
    (found,) = _read(metric, limit)
    assert (found.metric, found.label, found.kept) == (metric.partition("(")[2].rstrip(")"), label, False)
    assert found.value == pytest.approx(value)


@pytest.mark.parametrize(
    ("metric", "limit"),
    [
        ("lost", "== 0"),
        ("errors", "< 1%"),
        ("count(ack)", "> 5"),
        ("p99(ack)", "== 5ms"),
        ("p99(ack)" + builder.HOSTILE, "< 5ms"),
        ("p99(ack)", "< " + "9" * 400),
    ],
)
def test_all_others_are_left_to_the_table(metric: str, limit: str) -> None:
    assert _read(metric, limit) == ()


def test_a_limit_far_above_is_not_drawn_and_breached_ones_come_first() -> None:
    kept, broken, far = (Limit("ack", value, "", value > 5) for value in (20.0, 5.0, 31.0))
    assert limits.near([kept, broken, far], 10.0) == (broken, kept)
