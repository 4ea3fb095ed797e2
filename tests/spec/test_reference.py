"""`docs/json.md` says what the schemas say."""

import json
import re
from pathlib import Path

import pytest

from tests.reference import FILES, PAGE, ROOT, page
from tests.reports import builder, loads
from tests.reports.comparisons import compared


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "a schema has changed: run `make reference`"


def test_every_member_is_explained() -> None:
    rows = [line.strip("| ").split(" | ") for line in page().splitlines() if line.startswith("| `")]
    assert [row[0] for row in rows if len(row) < 3 or len(row[2].replace("*optional*.", "").strip()) < 4] == []


def test_every_file_is_of_the_version_that_its_schema_says() -> None:
    for name, version in FILES.values():
        schema = json.loads((ROOT / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8"))
        assert schema["properties"]["format"]["const"] == version


@pytest.mark.parametrize(
    ("file", "document"),
    [
        ("results.json", builder.failing_results()),
        ("load.json", loads.capacity()),
        ("comparison.json", compared(loads.full(), loads.faulty())),
    ],
)
def test_what_a_document_has_is_in_the_table(file: str, document: builder.Json) -> None:
    section = page().split(f"\n## {file}\n")[1].split("\n## ")[0]
    known = set(re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE))
    assert set(document) <= known


def test_links_of_the_documents_lead_somewhere() -> None:
    for path in (PAGE, PAGE.with_name("formats.md")):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text(encoding="utf-8")):
            assert (path.parent / Path(target)).exists(), target
