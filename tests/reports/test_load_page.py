"""The load page: what it says of each part of a document."""

import re

import pytest

from reports.formats import html
from tests.reports import builder, loads
from tests.reports.page import Page


def _text(document: builder.Json) -> str:
    return Page(html.load(document)).text


def test_the_load_page() -> None:
    text = _text(builder.breaking_load())
    assert "Not conformant under 20 users: 1 of 2 MUST requirements failed (SEND-01)." in text
    assert "The run fails: a requirement fails; threshold breached: p99(ack) < 5ms." in text
    assert "p99(ack) < 5ms 9.80 ms ✗ breached" in text
    assert "deliveries lost, of 24,000 ✗ 7" in text
    assert "1011 internal error 2" in text
    assert text.index("40 close 1011") < text.index("3 no answer within 5 s")
    assert "The load generator was near its limits : peak CPU usage 97.0 %, maximum timer delay 80.5 ms." in text
    assert "Peak CPU usage 97.0 % 90 % ? doubtful" in text
    assert "connect TCP, TLS and the handshake 20 2.31 2.10" in text


def test_the_first_screen_tells_of_all_deliveries_that_went_wrong() -> None:
    assert "wrong deliveries, of 476,000 ✗ 63" in _text(loads.faulty())
    assert "deliveries lost, of 476,000 0" in _text(loads.full())


def test_a_document_of_before_has_no_part_that_it_knows_nothing_of() -> None:
    page = Page(html.load(builder.load()))
    assert not {"capacity", "distribution", "workers", "examples"} & set(page.ids)
    for absent in ("p75", "p99.99", "Posts/s", "Received/s", "strangers", "undecided"):
        assert absent not in page.text
    assert "Read this first" not in page.source


def test_the_charts_have_a_title_for_each_point_and_a_table() -> None:
    page = Page(html.load(builder.load()))
    assert page.source.count("<title>at ") == 4 * 10
    assert "at 3.0 s: users 12, 120 round trips/s, p50 1.20 ms" in page.text
    assert "5.0 20 200 1.20 3.40 9.80 0" in page.text


def test_everything_over_time() -> None:
    page = Page(html.load(loads.full()))
    assert page.source.count("<title>at ") == 6 * 60
    latency = "Round-trip latency"
    for panel in ("Virtual users", "Throughput", "Messages received", latency, "Errors", "Connections ended"):
        assert f"<strong><bdi>{panel}</bdi></strong>" in page.source
    assert (
        "Time (s) Users Connections Round trips/s Posts/s Received/s p50 (ms) p95 (ms) p99 (ms) max (ms)" in page.text
    )


def test_a_run_that_only_measured_says_that_nothing_was_judged() -> None:
    page = Page(html.load(loads.measured()))
    assert "Measured under 400 users: nothing was judged." in page.text
    assert "No requirement was judged: this run measured only." in page.text
    assert "passed" not in page.text.lower()
    assert not {"requirements", "filter", "failures", "legend"} & set(page.ids)


def test_what_broke_is_told_with_its_figures_and_times() -> None:
    page = Page(html.load(loads.faulty()))
    what = (
        "a post did not reach a connection that had joined its channel ; "
        "a message from a channel that this connection has not joined"
    )
    assert f"✗ SEND-01 MUST 43 476,000 deliveries 0.01 % 12.3 58.0 {what}" in page.text
    assert "▲ SEND-03 SHOULD 3 475,839 deliveries 0.001 % 12.3 58.0 a message arrived twice" in page.text
    assert page.text.index("▲ 1 recommendation does not hold (SEND-03).") < page.text.index("Violations under load")


def test_a_requirement_is_shown_with_its_evidence() -> None:
    page = Page(html.load(loads.faulty()))
    broken = Page(page.part('id="SEND-01"', "</article>").partition(">")[2]).text
    assert "failed 43 of 476,000 deliveries (0.01 %)" in broken
    assert (
        "41 × a post did not reach a connection that had joined its channel first at 12.3 s, last at 58.0 s delivered"
        in broken
    )
    assert "1 example at 12.30 s, user 17 message 28 of user 4 in load-1" in broken
    assert "held in 400 connections" in page.part('id="CONN-01"')
    assert "held in 475,880 deliveries, 120 undecided" in html.load(loads.full())


