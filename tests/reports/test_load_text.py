"""The summary of a load test for a terminal."""

from typing import Any

import pytest

from contract.findings import translated
from reports.formats.load_text import MAX_EXAMPLES, load_summary
from reports.text.fitting import columns
from reports.text.language import speaking
from tests.reports import builder, loads


def test_the_summary_of_a_load_test() -> None:
    breached = {"metric": "lost", "limit": "== 0", "value": 3, "passed": False}
    document = builder.load(
        [builder.broken("SEND-01", failed=3), builder.judged("HB-02", "untested", "SHOULD", reason=None)],
        thresholds=[builder.THRESHOLD, breached],
        delivery=builder.load()["delivery"] | {"lost": 3},
        errors=builder.errors({"close 1011": 4}),
        generator={"cpu_percent": 99.5, "late_ms_max": 1.0},
        shed={"HTTP 429": 12},
    )
    assert (
        load_summary(document, width=90)
        == """\
wsproof 0.1.0  ws://127.0.0.1:8765/v1/socket
Chat WebSocket API 1.0.0, 2026-11-23 02:05:00 UTC, 10.4 s

                  Count       p50       p95       p99     p99.9       max
  connect            20      2.10      4.20      8.40      14.7      18.9 ms
  ack                20      0.80      1.60      3.20      5.60      7.20 ms
  post_to_own     1,200      1.20      2.40      4.80      8.40      10.8 ms

✗ 24,000 of 24,000 expected deliveries arrived; 3 lost, 0 duplicated, 0 reordered, 0
  misdelivered

  closed 1000: 20  normal closure
✗ 4 × close 1011
Load shed by the endpoint, as permitted: 12 × HTTP 429

✓ p99(post_to_receive) 12.3 ms (limit < 200ms)
✗ lost 3 (limit == 0)

✗ SEND-01 MUST  3 of 24,000 deliveries (0.01 %)  first at 12.3 s, last at 58.0 s: it never
  arrived (user 17)
    The server does what SEND-01 says with `error`.

○ untested: This run did not exercise it. (HB-02)

? The load generator was near its limits: peak CPU usage 99.5 %.
✗ Not conformant under 20 users: 1 of 1 MUST requirement failed (SEND-01).
✗ The run fails: a requirement fails; threshold breached: lost == 0.
"""
    )


def test_an_undecided_threshold_is_neither_passed_nor_breached() -> None:
    lines = load_summary(builder.undecided_load(), width=200).splitlines()
    assert "? p99(ack) 9.80 ms (limit < 5ms): undecided" in lines
    assert (
        "? The load generator was late at 2–3 s. Latencies of that time include its own delays and are undecided."
        in lines
    )
    assert lines[-1].startswith("✓ Conformant under 20 users: all 2 MUST requirements")


def test_the_summary_of_a_run_with_everything() -> None:
    text = load_summary(loads.full())
    assert "✓ 475,880 of 476,000 expected deliveries arrived; 0 lost, 0 duplicated, 0\n" in text
    assert "  reordered, 0 misdelivered, 120 undecided\n" in text
    assert text.endswith("✓ Conformant under 400 users: all 3 MUST requirements that this run exercised\n  hold.\n")
    assert max(map(columns, text.splitlines())) <= 80


def test_a_run_without_a_ledger_says_nothing_of_deliveries() -> None:
    assert "arrived" not in load_summary(builder.load(delivery=None))


def test_what_went_wrong_is_shown_with_examples() -> None:
    lines = load_summary(loads.aborted(), width=200).splitlines()
    assert (
        "✗ 475,839 of 476,000 expected deliveries arrived; 41 lost, 3 duplicated, 17 reordered, 2 misdelivered, "
        "120 undecided, 5 strangers"
    ) in lines
    example = (
        "    lost at 31.25 s: message 28 from user 17 to user 203 in load-55512345-3: number 27 and number 29 arrived"
    )
    assert example in lines
    assert len([line for line in lines if line.startswith("    lost at")]) == MAX_EXAMPLES
    assert "    and 5 more examples, see the report" in lines


