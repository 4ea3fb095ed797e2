"""What was seen once, and not again: shown, with its evidence, and not counted."""

import json
from typing import Any
from xml.etree import ElementTree as ET

from contract.findings import phrase, translated
from reports.check.diagram import diagram
from reports.check.evidence import MANY, MAX_DIAGRAMS
from reports.formats import html
from reports.formats.ctrf import ctrf
from reports.formats.junit import junit
from reports.formats.text import summary
from reports.text.language import speaking
from tests.reports import builder
from tests.reports.builder import SEEN_ONCE, Json, failure, results, scenario
from tests.reports.page import Page

HEAD = "Seen once, not reproduced: not counted"


def doubtful(name: str, **members: Any) -> Json:
    once = [failure("ERR-01"), failure("ERR-02", "SHOULD"), failure("ERR-01", message="the connection ended")]
    return scenario(name, "inconclusive", reason=SEEN_ONCE, unconfirmed=once, **members)


def case(document: Json, name: str) -> str:
    return Page(html.compliance(document)).part(f'id="scenario-{name}"')


def test_the_page_has_a_part_for_it() -> None:
    part = case(results(scenarios=[doubtful("s")]), "s")
    text = Page(f"<article {part}</article>").text
    assert f"{HEAD} ? ERR-01 MUST ERR-02 SHOULD no error arrived within 5 s Step 3 expect error Actor alice" in text
    assert "Expected error with code INVALID_JSON Received (nothing)" in text
    assert part.count('<div class="failure tone-inconclusive">') == 2
    assert "tone-failed" not in part
    assert HEAD not in html.compliance(results())


def test_it_keeps_its_diagram_and_transcript() -> None:
    part = case(results(scenarios=[doubtful("s"), scenario("other", "inconclusive", reason="r")]), "s")
    assert '<details class="drawn" open>' in part
    assert '<details class="transcript">' in part
    assert "ERR-01, ERR-02, seen once: no error arrived within 5 s (Step 3 expect error)" in part
    assert ">✗<" not in part


def test_it_comes_before_what_has_nothing_to_look_at() -> None:
    others = [scenario(f"o-{number}", "inconclusive", reason="r") for number in range(MAX_DIAGRAMS + 1)]
    page = Page(html.compliance(results(scenarios=[*others, doubtful("s")])))
    assert next(name for name in page.ids if name.startswith("scenario-")) == "scenario-s"
    assert "<svg" in page.part('id="scenario-s"')
    many = [scenario(f"p-{number}") for number in range(MANY + 1)]
    assert "Transcript, 4 events" in case(results(scenarios=[*many, *others, doubtful("s")]), "s")


def test_a_failure_beside_it_stays_one() -> None:
    mixed = doubtful("s", failures=[failure("ERR-03")]) | {"verdict": "failed", "reason": None}
    part = case(results(scenarios=[mixed]), "s")
    assert part.index("tone-failed") < part.index(HEAD) < part.index("failure tone-inconclusive")
    found = diagram(mixed["transcript"], mixed["failures"], mixed["unconfirmed"])
    assert found is not None
    assert [row.form for row in found.rows][-3:] == ["failed", "unconfirmed", "unconfirmed"]


def test_the_terminal_tells_the_reason_only() -> None:
    text = summary(builder.troubled_results(), width=200)
    assert f"? inconclusive: {SEEN_ONCE} (ERR-05)" in text
    assert "1006 bye" not in text


def test_a_ci_skips_it_with_its_reason() -> None:
    document = results(scenarios=[doubtful("s")])
    (found,) = ET.fromstring(junit(document)).iter("testcase")
    skipped = found.find("skipped")
    assert skipped is not None
    assert skipped.attrib == {"type": "inconclusive", "message": SEEN_ONCE}
    assert (found.findtext("system-out") or "").startswith(
        "SEEN ONCE ERR-01 (MUST), ERR-02 (SHOULD): no error arrived within 5 s\n"
    )
    (test,) = json.loads(ctrf(document))["results"]["tests"]
    assert (test["status"], test["rawStatus"], test["message"]) == ("skipped", "inconclusive", SEEN_ONCE)


def test_it_is_told_in_japanese() -> None:
    once = failure("ERR-01", **phrase("still-open").json, message="the connection is open")
    with speaking("ja"):
        document = translated(results(scenarios=[scenario("s", "inconclusive", unconfirmed=[once])]))
        assert document["scenarios"][0]["unconfirmed"][0]["message"] == "接続は開いたまま"
        assert "再現しなかったもの" in html.compliance(document)
