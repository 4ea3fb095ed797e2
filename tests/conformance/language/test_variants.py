"""Variants: one table, and several that are combined."""

import pytest

from conformance.language.variants import combinations


def named(variants: object) -> list[tuple[str, object]]:
    return [(one.name, one.members) for one in combinations(variants)]


@pytest.mark.parametrize("nothing", [None, {}])
def test_a_scenario_without_variants_is_one_without_a_name(nothing: object) -> None:
    assert named(nothing) == [("", {})]


def test_one_table_gives_its_entries_in_order() -> None:
    assert named({"b": {"x": 1}, "a": {"x": 2}}) == [("b", {"x": 1}), ("a", {"x": 2})]


def test_several_tables_give_every_combination() -> None:
    tables = [{"a": {"x": 1}, "b": {"x": 2}}, {"c": {"y": 3}, "d": {"y": 4}}, {"e": {}}]
    assert named(tables) == [
        ("a-c-e", {"x": 1, "y": 3}),
        ("a-d-e", {"x": 1, "y": 4}),
        ("b-c-e", {"x": 2, "y": 3}),
        ("b-d-e", {"x": 2, "y": 4}),
    ]


def test_a_table_uses_the_members_of_those_before_it() -> None:
    tables = [{"a": {"one": {"opcode": 1}}}, {"b": {"of": ["${one}", "${one} ${two}"], "two": 2}}]
    assert named(tables) == [("a-b", {"one": {"opcode": 1}, "of": [{"opcode": 1}, '{"opcode": 1} ${two}'], "two": 2})]


def test_each_member_has_its_place() -> None:
    tables = [{"a": {"x": 1}}, {"b": {"y": 2}}]
    (one,) = combinations(tables)
    assert one.places == {"x": (0, "a", "x"), "y": (1, "b", "y")}
    (alone,) = combinations({"a": {"x": 1}})
    assert alone.places == {"x": ("a", "x")}
