"""Strategies for JSON values and texts that every JSON library reads alike."""

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from conformance.fuzz.example import MAX_EXACT, NONCE
from conformance.fuzz.schema_values import made

SPACES = (" ", "   ", "\t", "\n", "\r", "\r\n", "\u0085", "\u2028", "\u2029", "\u00a0", "\u3000")

NASTY = (
    *SPACES,
    *("😀", "𠮷", "👩‍👩‍👧‍👦", "🇯🇵", "\U0010ffff", "e\u0301", "か\u3099", "ﬁ", "\u212b", "Å", "ß", "İ", "ｶﾅ"),
    *("שלום", "\u202e", "\u2067", "\u200f", "\u200b", "\u200d", "\ufeff", "\u00ad", "\ufffd", "\ufffe"),
    *("\x01", "\x1b[31m", "\x7f"),
    *('"', "\\", "\\n", "\\u0041", "\\\\", "/", "'", "`", "<b>", "</script>", "&amp;", "&", "%s", "%00", "{{x}}", "$1"),
    *("${HOME}", "null", "{}", "--", ";", "../", ":-)", "@everyone", "_", "*", "#"),
)
"""Texts that are lost, changed or obeyed somewhere."""


def values(*unwanted: str) -> SearchStrategy[Any]:
    """Small JSON values of every type but some; an integer is a number as well."""
    small = made({"type": ["null", "boolean", "string"], "maxLength": 20})
    number = {"minimum": -MAX_EXACT, "maximum": MAX_EXACT}
    known: Mapping[str, SearchStrategy[Any]] = {
        "null": st.none(),
        "boolean": st.booleans(),
        "integer": made({"type": "integer", **number}),
        "number": fractions(),
        "string": made({"type": "string", "maxLength": 40}),
        "array": st.lists(small, max_size=3),
        "object": st.dictionaries(names(set()), small, max_size=3),
    }
    left = {name: one for name, one in known.items() if name not in unwanted}
    if "number" in unwanted:
        left.pop("integer", None)
    return st.one_of(list(left.values()))


def fractions() -> SearchStrategy[float]:
    """Numbers that are no integers."""
    return st.builds(lambda whole, part: whole + part, st.integers(-(2**20), 2**20), st.sampled_from((0.5, 0.25)))


def pieces() -> SearchStrategy[str]:
    """Short texts of all characters, and those that are known for trouble."""
    return st.one_of(made({"type": "string", "maxLength": 40}), st.sampled_from(NASTY))


def texts(schema: Mapping[str, Any]) -> SearchStrategy[str]:
    """Texts for a member of this schema, with a nonce among their first characters."""
    limit = int(schema.get("maxLength", 4_096))
    digits = dict.fromkeys(map(ord, "0123456789"))
    before = st.lists(pieces(), max_size=3).map(lambda parts: "".join(parts).translate(digits)[:150])
    after = st.lists(pieces(), max_size=4).map("".join)
    space = st.one_of(st.just(""), st.sampled_from(SPACES))
    # The limit itself is allowed, and nothing of it may be lost.
    fill = st.one_of(st.just(""), st.just(""), st.sampled_from("xあ😀"))

    def joined(first: str, start: str, end: str, last: str, filler: str) -> str:
        text = first + start + NONCE + end
        return (text + filler * (limit - len(text) - len(last)))[: limit - len(last)] + last

    return st.builds(joined, space, before, after, space, fill)


def names(taken: set[str]) -> SearchStrategy[str]:
    """Members' names that nobody has declared."""
    letters = st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn"]), min_size=1, max_size=20)
    return st.one_of(letters, st.sampled_from(("id", "author", "constructor", "toString", "x-y"))).filter(
        # A library that compares names without their case would take it for a declared one.
        lambda name: name.casefold() not in taken
    )
