"""Dates, violations that stay small, and the quick validator."""

import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.errors import ContractError
from contract.findings import phrase
from contract.json_text import MAX_DEPTH
from contract.schemas import (
    compile_schema,
    date_time_problem,
    is_date_time,
    load_schema,
    pointer,
    violations,
)
from tests.bundled import load_contract

SCHEMA = compile_schema(
    {
        "type": "object",
        "required": ["a", "b"],
        "additionalProperties": False,
        "properties": {
            "a": {"type": ["string", "null"], "maxLength": 3, "minLength": 1},
            "b": {"enum": ["x", "y"]},
            "c": {"const": 1},
            "d": {"format": "date-time"},
            "e": {"oneOf": [{"type": "integer", "minimum": 3}, {"type": "boolean"}]},
            "f": {"pattern": "^x"},
        },
    }
)


@pytest.mark.parametrize(
    ("text", "legal"),
    [
        ("2025-07-28T12:00:00Z", True),
        ("2025-07-28t12:00:00z", True),
        ("2025-07-28T12:00:00.1Z", True),
        ("2025-07-28T12:00:00.123456789012Z", True),
        ("2025-07-28T12:00:00+09:00", True),
        ("2025-07-28T12:00:00-00:00", True),
        ("2025-07-28T12:00:00+23:59", True),
        ("2016-12-31T23:59:60Z", True),
        ("2017-01-01T08:59:60+09:00", True),
        ("2024-02-29T00:00:00Z", True),
        ("2000-02-29T00:00:00Z", True),
        ("0000-01-01T00:00:00Z", True),
        ("9999-12-31T23:59:59Z", True),
        ("1900-02-29T00:00:00Z", False),
        ("2023-02-29T00:00:00Z", False),
        ("2025-04-31T00:00:00Z", False),
        ("2025-00-01T00:00:00Z", False),
        ("2025-13-01T00:00:00Z", False),
        ("2025-01-00T00:00:00Z", False),
        ("2025-01-32T00:00:00Z", False),
        ("2025-07-28T24:00:00Z", False),
        ("2025-07-28T12:60:00Z", False),
        ("2025-07-28T12:00:61Z", False),
        ("2025-07-28T12:00:00+24:00", False),
        ("2025-07-28T12:00:00+09:60", False),
        ("2025-07-28T12:00:00+0900", False),
        ("2025-07-28T12:00:00+09", False),
        ("2025-07-28T12:00:00.Z", False),
        ("2025-07-28T12:00:00,5Z", False),
        ("2025-07-28T12:00:00", False),
        ("2025-07-28 12:00:00Z", False),
        ("2025-07-28T12:00Z", False),
        ("2025-07-28", False),
        ("20250728T120000Z", False),
        ("2025-7-28T12:00:00Z", False),
        ("+2025-07-28T12:00:00Z", False),
        ("２０２５-07-28T12:00:00Z", False),
        ("2025-07-28T12:00:00Z\n", False),
        (" 2025-07-28T12:00:00Z", False),
        ("", False),
    ],
)
def test_date_time(text: str, legal: bool) -> None:
    """RFC 3339 §5.6 and §5.7."""
    assert is_date_time(text) is legal


@given(st.datetimes(timezones=st.timezones()).filter(lambda one: one.microsecond >= 0))
def test_every_date_of_python_is_one(moment: Any) -> None:
    text = moment.isoformat()
    whole_minutes = (moment.utcoffset().total_seconds() % 60) == 0
    assert is_date_time(text) is whole_minutes


