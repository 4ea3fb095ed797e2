"""When the endpoint was gone: in every report that people read, in their language."""

import json
from xml.etree import ElementTree as ET

import pytest

from reports.formats import html
from reports.formats.ctrf import ctrf
from reports.formats.junit import junit
from reports.formats.markdown import markdown
from reports.formats.text import summary
from reports.shared.outages import MAX_SHOWN, outages
from reports.text.language import speaking
from tests.reports import builder
from tests.reports.builder import Json, outage, results, scenario
from tests.reports.page import Page

GONE = "The endpoint stopped accepting connections at 3.2 s"
SIXTEEN = [f"s-{number}" for number in range(16)]


@pytest.mark.parametrize(
    ("entry", "tone", "text"),
    [
        (outage(), "failed", f"{GONE}, while err-silent was running, and did not come back."),
        (outage(playing=[]), "failed", f"{GONE}, and did not come back."),
        (
            outage(playing=SIXTEEN, back_after_s=0.4),
            "warning",
            f"{GONE}, while s-0, s-1, s-2 and 13 more were running, and came back after 0.4 s.",
        ),
        (
            outage(back_after_s=0.4, culprit="err-x/constructor"),
            "warning",
            f"{GONE}, and came back after 0.4 s. Run alone, this scenario stopped it again: err-x/constructor",
        ),
        (
            outage("dropped", culprit="wire-x"),
            "warning",
            "All connections were lost at 3.2 s. Run alone, this scenario made the endpoint drop them again: wire-x",
        ),
        (
            outage("dropped", playing=["a", "b"]),
            "warning",
            "All connections were lost at 3.2 s, while a, b were running.",
        ),
        (
            outage(playing=["a"], suspected=["a"]),
            "failed",
            f"{GONE}, while a was running, and did not come back. Suspected, because it sent something last: a",
        ),
        (
            outage(playing=[], suspected=list("abcde")),
            "failed",
            f"{GONE}, and did not come back. Suspected, because they sent something last (most likely first): "
            "a, b, c and 2 more",
        ),
    ],
)
def test_an_outage_in_words(entry: Json, tone: str, text: str) -> None:
    (found,) = outages(results(outages=[entry]))
    assert (found.mark.tone, found.text) == (tone, text)


def test_an_outage_in_japanese() -> None:
    with speaking("ja"):
        (found,) = outages(results(outages=[outage(playing=SIXTEEN, back_after_s=0.4)]))
    start, middle, end = found.text.split("、")
    assert start == "開始 3.2 秒後（実行中: s-0, s-1, s-2 ほか 13 件）"
    assert (middle, end) == ("エンドポイントが接続を受け付けなくなり", "0.4 秒後に復旧しました。")


def test_the_terminal_says_it_directly_above_the_verdict() -> None:
    lines = summary(results(outages=[outage("dropped", playing=[]), outage(playing=[])]), width=200).splitlines()
    assert lines[-3:] == [
        "▲ All connections were lost at 3.2 s.",
        f"✗ {GONE}, and did not come back.",
        "✓ Conformant: the one MUST requirement holds.",
    ]


def test_the_page_says_it_before_the_verdict_with_links() -> None:
    page = Page(html.compliance(builder.troubled_results()))
    assert page.text.index("All connections were lost at") < page.text.index("Incomplete (selection only)")
    banners = page.source.split('<p class="outage tone-')[1:]
    assert [banner.partition('"')[0] for banner in banners] == ["warning", "warning", "failed"]
    assert 'href="#scenario-err-code"' in banners[0].partition("</p>")[0]
    last = Page(f'<p class="{banners[2].partition("</p>")[0]}</p>')
    assert last.links == ["#scenario-err-silent", "#scenario-err-code"]
    assert last.text.endswith("err-silent , err-code , c and 1 more")


def test_markdown_says_it_in_a_line_each() -> None:
    text = markdown(builder.troubled_results())
    assert (
        "\n\n▲ All connections were lost at 1.2 s. Run alone, this scenario made the endpoint drop them again: "
        "err-code\n" in text
    )
    assert f"\n\n▲ {GONE}, while s-0, s-1, s-2 and 13 more were running, and came back after 0.4 s.\n" in text


def test_only_so_many_are_told() -> None:
    document = results(outages=[outage("dropped")] * (MAX_SHOWN + 2))
    for made in (summary(document), markdown(document), Page(html.compliance(document)).text):
        assert made.count("All connections were lost") == MAX_SHOWN
        assert "and 2 more outages, see the results file" in made


def test_junit_and_ctrf_know_it_of_the_run() -> None:
    document = builder.troubled_results()
    root = ET.fromstring(junit(document))
    values = [one.attrib["value"] for one in root[0].iter("property") if one.attrib["name"] == "outage"]
    assert [value.partition(" at ")[0] for value in values] == [
        "All connections were lost",
        "The endpoint stopped accepting connections",
        "The endpoint stopped accepting connections",
    ]
    run = json.loads(ctrf(document))["results"]["summary"]["extra"]["wsproof.run"]
    assert run["outages"] == values
    assert "outages" not in json.loads(ctrf(results()))["results"]["summary"]["extra"]["wsproof.run"]


def test_a_run_that_fails_for_no_case_of_its_own_is_not_green() -> None:
    reasons = [f"{builder.STOPPED} at 9 s and did not come back"]
    outcome = {"passed": False, "reasons": reasons}
    root = ET.fromstring(junit(results(outcome=outcome, outages=[outage()])))
    (case,) = (one for one in root.iter("testcase") if one.attrib["name"] == "run-passes")
    assert [one.attrib["message"] for one in case.iter("failure")] == reasons
    broken = results(scenarios=[scenario("a", "failed", failures=[builder.failure("ERR-01")])], outcome=outcome)
    assert "run-passes" not in junit(broken)
    assert "run-passes" not in junit(results(outages=[outage("dropped")]))
