"""The HTML pages: what they say, and what nothing in a document can make them do."""

import base64
import hashlib
import re
from collections.abc import Callable
from itertools import pairwise

import pytest

from reports.check.evidence import MANY, OPEN_DIAGRAMS, PAGE_BYTES
from reports.check.transcript import BRIEF_EVENTS, DATA_CHARACTERS, HEAD_EVENTS, TAIL_EVENTS
from reports.formats import html
from tests.reports import builder, loads
from tests.reports.builder import HOSTILE, Json, failure, requirement, results, scenario
from tests.reports.comparisons import compared
from tests.reports.page import ALLOWED, Page

PAGES: list[tuple[Callable[[Json], str], Json]] = [
    (html.compliance, results()),
    (html.compliance, builder.failing_results()),
    (html.compliance, builder.failing_results(complete=False, strict=True)),
    (html.compliance, results([], [])),
    (html.compliance, builder.hostile(builder.failing_results(complete=False))),
    (html.compliance, builder.hostile(builder.failing_results(), "x" * 100_000)),
    (html.compliance, builder.baselined_results()),
    (html.compliance, builder.hostile(builder.baselined_results())),
    (html.compliance, builder.troubled_results()),
    (html.compliance, builder.hostile(builder.troubled_results())),
    (html.compliance, builder.hostile(builder.troubled_results(), "x" * 100_000)),
    (html.load, builder.load()),
    (html.load, builder.breaking_load()),
    (html.load, builder.load(timeline=[], metrics={}, thresholds=[], delivery=None)),
    (html.load, builder.load(closes={}, generator=None, complete=False, settings={})),
    (html.load, builder.hostile(builder.breaking_load() | {"reason": "because"})),
    (html.load, builder.hostile(builder.breaking_load(), "x" * 100_000)),
    (html.load, loads.full()),
    (html.load, loads.aborted()),
    (html.load, loads.capacity()),
    (html.load, loads.long()),
    (html.load, builder.hostile(loads.aborted(capacity=loads.capacity()["capacity"]))),
    (html.load, builder.hostile(loads.aborted(capacity=loads.capacity()["capacity"]), "x" * 100_000)),
    (html.comparison, compared(results(), builder.failing_results(complete=False))),
    (html.comparison, compared(builder.failing_results(), results([], []))),
    (html.comparison, compared(results(), builder.failing_results(), builder.baselined_results())),
    (html.comparison, compared(*(builder.hostile(builder.failing_results(), text) for text in (HOSTILE, "b")))),
    (html.comparison, compared(*(builder.hostile(results(), letter * 100_000) for letter in "xy"))),
    (html.comparison, compared(loads.full(), loads.aborted())),
    (html.comparison, compared(builder.load(), builder.load(metrics={}, delivery=None, settings={}))),
    (html.comparison, compared(loads.full(), loads.capacity(), builder.breaking_load())),
    (html.comparison, compared(*(builder.hostile(loads.aborted(), text) for text in (HOSTILE, "x" * 100_000)))),
]


@pytest.fixture(params=range(len(PAGES)), scope="module")
def page(request: pytest.FixtureRequest) -> Page:
    function, document = PAGES[request.param]
    return Page(function(document))


def test_only_our_own_markup_is_on_the_page(page: Page) -> None:
    assert {tag for tag, _ in page.elements} <= ALLOWED
    for _, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
    assert len(page.scripts) == 1
    assert len(page.styles) == 1


def test_the_page_loads_nothing(page: Page) -> None:
    for tag, attributes in page.elements:
        assert not {"src", "srcset", "action", "data", "poster", "ping"} & attributes.keys()
        assert tag not in ("link", "img", "iframe", "base", "object", "embed")
    assert all(link.startswith("#") for link in page.links)
    assert not re.search(r"url\(|@import|https?:", page.styles[0] + page.scripts[0])


