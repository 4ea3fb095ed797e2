"""The names of formats in the code are those in the schemas."""

import json

import pytest

from contract import formats
from contract.files import DATA_ROOT

NAMES = {name: value for name, value in vars(formats).items() if name.isupper()}


@pytest.mark.parametrize("name", NAMES)
def test_the_schema_has_the_same_name(name: str) -> None:
    stem = {"SCENARIOS": "scenario"}.get(name, name.lower())
    text = (DATA_ROOT / "schemas" / f"{stem}.schema.json").read_text(encoding="utf-8")
    assert json.dumps(NAMES[name]) in text
    assert formats.family(NAMES[name]) == f"wsproof.{name.lower()}"
