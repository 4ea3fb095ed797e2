"""Reading, checking and writing documents."""

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from reports.shared.documents import (
    DocumentError,
    check_document,
    read_document,
    to_json,
    write_text,
)
from tests.reports import builder, loads

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"


@pytest.mark.parametrize("name", ["results.schema.json", "load.schema.json"])
def test_the_schema_is_valid_and_names_itself(name: str) -> None:
    schema = json.loads((SCHEMAS / name).read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"https://schemas.wsproof.example/{name}"


@pytest.mark.parametrize(
    "document",
    [
        builder.results(),
        builder.failing_results(complete=False, strict=True),
        builder.results([], []),
        builder.troubled_results(),
        builder.hostile(builder.troubled_results()),
        builder.load(),
        builder.load(delivery=None, generator=None, timeline=[], metrics={}, thresholds=[]),
        builder.load(metrics={"ack": builder.metric(None, 0)}),
        loads.full(),
        loads.aborted(),
        loads.capacity(),
        builder.load(capacity=None, aborted=None),
        builder.hostile(builder.failing_results()),
        builder.hostile(builder.load()),
        builder.hostile(loads.aborted()),
        builder.hostile(loads.capacity()),
    ],
)
def test_a_document_comes_back_as_it_was_written(document: builder.Json, tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    write_text(path, to_json(document))
    assert read_document(path) == document


def test_members_that_a_later_version_adds_are_ignored() -> None:
    document = builder.results() | {"addition": {"later": []}}
    assert check_document(document) is document


Break = Callable[[builder.Json], Any]


def _set(*path: str | int, to: Any) -> Break:
    def change(document: Any) -> None:
        for step in path[:-1]:
            document = document[step]
        document[path[-1]] = to

    return change


def _drop(*path: str | int) -> Break:
    def change(document: Any) -> None:
        for step in path[:-1]:
            document = document[step]
        del document[path[-1]]

    return change


@pytest.mark.parametrize(
    ("change", "pointer", "expected"),
    [
        (_drop("endpoint"), "", 'expected the member "endpoint"'),
        (_set("format", to="wsproof.results/3"), "/format", "version not supported"),
        (_set("format", to="junit"), "/format", "not a wsproof document"),
        (_set("format", to=1), "/format", "but it is 1"),
        (_drop("format"), "/format", "but it is missing"),
        (_set("verdict", to="green"), "/verdict", 'one of "conformant"'),
        (_set("complete", to=1), "/complete", "expected boolean, found 1"),
        (_set("started", to="yesterday"), "/started", "expected pattern"),
        (_set("duration_s", to=-1), "/duration_s", "expected minimum 0"),
        (_set("settings", "jobs", to=[[1]]), "/settings/jobs/0", "found an array"),
        (_drop("summary", "MAY"), "/summary", '"MAY"'),
        (_set("summary", "MUST", "error", to=1.5), "/summary/MUST/error", "expected integer"),
        (_set("requirements", 0, "level", to="must"), "/requirements/0/level", '"MUST"'),
        (_drop("requirements", 0, "clauses"), "/requirements/0", '"clauses"'),
        (_set("scenarios", 0, "verdict", to="unfinished"), "/scenarios/0/verdict", '"inconclusive"'),
        (_set("scenarios", 0, "failures", to=[{}]), "/scenarios/0/failures/0", '"requirement"'),
        (
            _set("scenarios", 0, "transcript", 1, "direction", to="up"),
            "/scenarios/0/transcript/1/direction",
            'one of "in"',
        ),
        (
            _set("scenarios", 0, "transcript", 1, "data", to=None),
            "/scenarios/0/transcript/1/data",
            "expected string, found null",
        ),
    ],
)
def test_broken_results_say_where_and_what_was_expected(change: Break, pointer: str, expected: str) -> None:
    document = json.loads(to_json(builder.results()))
    change(document)
    with pytest.raises(DocumentError) as caught:
        check_document(document, "r.json")
    assert caught.value.file == "r.json"
    assert caught.value.where == pointer
    assert expected in caught.value.message


@pytest.mark.parametrize(
    ("change", "pointer", "expected"),
    [
        (_set("verdict", to="passed"), "/verdict", '"measured"'),
        (_set("thresholds", 0, "passed", to="no"), "/thresholds/0/passed", "expected boolean or null"),
        (_drop("requirements", 0, "clauses", 0, "findings"), "/requirements/0/clauses/0", '"findings"'),
        (_set("requirements", 1, "applied", to=None), "/requirements/1/applied", "expected integer"),
        (_set("shed", to={"HTTP 429": "many"}), "/shed/HTTP 429", "expected integer"),
        (_drop("metrics", "ack", "p999"), "/metrics/ack", '"p999"'),
        (_set("delivery", to={"expected": 1}), "/delivery", '"delivered"'),
        (_set("delivery", "lost", to=-1), "/delivery/lost", "expected minimum 0"),
        (_set("timeline", 3, "users", to=None), "/timeline/3/users", "expected integer"),
        (_set("closes", "1000", to="20"), "/closes/1000", 'found "20"'),
        (_set("generator", "cpu_percent", to="high"), "/generator/cpu_percent", "number or null"),
    ],
)
def test_a_broken_load_document_says_where_and_what_was_expected(change: Break, pointer: str, expected: str) -> None:
    document = json.loads(to_json(builder.load()))
    change(document)
    with pytest.raises(DocumentError) as caught:
        check_document(document)
    assert caught.value.where == pointer
    assert expected in caught.value.message


@pytest.mark.parametrize(
    ("change", "pointer", "expected"),
    [
        (_set("aborted", to=True), "/aborted", "string or null"),
        (_set("metrics", "ack", "p9999", to=-1), "/metrics/ack/p9999", "expected minimum 0"),
        (_set("metrics", "ack", "histogram", 3, to=[1.0]), "/metrics/ack/histogram/3", "minItems 2"),
        (_set("metrics", "ack", "histogram", 3, 0, to=None), "/metrics/ack/histogram/3/0", "expected number"),
        (_set("metrics", "ack", "histogram", to=[[1, 1]] * 201), "/metrics/ack/histogram", "maxItems 200"),
        (_set("delivery", "examples", 0, "kind", to="late"), "/delivery/examples/0/kind", '"misdelivered"'),
        (_set("delivery", "examples", to=[loads.example("lost")] * 21), "/delivery/examples", "maxItems 20"),
        (_set("timeline", 3, "received", to="many"), "/timeline/3/received", "number or null"),
        (_set("generator", "limited", to=None), "/generator/limited", "expected boolean"),
        (_set("generator", "workers", 1, "state", to="gone"), "/generator/workers/1/state", '"finished"'),
        (_set("capacity", "unit", to="connections"), "/capacity/unit", '"users"'),
        (_drop("capacity", "curve", 0, "breached"), "/capacity/curve/0", '"breached"'),
    ],
)
def test_what_newer_load_documents_add_is_checked(change: Break, pointer: str, expected: str) -> None:
    document = json.loads(to_json(loads.aborted(capacity=loads.capacity()["capacity"])))
    change(document)
    with pytest.raises(DocumentError) as caught:
        check_document(document)
    assert caught.value.where == pointer
    assert expected in caught.value.message


@pytest.mark.parametrize(
    ("data", "where", "expected"),
    [
        (b"", "", "found an empty file"),
        (b"{\n 'a': 1}", "2:2", "expected JSON"),
        (b'{"format": "wsproof.results/2", "duration_s": NaN}', "", "NaN is not a JSON number"),
        (b'{"duration_s": 1e999}', "", "out of range"),
        (b"9" * 5000, "", "expected JSON"),
        (b"[" * 100_000, "", "nested too deeply"),
        (b'{"endpoint": "\xff"}', "", "expected UTF-8"),
        (b"[]", "", "expected a JSON object, found an array"),
        (b'"wsproof.results/2"', "", "expected a JSON object"),
    ],
)
def test_a_file_that_is_no_document(data: bytes, where: str, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_bytes(data)
    with pytest.raises(DocumentError) as caught:
        read_document(path)
    assert caught.value.where == where
    assert expected in caught.value.message
    assert str(caught.value).startswith(str(path))


def test_a_byte_order_mark_is_no_obstacle(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_bytes(b"\xef\xbb\xbf" + to_json(builder.results()).encode())
    assert read_document(path) == builder.results()


def test_a_file_that_is_not_there_or_no_file(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="cannot be read: No such file"):
        read_document(tmp_path / "none.json")
    with pytest.raises(DocumentError, match="cannot be read"):
        read_document(tmp_path)


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_bytes(b" " * 101)
    with pytest.raises(DocumentError, match="too large: expected at most 100 bytes"):
        read_document(path, max_bytes=100)


def test_an_error_never_carries_what_the_file_says_raw_or_in_full() -> None:
    with pytest.raises(DocumentError) as caught:
        check_document(builder.results() | {"format": f"x{builder.HOSTILE}" + "y" * 100_000})
    text = str(caught.value)
    assert text.isprintable()
    assert len(text) < 400


def test_json_is_ascii_and_keeps_the_order_of_members() -> None:
    text = to_json({"b": "\ud800日本\x9b", "a": 1})
    assert text == '{\n "b": "\\ud800\\u65e5\\u672c\\u009b",\n "a": 1\n}\n'


def test_json_has_no_place_for_infinities() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        to_json({"duration_s": float("inf")})


@given(st.recursive(st.text(st.characters(exclude_categories=[])), st.lists, max_leaves=5))
def test_any_string_survives(value: object) -> None:
    text = to_json({"x": value})
    assert text.isascii()
    # Two lone surrogates side by side are a pair to every JSON reader.
    expected = json.loads(json.dumps(value))
    assert json.loads(text)["x"] == expected


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError("the disk is full")

    path = tmp_path / "results.json"
    write_text(path, "before")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="full"):
        write_text(path, "after")
    assert path.read_text(encoding="utf-8") == "before"
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        write_text(tmp_path / "folder", "text")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["folder", "results.json"]


def test_what_is_no_json_number_is_not_written() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        to_json(builder.results(duration_s=float("nan")))


@pytest.mark.skipif(os.name != "posix", reason="permission bits are POSIX")
def test_a_written_file_has_the_permissions_that_the_umask_gives(tmp_path: Path) -> None:
    reference = tmp_path / "reference"
    reference.touch()
    write_text(tmp_path / "report.html", "text\n")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert len(modes) == 1
