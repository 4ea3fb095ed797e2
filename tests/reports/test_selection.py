"""A run of a part speaks of that part, and what was not selected is no noise."""

import json
from typing import Any

import pytest

from reports.formats import html
from reports.formats.badge import shields
from reports.formats.markdown import markdown
from reports.formats.text import summary
from reports.shared import wording
from reports.shared.selection import counted, narrowed
from reports.text.language import speaking
from tests.reports.builder import Json, requirement, results
from tests.reports.page import Page

UNSELECTED: Json = {"selected": False, "reason": "not selected"}
CHOSEN: Json = {"settings": {"jobs": 1, "selection": "ERR", "deselection": None}}


def part(*verdicts: str, **members: Any) -> Json:
    """A run of a part: requirements of ERR with these verdicts, and two of SEND that were not selected."""
    chosen = [requirement(f"ERR-{number}", one, selected=True) for number, one in enumerate(verdicts)]
    others = [requirement(f"SEND-{number}", "untested", **UNSELECTED) for number in range(2)]
    return results([*chosen, *others], **CHOSEN | members)


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        (part(*["passed"] * 3), "Conformant (selection only): all 3 MUST requirements hold."),
        (part("passed"), "Conformant (selection only): the one MUST requirement holds."),
        (
            part("passed", "passed", "inconclusive"),
            "Incomplete (selection only): no MUST requirement failed, but 1 of 3 was not verified.",
        ),
        (part("passed", "failed"), "Not conformant: 1 MUST requirement fails (ERR-1)."),
        (
            results([requirement("ERR-1", selected=True)], **CHOSEN),
            "Conformant (selection only): the one MUST requirement holds.",
        ),
        # Checks decided it, though no scenario is there for it: the run was about everything.
        (
            results([requirement("ERR-1", selected=True), requirement("ERR-2", selected=False)]),
            "Conformant: all 2 MUST requirements hold.",
        ),
        (
            results([requirement("ERR-1", selected=True)], settings={"jobs": 1, "only_scenarios": ["own.yaml"]}),
            "Conformant (selection only): the one MUST requirement holds.",
        ),
        # A contract may have no scenario for a requirement: that was nobody's choice.
        (
            results([requirement("ERR-1", selected=True), requirement("ERR-2", "untested", **UNSELECTED)]),
            "Conformant: the one MUST requirement holds.",
        ),
        (results([requirement("ERR-1", selected=True)]), "Conformant: the one MUST requirement holds."),
        # As documents were before they said what was selected.
        (
            results([requirement("ERR-1"), requirement("ERR-2", "untested")], **CHOSEN),
            "Incomplete: no MUST requirement failed, but 1 of 2 was not verified.",
        ),
    ],
)
def test_the_verdict_is_about_what_was_selected(document: Json, sentence: str) -> None:
    assert wording.verdict_sentence(document) == sentence


def test_the_verdict_in_japanese() -> None:
    with speaking("ja"):
        assert wording.verdict_sentence(part("passed", "passed")).startswith("適合（選択範囲のみ）: MUST 要件 2 件を")


def test_what_was_decided_all_the_same_counts() -> None:
    document = results([requirement("A-1", "failed", selected=False), requirement("A-2", "untested", **UNSELECTED)])
    assert [one["id"] for one in counted(document)] == ["A-1"]
    assert not narrowed(document)
    assert wording.verdict_sentence(document) == "Not conformant: 1 MUST requirement fails (A-1)."


def test_the_terminal_counts_it_in_one_line() -> None:
    text = summary(part("passed", "inconclusive"))
    assert "○ 2 requirements were not selected.\n" in text
    assert "SEND" not in text
    assert "not selected (" not in text
    one = [requirement("A-1", "untested", **UNSELECTED)]
    assert "○ 1 requirement was not selected.\n" in summary(results(one, **CHOSEN))
    assert "○ 1 requirement was not tested: no scenario in this run verifies it.\n" in summary(results(one))
    assert "not selected" not in summary(results())


def test_markdown_counts_it_in_one_line() -> None:
    text = markdown(part("passed", "inconclusive"))
    assert "\n\n○ 2 requirements were not selected.\n" in text
    assert "SEND" not in text


def test_the_page_counts_it_in_one_line() -> None:
    page = Page(html.compliance(part("passed", "inconclusive")))
    assert "○ 2 requirements were not selected." in page.text
    assert "untested" not in Page(f"<nav{page.part('<nav', '</nav>').partition('<nav')[2]}</nav>").text
    assert page.links.count("#SEND-0") == 1
    assert 'data-clauses="MUST:unselected"' in page.source
    assert '<option value="unselected">' in page.source
    with speaking("ja"):
        assert "選択対象外の要件が 2 件あります。" in Page(html.compliance(part("passed"))).text


def test_a_page_of_a_part_does_not_claim_everything() -> None:
    assert "All other requirements were verified." in Page(html.compliance(part("passed"))).text
    page = Page(html.compliance(results()))
    assert "Every requirement was verified." in page.text
    assert "unselected" not in page.source.partition("<script>")[0].partition("</style>")[2]


def test_what_was_not_selected_stands_last_in_its_section() -> None:
    entries = [requirement("ERR-1", "untested", **UNSELECTED), requirement("ERR-2", level="MAY", selected=True)]
    page = Page(html.compliance(results(entries)))
    assert [one for one in page.ids if one in ("ERR-1", "ERR-2")] == ["ERR-2", "ERR-1"]


def test_a_badge_says_that_it_is_of_a_part() -> None:
    documents = (part("passed", "passed"), part("passed", strict=True), results())
    assert [json.loads(shields(one))["message"] for one in documents] == [
        "conformant: 2 of 2 selected MUSTs hold",
        "conformant: 1 of 1 selected requirements hold",
        "conformant: 1 of 1 MUSTs hold",
    ]
