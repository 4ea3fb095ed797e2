"""Strict, bounded JSON."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.json_text import (
    MAX_DEPTH,
    MAX_DIGITS,
    MAX_VALUES,
    JsonTextError,
    dump_json,
    parse_json,
    type_name,
)

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**390), 10**390)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=20,
)


@given(JSON)
def test_round_trip(value: Any) -> None:
    text = dump_json(value)
    assert parse_json(text) == value == json.loads(text)
    assert type_name(parse_json(text)) == type_name(value)


@given(JSON)
def test_what_json_writes_is_read(value: Any) -> None:
    assert parse_json(json.dumps(value, indent=2)) == value


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    """And as `json` decides, but for what is no JSON."""
    try:
        found = parse_json(text)
    except JsonTextError:
        return
    assert json.loads(text) == found


def test_it_is_compact_and_readable() -> None:
    assert dump_json({"a": [1, "あ😀"], "b": None}) == '{"a":[1,"あ😀"],"b":null}'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"a": -float("inf")}])
def test_what_is_no_json_is_not_written(value: Any) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        dump_json(value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "NaN",
        "Infinity",
        "-Infinity",
        '{"a": NaN}',
        "01",
        "+1",
        ".5",
        "1.",
        "0x1",
        "1_0",
        "'a'",
        "{a: 1}",
        '{"a": 1,}',
        "[1,]",
        "[1] 2",
        "true false",
        "True",
        "undefined",
        "// a\n1",
        '"\n"',
        '"\t"',
        '"\\x"',
        '"\\u12"',
        '"a',
        "\ufeff1",
        "\xa01",
        "１",
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(JsonTextError):
        parse_json(text)


class TestBounds:
    @pytest.mark.parametrize("opening", ["[", '{"a":'])
    def test_depth(self, opening: str) -> None:
        closing = "]" if opening == "[" else "}"
        deepest = opening * MAX_DEPTH + "1" + closing * MAX_DEPTH
        assert parse_json(deepest)
        with pytest.raises(JsonTextError, match=f"nested more than {MAX_DEPTH} levels"):
            parse_json(opening + deepest + closing)

    @pytest.mark.parametrize("depth", [1_000, 100_000])
    def test_depth_beyond_the_stack(self, depth: int) -> None:
        with pytest.raises(JsonTextError, match="nested more"):
            parse_json("[" * depth + "]" * depth)

    def test_digits(self) -> None:
        assert parse_json("9" * MAX_DIGITS) == int("9" * MAX_DIGITS)
        for text in ("9" * (MAX_DIGITS + 1), "-" + "9" * 1_000_000):
            with pytest.raises(JsonTextError) as caught:
                parse_json(text)
            digits = len(text.removeprefix("-"))
            assert caught.value.problem.code == "json-digits"
            assert caught.value.problem.params["most"] == MAX_DIGITS
            assert int(str(caught.value.problem.params["digits"])) - digits in (0, 1), "a sign may count"

    @pytest.mark.parametrize("text", ["1e999", "-1e999", "[1.5e400]"])
    def test_a_number_beyond_a_float(self, text: str) -> None:
        """It would become an infinity, which cannot be written again."""
        with pytest.raises(JsonTextError, match="64-bit float"):
            parse_json(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("null", "null"),
        ("true", "boolean"),
        ("1", "integer"),
        ("1.0", "number"),
        ("1e2", "number"),
        ('""', "string"),
        ("[]", "array"),
        ("{}", "object"),
    ],
)
def test_type_names(text: str, name: str) -> None:
    assert type_name(parse_json(text)) == name


@pytest.mark.parametrize("text", ["[" + "{}," * MAX_VALUES + "1]", "[" + "[]," * MAX_VALUES + "1]"])
def test_too_many_values(text: str) -> None:
    with pytest.raises(JsonTextError, match="more than 100000 values"):
        parse_json(text)


def test_commas_in_a_text_are_no_values() -> None:
    text = ",[{" * MAX_VALUES + '\\"'
    assert parse_json(f'["{text}"]') == [text.replace("\\", "")]