def test_the_policy_allows_just_the_inline_style_and_script(page: Page) -> None:
    policies = [
        attributes["content"] or ""
        for tag, attributes in page.elements
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert len(policies) == 1
    directives = dict(part.split(maxsplit=1) for part in policies[0].split(";"))
    assert directives == {
        "default-src": "'none'",
        "style-src": f"'sha256-{_digest(page.styles[0])}'",
        "script-src": f"'sha256-{_digest(page.scripts[0])}'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_nothing_invisible_or_acting_is_left(page: Page) -> None:
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", page.source)
    assert "{{" not in page.source.replace("{{ 7 * 7 }}", "")
    page.source.encode()


def test_every_link_leads_somewhere_and_every_id_is_unique(page: Page) -> None:
    assert len(page.ids) == len(set(page.ids))
    assert {link[1:] for link in page.links if not link.startswith("#filter:")} <= set(page.ids)
    labels = [a["aria-labelledby"] or "" for _, a in page.elements if "aria-labelledby" in a]
    assert set(labels) <= set(page.ids)


def test_headings_do_not_skip_a_level(page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))


def test_a_page_stays_bounded_whatever_the_document_holds(page: Page) -> None:
    assert len(page.source) < 2_000_000


def test_the_same_document_gives_the_same_bytes() -> None:
    for function, document in PAGES:
        assert function(document) == function(document)


def test_the_first_screen_of_a_failing_run() -> None:
    text = Page(html.compliance(builder.failing_results())).text
    assert "Not conformant: 1 MUST requirement fails (ERR-02)." in text
    assert "1 recommendation does not hold (ERR-01)." in text
    for part in ("ws://127.0.0.1:8765/v1/socket", "Chat WebSocket API 1.0.0", "3.2 s"):
        assert part in text
    assert "2026-11-23 02:05:00 UTC" in text
    assert "MUST 2 1 1 1 0 5 SHOULD 0 1 0 0 1 2 MAY 0 0 0 0 0 0" in text
    assert "? inconclusive inconclusive: no such fixture ERR-03" in text
    assert "cut off" not in text


def test_a_run_that_was_cut_off_says_so_before_its_verdict() -> None:
    text = Page(html.compliance(results(complete=False))).text
    assert text.index("This run was cut off") < text.index("Conformant:")
    text = Page(html.load(builder.load(complete=False))).text
    assert text.index("This run was cut off") < text.index("Conformant under 20 users:")


def test_obligations_come_first_and_failures_before_passes_in_each_group() -> None:
    page = Page(
        html.compliance(
            results(
                [
                    requirement("ERR-01"),
                    requirement("ERR-02", "inconclusive"),
                    requirement("ERR-03", "failed", "SHOULD"),
                    requirement("ERR-04", "failed"),
                ],
                [scenario("a"), scenario("b", "inconclusive"), scenario("c", "failed")],
            )
        )
    )
    wanted = ["ERR-04", "ERR-02", "ERR-01", "ERR-03", "scenario-c", "scenario-b", "scenario-a"]
    assert [name for name in page.ids if name in wanted] == wanted


def test_a_requirement_shows_its_clauses_and_where_it_failed() -> None:
    page = Page(html.compliance(builder.failing_results()))
    part = page.part('<article class="item requirement tone-warning"')
    text = Page(f"{part}</article>").text
    assert "MUST ✓ passed SHOULD ▲ failed ▲ err-code (failed)" in text
    assert "err-code (failed) no error arrived within 5 s" in text
    assert "サーバーは ERR-01 のとおりに error を返す。" in text
    assert "Repeat this case wsproof check ws://127.0.0.1:8765/v1/socket --select err-code --select err-silent" in text


def test_a_failed_scenario_shows_its_evidence() -> None:
    page = Page(html.compliance(builder.failing_results()))
    part = page.part('id="scenario-err-silent"')
    text = Page(f"<article {part}</article>").text
    assert "Step 3 expect error" in text
    assert "Expected error with code INVALID_JSON Received (nothing)" in text
    assert "wsproof check ws://127.0.0.1:8765/v1/socket --select err-silent" in text
    assert '<details class="drawn" open>' in part
    assert '<details class="transcript">' in page.part('id="scenario-send"')
    assert "0.004 alice received message connection_ack" in text
    assert '<tr class="kind-timeout">' in part


def test_only_what_passed_looks_passed() -> None:
    page = Page(html.compliance(builder.failing_results()))
    shown = [a["class"] or "" for tag, a in page.elements if tag == "article"]
    passed = [name for name in shown if name.endswith("tone-passed")]
    assert len(passed) == 2  # SEND-01 and its scenario


def test_a_failure_that_breaks_several_requirements_is_told_once() -> None:
    failures = [failure("ERR-02", "SHOULD"), failure("ERR-01"), failure("ERR-01", step="4")]
    page = Page(html.compliance(results(scenarios=[scenario("s", "failed", failures=failures)])))
    assert page.source.count('<div class="failure tone-failed">') == 2
    assert "✗ ERR-02 SHOULD ERR-01 MUST no error arrived" in page.text


def test_a_requirement_names_each_failed_scenario_once_and_folds_the_rest() -> None:
    several = [failure("ERR-01", step=step) for step in ("3", "4", "5")]
    broken = [scenario(f"s{number}", "failed", failures=several) for number in range(9)]
    names = ["p1", "p2", *(entry["id"] for entry in broken)]
    entries = [requirement("ERR-01", "failed", scenarios=names)]
    page = Page(html.compliance(results(entries, [scenario("p1"), scenario("p2"), *broken])))
    part = page.part('id="ERR-01"')
    text = Page(f"<article {part}</article>").text
    assert "s0 (failed) no error arrived within 5 s (and 2 more)" in text
    assert "and 4 more scenarios" in text
    assert "Verified by 11 scenarios ✗ s0" in text
    assert text.endswith("p2 (passed)")


def test_a_scenario_has_the_mark_of_what_it_says_about_the_requirement() -> None:
    broken = scenario("s", "failed", verifies=["A-1", "A-2"], failures=[failure("A-2"), failure("A-3", "SHOULD")])
    entries = [requirement("A-1", scenarios=["s"]), requirement("A-2", "failed", scenarios=["s"])]
    entries.append(requirement("A-3", "failed", "SHOULD", scenarios=["s"]))
    page = Page(html.compliance(results(entries, [broken, scenario("t", "inconclusive")])))
    parts = [page.part(f'id="{name}"') for name in ("A-1", "A-2", "A-3")]
    texts = [Page(f"<article {part}</article>").text for part in parts]
    assert [text.rpartition("Verified by ")[2] for text in texts] == ["✓ s (passed)", "✗ s (failed)", "▲ s (failed)"]


def test_only_so_many_transcripts_are_open() -> None:
    warned = [scenario(f"w{number}", "failed", failures=[failure("ERR-01", "SHOULD")]) for number in range(50)]
    broken = scenario("broken", "failed", failures=[failure("ERR-01")])
    page = Page(html.compliance(results(scenarios=[*warned, broken])))
    assert page.source.count('<details class="drawn" open>') == OPEN_DIAGRAMS
    assert '<details class="drawn" open>' in page.part('id="scenario-broken"')


def test_a_server_of_the_runs_own_is_not_in_the_command() -> None:
    document = results(settings={"embedded": True}, scenarios=[scenario("s", "failed")])
    assert "wsproof check --select s" in Page(html.compliance(document)).text


def test_a_strict_run_counts_a_failed_should() -> None:
    page = Page(html.compliance(builder.failing_results(strict=True)))
    assert "Not conformant: 2 requirements fail (ERR-01, ERR-02)." in page.text
    assert "Strict run: a SHOULD counts as a MUST." in page.text
    assert "tone-warning" not in page.part('id="ERR-01"')


def test_a_command_is_quoted_for_the_shell() -> None:
    document = results(scenarios=[scenario("it's $(id)", "failed", failures=[failure("ERR-01")])])
    expected = """--select &#39;it&#39;&#34;&#39;&#34;&#39;s $(id)&#39;</bdi>"""
    assert expected in html.compliance(document)


def test_a_long_transcript_keeps_its_start_and_its_end() -> None:
    events = [builder.event(number / 1000, "in", "ping") for number in range(2000)]
    page = Page(html.compliance(results(scenarios=[scenario("flood", "failed", transcript=events)])))
    assert page.source.count("ping frame</td>") == HEAD_EVENTS + TAIL_EVENTS
    assert "1,500 events in between are omitted here" in page.text
    assert "<td>0.000</td>" in page.source
    assert "<td>1.999</td>" in page.source
    page = Page(html.compliance(results(scenarios=[scenario("flood", transcript=events)])))
    assert page.source.count("ping frame</td>") == 2 * BRIEF_EVENTS
    assert "<td>1.999</td>" in page.source


def test_a_transcript_full_of_long_data_is_bounded() -> None:
    events = [builder.event(n / 1000, "in", "message", data=f"{n:04}" * 1024) for n in range(500)]
    source = html.compliance(results(scenarios=[scenario("flood", "failed", transcript=events)]))
    assert len(source) < 3 * DATA_CHARACTERS
    assert "0499" * 1024 in source
    assert "0000" * 50 + "… (+3,896 characters)" in source


def test_long_data_is_folded_and_cut_with_a_note() -> None:
    long = scenario("long", "failed", transcript=[builder.event(0, "in", "message", data="x" * 100_000)])
    page = Page(html.compliance(results(scenarios=[long])))
    assert "… 100,000 characters in all" in page.text
    assert "The other 80,000 characters are in the results file only." in page.text


def many(number: int, verdict: str) -> Json:
    """A run of so many scenarios, as long as those of a real one."""
    events = [builder.event(n / 1000, "in", "message", event="new_message", data='{"n":1}' * 30) for n in range(12)]
    failures = [failure("ERR-01", expected='{"a": 1}', received='{"a": 2}')] if verdict == "failed" else []
    entries = [
        scenario(f"group-{n % 40}-scenario/variant-{n}", verdict, transcript=events, failures=failures)
        | {"title": "A message with a member that is unknown gets an answer", "group": f"G{n % 12}"}
        for n in range(number)
    ]
    names = [entry["id"] for entry in entries]
    return results([requirement(f"ERR-{n:02}", verdict, scenarios=names) for n in range(70)], entries)


@pytest.mark.slow
@pytest.mark.parametrize("verdict", ["passed", "failed", "inconclusive"])
@pytest.mark.parametrize("number", [MANY, 10_000])
def test_a_run_of_many_scenarios_fits_on_a_page(number: int, verdict: str) -> None:
    page = Page(html.compliance(many(number, verdict)))
    assert len(page.source.encode()) < 5_000_000
    assert sum(name.startswith("scenario-") for name in page.ids) == number
    assert "is omitted; the results file" in page.text or "are omitted; the results file" in page.text


def test_what_failed_is_told_before_the_room_is_gone() -> None:
    document = many(MANY + 1, "passed")
    events = [builder.event(n / 1000, "in", "ping") for n in range(12)]
    document["scenarios"].append(scenario("bad", "failed", failures=[failure("ERR-01")], transcript=events))
    page = Page(html.compliance(document))
    assert page.source.count("<svg") == 1
    assert "Transcript, 12 events" in page.part('id="scenario-bad"')
    assert page.source.count("<article") == 71


def test_a_small_run_shows_every_transcript() -> None:
    page = Page(html.compliance(many(300, "passed")))
    assert page.source.count("Transcript, 12 events") == 300
    assert len(page.source) < PAGE_BYTES


def test_ids_that_are_no_fragment_identifiers() -> None:
    names = ["A B", "A_20B", "日本-01", "main", "ERR-01", "ERR-01", "x" * 300]
    page = Page(html.compliance(results([requirement(name) for name in names], [])))
    anchors = [a["id"] for tag, a in page.elements if tag == "article"]
    assert anchors[:2] == ["A_20B", "A_20B~2"]
    assert len(set(anchors)) == len(names)


def test_requirements_and_scenarios_that_the_document_only_mentions() -> None:
    document = results(
        [requirement("ERR-01", scenarios=["elsewhere"])],
        [scenario("s", "failed", verifies=["ERR-99"], failures=[failure("ERR-99")])],
    )
    page = Page(html.compliance(document))
    assert "Verified by elsewhere" in page.text
    assert "#ERR-99" not in page.links


def test_the_baseline_is_told() -> None:
    text = " ".join(Page(html.compliance(builder.baselined_results())).text.split())
    assert "expected failure until 2099-12-31: why ERR-01 fails https://example.com/17" in text
    assert "err-fine stale: it passes" in text
    assert "ERR-02 expired: it was expected to fail until 2020-01-01" in text
    assert "HB-01 not decided by this run" in text
    assert "Expected to fail: why ERR-01 fails" in text
    assert "The run fails: a requirement fails: ERR-02" in text


def test_what_was_not_finished_was_not_played() -> None:
    scenarios = [builder.scenario("a"), builder.scenario("b", "untested", transcript=[])]
    text = " ".join(Page(html.compliance(builder.results(scenarios=scenarios, complete=False))).text.split())
    assert "Scenarios run 1 of 2" in text
