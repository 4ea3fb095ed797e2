"""Expected beside received: what is marked, and what cannot be compared."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.findings import Phrase, Text, phrase, texts, translated, words
from reports.check.difference import MAX_CHARACTERS, Difference, Line, difference
from reports.text.language import speaking
from tests.reports.builder import Json, failure


def compared(expected: Text | None, received: Text | None) -> Difference | None:
    """Both sides; what is a phrase need be in no catalogue."""
    sides = {"expected": expected, "received": received}
    english: Json = {name: "in English" if isinstance(side, Phrase) else side for name, side in sides.items()}
    return difference(failure("ERR-01", **english, **texts(**sides)))


def marks(lines: Sequence[Line]) -> list[str]:
    return [piece.text for line in lines for piece in line if piece.marked]


def both(expected: Text, received: Text) -> tuple[list[str], list[str]]:
    found = compared(expected, received)
    assert found is not None
    return marks(found.expected), marks(found.received)


def test_a_member_that_is_another_one_is_marked_on_both_sides() -> None:
    expected, received = both(
        '{"payload": {"code": "INVALID_JSON"}}',
        '{"event":"error","payload":{"code":"BAD","message":"x"},"sequence":3}',
    )
    assert expected == ['"code": "INVALID_JSON"']
    assert received == ['"code": "BAD"']


def test_a_member_that_is_missing_is_marked_where_it_was_expected() -> None:
    expected, received = both('{"event": "ack", "payload": {"id": "a"}}', '{"event":"ack","payload":{}}')
    assert expected == ['"id": "a"']
    assert received == []


@pytest.mark.parametrize(
    ("operator", "fitting", "wrong"),
    [
        (phrase("match-contains", wanted="12"), '"a 12 b"', '"a 13 b"'),
        (phrase("match-length", wanted="3"), '"abc"', '"ab"'),
        (phrase("match-type", wanted="string"), '"abc"', "1073"),
        (phrase("match-type", wanted="integer"), "1073", "10.5"),
        (phrase("match-nonempty"), '"x"', '""'),
        (phrase("match-in", items=['"a"', '"b"']), '"a"', '"c"'),
        (phrase("match-not", wanted='"x"'), '"y"', '"x"'),
        (phrase("match-not", wanted=words({"c": phrase("match-any")})), "1", '{"c": 1}'),
        (phrase("match-any"), "null", ""),
        (phrase("match-regex", wanted="^a+$"), '"aa"', '"ab"'),
        (phrase("match-regex", wanted="^a+$"), '"aa"', "1"),
        (phrase("match-prefix", wanted="ab"), '"abc"', '"bc"'),
        (phrase("match-prefix-list", items=["1", '"b"']), '[1, "b", 3]', ""),
        (phrase("match-unordered", items=["1", '"b"']), '["b", 1]', ""),
        (phrase("match-between", low="1", high="2.5"), "2", "3"),
        (phrase("match-between", low="2026-01-31T00:00:00Z", high="2026-01-31T01:00:00Z"), '"x"', ""),
        (phrase("match-least", low="1"), "1", "0"),
        (phrase("match-most", high="1"), "1", "2"),
        (phrase("match-schema", wanted="order"), "1", ""),
        (phrase("match-code", code="TOO_LONG"), '"TOO_LONG"', '"too long"'),
        (phrase("match-any-code"), '"X"', "1"),
        (phrase("match-optional", wanted="1"), "1", "2"),
        (phrase("of-another-time"), "1", ""),
        (
            phrase("all-of", items=[phrase("match-type", wanted="string"), phrase("match-contains", wanted="q")]),
            '"q"',
            '"r"',
        ),
    ],
)
def test_an_operator_is_marked_only_where_it_does_not_hold(operator: Phrase, fitting: str, wrong: str) -> None:
    expected = words({"a": operator, "b": 1})
    assert both(expected, f'{{"a": {fitting}, "b": 2}}') == (['"b": 1'], ['"b": 2'])
    if wrong:
        assert both(expected, f'{{"a": {wrong}, "b": 1}}')[1] == [f'"a": {wrong}']


def test_items_of_a_list_by_their_indices() -> None:
    assert both('{"0": 3, "-1": "a"}', '[3, 1, "b"]') == (['"-1": "a"'], ['"b"'])
    assert both('{"0": 3, "5": "a"}', '[3, 1, "b"]') == (['"5": "a"'], [])
    assert both('{"0": {"x": 1}}', '[{"x": 2}, 1]') == (['"x": 1'], ['"x": 2'])


def test_a_member_that_must_be_absent_and_one_that_may_be() -> None:
    absent, optional = phrase("match-absent"), phrase("match-optional", wanted="1")
    assert both(words({"a": absent, "b": 1}), '{"a": 5, "b": 1}')[1] == ['"a": 5']
    assert both(words({"a": absent, "b": 1}), '{"b": 2}') == (['"b": 1'], ['"b": 2'])
    assert both(words({"a": optional, "b": 1}), '{"b": 2}') == (['"b": 1'], ['"b": 2'])


def test_the_same_is_marked_in_every_language() -> None:
    expected = words({"a": phrase("match-any"), "b": 1})
    failed = failure("ERR-01", expected="in English", received='{"a": 5, "b": 2}', **texts(expected=expected))
    with speaking("ja"):
        found = difference(translated(failed))
    assert found is not None
    assert marks(found.expected) == ['"b": 1']
    assert '"<任意の値>"' in "".join(piece.text for line in found.expected for piece in line)


def test_without_its_phrase_no_expectation_is_a_pattern() -> None:
    old = failure("ERR-01", expected='{"a": "<anything>"}', received='{"a": 1}')
    for member in ("code", "params", "check"):
        del old[member]
    assert difference(old) is None


def test_of_several_messages_the_nearest_is_held_against_it() -> None:
    came = phrase(
        "came",
        items=['{"event":"ping","payload":{}}', '{"event":"error","payload":{"code":"B"}}', phrase("is-open")],
    )
    for received in (came, phrase("differs", items=["?"], came=came)):
        found = compared(phrase("came", items=['{"event": "error", "payload": {"code": "A"}}']), received)
    assert found is not None
    assert "".join(piece.text for piece in found.received[0]) == '{"event": "ping", "payload": {}}'
    assert marks(found.received) == ['"code": "B"']


def test_numbers_stay_as_they_were_written() -> None:
    assert both('{"a": 1, "b": 2}', '{"a": 1.0, "b": 1e999}') == (['"b": 2'], ['"b": 1e999'])


@pytest.mark.parametrize("place", ["/message/author", "payload/message/author"])
def test_the_member_that_the_contract_names_is_marked(place: str) -> None:
    found = compared(
        phrase("at", place=place, problem="expected the member 'name'"),
        '{"event":"new_message","payload":{"message":{"author":{"id":"u"},"text":"t"}}}',
    )
    assert found is not None
    assert marks(found.expected) == []
    assert marks(found.received) == ['"author": {"id": "u"}']


def test_texts_that_are_mostly_alike_are_marked_where_they_differ() -> None:
    assert both("'  a text '", "'a text '") == (["  "], [])
    assert both('{"a": 1}', '{"a": 1, "a": 2}') == ([], [', "a": 2'])
    assert both("message abc 1", "message xyz 1") == (["abc"], ["xyz"])


@pytest.mark.parametrize(
    ("expected", "received"),
    [
        (None, "{}"),
        ("{}", None),
        ("close code 1000", "it is open"),
        ('{"a": 1}', '{"a": 1}'),
        ('{"a": 1}', "nothing"),
        ('[{"a": 1}]', '{"a": 1}'),
        (phrase("at", place="/nothing/there", problem="expected"), '{"a": 1}'),
        (phrase("at", place=phrase("the-message"), problem="expected"), '{"a": 1}'),
        ('{"a": 1}', "[" * 5000),
        ('{"a": 1}', '{"a": ' * 30 + "1" + "}" * 30),
        ('{"a": 1}', '{"b": "' + "x" * MAX_CHARACTERS + '"}'),
        (json.dumps({str(n): n for n in range(300)}), json.dumps({str(n): n + 1 for n in range(300)})),
    ],
)
def test_what_cannot_be_compared_is_left_as_it_is(expected: Text | None, received: str | None) -> None:
    assert compared(expected, received) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(JSON, JSON)
def test_nothing_that_an_endpoint_sends_breaks_it(expected: object, received: object) -> None:
    found = compared(json.dumps(expected), json.dumps(received))
    if found is not None:
        assert marks(found.expected) or marks(found.received)


@given(st.text(), st.text())
def test_texts_keep_every_character(expected: str, received: str) -> None:
    found = compared(f"({expected})", f"({received})")
    if found is not None and len(found.expected) == 1:
        assert "".join(piece.text for piece in found.expected[0]) == f"({expected})"
        assert "".join(piece.text for piece in found.received[0]) == f"({received})"
