"""On what evidence a requirement passed."""

import pytest

from reports.formats import html
from reports.text.held import held
from reports.text.language import speaking
from tests.reports import builder
from tests.reports.builder import Json, evidence, requirement, results
from tests.reports.page import Page

UNITS = {
    "message": "messages",
    "connection": "connections",
    "delivery": "deliveries",
    "post": "posts",
    "error": "errors",
    "number": "sequence numbers",
    "ping": "pings",
    "request": "requests",
    "reply": "replies",
}


@pytest.mark.parametrize(
    ("entry", "english", "japanese"),
    [
        (evidence(applied=1204, of="message"), "held in 1,204 messages", "1,204 件のメッセージで成立"),
        (evidence(steps=36), "held in 36 steps", "36 個のステップで成立"),
        (
            evidence(applied=1204, of="message", steps=36),
            "held in 1,204 messages and 36 steps",
            "1,204 件のメッセージと 36 個のステップで成立",
        ),
        (evidence(applied=1, of="ping", steps=1), "held in 1 ping and 1 step", "1 回の ping と 1 個のステップで成立"),
        (evidence(), "", ""),
        (evidence("failed", applied=12, of="post", steps=3), "", ""),
        ({}, "", ""),
    ],
)
def test_the_evidence_in_words(entry: Json, english: str, japanese: str) -> None:
    entry = {"verdict": "passed"} | entry | {"verdict": entry.get("clauses", [{"verdict": "passed"}])[0]["verdict"]}
    assert held(entry) == english
    with speaking("ja"):
        assert held(entry) == japanese


@pytest.mark.parametrize("unit", UNITS)
def test_every_unit_is_counted(unit: str) -> None:
    entry = {"verdict": "passed", "applied": 2, "of": unit, "steps": 0}
    assert held(entry) == f"held in 2 {UNITS[unit]}"
    assert len({held(entry | {"applied": number}) for number in (1, 2)}) == 2
    with speaking("ja"):
        assert held(entry).endswith("で成立")
        assert held(entry).startswith("2 ")


def shown(document: Json, name: str) -> str:
    part = Page(html.compliance(document)).part(f'id="{name}"')
    return Page(f"<article {part}</article>").text


def test_the_page_says_it_beside_the_verdict() -> None:
    document = builder.troubled_results()
    assert "✓ passed held in 1,204 messages The server" in shown(document, "ERR-01")
    assert "MUST ✓ passed held in 1 connection SHOULD ✓ passed held in 1 step" in shown(document, "ERR-04")
    assert "held" not in shown(document, "ERR-05")


def test_a_document_that_does_not_say_has_nothing_of_it() -> None:
    assert "held" not in shown(results([requirement("ERR-01")]), "ERR-01")
