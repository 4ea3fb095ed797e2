"""Matching received values against expected ones."""

import json
from datetime import UTC, datetime, timedelta, timezone
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.language.matching import ABSENT, OPERATORS, Meanings, matches, mismatches
from conformance.language.wording import described
from contract.findings import Phrase

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
NAMES = st.text(max_size=5).filter(lambda name: name not in OPERATORS)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
CODES = {"NOT_JOINED": "E17"}
MEANINGS = Meanings(CODES, lambda name, value: name == "positive" and isinstance(value, int) and value > 0)


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
        ({"$all": [{"$contains": "a"}, {"$length": 2}]}, ["ab"], ["a", "bb", ABSENT]),
        ({"$all": []}, [1, ABSENT], []),
        ({"$between": [1, 2.5]}, [1, 2, 2.5], [0, 3, True, "1", None, ABSENT]),
        (
            {"$between": ["2026-01-31T00:00:00Z", "2026-01-31T00:00:00.5Z"]},
            ["2026-01-31T00:00:00z", "2026-01-31T09:00:00.25+09:00"],
            ["2026-01-30T23:59:60Z", "2026-01-31T00:00:01Z", "0000-01-01T00:00:00Z", "2026-01-31", 1, ABSENT],
        ),
        ({"$prefix": "ab"}, ["ab", "abc"], ["a", "", "Abc", ["ab"], None, ABSENT]),
        ({"$prefix": [2, {"$any": True}]}, [[2, 1], [2, "x", 3]], [[2], [1, 2], "2", ABSENT]),
        ({"$regex": r"^[0-9a-f]{4}$"}, ["00ff"], ["00ff0", "x00ff", "", 12, None, ABSENT]),
        ({"$regex": "b"}, ["abc"], ["ac", ["b"]]),
        ({"$schema": "positive"}, [1], [0, "1", ABSENT]),
        ({"$schema": "unheard-of"}, [], [1, ABSENT]),
        ({"$unordered": [1, {"$type": "string"}]}, [[1, "a"], ["a", 1]], [[1], [1, 1], [1, "a", 2], 1, {}, ABSENT]),
    ],
)
def test_operators(operator: dict[str, Any], fits: list[Any], fails: list[Any]) -> None:
    assert [value for value in fits if not matches(operator, value, MEANINGS)] == []
    assert [value for value in fails if matches(operator, value, MEANINGS)] == []
    for value in [*fits, *fails]:
        message = {} if value is ABSENT else {"inner": value}
        assert matches({"inner": operator}, message, MEANINGS) is any(value is one for one in fits)


@given(JSON.filter(lambda value: "Infinity" not in json.dumps(value)))
def test_words_can_be_found_for_everything(value: Any) -> None:
    assert described(value, CODES) == json.dumps(value, ensure_ascii=False)
    for name in sorted(OPERATORS):
        listed = [value, value] if name in ("$all", "$between", "$in", "$unordered") else value
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
        ({"$all": [{"$any": True}, {"$type": "null"}]}, "<anything> and <a value of type null>"),
        ({"$between": [1, 2.5]}, "<1 to 2.5>"),
        ({"$between": [None, "2026-01-31T00:00:00Z"]}, "<2026-01-31T00:00:00Z or less>"),
        ({"$between": [1, None]}, "<1 or more>"),
        ({"$prefix": "ab"}, "<a string that begins with ab>"),
        ({"$prefix": [2, "a"]}, '<a list that begins with 2, "a">'),
        ({"$regex": "^a"}, "<a string in which /^a/ is found>"),
        ({"$schema": "positive"}, "<a valid positive>"),
        ({"$unordered": [1, 2]}, "<a list of 1, 2 in any order>"),
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
    assert (not [*mismatches(expected, value, MEANINGS)]) is matches(expected, value, MEANINGS)


@given(JSON)
def test_what_matches_differs_nowhere(value: Any) -> None:
    assert [*mismatches(value, value, MEANINGS)] == []


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
    assert [*mismatches(expected, value, MEANINGS)] == found


