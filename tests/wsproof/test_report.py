"""`wsproof report`: every format from every document, to a file or to standard output; and its mistakes."""

import json
import os
from pathlib import Path

import pytest

from reports.formats.render import FORMATS, render
from reports.shared.documents import to_json, write_text
from tests.reports import builder
from tests.reports.documents import DOCUMENTS
from tests.slow import slow_but
from tests.wsproof.command import complaint, wsproof
from wsproof.command_line import main

KEPT = ("failing", "cut off", "hostile", "aborted load", "hostile load")


def run(*arguments: str | Path) -> int:
    """The exit code of a report that is made in this process."""
    with pytest.raises(SystemExit) as ended:
        main.main(["report", *map(str, arguments)], prog_name="wsproof")
    return int(ended.value.code or 0)


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "results.json"
    write_text(path, to_json(builder.failing_results()))
    return path


@pytest.mark.parametrize(
    ("name", "form"),
    slow_but([("hostile", form) for form in FORMATS], [(name, form) for name in KEPT for form in FORMATS]),
)
def test_a_file_and_standard_output_get_the_same_bytes(
    name: str, form: str, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    source, target = tmp_path / "document.json", tmp_path / "report"
    write_text(source, to_json(DOCUMENTS[name]))
    assert run(source, "--format", form, "--output", target) == 0
    assert capfdbinary.readouterr() == (b"", b"")
    assert run(source, "--format", form) == run(source, "--format", form, "--output", "-") == 0
    expected = render(form, DOCUMENTS[name]).encode("utf-8", "backslashreplace")
    assert target.read_bytes() == expected
    assert capfdbinary.readouterr() == (expected * 2, b"")


def test_the_encoding_of_the_terminal_has_no_say(document: Path) -> None:
    done = wsproof("report", document, "--format", "text", folder=document.parent, PYTHONIOENCODING="utf-8")
    assert (done.returncode, done.stderr) == (0, "")
    ascii_only = wsproof(
        "report", document, "--format", "text", "--output", "text", folder=document.parent, PYTHONIOENCODING="ascii"
    )
    assert (ascii_only.returncode, ascii_only.stderr) == (0, "")
    assert (document.parent / "text").read_text(encoding="utf-8") == done.stdout


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stream of a run, its last scenario torn."""
    folder = tmp_path_factory.mktemp("cut")
    done = wsproof("check", "--select", "CONN-01", "--output", "out", "--quiet", folder=folder)
    assert done.returncode == 0, done.stderr
    whole = (folder / "out" / "results.jsonl").read_bytes()
    path = folder / "cut.jsonl"
    path.write_bytes(whole[: whole.rindex(b"\n", 0, -1) - 5])
    return path


@pytest.mark.parametrize("form", FORMATS)
def test_a_stream_that_was_cut_off(form: str, stream: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(stream, "--format", form) == 0
    made = capfd.readouterr()
    said = {
        "html": "Cut off.",
        "text": "This run was cut off",
        "markdown": "This run was cut off",
        "junit": 'type="cut-off"',
        "ctrf": "This run was cut off",
        "badge": "cut off: ",
        "badge-svg": "cut off: ",
    }
    assert said.get(form, '"complete": false') in made.out


def test_a_device_is_written_to_and_not_replaced(document: Path) -> None:
    fifo = document.parent / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert run(document, "--format", "badge", "--output", fifo) == 0
        assert json.loads(os.read(reader, 65_536))["schemaVersion"] == 1
    finally:
        os.close(reader)
    assert fifo.is_fifo()


def write(path: Path, text: str | bytes) -> None:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "expected a JSON document, found an empty file"),
        ("{", "1:2: expected JSON"),
        (b"\xff\xfe", "expected UTF-8, found other bytes at byte 0"),
        ("[]", "expected a JSON object, found an array"),
        ("{}", '/format: expected "wsproof.results/2" or "wsproof.load/3", but it is missing'),
        ('{"format": "wsproof.results/3"}', "/format: version not supported: expected"),
        ('{"format": "wsproof.comparison/1"}', "/format: no report can be made of this format: expected"),
        ('{"format": "CTRF"}', "/format: not a wsproof document"),
        ('{"format": "wsproof.load/3"}', 'expected the member "tool"'),
    ],
)
def test_what_is_no_document(
    content: str | bytes, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "broken.json"
    write(path, content)
    assert run(path, "--format", "ctrf") == 2
    shown = capsys.readouterr()
    (line,) = shown.err.splitlines()
    assert (shown.out, line[: len(f"wsproof: {path}: ")]) == ("", f"wsproof: {path}: ")
    assert said in line


def test_our_own_lines_are_no_stream(document: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = document.parent / "lines.jsonl"
    assert run(document, "--format", "jsonl", "--output", lines) == 0
    assert run(lines) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(
        'lines.jsonl:1: /format: expected one of "wsproof.stream/1", "wsproof.stream/2", "wsproof.stream/3"; '
        'got "wsproof.lines/1"'
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ("--format", "pdf"),
            "--format pdf: expected one of html, text, markdown, junit, ctrf, badge, badge-svg, json",
        ),
        (("--format", ""), "--format is empty: give it a value, or leave it out."),
        (("--output", "none/report"), "--output none/report: no such directory: none"),
        (("--output", "."), "--output .: expected a file, found a directory"),
    ],
)
def test_mistakes_in_options(options: tuple[str, ...], said: str, document: Path) -> None:
    assert said in complaint("report", document, *options, folder=document.parent)


def test_nothing_is_left_where_a_report_cannot_be_made(document: Path) -> None:
    target = document.parent / "report"
    write(target, "former")
    write(document, "{}")
    assert run(document, "--output", target) == 2
    assert target.read_text(encoding="utf-8") == "former"
    assert {path.name for path in document.parent.iterdir()} == {"results.json", "report"}
