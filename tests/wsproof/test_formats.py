"""`--format` of `check` and `load`: where the reports go, and what is written anyway."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.formats import LOAD, RESULTS
from reference_server.core.settings import ServerSettings
from reference_server.network import running
from reports.formats.render import FORMATS, render
from reports.shared.documents import read_document
from tests.bundled import load_profile
from tests.wsproof.command import wsproof
from wsproof.commands.check import REPORTS
from wsproof.commands.load_run import REPORTS as LOAD_REPORTS
from wsproof.output.files import OutputError
from wsproof.output.formats import forget_former, wanted_reports

DOCS = Path(__file__).resolve().parents[2] / "docs" / "formats.md"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    profile = load_profile(None, {"heartbeat.interval": 1, "heartbeat.timeout": 2})
    with running(ServerSettings(profile=profile, port=0)) as server:
        yield server.url


def written(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_check_writes_what_it_is_asked_for(url: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    for name in ("summary.md", "report.html"):
        (out / name).write_text("somebody's", encoding="utf-8")
    options = ("--format", "ctrf", "--format", "markdown=here.md", "--format", "badge-svg=-", "--format", "junit")
    done = wsproof("check", url, "--select", "CONN-01", "--quiet", "--output", out, *options, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    document = read_document(out / "results.json")
    assert done.stdout == render("badge-svg", document)
    assert "CONN  Connecting" in done.stderr
    assert done.stderr.splitlines()[-1].endswith(f"{out / 'ctrf.json'}  here.md")
    # What was not asked for may be anybody's.
    usual = {"results.json", "results.jsonl", "report.html", "junit.xml"}
    assert written(out) == usual | {"ctrf.json", "summary.md"}
    assert (out / "ctrf.json").read_text(encoding="utf-8") == render("ctrf", document)
    assert (tmp_path / "here.md").read_text(encoding="utf-8") == render("markdown", document)


@pytest.mark.slow
def test_a_check_speaks_the_language_it_is_asked_for(url: str, tmp_path: Path) -> None:
    options = ("--select", "CONN-01", "--quiet", "--output", "out", "--format", "markdown=-", "--lang", "ja")
    done = wsproof("check", url, *options, folder=tmp_path)
    assert done.stdout == render("markdown", read_document(tmp_path / "out" / "results.json"), "ja")
    assert "✓ 適合" in done.stdout


def test_a_load_test_writes_what_it_is_asked_for(url: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    options = ("--format", "junit", "--format", "badge=-", "--format", "jsonl=lines", "--threshold", "lost == 0")
    done = wsproof("load", url, "--users", "3", "--time", "2s", "--quiet", "--output", out, *options, folder=tmp_path)
    # A busy machine may lose something, or be the limit itself.
    assert done.returncode in (0, 1), done.stderr
    document = read_document(out / "load.json")
    assert json.loads(done.stdout)["label"] == "WebSocket load"
    assert done.stdout == render("badge", document)
    assert written(out) == {"load.json", "load.html", "load-junit.xml"}
    assert (out / "load-junit.xml").read_text(encoding="utf-8") == render("junit", document)
    assert (tmp_path / "lines").read_text(encoding="utf-8") == render("jsonl", document)
    assert done.stderr.splitlines()[-1].split("  ")[-1] == str(out / "load.json")


@pytest.mark.slow
def test_a_report_that_cannot_be_written_costs_nothing_else(url: str, tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    options = ("--format", "badge=/dev/full", "--format", "ctrf")
    done = wsproof("check", url, "--select", "CONN-01", "--quiet", "--output", "out", *options, folder=tmp_path)
    assert done.returncode == 2
    assert "wsproof: /dev/full cannot be written: No space left on device" in done.stderr.splitlines()
    assert written(tmp_path / "out") >= {"ctrf.json", "results.json", "junit.xml", "report.html"}
    assert Path("/dev/full").is_char_device()


def test_what_a_former_run_left_is_not_taken_for_this_ones(tmp_path: Path) -> None:
    left = [tmp_path / name for name in ("results.json", "ctrf.json", "elsewhere", "badge.svg")]
    for path in left:
        path.write_text("former", encoding="utf-8")
    forget_former(wanted_reports(REPORTS, ("ctrf", f"badge={left[2]}", "text=/dev/null"), None, tmp_path, RESULTS))
    assert [path.exists() for path in left] == [False, False, False, True]
    assert Path("/dev/null").is_char_device()


def test_each_report_is_made_once(tmp_path: Path) -> None:
    found = wanted_reports(REPORTS, ("junit", "json", "ctrf", "ctrf"), None, tmp_path, RESULTS)
    assert [one.name for one in found] == [*REPORTS, "ctrf"]
    more = wanted_reports(LOAD_REPORTS, ("json",), str(tmp_path / "more.json"), tmp_path, LOAD)
    assert [one.path for one in more if one.name == "json"] == [tmp_path / "load.json", tmp_path / "more.json"]


@pytest.mark.parametrize(
    ("formats", "json_path", "said"),
    [
        (("ctrf={folder}/junit.xml",), None, "junit.xml is already used for the junit report"),
        (("ctrf=-", "badge=-"), None, "only one report can go to standard output"),
        (("ctrf=",), None, "expected a file after ="),
        (("ctrf={folder}",), None, "expected a file, found a directory"),
        ((), "{folder}/none/x", "--json {folder}/none/x: no such directory"),
        (("CTRF",), None, "--format CTRF: expected one of html, text"),
    ],
)
def test_mistakes(formats: tuple[str, ...], json_path: str | None, said: str, tmp_path: Path) -> None:
    filled = [one.format(folder=tmp_path) for one in formats]
    path = json_path.format(folder=tmp_path) if json_path else None
    with pytest.raises(OutputError) as error:
        wanted_reports(REPORTS, filled, path, tmp_path, RESULTS)
    assert said.format(folder=tmp_path) in str(error.value)


def test_the_documentation_has_every_format_and_file() -> None:
    rows = re.findall(r"^\| `([\w-]+)` \| .* \| `([\w.-]+)`(.*) \| `([\w.-]+)`(.*) \|$", DOCS.read_text(), re.MULTILINE)
    assert [(row[0], row[1], row[3]) for row in rows] == [
        (name, one.results.file, one.load.file) for name, one in FORMATS.items()
    ]
    assert {row[0] for row in rows if row[2]} == set(REPORTS)
    assert {row[0] for row in rows if row[4]} == set(LOAD_REPORTS)
