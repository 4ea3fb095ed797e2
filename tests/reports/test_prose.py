"""Text of the HTML reports."""

from hypothesis import given
from hypothesis import strategies as st

from contract.escaping import visible
from reports.text.prose import FOLD_CHARACTERS, PAGE_CHARACTERS, excerpt, prose, shown

ANY_TEXT = st.text(st.characters(exclude_categories=[]))


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
