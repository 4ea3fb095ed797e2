"""What the suite says is known again, and said in the reader's language."""

import ast
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.files import DATA_ROOT
from reports.findings import said, told
from reports.language import ids, speaking, t
from tests.reports.builder import event, failure, requirement, results, scenario
from tests.reports.test_language import placeholders

JUDGES = ("checks", "deliveries", "endings", "expecting", "handshakes", "heartbeat", "steps")


def messages() -> list[str]:
    """The messages of failures that stand in the suite's code as they are."""
    found = []
    for name in JUDGES:
        for node in ast.walk(ast.parse((DATA_ROOT / "conformance" / f"{name}.py").read_text(encoding="utf-8"))):
            found += [str(ast.literal_eval(one)) for one in _texts(node) if isinstance(one, ast.Constant)]
    return found


def _texts(node: ast.AST) -> list[ast.expr]:
    """What a piece of code says: the text of a failure or a finding, or what is kept for one under that name."""
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        place = {"fail": 0, "failure": 0, "Finding": 2}.get(name)
        return [] if place is None else node.args[place : place + 1]
    if isinstance(node, ast.Assign) and any(getattr(one, "id", "") == "text" for one in node.targets):
        return [node.value]
    return []


def test_every_message_of_the_suite_has_its_translation() -> None:
    assert len(messages()) > 30
    with speaking("ja"):
        assert [text for text in messages() if said(text) == text] == []


@pytest.mark.parametrize("name", ids("findings"))
def test_a_sentence_is_known_again(name: str) -> None:
    values = {one: f"<{one}>" for one in placeholders(t(name))}
    english = t(name, **values)
    assert said(english) == english
    with speaking("ja"):
        translated = said(english)
    assert translated != english
    assert all(value in translated for value in values.values())


def test_a_sentence_within_a_sentence() -> None:
    reason = "conn-1 did not get that far: step 3: the connection ended before `error`"
    with speaking("ja"):
        assert said(reason) == "conn-1 はそこまで進みませんでした: ステップ 3: `error` が届く前に接続が終了しました"


def test_the_reason_of_a_requirement_begins_with_its_scenario() -> None:
    reason = "conn-1/a: the connection is open (seen once; not when it was played again, alone and in company)"
    document = results([requirement("A-1", "inconclusive", reason=reason)])
    with speaking("ja"):
        [shown] = told(document)["requirements"]
    assert shown["reason"].startswith("conn-1/a: 接続は開いています（1 回のみ発生し、")


@pytest.mark.parametrize(
    "reason",
    [
        "not selected",
        "not waited for: it did not come in 8 scenarios before",
        "a good token was refused as well (403 Forbidden), so that the refusal shows nothing",
        "no answer to the handshake, but a lost connection: it shows nothing (reset by the peer)",
        "the endpoint stopped accepting connections while it was playing",
        "not played: the endpoint stopped accepting connections and did not come back",
        "not played: the endpoint stopped accepting connections three times",
        "every connection was ended while it was playing",
        "other connections disturbed it (close 1011); there was no time to play it alone",
        "the endpoint stopped accepting connections at 3.2 s and did not come back",
        "only 1 of 40 MUST requirements that the selected scenarios verify was decided",
        "only 3 of 40 MUST requirements that the selected scenarios verify were decided",
    ],
)
def test_reasons_of_gone_endpoints_and_of_doubt(reason: str) -> None:
    with speaking("ja"):
        translated = said(reason)
        assert not re.search("[a-z]{3,} [a-z]{3,}", re.sub("（.*）", "", translated)), translated


def test_what_is_not_known_stays() -> None:
    with speaking("ja"):
        assert said("something of a scenario's author") == "something of a scenario's author"
        assert said("step " * 10_000) == "step " * 10_000


@given(st.text())
def test_no_text_does_harm(text: str) -> None:
    assert said(text) == text
    with speaking("ja"):
        said(text)
        assert text in said(f"step 1: {text}") or said(text) != text or not text


def test_a_document_is_told_but_not_what_others_wrote() -> None:
    text = "the connection is open"
    failed = scenario("send", "failed", failures=[failure("SEND-01", message=text, expected=text, received=text)])
    failed["transcript"] = [event(0.1, "in", "message", data=text), event(0.2, "none", "timeout", data=text)]
    document = results(scenarios=[failed])
    assert told(document) is document
    with speaking("ja"):
        [shown] = told(document)["scenarios"]
    assert shown["failures"][0]["message"] == shown["failures"][0]["expected"] == "接続は開いています"
    assert shown["failures"][0]["received"] == text
    assert [one["data"] for one in shown["transcript"]] == [text, "接続は開いています"]
