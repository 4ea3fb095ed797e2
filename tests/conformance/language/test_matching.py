"""Matching received values against expected ones."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.language.matching import ABSENT, OPERATORS, described, matches, mismatches
from contract.findings import Phrase

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
NAMES = st.text(max_size=5).filter(lambda name: name not in OPERATORS)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
CODES = {"NOT_JOINED": "E17"}


@given(JSON)
def test_a_value_matches_itself(value: Any) -> None:
    assert matches(value, value)


@given(st.dictionaries(NAMES, JSON, max_size=4), st.dictionaries(NAMES, JSON, max_size=4))
def test_more_members_do_not_matter(expected: dict[str, Any], more: dict[str, Any]) -> None:
    assert matches(expected, {**more, **expected})


@given(st.dictionaries(NAMES, JSON, min_size=1, max_size=4), st.data())
def test_a_missing_member_does(expected: dict[str, Any], data: st.DataObject) -> None:
    gone = data.draw(st.sampled_from(sorted(expected)))
    assert not matches(expected, {name: one for name, one in expected.items() if name != gone})


@given(JSON, JSON)
def test_not_is_the_opposite(expected: Any, value: Any) -> None:
    assert matches({"$not": expected}, value) is not matches(expected, value)


@given(JSON, JSON)
def test_in_is_any_of_them(one: Any, other: Any) -> None:
    assert matches({"$in": [one, other]}, one)
    assert matches({"$in": [one]}, other) is matches(one, other)


@pytest.mark.parametrize(
    ("expected", "value"),
    [
        (1, True),
        (True, 1),
        (0, False),
        (0, None),
        (1, 1.0),
        (1, "1"),
        ("", None),
        ({}, []),
        ([], {}),
        ([1], [1, 2]),
        ([1, 2], [2, 1]),
        ([], None),
        ({"a": None}, {}),
        ({"a": 1}, {"a": None}),
        ({"a": 1}, "a"),
        (None, ABSENT),
        ("é", "e\u0301"),
    ],
)
def test_what_is_not_the_same(expected: Any, value: Any) -> None:
    assert not matches(expected, value)


@pytest.mark.parametrize(
    ("operator", "fits", "fails"),
    [
        ({"$any": True}, [None, 0, "", [], {}], [ABSENT]),
        ({"$type": "integer"}, [0, -1, 2**60], [1.0, True, None, "1", ABSENT]),
        ({"$type": "number"}, [1.5], [1, ABSENT]),
        ({"$type": "null"}, [None], [0, "", ABSENT]),
        ({"$type": "object"}, [{}], [[], None, ABSENT]),
        ({"$type": "boolean"}, [True, False], [0, 1, ABSENT]),
        ({"$not": "a"}, ["b", None, 1], ["a", ABSENT]),
        ({"$nonempty": True}, ["a", " "], ["", None, 1, ["a"], ABSENT]),
        ({"$in": ["a", 1]}, ["a", 1], ["b", True, ABSENT]),
        ({"$contains": "b"}, ["abc", "b"], ["", "a", None, ["b"], ABSENT]),
        ({"$length": 2}, ["ab", "あ😀"], ["", "a", "abc", [1, 2], ABSENT]),
        ({"$optional": "a"}, ["a", ABSENT], ["b", None]),
        ({"$absent": True}, [ABSENT], [None, "", 0]),
        ({"$absent": False}, [None, "", 0], [ABSENT]),
        ({"$error_code": "NOT_JOINED"}, ["E17"], ["NOT_JOINED", "", None, 17, ABSENT]),
        ({"$error_code": "UNHEARD_OF"}, ["any", "", 17], [None, [], ABSENT]),
        ({"$nonempty": True, "$not": "a"}, ["b"], ["a", "", ABSENT]),
    ],
)
def test_operators(operator: dict[str, Any], fits: list[Any], fails: list[Any]) -> None:
    assert [value for value in fits if not matches(operator, value, CODES)] == []
    assert [value for value in fails if matches(operator, value, CODES)] == []
    for value in [*fits, *fails]:
        message = {} if value is ABSENT else {"inner": value}
        assert matches({"inner": operator}, message, CODES) is any(value is one for one in fits)


@given(JSON.filter(lambda value: "Infinity" not in json.dumps(value)))
def test_words_can_be_found_for_everything(value: Any) -> None:
    assert described(value, CODES) == json.dumps(value, ensure_ascii=False)
    for name in sorted(OPERATORS):
        listed = [value] if name == "$in" else value
        found = described({name: listed}, CODES)
        assert isinstance(found, Phrase)
        assert str(found)
        assert found.render("ja")


def test_words() -> None:
    expected = {"payload": {"code": {"$error_code": "NOT_JOINED"}, "x": [{"$nonempty": True}]}}
    found = described(expected, CODES)
    assert str(found) == '{"payload": {"code": "E17", "x": ["<a non-empty string>"]}}'
    assert isinstance(found, Phrase)
    assert found.render("ja") == '{"payload": {"code": "E17", "x": ["<空でない文字列>"]}}'


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ({"$any": True}, "<anything>"),
        ({"$absent": True}, "<absent>"),
        ({"$absent": False}, "<present>"),
        ({"$type": "integer"}, "<a value of type integer>"),
        ({"$contains": "b"}, "<a string that contains b>"),
        ({"$length": 2}, "<a string of 2 characters>"),
        ({"$error_code": "UNHEARD_OF"}, "<any error code>"),
        ({"$in": ["a", 1]}, '<one of "a", 1>'),
        ({"$not": "a"}, '<anything but "a">'),
        ({"$optional": 1}, "<absent, or 1>"),
        ({"$nonempty": True, "$not": "a"}, '<a non-empty string> and <anything but "a">'),
    ],
)
def test_each_operator_in_words(expected: Any, text: str) -> None:
    assert str(described(expected, CODES)) == f'"{text}"'


def test_operators_inside_of_others() -> None:
    found = described({"$in": [{"$not": {"$error_code": "NOT_JOINED"}}, None]}, CODES)
    assert str(found) == '"<one of "<anything but "E17">", null>"'


@given(JSON, JSON)
def test_what_does_not_match_differs_somewhere(expected: Any, value: Any) -> None:
    assert (not [*mismatches(expected, value, CODES)]) is matches(expected, value, CODES)


@given(JSON)
def test_what_matches_differs_nowhere(value: Any) -> None:
    assert [*mismatches(value, value, CODES)] == []


@pytest.mark.parametrize(
    ("expected", "value", "found"),
    [
        ({"a": 1}, {"a": 2}, [("a", 1, 2)]),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 3, "c": 4}}, [("a.b", 1, 3), ("a.c", 2, 4)]),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 4}, "d": 5}, [("a.c", 2, 4)]),
        ({"a": {"b": 1}}, {"a": {}}, [("a.b", 1, ABSENT)]),
        ({"a": {"b": 1}}, {}, [("a", {"b": 1}, ABSENT)]),
        ({"a": {"b": 1}}, {"a": [1]}, [("a", {"b": 1}, [1])]),
        (
            {"a": {"$not": 1}, "b": {"$absent": True}},
            {"a": 1, "b": 2},
            [("a", {"$not": 1}, 1), ("b", {"$absent": True}, 2)],
        ),
        ({"a": {"$error_code": "NOT_JOINED"}}, {"a": "E18"}, [("a", {"$error_code": "NOT_JOINED"}, "E18")]),
        ({"a": {"$error_code": "NOT_JOINED"}}, {"a": "E17"}, []),
        ({"a": [1, 2]}, {"a": [1, 3]}, [("a", [1, 2], [1, 3])]),
        (1, True, [("", 1, True)]),
        ({}, None, [("", {}, None)]),
    ],
)
def test_where_they_differ(expected: Any, value: Any, found: list[tuple[str, Any, Any]]) -> None:
    assert [*mismatches(expected, value, CODES)] == found


def test_a_code_may_be_a_number() -> None:
    codes = {"PARSE": "-32700"}
    assert matches({"$error_code": "PARSE"}, -32700, codes)
    assert matches({"$error_code": "PARSE"}, "-32700", codes)
    assert not matches({"$error_code": "PARSE"}, -32600, codes)
    assert not matches({"$error_code": "PARSE"}, True, codes)