def test_what_was_not_verified_is_listed_with_its_reason() -> None:
    page = Page(html.load(loads.faulty()))
    assert "? inconclusive 900 of 1200 are undecided: the load generator was late HB-02" in page.text
    assert "○ untested this run did not exercise it ERR-09" in page.text
    silent = loads.full(requirements=[builder.judged("ERR-09", "untested", reason=None)])
    assert "This run did not exercise it." in Page(html.load(silent)).text


def test_a_requirement_with_clauses_tells_of_each() -> None:
    part = Page(html.load(loads.full(requirements=[loads.MIXED]))).part('id="SEND-01"')
    assert part.index("held in 1,200 deliveries") < part.index("7 of 24,000 deliveries (0.03 %)")


def test_each_phase_by_itself() -> None:
    text = _text(loads.faulty())
    assert "ramp 0–10 0 → 400 1.30 2.96 4.15 0 80,000 0 ✓ met" in text
    assert "hold 10–60 400" in text
    assert "13 400,000 41 ✗ failed SEND-01 (41) p99(post_to_own) < 200ms" in text
    stages = [loads.phase("stage 1", 0.0, 5.0, (0, 9)), loads.phase("stage 2", 5.0, 9.0, (9, 0))]
    assert "stage 2 5–9 9 → 0" in _text(loads.full(phases=stages))
    assert 'id="phases"' not in html.load(loads.full(phases=stages[:1])) + html.load(builder.load())


def test_load_that_was_shed_is_no_violation() -> None:
    part = Page(html.load(loads.faulty())).part('id="shed"', "</section>")
    assert "HTTP 429" in part
    assert "are not violations" in part
    assert 'id="shed"' not in html.load(loads.full())


def test_the_time_in_which_the_generator_was_late_is_marked() -> None:
    page = Page(html.load(loads.late()))
    part = page.part('id="timeline"', "</section>")
    assert part.count('<rect class="band" x=') == 6
    assert part.count(", the load generator was late</title>") == 6 * 6
    assert "Shaded: the load generator was late." in part
    assert "The load generator was late at 20–26 s." in page.text
    assert "p99(post_to_receive) < 200ms 310 ms ? undecided" in page.text
    assert "Undecided: measurements that may include delays of the load generator" in page.text
    assert 'class="band"' not in html.load(loads.full())


def test_a_breach_is_a_line_with_a_mark_and_a_word() -> None:
    part = Page(html.load(loads.aborted())).part('id="thresholds"', "</section>")
    rows = re.findall(r"<tr.*?</tr>", part)
    assert ["breached tone-failed" in row for row in rows[1:]] == [True, True, False, True]
    assert "✗</span>breached" in rows[1]
    assert "nothing measured" in rows[4]


def test_the_distribution_has_a_line_for_each_step_and_a_table() -> None:
    page = Page(html.load(loads.full()))
    part = page.part('id="distribution"', "</section>")
    choices = re.findall(r'class="pick-\d"( checked)?> <bdi>(.*?)</bdi>', part)
    assert [name for _, name in choices] == ["6 steps, overlaid", *loads.STEPS]
    assert [bool(checked) for checked, _ in choices] == [True] + [False] * 7
    overlaid = part[part.index("picked-0") : part.index("picked-1")]
    assert len(re.findall(r'<path class="line line-m\d"', overlaid)) == 6
    assert re.search(r"<title>99 % were no slower than: connect [0-9.]+ ms, ack", overlaid)
    assert "99.99 % – – – 8.34 17.7 – –" in page.text


def test_a_limit_is_drawn_into_the_distribution_of_its_metric() -> None:
    part = Page(html.load(loads.aborted())).part('id="distribution"', "</section>")
    assert part.count('<line class="limit limit-breached"') == 1
    drawn = part[part.index("limit-breached") :]
    assert "p99 &lt; 200 ms ✗ breached</text>" in drawn[: drawn.index("</svg>")]


def test_the_ledger_with_its_examples() -> None:
    text = _text(loads.aborted())
    assert "lost never arrived 41 0.01 % ✗ found" in text
    assert "undecided cannot be demanded: the receiver left, or the poster's connection was lost 120 0.03 %" in text
    assert "31.25 lost load-55512345-3 user 17 28 user 203 number 27 and number 29 arrived" in text
    assert '– misdelivered load-55512345-3 user 17 – user 203 another text: "bye" instead of "hello"' in text
    assert "found" not in _text(loads.full())


