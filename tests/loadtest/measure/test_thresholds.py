"""Thresholds: what can be written, what is refused with what was expected, and what passes."""

import operator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.metrics import METRICS
from loadtest.measure.thresholds import FIGURES, breaches, parse_threshold
from loadtest.settings.settings import LoadError

OPERATORS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq}


def measured(errors: int = 0, metrics: dict[str, Any] | None = None) -> dict[str, Any]:
    """The part of a load document that thresholds look at."""
    return {"metrics": metrics or {}, "errors": [{"message": "something", "count": errors}] if errors else []}


@given(
    figure=st.sampled_from([figure for figure in FIGURES if figure not in ("count", "rate")]),
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


@given(
    sign=st.sampled_from(sorted(OPERATORS)),
    limit=st.integers(0, 9),
    whole=st.integers(0, 9),
    punctual=st.none() | st.integers(0, 9),
)
def test_late_seconds_alone_breach_no_latencys_limit(sign: str, limit: int, whole: int, punctual: int | None) -> None:
    figures = {"p99": punctual} if punctual is not None else None
    metric = {"count": 9, "p99": whole, "undecided": 3, "punctual": figures}
    judged = parse_threshold(f"p99(ack) {sign} {limit}ms").judge(measured(metrics={"ack": metric}))
    keeps = OPERATORS[sign]
    if punctual is not None and not keeps(punctual, limit):
        assert (judged["passed"], judged["value"]) == (False, punctual)
    else:
        assert (judged["passed"], judged["value"]) == (True if keeps(whole, limit) else None, whole)


def test_an_undecided_limit_does_not_end_a_run() -> None:
    metric = {"count": 9, "p99": 90.0, "undecided": 3, "punctual": None}
    document = {**measured(metrics={"ack": metric}), "delivery": DELIVERY}
    assert breaches([parse_threshold("p99(ack) < 5ms")], document) == []
    assert breaches([parse_threshold("count(ack) < 5")], document) == ["count(ack) < 5"]


DELIVERY = {"expected": 1000, "delivered": 997, "lost": 3, "duplicated": 0, "reordered": 1, "misdelivered": 0}


@pytest.mark.parametrize(
    ("text", "value", "passed"),
    [
        ("lost == 0", 3.0, False),
        ("lost < 0.5%", 0.3, True),
        ("delivered >= 99%", 99.7, True),
        ("duplicated == 0", 0.0, True),
        ("reordered <= 1", 1.0, True),
        ("expected > 5000", 1000.0, False),
    ],
)
def test_the_ledger_is_judged_by_counts_or_shares_of_what_was_expected(text: str, value: float, passed: bool) -> None:
    judged = parse_threshold(text).judge({**measured(), "delivery": DELIVERY})
    assert (judged["value"], judged["passed"]) == (value, passed)


def test_a_ledger_that_expected_nothing_proves_nothing() -> None:
    nothing = {**measured(), "delivery": dict.fromkeys(DELIVERY, 0)}
    for document in (measured(), nothing):
        judged = parse_threshold("lost == 0").judge(document)
        assert (judged["value"], judged["passed"]) == (None, False)


def test_a_rate_is_by_the_whole_run() -> None:
    document = {**measured(metrics={"post_to_own": {"count": 300}}), "duration_s": 10.0}
    judged = parse_threshold("rate(post_to_own) > 25").judge(document)
    assert (judged["metric"], judged["value"], judged["passed"]) == ("rate(post_to_own)", 30.0, True)


@pytest.mark.parametrize(
    ("text", "breached"),
    [
        ("p99(close) < 5ms", True),
        ("p99(close) < 50ms", False),
        ("p99(connect) < 1ms", False),
        ("errors == 0", True),
        ("count(close) > 100", False),
        ("count(close) == 100", False),
        ("count(close) < 5", True),
        ("lost == 0", True),
    ],
)
def test_a_run_is_ended_early_only_by_what_cannot_become_good(text: str, breached: bool) -> None:
    document = {**measured(errors=1, metrics={"close": {"count": 10, "p99": 9.0}}), "delivery": DELIVERY}
    assert bool(breaches([parse_threshold(text)], document)) is breached


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
        ("", "an expression such as"),
        ("fast", "an expression such as"),
        ("p99(post_to_own) < fast", "an expression such as"),
        ("p99(post_to_own) < 1.2.3ms", "an expression such as"),
        ("p99(post_to_own) << 1ms", "an expression such as"),
        ("p99(post_to_own) < -1ms", "an expression such as"),
        ("p99(post_to_own) < 200ms and more", "an expression such as"),
        ("p99(post_to_own) < 200", "a time with its unit"),
        ("p99(post_to_own) < 20%", "a time with its unit"),
        ("p42(post_to_own) < 200ms", "one of the figures p50, p75"),
        ("p99(post_to_moon) < 200ms", "one of the metrics connect, ack"),
        ("count(close) > 3ms", "a number without a unit"),
        ("errors < 3ms", "a number, or a share"),
    ],
)
def test_what_cannot_be_read_is_told_with_what_was_expected(text: str, expected: str) -> None:
    with pytest.raises(LoadError) as caught:
        parse_threshold(text)
    assert expected in str(caught.value)
    assert repr(text) in str(caught.value)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse_threshold(text)
    except LoadError:
        return


def test_limits_are_shown_as_they_were_meant() -> None:
    shown = [parse_threshold(text).judge(measured())["limit"] for text in ("errors < 1500000", "errors < 0.25%")]
    assert shown == ["< 1500000", "< 0.25%"]
