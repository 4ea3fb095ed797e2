"""`wsproof compare` as it is typed: files of real runs' kinds in, files and an exit code out."""

import json
from pathlib import Path

import pytest

from tests.reports import builder, comparisons, loads
from tests.reports.builder import Json
from tests.reports.comparisons import VALIDATOR, slower, verdicts
from tests.wsproof.command import complaint, read, within, wsproof

GOOD = verdicts(ERR_01="passed", ERR_02="passed")
BAD = verdicts(ERR_01="failed", ERR_02="passed")


def _write(path: Path, document: Json) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def runs(tmp_path: Path) -> Path:
    """Folders as `wsproof check` and `wsproof load` leave them."""
    for name, document in {"good": GOOD, "bad": BAD}.items():
        _write(tmp_path / name / "results.json", document)
        (tmp_path / name / "report.html").write_text("the page", encoding="utf-8")
    _write(tmp_path / "quick" / "load.json", slower(1.0))
    _write(tmp_path / "slow" / "load.json", slower(2.0))
    return tmp_path


@pytest.mark.parametrize(
    ("sides", "code", "said"),
    [
        (("good", "good/results.json"), 0, "= good (2) is no worse than good (1): no verdict changed."),
        (("good", "bad"), 1, "⬇ bad is worse than good: 1 worse."),
        (("bad", "good"), 0, "⬆ good is better than bad: 1 better."),
        (("good", "bad", "again=good"), 0, "≡ 2 of 3 are conformant; they differ in 1 of 2 requirements."),
        (("quick", "slow"), 1, "⬇ slow is worse than quick: 3 worse."),
        (("quick", "slow", "--tolerance", "150%"), 0, "= slow is no worse than quick: nothing changed beyond"),
    ],
)
def test_the_verdict_is_the_exit_code(sides: tuple[str, ...], code: int, said: str, runs: Path) -> None:
    done = within("compare", *sides, folder=runs)
    assert (done.returncode, done.stderr) == (code, "")
    assert said in done.stdout
    assert done.stdout.endswith("wsproof-report/comparison.html  wsproof-report/comparison.json\n")


def test_both_files_are_written_with_links_to_the_runs(runs: Path) -> None:
    done = wsproof("compare", "main=good", "branch=bad/results.json", "--output", "out/deep", folder=runs)
    assert done.returncode == 1
    document = read(runs / "out" / "deep" / "comparison.json")
    VALIDATOR.validate(document)
    assert [(run["name"], run["page"]) for run in document["runs"]] == [
        ("main", "../../good/report.html"),
        ("branch", "../../bad/report.html"),
    ]
    page = (runs / "out" / "deep" / "comparison.html").read_text(encoding="utf-8")
    assert 'href="../../bad/report.html#scenario-case-err-01"' in page
    assert sorted(path.name for path in (runs / "out" / "deep").iterdir()) == ["comparison.html", "comparison.json"]


def test_a_folder_that_would_be_taken_for_a_scheme(runs: Path) -> None:
    (runs / "bad").rename(runs / "javascript:alert(1)?#")
    done = within("compare", "good", "javascript:alert(1)?#", "--output", ".", folder=runs)
    assert done.returncode == 1
    page = (runs / "comparison.html").read_text(encoding="utf-8")
    assert 'href="javascript%3Aalert%281%29%3F%23/report.html#' in page


def test_a_run_without_its_page_is_not_linked(runs: Path) -> None:
    (runs / "bad" / "report.html").unlink()
    within("compare", "good", "bad", "--output", "out", folder=runs)
    first, second = read(runs / "out" / "comparison.json")["runs"]
    assert (first["page"], second["page"]) == ("../good/report.html", None)


def test_the_document_on_standard_output(runs: Path) -> None:
    done = within("compare", "good", "bad", "--json", "-", "-q", folder=runs)
    VALIDATOR.validate(json.loads(done.stdout))
    assert (done.returncode, done.stderr) == (1, "⬇ bad is worse than good: 1 worse.\n")
    again = within("compare", "good", "bad", "--json", "same.json", "-q", folder=runs)
    assert again.stdout == "⬇ bad is worse than good: 1 worse.\n"
    assert (runs / "same.json").read_text(encoding="utf-8") == done.stdout
    assert (runs / "wsproof-report" / "comparison.json").read_text(encoding="utf-8") == done.stdout


def test_markdown_for_the_summary_of_a_job(runs: Path) -> None:
    done = within("compare", "good", "bad", "--format", "markdown=-", "--format", "text", folder=runs)
    assert done.returncode == 1
    assert done.stdout.startswith("### ⬇ bad is worse than good: 1 worse.\n")
    assert "⬇ bad is worse than good: 1 worse.\n" in done.stderr
    text = (runs / "wsproof-report" / "comparison.txt").read_text(encoding="utf-8")
    assert text.endswith("⬇ bad is worse than good: 1 worse.\n")