@pytest.mark.parametrize(
    ("expected", "fits", "fails"),
    [
        ({"0": 3}, [[3], [3, 4], {"0": 3}], [[4], [], {"0": 4}, 3, "3"]),
        ({"-1": "z"}, [["z"], [1, "z"]], [["z", 1], []]),
        ({"0": 3, "2": {"a": 1}}, [[3, None, {"a": 1, "b": 2}]], [[3, {"a": 1}], [3, None, {"a": 2}]]),
        ({"1": {"$absent": True}}, [[1], []], [[1, 2], [1, None]]),
        ({"1": {"$optional": 2}}, [[1], [1, 2]], [[1, 3]]),
        ({"0": 1, "a": 2}, [{"0": 1, "a": 2}], [[1], [1, 2]]),
    ],
)
def test_a_mapping_of_indices_looks_at_the_items_of_a_list(expected: Any, fits: list[Any], fails: list[Any]) -> None:
    assert [value for value in fits if not matches(expected, value)] == []
    assert [value for value in fails if matches(expected, value)] == []


@given(st.lists(JSON, min_size=1, max_size=6), st.data())
def test_every_index_of_a_list_counts_from_either_end(value: list[Any], data: st.DataObject) -> None:
    index = data.draw(st.integers(-len(value), len(value) - 1))
    assert matches({str(index): value[index]}, value)
    assert [*mismatches({str(index): {"$not": value[index]}}, value, MEANINGS)] == [
        (str(index), {"$not": value[index]}, value[index])
    ]


@given(st.lists(JSON, max_size=5), st.data())
def test_a_list_in_any_order(value: list[Any], data: st.DataObject) -> None:
    assert matches({"$unordered": data.draw(st.permutations(value))}, value)
    assert not matches({"$unordered": [*value, None]}, value)


@given(st.lists(st.sampled_from([1, 2, 3]), max_size=6), st.lists(st.sampled_from([1, 2, 3, "any"]), max_size=6))
def test_a_list_in_any_order_is_some_permutation(value: list[Any], wanted: list[Any]) -> None:
    patterns = [{"$any": True} if one == "any" else one for one in wanted]
    some = any(matches(patterns, [*one]) for one in permutations(value))
    assert matches({"$unordered": patterns}, value) is some


@given(st.lists(JSON, max_size=5), st.lists(JSON, max_size=3))
def test_a_list_that_begins_so(begin: list[Any], more: list[Any]) -> None:
    assert matches({"$prefix": begin}, begin + more)
    assert not matches({"$prefix": [*begin, {"$any": True}]}, begin)


@given(st.text(), st.text())
def test_a_text_that_begins_so(begin: str, other: str) -> None:
    assert matches({"$prefix": begin}, begin + other)
    assert matches({"$prefix": begin}, other) is other.startswith(begin)


NUMBERS = st.integers() | st.floats(allow_nan=False)


@given(NUMBERS, NUMBERS, NUMBERS)
def test_a_number_between_two(low: float, high: float, value: float) -> None:
    assert matches({"$between": [low, high]}, value) is (low <= value <= high)
    assert matches({"$between": [low, None]}, value) is (low <= value)
    assert matches({"$between": [None, high]}, value) is (value <= high)


MOMENTS = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=9))]))


@given(MOMENTS, MOMENTS, MOMENTS)
def test_a_moment_between_two(low: datetime, high: datetime, value: datetime) -> None:
    bounds = [low.isoformat(), high.isoformat()]
    assert matches({"$between": bounds}, value.isoformat()) is (low <= value <= high)


@given(JSON)
def test_between_takes_anything(value: Any) -> None:
    assert matches({"$between": [0, 1]}, value) in (True, False)
    assert matches({"$between": ["2026-01-01T00:00:00Z", None]}, value) in (True, False)


@pytest.mark.parametrize("text", ["a" * 100_000 + "!", "\ud800aa", "", "é" * 1000])
def test_no_text_holds_a_pattern_up(text: str) -> None:
    assert not matches({"$regex": "^(a+)+$"}, text)
    assert not matches({"$regex": "(a|aa)+(a*)*b"}, text)


def test_a_code_may_be_a_number() -> None:
    meanings = Meanings({"PARSE": "-32700"})
    assert matches({"$error_code": "PARSE"}, -32700, meanings)
    assert matches({"$error_code": "PARSE"}, "-32700", meanings)
    assert not matches({"$error_code": "PARSE"}, -32600, meanings)
    assert not matches({"$error_code": "PARSE"}, True, meanings)
