"""The table of report formats, and that the same results give the same bytes."""

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.formats.render import FORMATS, render, renderer
from reports.shared.documents import to_json, write_text
from reports.text.language import LANGUAGES
from tests.reports import builder, loads
from tests.reports.documents import DOCUMENTS
from wsproof.commands.options import FORMAT_NAMES

FAULTY = loads.aborted(timeline=[], metrics={})
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
from reports.shared.documents import read_document
from reports.text.language import LANGUAGES
from reports.formats.render import FORMATS, render
documents = {path.name: read_document(path) for path in sorted(Path(sys.argv[1]).iterdir())}
print(json.dumps({
    f"{name} of {file}, {language}":
    hashlib.sha256(render(name, one, language).encode("utf-8", "backslashreplace")).hexdigest()
    for name in FORMATS for file, one in documents.items() for language in LANGUAGES
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


def test_names_of_cases_are_the_same_in_every_language() -> None:
    """A CI system knows a case again by its name."""
    for document in DOCUMENTS.values():
        roots = [ET.fromstring(render("junit", document, language)) for language in LANGUAGES]
        found = [[(one.get("classname"), one.get("name")) for one in root.iter("testcase")] for root in roots]
        assert found[0] == found[1]
        tests = [json.loads(render("ctrf", document, language))["results"]["tests"] for language in LANGUAGES]
        stable = ("testId", "name", "suite", "status", "rawStatus")
        assert [[one[key] for key in stable] for one in tests[0]] == [[one[key] for key in stable] for one in tests[1]]


@pytest.mark.slow
def test_other_processes_give_the_same_bytes(tmp_path: Path) -> None:
    """Whatever order their sets have, in whichever zone and language they run."""
    kept = {name: one for name, one in DOCUMENTS.items() if name not in ("long", "hostile baseline")}
    for name, one in kept.items():
        write_text(tmp_path / f"{name}.json", to_json(one))
    surroundings = (("0", "UTC", "C.UTF-8"), ("1", "Asia/Tokyo", "C"), ("4242", "America/New_York", "ja_JP.UTF-8"))
    found = [_digests(tmp_path, *one) for one in surroundings]
    assert found[0] == found[1] == found[2]
    here = {
        f"{form} of {name}.json, {language}": _digest(render(form, one, language))
        for form in FORMATS
        for name, one in kept.items()
        for language in LANGUAGES
    }
    assert found[0] == here


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=40), st.sampled_from(LANGUAGES))
def test_no_string_breaks_a_report(text: str, language: str) -> None:
    """Whatever a document's strings hold: each report can be made, and read by what reads such files."""
    for document in (builder.hostile(builder.failing_results(complete=False), text), builder.hostile(FAULTY, text)):
        made = {name: render(name, document, language) for name in FORMATS if name != "html"}
        for name in ("junit", "badge-svg"):
            ET.fromstring(made[name].encode())
        for name in ("ctrf", "badge", "json"):
            json.loads(made[name])
        assert all(json.loads(line)["kind"] for line in made["jsonl"].splitlines())
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\ud800-\udfff]", made["markdown"])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def _digests(folder: Path, seed: str, zone: str, language: str) -> dict[str, str]:
    surroundings = {"PYTHONHASHSEED": seed, "TZ": zone, "LANG": language, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", DIGESTS, str(folder)]
    done = subprocess.run(command, env=surroundings, cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, str] = json.loads(done.stdout)
    return found