@pytest.mark.slow
def test_in_japanese_with_the_same_document(runs: Path) -> None:
    for language in ("en", "ja"):
        done = within("compare", "good", "bad", "--lang", language, "--output", language, folder=runs)
        assert done.returncode == 1
    assert "⬇ bad は good より悪化しています: 悪化 1 件。\n" in done.stdout
    assert "サーバーは ERR-01" in (runs / "ja" / "comparison.html").read_text(encoding="utf-8")
    documents = [(runs / language / "comparison.json").read_bytes() for language in ("en", "ja")]
    assert documents[0] == documents[1]


@pytest.mark.slow
def test_the_same_files_give_the_same_bytes(runs: Path) -> None:
    for folder in ("one", "two"):
        within("compare", "quick", "slow", "--output", folder, folder=runs)
    for name in ("comparison.html", "comparison.json"):
        assert (runs / "one" / name).read_bytes() == (runs / "two" / name).read_bytes()


@pytest.mark.slow
def test_a_run_that_was_killed_is_compared_by_its_stream(runs: Path) -> None:
    done = wsproof("check", "--select", "ERR-02", "--output", "killed", "-q", folder=runs)
    assert done.returncode == 0, done.stdout + done.stderr
    (runs / "killed" / "results.json").rename(runs / "whole.json")
    lines = (runs / "killed" / "results.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (runs / "killed" / "results.jsonl").write_text("".join(lines[:1]), encoding="utf-8")
    done = within("compare", "whole.json", "killed", folder=runs)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "The run was cut off\n" in done.stdout
    assert "⬇ ERR-02 MUST  passed → untested" in done.stdout


MISTAKES = [
    ((), "expected two or more runs, found none. See wsproof compare --help."),
    (("good",), "expected two or more runs, found only good. See wsproof compare --help."),
    (("good", "none"), "none: no such file or directory"),
    (("good", "x=none.json"), "none.json: no such file or directory"),
    (("good", "=bad"), "=bad: expected FILE or NAME=FILE"),
    (("good", "x="), "x=: expected FILE or NAME=FILE"),
    (("good", "empty"), "empty: expected results.json or load.json in this directory, found neither"),
    (("good", "both"), "both: contains results.json and load.json: name the one to compare"),
    (("good", "slow"), "good is a conformance run and slow a load run: compare runs of the same kind"),
    (("x=good", "x=bad"), "two runs are named x: give them different names (NAME=FILE)"),
    (("good", "broken.json"), "broken.json: 1:2: expected JSON: "),
    (("good", "broken.jsonl"), "broken.jsonl:1: expected a JSON object on one line"),
    (("good", "schema.json"), 'schema.json: expected the member "tool"'),
    (
        ("good", "newer.json"),
        'newer.json: /format: version not supported: expected "wsproof.results/2" or "wsproof.load/3", '
        'found "wsproof.results/99"',
    ),
    (("good", "bad", "--tolerance", "much"), "--tolerance much: expected a percentage, such as 10%"),
    (("good", "bad", "--output", "broken.json"), "Directory 'broken.json' is a file."),
    (("good", "bad", "--output", "broken.json/out"), "--output broken.json/out: cannot be written"),
    (("good", "bad", "--json", "none/x.json"), "--json none/x.json: no such directory: none"),
    (("good", "bad", "--format", "junit"), "--format junit: expected one of html, text, markdown, json"),
    (("good", "bad", "--lost"), "No such option '--lost'."),
]


@pytest.mark.slow
@pytest.mark.parametrize(("arguments", "message"), MISTAKES, ids=[" ".join(arguments) for arguments, _ in MISTAKES])
def test_every_mistake_is_one_line(arguments: tuple[str, ...], message: str, runs: Path) -> None:
    (runs / "empty").mkdir()
    for name in ("results.json", "load.json"):
        _write(runs / "both" / name, loads.full())
    (runs / "broken.json").write_text("{", encoding="utf-8")
    (runs / "broken.jsonl").write_text("nothing\n", encoding="utf-8")
    _write(runs / "schema.json", {"format": "wsproof.results/2"})
    _write(runs / "newer.json", builder.results() | {"format": "wsproof.results/99"})
    assert message in complaint("compare", *arguments, folder=runs)
    assert list((runs / "wsproof-report").glob("*")) == []


def test_hostile_documents_and_names(runs: Path) -> None:
    for name in ("one", "two"):
        _write(runs / name / "results.json", builder.hostile(builder.failing_results()))
    done = within("compare", "<script>=one", "\x1b[31m=two", folder=runs)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    assert "<script>=" not in (runs / "wsproof-report" / "comparison.html").read_text(encoding="utf-8")
    assert comparisons.VALIDATOR.is_valid(read(runs / "wsproof-report" / "comparison.json"))
