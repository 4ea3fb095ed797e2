"""Expected beside received: what is marked, and what cannot be compared."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.difference import MAX_CHARACTERS, Line, difference


def marks(lines: Sequence[Line]) -> list[str]:
    return [piece.text for line in lines for piece in line if piece.marked]


def both(expected: str, received: str) -> tuple[list[str], list[str]]:
    found = difference(expected, received)
    assert found is not None
    return marks(found.expected), marks(found.received)


def test_a_member_that_is_another_one_is_marked_on_both_sides() -> None:
    expected, received = both(
        '{"payload": {"code": "<INVALID_JSON>"}}',
        '{"event":"error","payload":{"code":"BAD","message":"x"},"sequence":3}',
    )
    assert expected == ['"code": "<INVALID_JSON>"']
    assert received == ['"code": "BAD"']


def test_a_member_that_is_missing_is_marked_where_it_was_expected() -> None:
    expected, received = both('{"event": "ack", "payload": {"id": "a"}}', '{"event":"ack","payload":{}}')
    assert expected == ['"id": "a"']
    assert received == []


@pytest.mark.parametrize(
    ("operator", "fitting", "wrong"),
    [
        ("<a text with 12>", '"a 12 b"', '"a 13 b"'),
        ("<a text of 3 characters>", '"abc"', '"ab"'),
        ("<a value of type string>", '"abc"', "1073"),
        ("<a value of type integer>", "1073", "10.5"),
        ("<a non-empty string>", '"x"', '""'),
        ("<one of ['a', 'b']>", '"a"', '"c"'),
        ("<anything but x>", '"y"', '"x"'),
        ("<anything>", "null", ""),
        ("<TOO_LONG>", '"TOO_LONG"', '"too long"'),
        ("<a value of type string> and <a text with q>", '"q"', '"r"'),
    ],
)
def test_an_operator_is_marked_only_where_it_does_not_hold(operator: str, fitting: str, wrong: str) -> None:
    expected = json.dumps({"a": operator, "b": 1})
    assert both(expected, f'{{"a": {fitting}, "b": 2}}') == (['"b": 1'], ['"b": 2'])
    if wrong:
        assert both(expected, f'{{"a": {wrong}, "b": 1}}')[1] == [f'"a": {wrong}']


def test_a_member_that_must_be_absent() -> None:
    expected = '{"a": "<absent>", "b": 1}'
    assert both(expected, '{"a": 5, "b": 1}') == (['"a": "<absent>"'], ['"a": 5'])
    assert both(expected, '{"b": 2}') == (['"b": 1'], ['"b": 2'])


def test_of_several_messages_the_nearest_is_held_against_it() -> None:
    found = difference(
        '{"event": "error", "payload": {"code": "A"}}',
        '{"event":"ping","payload":{}}; {"event":"error","payload":{"code":"B"}}',
    )
    assert found is not None
    assert "".join(piece.text for piece in found.received[0]) == '{"event": "ping", "payload": {}}'
    assert marks(found.received) == ['"code": "B"']


def test_numbers_stay_as_they_were_written() -> None:
    assert both('{"a": 1, "b": 2}', '{"a": 1.0, "b": 1e999}') == (['"b": 2'], ['"b": 1e999'])


def test_the_member_that_the_contract_names_is_marked() -> None:
    found = difference(
        "/message/author: expected the member 'name'",
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
        ("/nothing/there: expected", '{"a": 1}'),
        ('{"a": 1}', "[" * 5000),
        ('{"a": 1}', '{"a": ' * 30 + "1" + "}" * 30),
        ('{"a": 1}', '{"b": "' + "x" * MAX_CHARACTERS + '"}'),
        (json.dumps({str(n): n for n in range(300)}), json.dumps({str(n): n + 1 for n in range(300)})),
    ],
)
def test_what_cannot_be_compared_is_left_as_it_is(expected: str | None, received: str | None) -> None:
    assert difference(expected, received) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(JSON, JSON)
def test_nothing_that_an_endpoint_sends_breaks_it(expected: object, received: object) -> None:
    found = difference(json.dumps(expected), json.dumps(received))
    if found is not None:
        assert marks(found.expected) or marks(found.received)


@given(st.text(), st.text())
def test_texts_keep_every_character(expected: str, received: str) -> None:
    found = difference(f"({expected})", f"({received})")
    if found is not None and len(found.expected) == 1:
        assert "".join(piece.text for piece in found.expected[0]) == f"({expected})"
        assert "".join(piece.text for piece in found.received[0]) == f"({received})"
