"""Strings from an endpoint, made visible."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.prose import FOLD_CHARACTERS, PAGE_CHARACTERS, excerpt, prose
from reports.visible import columns, cut, quoted, shown, visible
from tests.reports.builder import HOSTILE

ANY_TEXT = st.text(st.characters(exclude_categories=[]))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain Größe 日本語", "plain Größe 日本語"),
        ("a\tb\r\nc", "a\\tb\\r\\nc"),
        ("\x00\x1b[31m\x7f\x9b", "\\u0000\\u001b[31m\\u007f\\u009b"),
        ("\u202eabc\u2066", "\\u202eabc\\u2066"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("\U0001fffe", "\\U0001fffe"),
    ],
)
def test_what_cannot_be_seen_is_escaped(text: str, expected: str) -> None:
    assert visible(text) == expected


@pytest.mark.parametrize("text", ["👩\u200d👧", "e\u0301", "葛\U000e0100", "❤\ufe0f", "1\u00a0s"])
def test_what_scripts_and_emoji_need_stays(text: str) -> None:
    assert visible(text) == text


@given(ANY_TEXT)
def test_nothing_is_left_that_acts(text: str) -> None:
    seen = visible(text)
    assert {unicodedata.category(c) for c in seen}.isdisjoint({"Cc", "Cs", "Zl", "Zp"})
    assert {unicodedata.bidirectional(c) for c in seen}.isdisjoint(
        {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    )
    assert visible(seen) == seen
    seen.encode()


@given(ANY_TEXT)
def test_html_is_escaped_and_loses_nothing(text: str) -> None:
    html = str(shown(text))
    bare = html.replace('<span class="hidden-char">', "").replace("</span>", "")
    assert "<" not in bare
    assert ">" not in bare
    unescaped = bare.replace("\n", "")
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&#34;", '"'), ("&#39;", "'")):
        unescaped = unescaped.replace(entity, character)
    assert unescaped.replace("&amp;", "&") == visible(text)


def test_line_ends_are_marked_and_kept() -> None:
    assert shown("a\n\n\nb") == 'a<span class="hidden-char">\\n\\n\\n</span>\nb'


def test_code_in_prose() -> None:
    assert prose("yields `error` <now>") == "yields <code>error</code> &lt;now&gt;"
    assert prose("`<b>`") == "<code>&lt;b&gt;</code>"
    assert prose("x" * 3000).endswith("… (+1,000 characters)")


def test_short_text_is_shown_at_once() -> None:
    part = excerpt("short")
    assert (part.head, part.body, part.folded, part.left_out) == ("short", "short", False, 0)


def test_long_text_is_folded_and_cut() -> None:
    part = excerpt("x" * 100_000)
    assert part.folded
    assert len(part.head) == FOLD_CHARACTERS
    assert len(part.body) == PAGE_CHARACTERS
    assert part.left_out == 100_000 - PAGE_CHARACTERS


def test_many_lines_are_folded() -> None:
    part = excerpt("a\n" * 50)
    assert part.folded
    assert part.head.count("\n") == 7


def test_cutting_says_how_much_is_missing() -> None:
    assert cut("abc", 3) == "abc"
    assert cut("abcdef", 3) == "abc… (+3 characters)"


def test_quoting() -> None:
    assert quoted("a\x00" + "b" * 100, 4) == '"a\\u0000bb…"'


def test_columns_of_a_terminal() -> None:
    assert columns("abc") == 3
    assert columns("日本") == 4
    assert columns("e\u0301") == 1
    assert columns(HOSTILE[:0]) == 0
