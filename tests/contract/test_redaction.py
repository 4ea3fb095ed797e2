"""Tokens are masked in every spelling, and a text without one stays as it is."""

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.redaction import MASK, Redactor

TOKEN = "s3cret/tok+en=0"
TOKENS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=30)
AROUND = st.text(max_size=40)


@given(TOKENS, AROUND, AROUND)
def test_as_it_is(token: str, before: str, after: str) -> None:
    assert token not in Redactor([token]).redact(before + token + after)


@given(TOKENS, st.binary(max_size=9), st.binary(max_size=9))
def test_in_base64_at_any_place(token: str, before: bytes, after: bytes) -> None:
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        text = encode(before + token.encode() + after).decode()
        assert MASK in Redactor([token]).redact(text)


@given(st.text(max_size=200))
def test_other_text_stays(text: str) -> None:
    assert Redactor([TOKEN, "another-token"]).redact(text) == text


@pytest.mark.parametrize(
    "spelling",
    [
        quote(TOKEN, safe=""),
        "".join(f"%{byte:02x}" for byte in TOKEN.encode()),
        "".join(f"%2525{byte:02X}" for byte in TOKEN.encode()),
        "".join(f"\\u{ord(one):04x}" for one in TOKEN),
        "".join(f"\\\\u{ord(one):04X}" for one in TOKEN),
        "".join(f"\\x{ord(one):02x}" for one in TOKEN),
        "".join(f"&#{ord(one)};" for one in TOKEN),
        "".join(f"&#x{ord(one):X};" for one in TOKEN),
        TOKEN.replace("/", "\\/"),
        TOKEN.encode().hex(),
        json.dumps(json.dumps({"token": TOKEN})),
    ],
)
def test_other_spellings(spelling: str) -> None:
    masked = Redactor([TOKEN]).redact(f"<{spelling}>")
    assert MASK in masked
    assert spelling not in masked
    assert "s3cret" not in masked


def test_a_short_token_is_masked_only_as_it_is() -> None:
    assert Redactor(["abc"]).redact("abc %61%62%63") == f"{MASK} %61%62%63"


@given(st.integers(0, 400), st.integers(0, 3))
def test_a_cut_leaves_no_half_of_a_token(at: int, more: int) -> None:
    text = "x" * at + TOKEN + "y" * (500 * more)
    shown = Redactor([TOKEN]).shorten(text, 200)
    assert len(shown) <= 200
    assert TOKEN[: len(TOKEN) // 2 + 1] not in shown


@pytest.mark.parametrize("end", ["…", "…'", "", "'"])
def test_what_others_cut_within_a_token(end: str) -> None:
    if end != "…'":
        assert Redactor([TOKEN]).redact(f"received {TOKEN[:-3]}{end}") == f"received {MASK}{end}"


def test_many_tokens_do_not_move_a_half_one_into_sight() -> None:
    text = TOKEN * 100
    for limit in range(1, 300, 7):
        assert "s3cret/" not in Redactor([TOKEN]).shorten(text, limit)