@pytest.mark.parametrize("value", [None, 1, [], {}])
def test_a_format_is_of_strings(value: object) -> None:
    assert is_date_time(value)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("2026-01-31T09:30:00Z", None),
        ("2026-01-31t09:30:60.5+23:59", None),
        (17, None),
        (None, None),
        ("2026-01-31T09:30:00", "date-time-zone"),
        ("2026-01-31t09:30:00.123", "date-time-zone"),
        ("2026-01-31T09:30:00+0900", "date-time-form"),
        ("2026-01-31 09:30:00Z", "date-time-form"),
        ("2026-01-31", "date-time-form"),
        ("now", "date-time-form"),
        ("", "date-time-form"),
        ("2026-02-30T09:30:00Z", "date-time-range"),
        ("2026-13-01T09:30:00Z", "date-time-range"),
        ("2026-01-31T24:00:00Z", "date-time-range"),
        ("2026-01-31T09:60:00Z", "date-time-range"),
        ("2026-01-31T09:30:61Z", "date-time-range"),
        ("2026-01-31T09:30:00+24:00", "date-time-range"),
    ],
)
def test_why_a_text_is_no_date_time(value: object, code: str | None) -> None:
    expected = None if code is None else phrase(code, value=f'"{value}"')
    assert date_time_problem(value) == expected
    assert is_date_time(value) is (code is None)


def test_a_long_text_that_is_no_date_time_is_cut() -> None:
    problem = date_time_problem("x" * 1_000)
    assert problem is not None
    assert len(str(problem.params["value"])) == 80


class TestViolations:
    @pytest.mark.parametrize(
        ("change", "where", "rule", "text"),
        [
            ({"a": 1}, "/a", "type", "expected string or null, got integer 1"),
            ({"a": ""}, "/a", "minLength", "expected 1 or more characters, got 0"),
            ({"a": "😀" * 4}, "/a", "maxLength", "expected 3 or fewer characters, got 4"),
            ({"b": "z"}, "/b", "enum", 'expected one of "x", "y"; got "z"'),
            ({"c": 2}, "/c", "const", "expected 1, got 2"),
            (
                {"d": "now"},
                "/d",
                "format",
                'expected an RFC 3339 date-time such as 2026-01-31T09:30:00Z, got "now"',
            ),
            ({"e": 1}, "/e", "minimum", "expected 3 or more, got 1"),
            (
                {"g": 1},
                "",
                "additionalProperties",
                "unknown member 'g'; known: a, b, c, d, e, f",
            ),
        ],
    )
    def test_each_says_what_was_expected(self, change: dict[str, Any], where: str, rule: str, text: str) -> None:
        (found,) = violations(SCHEMA, {"a": "abc", "b": "x", **change})
        assert (found.pointer, found.rule, str(found.problem)) == (where, rule, text)
        assert str(found) == f"{where or 'the message'}: {text}"

    def test_all_missing_members_are_one(self) -> None:
        (found,) = violations(SCHEMA, {})
        assert found.problem == phrase("schema-required", members=["'a'", "'b'"], number=2)
        assert str(found) == "the message: expected the members 'a', 'b'"
        (found,) = violations(SCHEMA, {"b": "x"})
        assert str(found) == "the message: expected the member 'a'"

    def test_none(self) -> None:
        assert violations(SCHEMA, {"a": None, "b": "y", "c": 1, "e": True}) == ()

    @pytest.mark.parametrize(
        ("value", "places"),
        [
            ({}, [("a", "b")]),
            ({"a": "abc"}, [("b",)]),
            ({"a": "abc", "b": "z"}, [("b",)]),
            ({"a": "abc", "b": "x", "e": 1}, [("e",)]),
            ([], [("",)]),
        ],
    )
    def test_each_says_which_places_are_wrong(self, value: Any, places: list[tuple[str, ...]]) -> None:
        """A check that is narrowed to a member must know of the members that are not there."""
        assert sorted({place for one in violations(SCHEMA, value) for place in one.places}) == sorted(
            {place for each in places for place in each}
        )

    def test_places_lie_deep(self) -> None:
        found = load_contract().check_payload(
            "new_message", {"payload": {"channelId": "c", "message": {"author": {"id": 1}}}}
        )
        assert {place for one in found for place in one.places} == {
            "message.id",
            "message.text",
            "message.timestamp",
            "message.author.id",
            "message.author.name",
        }

    @pytest.mark.parametrize(
        "value",
        [
            {"a": "x" * 1_000_000, "b": "x" * 1_000_000},
            {"a": ["x"] * 100_000, "b": {"y" * 100_000: 1}},
            {"a": "a", "b": "x", "c": "x" * 1_000_000, "d": "x" * 1_000_000, "e": "x" * 1_000_000},
            {"a": "a", "b": "x", "f": "y" * 1_000_000},
            {"a": "a", "b": "x", **{f"{n}" * 100: n for n in range(10_000)}},
            "x" * 1_000_000,
        ],
        ids=["strings", "containers", "values", "pattern", "members", "root"],
    )
    def test_huge_values_make_small_violations(self, value: Any) -> None:
        found = violations(SCHEMA, value)
        assert found
        assert len(found) < 10
        assert all(len(str(one)) < 500 for one in found)


