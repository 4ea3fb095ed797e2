"""The reference of our files for programs: `python -m tests.reference` writes `docs/json.md` from their schemas."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from contract.formats import COMPARISON, LOAD, RESULTS

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "json.md"
FILES = {
    "results.json": ("results", RESULTS),
    "load.json": ("load", LOAD),
    "comparison.json": ("comparison", COMPARISON),
}
HEAD = """# The JSON files

The files that wsproof writes for programs. `make reference` generates this page from the JSON Schemas. `name[]` is each
entry of a list, `name{}` each value of an object with arbitrary names, and *optional* members may be missing.
[formats.md](formats.md) explains versions, and [compare.md](compare.md) what is compared.
"""

Json = dict[str, Any]
Rows = Iterator[tuple[str, str, str]]


class Reference:
    """The members that one schema describes."""

    def __init__(self, schema: Json) -> None:
        self.schema = schema
        self.told: dict[str, str] = {}

    def rows(self) -> Rows:
        """Each member: its path, its type, and what it is."""
        yield from self._members("", self.schema)

    def _members(self, path: str, schema: Json) -> Rows:
        for name, member in schema.get("properties", {}).items():
            optional = "" if name in schema.get("required", ()) else "*optional*. "
            yield from self._member(f"{path}.{name}".lstrip("."), member, optional)

    def _member(self, path: str, member: Json, start: str) -> Rows:
        schema, reference = self._resolved(member)
        text = member.get("description") or schema.get("description", "")
        before = self.told.setdefault(reference, path) if reference and "properties" in schema else path
        if before != path:
            yield path, _type(schema), f"{start}{text} Its members are those of `{before}`."
            return
        yield path, _type(schema), start + text
        yield from self._members(path, schema)
        items, others = schema.get("items"), schema.get("additionalProperties")
        if isinstance(items, dict) and schema.get("type") == "array":
            yield from self._inner(f"{path}[]", items)
        if isinstance(others, dict):
            yield from self._inner(f"{path}{{}}", others)

    def _inner(self, path: str, entry: Json) -> Rows:
        schema, reference = self._resolved(entry)
        if "properties" not in schema:
            return
        before = self.told.setdefault(reference, path) if reference else path
        if before == path:
            yield from self._members(path, schema)
        else:
            yield path, _type(schema), f"Its members are those of `{before}`."

    def _resolved(self, schema: Json) -> tuple[Json, str]:
        """A schema without references and without the alternative null, and what it is called."""
        reference = schema.get("$ref", "")
        if reference:
            found: Json = self.schema["$defs"][reference.removeprefix("#/$defs/")]
            return self._resolved(found)[0], reference
        for choice, name in map(self._resolved, schema.get("oneOf", ())):
            if "properties" in choice:
                return {"description": schema.get("description", ""), **choice, "type": ["object", "null"]}, name
        return schema, ""


def _type(schema: Json) -> str:
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    if "enum" in schema:
        return ", ".join(f"`{json.dumps(one)}`" for one in schema["enum"])
    kinds = schema.get("type", "any")
    inner = schema.get("items", {}).get("type") if kinds == "array" else None
    if inner in ("string", "integer", "number"):
        return f"array of {inner}s"
    return kinds if isinstance(kinds, str) else " or ".join(kinds)


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for file, (name, version) in FILES.items():
        path = ROOT / "schemas" / f"{name}.schema.json"
        schema = json.loads(path.read_text(encoding="utf-8"))
        title = f"## {file}\n\n`{version}`, [`schemas/{path.name}`](../schemas/{path.name}). {schema['description']}\n"
        rows = [f"| `{where}` | {kind} | {_cell(text)} |" for where, kind, text in Reference(schema).rows()]
        parts.append("\n".join([title, "| member | type | description |", "| --- | --- | --- |", *rows, ""]))
    return "\n".join(parts)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