def test_an_example_of_which_little_is_known() -> None:
    example = loads.example("misdelivered", t_s=None, number=None, detail="")
    text = load_summary(builder.load(delivery=loads.LEDGER | {"misdelivered": 1, "examples": [example]}))
    assert "    misdelivered: a message from user 17 to user 203 in load-55512345-3\n" in text


def test_what_puts_the_figures_in_doubt() -> None:
    lines = load_summary(loads.aborted(), width=200).splitlines()
    assert (
        "? The load generator, not the endpoint, was the bottleneck: worker 1 used 99 % of its core, and its messages "
        "left up to 212 ms late. The latencies include its own delays."
    ) in lines
    assert (
        "✗ 1 of 3 workers was lost: worker 2 (last report at 29.0 s). No figure includes what was measured "
        "after the last report, or deliveries still due to a lost worker's users."
    ) in lines
    assert "▲ The run ended early: lost == 0 was breached." in lines


def test_a_generator_that_was_fine_is_not_mentioned() -> None:
    text = load_summary(loads.full())
    assert "generator" not in text
    assert "worker" not in text


def test_a_capacity() -> None:
    text = load_summary(loads.capacity())
    assert "✓        1,100      28.5      85.5       171          1,080  knee\n" in text
    assert "✗        1,150      41.3       124       248          1,092  breached\n" in text
    assert "✓ Capacity: 1,100 users met every threshold; 1,150 users did not.\n" in text


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ({"knee": None}, "✗ Capacity: Even the lowest load tried, 1,150 users, breached a threshold."),
        ({"broke": None}, "✓ Capacity: It handled 1,100 users; the limit was not found."),
        (
            {"broke": None, "curve": []},
            "✓ Capacity: It handled all 1,100 users tried; the limit was not found.",
        ),
        ({"knee": None, "broke": None, "curve": []}, "? Capacity: The capacity was not found."),
        (
            {"unit": "rate", "knee": 2.5, "broke": 3},
            "✓ Capacity: 2.50 posts per second per user met every threshold; 3.00 posts per second per user did not.",
        ),
    ],
)
def test_how_a_search_may_end(members: dict[str, Any], sentence: str) -> None:
    found = loads.capacity()["capacity"] | members
    assert sentence in load_summary(loads.full(capacity=found), width=200).splitlines()


def test_each_broken_clause_is_a_line_with_what_else_was_wrong_below() -> None:
    lines = load_summary(loads.faulty(), width=200).splitlines()
    start = lines.index(
        "✗ SEND-01 MUST  43 of 476,000 deliveries (0.01 %)  first at 12.3 s, last at 58.0 s: "
        "a post did not reach a connection that had joined its channel (user 17)"
    )
    assert lines[start + 1 : start + 4] == [
        "    A post reaches every connection that has joined the channel, as `new_message`, within `response_timeout`.",
        "    2 × a message from a channel that this connection has not joined (user 17)  at 12.3 s",
        "▲ SEND-03 SHOULD  3 of 475,839 deliveries (0.001 %)  first at 12.3 s, last at 58.0 s: "
        "a message arrived twice (user 17)",
    ]


def test_the_summary_in_japanese() -> None:
    with speaking("ja"):
        lines = load_summary(translated(loads.faulty()), width=200).splitlines()
    assert (
        "✗ SEND-01 MUST  476,000 件の配信中 43 件（0.01 %）  最初 12.3 秒、最後 58.0 秒: "
        "投稿が、そのチャンネルに参加済みの接続に届きませんでした（ユーザー 17）"
    ) in lines
    assert "✗ 不適合（400 ユーザーの負荷時）: MUST 要件 3 件中 1 件が不合格です（SEND-01）。" in lines


def test_a_run_that_only_measured_ticks_nothing_off() -> None:
    text = load_summary(loads.measured())
    assert "✓" not in text
    assert text.endswith("○ Measured under 400 users: nothing was judged.\n")


def test_what_the_generator_was_too_late_for_is_undecided() -> None:
    lines = load_summary(loads.late(), width=200).splitlines()
    assert "? p99(post_to_receive) 310 ms (limit < 200ms): undecided" in lines
    assert any(line.startswith("? The load generator was late at 20–26 s.") for line in lines)
