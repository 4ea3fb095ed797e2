"""Thresholds: what can be written, what is refused with what was expected, and what passes."""

import operator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtest.recorder import METRICS
from loadtest.settings import LoadError
from loadtest.thresholds import FIGURES, parse_threshold

OPERATORS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq}


def measured(errors: int = 0, metrics: dict[str, Any] | None = None) -> dict[str, Any]:
    """The part of a load document that thresholds look at."""
    return {"metrics": metrics or {}, "errors": {"something": errors} if errors else {}}


@settings(deadline=None)
@given(
    figure=st.sampled_from([figure for figure in FIGURES if figure != "count"]),
    metric=st.sampled_from(METRICS),
    sign=st.sampled_from(sorted(OPERATORS)),
    limit=st.decimals(0, 100_000, places=3),
    unit=st.sampled_from(["ms", "s"]),
    space=st.sampled_from(["", " ", "  "]),
    value=st.floats(0, 200_000),
)
def test_a_latency_is_compared_in_milliseconds(
    figure: str, metric: str, sign: str, limit: Any, unit: str, space: str, value: float
) -> None:
    threshold = parse_threshold(f"{figure}({metric}){space}{sign}{space}{limit}{unit}")
    judged = threshold.judge(measured(metrics={metric: {"count": 1, figure: value}}))
    milliseconds = float(limit) * (1000 if unit == "s" else 1)
    assert judged["metric"] == f"{figure}({metric})"
    assert judged["value"] == value
    assert judged["passed"] == OPERATORS[sign](value, milliseconds)
    assert judged["limit"].startswith(sign)
    assert judged["limit"].endswith("ms")


@pytest.mark.parametrize("text", ["p99(close) < 1s", "p50(connect) >= 0ms", "count(ack) == 0", "count(ack) >= 0"])
def test_no_data_never_passes(text: str) -> None:
    judged = parse_threshold(text).judge(measured(errors=3))
    assert judged["value"] is None
    assert not judged["passed"]


@pytest.mark.parametrize("text", ["errors == 0", "errors < 1%", "errors >= 0"])
def test_no_errors_among_nothing_proves_nothing(text: str) -> None:
    judged = parse_threshold(text).judge(measured())
    assert judged["value"] is None
    assert not judged["passed"]


@pytest.mark.parametrize(
    ("text", "errors", "value", "passed"),
    [
        ("errors == 0", 0, 0.0, True),
        ("errors == 0", 1, 1.0, False),
        ("errors < 5", 4, 4.0, True),
        ("errors < 1%", 1, 1.0, False),
        ("errors <= 1%", 1, 1.0, True),
        ("errors < 100%", 99, 50.0, True),
    ],
)
def test_errors_are_counted_or_a_share_of_all_that_was_tried(
    text: str, errors: int, value: float, passed: bool
) -> None:
    judged = parse_threshold(text).judge(measured(errors, {"post_to_own": {"count": 99}}))
    assert (judged["value"], judged["passed"]) == (value, passed)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "something like"),
        ("fast", "something like"),
        ("p99(post_to_own) < fast", "something like"),
        ("p99(post_to_own) < 1.2.3ms", "something like"),
        ("p99(post_to_own) << 1ms", "something like"),
        ("p99(post_to_own) < -1ms", "something like"),
        ("p99(post_to_own) < 200ms and more", "something like"),
        ("p99(post_to_own) < 200", "a time with its unit"),
        ("p99(post_to_own) < 20%", "a time with its unit"),
        ("p42(post_to_own) < 200ms", "one of the figures p50, p90"),
        ("p99(post_to_moon) < 200ms", "one of the metrics connect, ack"),
        ("count(close) > 3ms", "a count without a unit"),
        ("errors < 3ms", "a number of errors"),
    ],
)
def test_what_cannot_be_read_is_told_with_what_was_expected(text: str, expected: str) -> None:
    with pytest.raises(LoadError) as caught:
        parse_threshold(text)
    assert expected in str(caught.value)
    assert repr(text) in str(caught.value)


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse_threshold(text)
    except LoadError:
        return


def test_limits_are_shown_as_they_were_meant() -> None:
    shown = [parse_threshold(text).judge(measured())["limit"] for text in ("errors < 1500000", "errors < 0.25%")]
    assert shown == ["< 1500000", "< 0.25%"]
