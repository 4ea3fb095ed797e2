"""Scenarios of a user's own, beside the bundled ones and alone; every report names the requirements that they bring."""

import json
from pathlib import Path

import pytest

from tests.slow import slow_but
from tests.wsproof.command import complaint, read, within, wsproof
from tests.wsproof.own import FORMATS, scenario, written, wrong


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A check of own scenarios, one of which fails."""
    folder = tmp_path_factory.mktemp("own")
    written(folder / "own.yaml", scenario("acme-a", "ACME-01"), scenario("acme-b", "ACME-02", wrong("ACME-02")))
    done = wsproof("check", "--only-scenarios", "own.yaml", folder=folder)
    assert done.returncode == 1, done.stderr
    assert "  ACME  ACME                   ✗ 1 failed, ✓ 1 passed\n" in done.stdout
    assert "✗ ACME-02 MUST  What acme-b says\n" in done.stdout
    assert "✗ Not conformant: 1 MUST requirement fails (ACME-02).\n" in done.stdout
    return folder


@pytest.mark.parametrize("form", slow_but(["html", "junit"], FORMATS))
def test_every_report_names_them(form: str, folder: Path) -> None:
    done = within("report", "wsproof-report/results.json", "--format", form, folder=folder)
    assert done.returncode == 0, done.stderr
    assert "ACME-02" in done.stdout
    assert "acme-b" in done.stdout


def test_a_run_that_was_cut_off_names_them(folder: Path) -> None:
    text = (folder / "wsproof-report" / "results.jsonl").read_text(encoding="utf-8")
    (folder / "cut.jsonl").write_text("".join(text.splitlines(keepends=True)[:-1]), encoding="utf-8")
    done = within("report", "cut.jsonl", "--format", "text", folder=folder)
    assert "ACME-02 MUST  What acme-b says" in done.stdout


def test_beside_the_bundled_ones(folder: Path) -> None:
    done = wsproof(
        *("check", "--scenarios", "own.yaml", "--select", "acme-a", "--select", "JOIN-04", "--output", "both"),
        folder=folder,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    document = read(folder / "both" / "results.json")
    assert {one["group"] for one in document["scenarios"]} == {"JOIN", "ACME"}
    assert (document["settings"]["scenarios"], document["settings"]["only_scenarios"]) == (["own.yaml"], [])
    assert document["requirements"][-1]["id"] == "ACME-02"


@pytest.mark.slow
def test_the_report_repeats_them(folder: Path) -> None:
    text = (folder / "wsproof-report" / "report.html").read_text(encoding="utf-8")
    assert "wsproof check --only-scenarios own.yaml --select acme-b" in text


@pytest.mark.slow
def test_a_baseline_knows_them(folder: Path) -> None:
    (folder / "b.yaml").write_text(
        "format: wsproof.baseline/1\nentries: [{requirement: ACME-02, reason: known}]\n", encoding="utf-8"
    )
    options = ("--only-scenarios", "own.yaml", "--baseline", "b.yaml", "--output", "out")
    done = wsproof("check", *options, folder=folder)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_file_may_have_any_name(tmp_path: Path) -> None:
    written(tmp_path / "own.txt", scenario("acme-a", "ACME-01"))
    done = wsproof("check", "--only-scenarios", "own.txt", folder=tmp_path)
    assert (done.returncode, read(tmp_path / "wsproof-report" / "results.json")["verdict"]) == (0, "conformant")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--scenarios", "own.yaml", "--only-scenarios", "own.yaml"), "cannot be used together"),
        (("--scenarios", "twice.yaml"), "/join.yaml:"),
        (("--scenarios", "typo.yaml"), "no requirements.yaml declares SEND-99 (did you mean"),
        (("--scenarios", "empty"), "empty: no scenario files (*.yaml) found"),
    ],
)
def test_mistakes(options: tuple[str, ...], said: str, folder: Path) -> None:
    written(folder / "twice.yaml", scenario("join-twice", "ACME-01"))
    written(folder / "typo.yaml", scenario("acme-c", "SEND-99"))
    (folder / "empty").mkdir(exist_ok=True)
    done = within("check", *options, folder=folder)
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr


class TestList:
    def test_a_line_each(self, folder: Path) -> None:
        options = ("--scenarios", "own.yaml", "--select", "ACME", "--select", "send-text-unchanged/emoji")
        done = within("check", "ws://nobody.invalid/", "--list", *options, folder=folder)
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines() == [
            "send-text-unchanged/emoji  MUST  SEND  SEND-02",
            "acme-a                     MUST  ACME  ACME-01",
            "acme-b                     MUST  ACME  ACME-02",
        ]
        assert done.stderr == "3 scenarios\n"

    def test_as_json(self, folder: Path) -> None:
        options = ("--only-scenarios", "own.yaml", "--select", "acme-a", "--json", "-")
        done = within("check", "--list", *options, folder=folder)
        (one,) = json.loads(done.stdout)["scenarios"]
        assert (one["id"], one["verifies"], one["level"], one["group"]) == ("acme-a", ["ACME-01"], "MUST", "ACME")

    def test_writes_nothing_and_needs_no_profile(self, tmp_path: Path) -> None:
        (tmp_path / "wsproof.yaml").write_text("users: {alice: {token: '${NOT_SET}'}}\n", encoding="utf-8")
        done = within("check", "--list", "--select", "CONN-01", folder=tmp_path)
        assert done.returncode == 0, done.stderr
        assert [one.name for one in tmp_path.iterdir()] == ["wsproof.yaml"]

    def test_of_nothing(self, tmp_path: Path) -> None:
        said = complaint("check", "--list", "--select", "JION-01", folder=tmp_path)
        assert said.startswith("--select JION-01: no scenario has this id")