def test_a_reason_is_told_where_the_sentence_does_not() -> None:
    unreached = _text(builder.unreached_load())
    assert "Incomplete under 20 users: no user could connect" in unreached
    assert "The run fails" not in unreached
    assert "cut off after 12 of 60 s" in _text(builder.breaking_load() | {"reason": "cut off after 12 of 60 s"})


def test_a_lost_worker_is_marked_on_the_time_axis() -> None:
    part = Page(html.load(loads.aborted())).part('id="timeline"', "</section>")
    assert part.count('class="pole pole-lost"') == 6
    assert part.count(">1 worker lost</text>") == 1


def test_close_codes_in_their_order_with_their_meaning() -> None:
    text = _text(loads.faulty())
    wanted = "1000 normal closure 371 1006 connection lost, no close frame 12 1011 internal error 4"
    assert f"{wanted} 4001 application-specific 3 4400 application-specific 1 1000000 1" in text


def test_a_generator_that_was_the_limit_is_the_first_thing_said() -> None:
    text = _text(loads.aborted())
    limit = text.index("The load generator, not the endpoint, was the bottleneck : worker 1 used 99 %")
    assert limit < text.index("users at the peak")
    assert "1 of 3 workers was lost : worker 2 (last report at 29.0 s)." in text
    assert "The run ended early : lost == 0 was breached." in text
    assert "worker 2 ✗ lost 133 41.5 3.10 29.0 worker 1 ✓ finished" in text
    assert "4 cores available." in text


def test_a_generator_that_was_fine_raises_no_doubt() -> None:
    page = Page(html.load(loads.full()))
    assert "Read this first" not in page.source
    assert "worker 1 ✓ finished 133 41.5 3.10 60.0" in page.text


def test_the_capacity_curve() -> None:
    page = Page(html.load(loads.capacity()))
    assert "Capacity : 1,100 users met every threshold; 1,150 users did not." in page.text
    assert "The search ended: the bounds lie within 5 % of each other." in page.text
    assert "knee 1,100 breached 1,150" in page.text
    assert "1,100 1.00 28.5 85.5 171 1,080 0 0 ✓ met knee" in page.text
    assert "1,150 1.00 41.3 124 248 1,092 0 3 ✗ breached breached p99(post_to_receive) 248 ms" in page.text
    assert "1,600 users: p50 483 ms" in page.text


@pytest.mark.parametrize("members", [{"curve": []}, {"curve": loads.capacity()["capacity"]["curve"][:1]}])
def test_a_search_that_was_short(members: builder.Json) -> None:
    document = loads.full(capacity=loads.capacity()["capacity"] | members | {"knee": None, "broke": 100})
    assert "Even the lowest load tried, 100 users, breached a threshold." in _text(document)


def test_the_settings_that_repeat_the_run() -> None:
    text = _text(loads.full())
    assert "Posts 1 per second per user Text size 250 characters Journeys (weight) chatter: 4, listener: 1" in text
    assert "Tokens from pattern Seed 4711 Threshold p99(post_to_receive) < 200ms" in text


def test_an_hour_of_entries_is_a_small_page() -> None:
    source = html.load(loads.long())
    assert len(source.encode()) < 1_000_000
    assert "Each point represents 15 entries of the timeline" in source
    assert "max 2,0" in source


def test_a_document_with_as_much_as_the_schema_allows_stays_small() -> None:
    metric = loads.metric(1.5, 0.5, 10**9)
    metric["histogram"] = [[number / 7, number * 10] for number in range(1, 201)]
    document = loads.long(
        metrics={f"metric {number}": metric for number in range(300)},
        delivery=loads.LEDGER | {"examples": [loads.example("lost", detail="x" * 100_000)] * 20},
        errors=builder.errors({f"error {number}": 1 for number in range(5_000)}),
        closes={str(number): 1 for number in range(1000, 5000)},
        generator=loads.HEALTH | {"workers": [loads.worker(f"worker {n}", "lost") for n in range(1000)]},
        capacity=loads.capacity()["capacity"] | {"curve": [loads.trial(n, 1.0 + n) for n in range(1, 201)]},
    )
    source = html.load(document)
    assert len(source.encode()) < 5_000_000
    assert "292 more distributions in the results file only." in source
    assert "900 more workers in the results file only." in source
