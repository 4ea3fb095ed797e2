"""Scenarios are called something in both languages of the reports."""

from pathlib import Path

import pytest

from tests.bundled import FUZZ, SCENARIO_FILES, THOROUGH, bundled


@pytest.mark.parametrize("folder", [SCENARIO_FILES, THOROUGH, FUZZ], ids=lambda one: str(one.name))
def test_every_bundled_scenario_has_a_japanese_title(folder: Path) -> None:
    scenarios = bundled(folder)
    assert scenarios
    for one in scenarios:
        assert one.title_ja, one.id
        assert any(ord(character) > 0x3000 for character in one.title_ja), one.id
        # A variant is named in both.
        assert one.title.endswith(")") is one.title_ja.endswith(")") or "/" not in one.id, one.id
