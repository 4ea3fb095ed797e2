"""Dotted paths into messages: what is set at one is found there, and nothing else has changed."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.paths import by_index, has, set_at, value_at

NAMES = st.text("ab01-", min_size=1, max_size=3)
VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


def paths_of(value: Any) -> list[str]:
    """All paths into a value."""
    found = []
    if isinstance(value, dict):
        inside = list(value.items())
    else:
        inside = list(enumerate(value)) if isinstance(value, list) else []
        inside += [(number - len(inside), one) for number, one in inside]
    for name, inner in inside:
        found += [f"{name}", *(f"{name}.{rest}" for rest in paths_of(inner))]
    return found


@given(VALUES, st.data())
def test_what_is_set_is_there(value: Any, data: st.DataObject) -> None:
    paths = paths_of(value)
    if not paths:
        return
    path = data.draw(st.sampled_from(paths))
    before = repr(value)
    changed = set_at(value, path, "new")
    assert value_at(changed, path) == "new"
    assert set_at(changed, path, value_at(value, path)) == value
    assert repr(value) == before


@given(VALUES)
def test_every_path_of_a_value_is_there(value: Any) -> None:
    assert all(has(value, path) for path in paths_of(value))


@pytest.mark.parametrize(
    ("value", "path"), [([1], "1"), ([1], "a"), (1, "a"), ({"a": 1}, "a.b"), ({}, "a.b"), ([], "-1")]
)
def test_a_path_that_leads_nowhere(value: Any, path: str) -> None:
    with pytest.raises(LookupError):
        set_at(value, path, 1)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["0"], True),
        (["0", "-1"], True),
        ([], False),
        (["0", "a"], False),
        (["1.5"], False),
        (["０"], False),
        (["-"], False),
    ],
)
def test_names_that_are_all_indices(names: list[str], expected: bool) -> None:
    assert by_index(names) is expected
