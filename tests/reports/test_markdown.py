"""The Markdown summary: what it says, and that no text of an endpoint does anything in it."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contract.escaping import visible
from reports.formats.render import render
from reports.shared.markdown_page import MAX_BYTES
from reports.text.markdown_escaping import cell, code, sentence
from tests.reports import builder, loads
from tests.reports.builder import Json, failure, requirement, results, scenario
from tests.reports.documents import ACTING, CHECKS, DOCUMENTS, LOADS

SPAN = re.compile(r"(?<!`)(`+)(?!`)(.*?)(?<!`)\1(?!`)")
"""A code span of CommonMark: it ends with as many backticks as it begins with."""

ACTS = {
    "HTML": re.compile(r"[<>]"),
    "a link or picture": re.compile(r"[\[\]]"),
    "an address": re.compile(r"://|www\.|mailto:", re.IGNORECASE),
    "a person or mail address": re.compile(r"@"),
    "an issue": re.compile(r"(?<!&)#\w|\bGH-\d"),
    "a commit": re.compile(r"\b[0-9a-f]{7,}\b"),
    "a picture": re.compile(r":[\w+-]+:(?!\d\d )"),
    "a formula": re.compile(r"\$"),
    "struck out": re.compile(r"~"),
    "an escape": re.compile(r"\\"),
    "a character reference": re.compile(r"&(?!#\d+;)"),
}
OURS = re.compile(r"^(#{3,4} |- |  - |\| .* \|$)|\*\*")

TEXTS = st.text(st.sampled_from("@#:|`\\<>&*_[]()!~$-+=.w \n\t1aG-H/\"'\u202eé日\ud800")) | st.lists(
    st.sampled_from([*ACTING.split(), "`", "``", " ", "|", "\\", "<!--", "&lt;", "&#42;", "~~", "1.", "- ", "# ", "> "])
).map("".join)


def markdown(document: Json) -> str:
    return render("markdown", document)


def outside_of_code(text: str) -> str:
    """The text without its code spans."""
    return SPAN.sub("\0", text)


def acting(text: str) -> list[str]:
    """What acts in a piece of Markdown that should be inert."""
    plain = outside_of_code(text)
    return [name for name, pattern in ACTS.items() if pattern.search(plain)] + (["a fence"] if "`" in plain else [])


@given(TEXTS)
def test_code_is_one_span_that_shows_the_text(text: str) -> None:
    (match,) = SPAN.finditer(made := code(text))
    assert match.group() == made
    inner = match[2]
    if inner.strip(" ") and inner[0] == inner[-1] == " ":
        inner = inner[1:-1]
    assert inner == (visible(text) or "(empty)")
    assert "\n" not in made


@given(TEXTS)
@example("deadbeef99" * 7)
def test_nothing_acts_in_a_sentence(text: str) -> None:
    made = sentence(text)
    assert acting(made) == []
    assert not re.search(r"(?<!&)[*_|#]", outside_of_code(made).replace("&#", "&"))
    assert not re.match(r"[-+=>]|\d+[.)]| ", outside_of_code(made))
    assert made.splitlines() == ([made] if made else [])


@given(TEXTS, TEXTS)
def test_no_text_ends_a_cell(one: str, other: str) -> None:
    assert "|" not in cell(code(one)) + cell(sentence(other))


def test_what_is_marked_as_code_stays_code() -> None:
    assert sentence("`channelId` holds; a < b") == "`channelId` holds; a &#60; b"
    assert sentence("`a`@you") == "`a@`you"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_nothing_of_a_document_acts(name: str) -> None:
    for line in markdown(DOCUMENTS[name]).splitlines():
        ours = OURS.sub("", line) if not line.startswith("| ") else line.strip("| ").replace(" | ", " ")
        # The moment of the run is ours, and no picture's name.
        assert acting(re.sub(r"\d\d:\d\d:\d\d UTC", "", ours)) == [], line


@pytest.mark.parametrize("name", DOCUMENTS)
def test_tables_keep_their_shape(name: str) -> None:
    widths: set[int] = set()
    for line in markdown(DOCUMENTS[name]).splitlines():
        if not line.startswith("|"):
            widths.clear()
            continue
        widths.add(line.count("|"))
        assert line.endswith(" |")
        assert len(widths) == 1, line


@pytest.mark.parametrize("name", DOCUMENTS)
def test_it_is_short(name: str) -> None:
    text = markdown(DOCUMENTS[name])
    assert len(text.encode()) < 60_000
    assert text.endswith("\n")
    assert "\n\n\n" not in text


def test_a_run_in_which_all_fails_fits_as_well() -> None:
    hostile = "`|<@#$\\&" * 100
    names = [f"ERR-{number}" for number in range(500)]
    many = results(
        [requirement(name, "failed" if number % 2 else "untested") for number, name in enumerate(names)],
        [
            scenario(f"s{number}", "failed", failures=[failure(name, message=hostile, expected=hostile)] * 9)
            for number, name in enumerate(names)
        ],
    )
    text = markdown(builder.hostile(many, hostile))
    assert 10_000 < len(text.encode()) < MAX_BYTES
    assert "\n\n… and 470 more\n\n" in text


def test_a_failed_run() -> None:
    text = markdown(CHECKS["failing"])
    assert text.startswith(
        "### ✗ Not conformant: 1 MUST requirement fails (ERR-02).\n\n`ws://127.0.0.1:8765/v1/socket` · "
    )
    assert "| MUST | 2 | 1 | 1 | 1 | 0 |" in text
    assert "- ✗ **ERR-02** MUST: The server does what ERR-02 says with `error`." in text
    assert "  - scenario: `err-silent`, `3 expect error`\n  - because: `no error arrived within 5 s`" in text
    assert '  - received: `{"code": "BAD_JSON"}`' in text
    assert "| ○ untested | untested: no such fixture | `ERR-04` |" in text
    assert "  - Repeat this case: `wsproof check ws://127.0.0.1:8765/v1/socket --select err-silent`" in text
    assert text.index("**ERR-02**") < text.index("**ERR-01**")


def test_a_run_that_was_cut_off_says_so() -> None:
    for document in (CHECKS["cut off"], LOADS["empty load"]):
        assert "▲ This run was cut off" in markdown(document)
    assert markdown(CHECKS["cut off"]).startswith("### ✗ Cut off. Not conformant: ")
    assert markdown(builder.load(complete=False)).startswith("### ▲ Cut off. Conformant under 20 users: ")


def test_a_baseline() -> None:
    text = markdown(CHECKS["baselined"])
    assert "✗ The run fails: a requirement fails: ERR-02; the baseline is stale: err-fine." in text
    assert "| ◇ | `ERR-01` | expected failure until 2099-12-31 | why ERR-01 fails |" in text


def test_a_load_test() -> None:
    text = markdown(LOADS["aborted load"])
    assert text.startswith("### ✗ Not conformant under 400 users: 1 of 3 MUST requirements failed (SEND-01).\n")
    assert "| MUST | 1 | 1 | 1 | 1 | 0 |" in text
    assert "- ✗ **SEND-01** MUST: A post reaches every connection" in text
    assert "  - 43 of 476,000 deliveries (0.01 %) · first at 12.3 s, last at 58.0 s\n" in text
    assert "  - 41 × `a post did not reach a connection that had joined its channel (user 17)`" in text
    assert "| ○ untested | this run did not exercise it | `ERR-09` |" in text
    assert "Load shed by the endpoint, as permitted: 12 × HTTP 429" in text
    assert "\n\nVirtual users: 400 · Posts: 1 per second per user · " in text
    assert "? The load generator, not the endpoint, was the bottleneck: worker 1 used 99 %" in text
    assert "| ✗ breached | `lost` | `== 0` | 41 |" in text
    assert "✗ 475,839 of 476,000 expected deliveries arrived; 41 lost" in text
    assert "- `lost at 31.25 s: message 28 from user 17" in text
    assert "| `connect` | 400 |" in text
    assert "| `no answer within 5 s` | 12 |" in text
    assert "| `1006` | 12 | connection lost, no close frame |" in text
    assert "1,100 users met every threshold" in markdown(loads.capacity())
