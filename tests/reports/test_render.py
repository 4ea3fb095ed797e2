"""The table of report formats, and that the same results give the same bytes."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from reports.documents import write_json
from reports.render import FORMATS, render, renderer
from tests.reports import builder
from tests.reports.documents import DOCUMENTS
from wsproof.options import FORMAT_NAMES

ROOT = Path(__file__).resolve().parents[2]
RERUNS = 100

STARTS = {
    "html": ("<!doctype html>", ".html"),
    "text": ("wsproof", ".txt"),
    "markdown": ("### ", ".md"),
    "junit": ("<?xml", ".xml"),
    "ctrf": ("{", ".json"),
    "badge": ("{", ".json"),
    "badge-svg": ("<svg ", ".svg"),
    "json": ("{", ".json"),
    "jsonl": ("{", ".jsonl"),
}

DIGESTS = """
import hashlib, json, sys
from pathlib import Path
from reports.documents import read_document
from reports.render import FORMATS, render
documents = {path.name: read_document(path) for path in sorted(Path(sys.argv[1]).iterdir())}
print(json.dumps({
    f"{name} of {file}": hashlib.sha256(render(name, one).encode("utf-8", "backslashreplace")).hexdigest()
    for name in FORMATS for file, one in documents.items()
}))
"""


@pytest.mark.parametrize("document", [builder.failing_results(), builder.load()])
@pytest.mark.parametrize("name", FORMATS)
def test_every_format_renders_every_document(name: str, document: builder.Json) -> None:
    start, suffix = STARTS[name]
    assert renderer(name, document).suffix == suffix
    assert render(name, document).startswith(start)
    assert render(name, document).endswith("\n")


def test_no_two_reports_have_one_name() -> None:
    files = [renderer.file for one in FORMATS.values() for renderer in (one.results, one.load)]
    assert len(set(files)) == len(files)
    # The stream of a run that goes on.
    assert "results.jsonl" not in files


def test_the_command_line_names_all_of_them() -> None:
    assert ", ".join(FORMATS) == FORMAT_NAMES


def test_an_unknown_format() -> None:
    with pytest.raises(KeyError):
        render("pdf", builder.load())


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("make", [builder.failing_results, builder.breaking_load])
def test_a_hundred_reruns_give_the_same_bytes(name: str, make: Callable[[], builder.Json]) -> None:
    assert len({render(name, make()) for _ in range(RERUNS)}) == 1


@pytest.mark.parametrize("name", FORMATS)
def test_rendering_leaves_the_document_alone(name: str) -> None:
    for document in (builder.failing_results(), builder.breaking_load()):
        before = json.dumps(document)
        render(name, document)
        assert json.dumps(document) == before


def test_other_processes_give_the_same_bytes(tmp_path: Path) -> None:
    """Whatever order their sets have, in whichever zone and language they run."""
    kept = {name: one for name, one in DOCUMENTS.items() if name not in ("long", "hostile baseline")}
    for name, one in kept.items():
        write_json(tmp_path / f"{name}.json", one)
    surroundings = (("0", "UTC", "C.UTF-8"), ("1", "Asia/Tokyo", "C"), ("4242", "America/New_York", "ja_JP.UTF-8"))
    found = [_digests(tmp_path, *one) for one in surroundings]
    assert found[0] == found[1] == found[2]
    here = {
        f"{form} of {name}.json": hashlib.sha256(render(form, one).encode("utf-8", "backslashreplace")).hexdigest()
        for form in FORMATS
        for name, one in kept.items()
    }
    assert found[0] == here


def _digests(folder: Path, seed: str, zone: str, language: str) -> dict[str, str]:
    surroundings = {"PYTHONHASHSEED": seed, "TZ": zone, "LANG": language, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", DIGESTS, str(folder)]
    done = subprocess.run(command, env=surroundings, cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, str] = json.loads(done.stdout)
    return found
