"""Documents of earlier versions, as wsproof 0.1.0 wrote them: they are read as if they were of today."""

import json
from pathlib import Path

import pytest

from contract import findings
from contract.formats import LOAD, RESULTS
from contract.schemas import format_validator
from reports.formats.render import FORMATS, render
from reports.shared.documents import DocumentError, check_document, read_document
from reports.text.language import LANGUAGES
from tests.reports import builder
from tests.reports.builder import Json

OLD = Path(__file__).parent / "old"
FILES = {"results.json": RESULTS, "load.json": LOAD, "load-2.json": LOAD}

WORDS = {
    "results.json": "the text is not the one posted",
    "load.json": "the handshake was not accepted (401)",
    "load-2.json": "post_to_own",
}
"""What is read in every report of them."""


def old(name: str) -> Json:
    document: Json = json.loads((OLD / name).read_text(encoding="utf-8"))
    assert document["format"].endswith("/2" if name == "load-2.json" else "/1")
    return document


@pytest.mark.parametrize("name", FILES)
def test_an_old_document_has_the_shape_of_a_new_one(name: str) -> None:
    document = read_document(OLD / name)
    assert document["format"] == FILES[name]
    assert list(format_validator(name.partition(".")[0].removesuffix("-2")).iter_errors(document)) == []


def test_the_errors_of_an_old_load_test_are_a_list() -> None:
    document = read_document(OLD / "load.json")
    assert document["errors"] == [{"message": "CONN-01: the handshake was not accepted (401)", "count": 8}]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("format_name", FORMATS)
def test_an_old_document_is_rendered_in_every_format(name: str, format_name: str, language: str) -> None:
    text = render(format_name, old(name), language)
    assert text == render(format_name, read_document(OLD / name), language)
    if format_name in ("html", "text", "markdown", "json", "jsonl"):
        assert WORDS[name] in text


def test_what_is_wrong_with_an_old_document_is_said() -> None:
    with pytest.raises(DocumentError) as caught:
        check_document(old("load.json") | {"errors": {"e": -1}})
    assert (caught.value.where, caught.value.message) == ("/errors/0/count", "expected minimum 0, found -1")


def test_no_document_is_too_deep_to_be_translated() -> None:
    deep: object = {}
    for _ in range(400):
        deep = {"deeper": deep}
    with pytest.raises(DocumentError, match="at most 100 levels of nesting"):
        check_document(builder.results() | {"extra": deep})


@pytest.mark.parametrize("verdict", ["passed", "failed"])
def test_an_old_load_test_judged_no_requirement_and_its_report_says_so(verdict: str) -> None:
    reason = "threshold breached: lost == 0" if verdict == "failed" else None
    written = {"texts": {"reason": findings.phrase("load-breached", thresholds=["lost == 0"]).json}} if reason else {}
    before = old("load-2.json") | {"verdict": verdict, "reason": reason, **written}
    document = check_document(before)
    assert (document["verdict"], document["outcome"]["passed"]) == ("measured", verdict == "passed")
    text = render("text", before)
    assert "○ Measured under 20 users: nothing was judged." in text
    assert "wsproof.load/2 documents have no verdicts on" in text
    assert ("✗ The run fails: threshold breached: lost == 0." in text) is (verdict == "failed")
    japanese = render("text", before, "ja")
    assert "の文書には要件の判定がありません" in japanese
    assert ("しきい値を満たしていません: lost == 0" in japanese) is (verdict == "failed")


def test_a_version_that_is_not_known_is_refused_with_those_that_are() -> None:
    with pytest.raises(DocumentError) as caught:
        check_document(old("load-2.json") | {"format": "wsproof.load/9"})
    known = 'expected "wsproof.results/2" or "wsproof.load/3", found "wsproof.load/9"'
    assert caught.value.message == f"version not supported: {known}"