@pytest.mark.parametrize(
    ("path", "text"),
    [((), ""), (("a", 0, "b"), "/a/0/b"), (("a/b", "m~n", ""), "/a~1b/m~0n/")],
)
def test_pointers(path: tuple[str | int, ...], text: str) -> None:
    assert pointer(path) == text


class TestFiles:
    @pytest.mark.parametrize(
        ("text", "error"),
        [
            ("{", ":1:2: invalid JSON: "),
            ('{\n "a": 1,\n}', ":3:1: invalid JSON: "),
            ("[]", ":1:1: expected a JSON Schema"),
            ("", ":1:1: invalid JSON: "),
        ],
    )
    def test_a_broken_schema(self, tmp_path: Path, text: str, error: str) -> None:
        path = tmp_path / "own.schema.json"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ContractError) as caught:
            load_schema(path)
        assert str(caught.value).startswith(f"{path}{error}")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
MESSAGE: dict[str, Any] = {
    "event": "new_message",
    "payload": {
        "channelId": "room",
        "message": {
            "id": "m-1",
            "text": "hello",
            "author": {"id": "u-1", "name": "Alice"},
            "timestamp": "2025-01-01T00:00:00.000Z",
        },
    },
    "sequence": 7,
    "timestamp": "2025-01-01T00:00:00.000Z",
}
NEAR = st.sampled_from(
    [0, -1, 1.0, 2**31, 2**53, 2**64, 10**400, float("nan"), True, "", "\ud800", "x" * 5000, "2025-02-30T00:00:00Z"]
)


@st.composite
def broken(draw: st.DrawFn) -> Any:
    """A message in which one value became another, or is missing."""
    message = copy.deepcopy(MESSAGE)
    holder: Any = message
    while True:
        name = draw(st.sampled_from(sorted(holder)))
        if not isinstance(holder[name], dict) or draw(st.booleans()):
            break
        holder = holder[name]
    if draw(st.booleans()):
        holder[name] = draw(JSON | NEAR)
    else:
        del holder[name]
    return message


class TestQuick:
    """What the quick validator passes, `jsonschema` would have passed."""

    @given(broken())
    def test_messages(self, message: Any) -> None:
        contract = load_contract()
        assert contract.envelope is not None
        for validator in (contract.envelope, *(event.message for event in contract.events.values())):
            assert validator.quick is not None
            assert validator.passes(message) == validator.judge.is_valid(message)

    @given(JSON)
    def test_values(self, value: Any) -> None:
        envelope = load_contract().envelope
        assert envelope is not None
        for validator in (SCHEMA, envelope):
            if validator.passes(value):
                assert validator.judge.is_valid(value)

    def test_a_plain_message(self) -> None:
        assert load_contract().events["new_message"].message.passes(MESSAGE)

    def test_own_dates(self) -> None:
        """RFC 3339 knows leap seconds and lower case; the library's own check need not."""
        validator = compile_schema({"format": "date-time"})
        assert validator.passes("1990-12-31t23:59:60z")
        assert not validator.passes("2025-02-30T00:00:00Z")

    def test_a_pattern_that_only_python_understands(self) -> None:
        validator = compile_schema({"pattern": "^(?P<one>a)(?P=one)$"})
        assert violations(validator, "aa") == ()
        assert len(violations(validator, "ab")) == 1

    def test_the_deepest_message(self) -> None:
        """The quick one has the machine's stack only: `contract.json_text` lets nothing deeper through."""
        value: list[Any] = []
        for _ in range(MAX_DEPTH):
            value = [value]
        validator = compile_schema({"$defs": {"list": {"items": {"$ref": "#/$defs/list"}}}, "$ref": "#/$defs/list"})
        assert validator.passes(value)
