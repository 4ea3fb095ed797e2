"""The profile's published schema: what each setting means, and its default, which is the code's."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from contract.errors import ContractError
from contract.profile import Profile, load_profile
from contract.schemas import SCHEMAS, compile_schema

SCHEMA = json.loads((SCHEMAS / "profile.schema.json").read_text(encoding="utf-8"))


def settings(schema: Any, name: str = "") -> Iterator[tuple[str, dict[str, Any], bool]]:
    """Dotted name, schema, and whether it must be given, of each setting."""
    for member, inner in schema.get("properties", {}).items():
        yield f"{name}{member}", inner, member in schema.get("required", ())
        yield from settings(inner, f"{name}{member}.")
    for inner in [schema["additionalProperties"]] if isinstance(schema.get("additionalProperties"), dict) else []:
        yield from settings(inner, f"{name}*.")
    for inner in [one for keyword in ("anyOf", "oneOf") for one in schema.get(keyword, ())]:
        yield from settings(inner, name)


SETTINGS = {name: (schema, required) for name, schema, required in settings(SCHEMA)}


@pytest.mark.parametrize("name", SETTINGS)
def test_each_setting_says_what_it_is(name: str) -> None:
    schema, required = SETTINGS[name]
    where = f"schemas/profile.schema.json: {name}"
    assert schema.get("description", "").endswith("."), f"{where}: give it a `description`: a sentence, with its unit"
    assert required or "default" in schema, f"{where}: give it the `default` that contract/ has for it"
    if schema.get("$ref") == "#/$defs/duration":
        assert "Seconds, or a text such as 500ms" in schema["description"], f"{where}: name the unit"


@pytest.mark.parametrize("name", [name for name, (schema, _) in SETTINGS.items() if "default" in schema])
def test_a_default_is_legal(name: str) -> None:
    schema = {**SETTINGS[name][0], "$defs": SCHEMA["$defs"]}
    assert compile_schema(schema).passes(schema["default"])


def defaults(schema: Any) -> Any:
    """What the schema says a setting is if nobody says it, with all there is inside."""
    if schema.get("default", {}) != {}:
        return schema["default"]
    return {name: defaults(one) for name, one in schema.get("properties", {}).items()}


def test_they_are_those_of_the_code() -> None:
    """A profile in which every default is written out is one in which nothing is."""
    written = defaults(SCHEMA)
    try:
        found = load_profile(None, written)
    except ContractError as error:
        pytest.fail(f"schemas/profile.schema.json: a default is none that a profile may have: {error}")
    assert found == Profile(), "a `default` in schemas/profile.schema.json differs from the code's"


def test_those_of_alternatives() -> None:
    """Which no profile has all at once."""
    channels = load_profile(None, {"channels": {"private": {"name": "p"}}}).channels
    assert channels.private_members == ()
    tokens = load_profile(None, {"tokens": {"expiring": {"token": "t"}}}).tokens
    assert tokens.expiring_after == SETTINGS["tokens.expiring.after"][0]["default"]
