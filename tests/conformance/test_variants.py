"""Variants: one table, and several that are combined."""

import pytest

from conformance.variants import combinations


@pytest.mark.parametrize("nothing", [None, {}])
def test_a_scenario_without_variants_is_one_without_a_name(nothing: object) -> None:
    assert list(combinations(nothing)) == [("", {})]


def test_one_table_gives_its_entries_in_order() -> None:
    assert list(combinations({"b": {"x": 1}, "a": {"x": 2}})) == [("b", {"x": 1}), ("a", {"x": 2})]


def test_several_tables_give_every_combination() -> None:
    tables = [{"a": {"x": 1}, "b": {"x": 2}}, {"c": {"y": 3}, "d": {"y": 4}}, {"e": {}}]
    assert list(combinations(tables)) == [
        ("a-c-e", {"x": 1, "y": 3}),
        ("a-d-e", {"x": 1, "y": 4}),
        ("b-c-e", {"x": 2, "y": 3}),
        ("b-d-e", {"x": 2, "y": 4}),
    ]


def test_a_table_uses_the_members_of_those_before_it() -> None:
    tables = [{"a": {"one": {"opcode": 1}}}, {"b": {"of": ["${one}", "${one} ${two}"], "two": 2}}]
    assert list(combinations(tables)) == [
        ("a-b", {"one": {"opcode": 1}, "of": [{"opcode": 1}, '{"opcode": 1} ${two}'], "two": 2})
    ]
