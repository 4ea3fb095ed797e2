"""Strings from an endpoint, made visible."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.escaping import pieces, quoted, visible

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


def test_quoting() -> None:
    assert quoted("a\x00" + "b" * 100, 4) == '"a\\u0000bb…"'


@given(ANY_TEXT)
def test_pieces_lose_nothing(text: str) -> None:
    found = list(pieces(text))
    assert "".join(plain + hidden for plain, hidden in found) == text
    assert all(visible(plain) == plain for plain, _ in found)
    assert all(hidden for _, hidden in found[:-1])
