"""`docs/wire.md` counts the scenarios as they are, and leaves none of WIRE out."""

import re
from collections import Counter
from pathlib import Path

from tests.bundled import bundled

PAGE = (Path(__file__).parents[2] / "docs" / "wire.md").read_text(encoding="utf-8")
COUNTS = Counter(one.id.partition("/")[0] for one in bundled())


def test_its_counts_are_right() -> None:
    named = {name: int(count) for name, count in re.findall(r"`([a-z0-9-]+)`\s+(\d+)", PAGE)}
    assert named == {name: COUNTS[name] for name in named}


def test_it_names_every_scenario_of_wire() -> None:
    named = set(re.findall(r"`([a-z0-9-]+)(?:/[a-z0-9-]+)?`", PAGE))
    assert {name for name in COUNTS if name.startswith("wire-")} <= named
