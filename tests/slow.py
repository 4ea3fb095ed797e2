"""Tests marked `slow` are left out of `make test`, and run by `make test-all`."""

from collections.abc import Collection, Iterable

import pytest
from _pytest.mark import ParameterSet


def slow_but(few: Collection[object], cases: Iterable[object]) -> list[ParameterSet]:
    """The cases of a parametrised test: `few` run always, all others are slow. A tuple has a value for each name."""
    every = list(cases)
    assert all(one in every for one in few), f"no case of the test: {[one for one in few if one not in every]}"
    marks = [() if one in few else pytest.mark.slow for one in every]
    return [
        pytest.param(*one, marks=mark) if isinstance(one, tuple) else pytest.param(one, marks=mark)
        for one, mark in zip(every, marks, strict=True)
    ]
