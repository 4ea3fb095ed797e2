"""Runs that end before everything was played, since they were to: after enough failures, or after their time."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.slow import slow_but
from tests.wsproof.command import complaint, read, within, wsproof
from tests.wsproof.own import FORMATS, scenario, written, wrong

ENDED = "What had not finished by then was not verified."


def failing(folder: Path, level: str = "MUST") -> None:
    """Twelve scenarios, each of which fails."""
    checks = wrong("ACME-01", level)
    written(folder / "own.yaml", *(scenario(f"acme-{number}", "ACME-01", checks) for number in range(12)))


@pytest.mark.parametrize(("options", "most"), [(("-x",), 1), (("--exitfirst",), 1), (("--maxfail", "3"), 3)])
def test_enough_failures_end_the_run(options: tuple[str, ...], most: int, tmp_path: Path) -> None:
    failing(tmp_path)
    done = wsproof("check", "--only-scenarios", "own.yaml", "--jobs", "1", *options, folder=tmp_path)
    assert done.returncode == 1, done.stderr
    document = read(tmp_path / "wsproof-report" / "results.json")
    verdicts = [one["verdict"] for one in document["scenarios"]]
    assert (verdicts.count("failed"), verdicts.count("untested")) == (most, 12 - most)
    how = "at the first failure (--maxfail 1)" if most == 1 else f"after {most} failures (--maxfail {most})"
    assert document["ended"]["message"] == f"the run stopped {how}"
    assert (document["complete"], document["verdict"]) == (False, "non-conformant")
    assert {one["reason"] for one in document["scenarios"] if one["verdict"] == "untested"} == {
        f"not finished: the run stopped {how}"
    }
    assert ENDED in " ".join(done.stdout.split())


@pytest.mark.slow
def test_what_does_not_fail_the_run_does_not_end_it(tmp_path: Path) -> None:
    failing(tmp_path, "SHOULD")
    done = wsproof("check", "--only-scenarios", "own.yaml", "-x", folder=tmp_path)
    assert (done.returncode, read(tmp_path / "wsproof-report" / "results.json")["complete"]) == (0, True)
    done = wsproof("check", "--only-scenarios", "own.yaml", "--jobs", "1", "-x", "--strict", folder=tmp_path)
    assert (done.returncode, read(tmp_path / "wsproof-report" / "results.json")["complete"]) == (1, False)


@pytest.mark.slow
def test_what_a_baseline_lists_does_not_end_it(tmp_path: Path) -> None:
    failing(tmp_path)
    text = "format: wsproof.baseline/1\nentries: [{requirement: ACME-01, reason: known}]\n"
    (tmp_path / "b.yaml").write_text(text, encoding="utf-8")
    done = wsproof("check", "--only-scenarios", "own.yaml", "-x", "--baseline", "b.yaml", folder=tmp_path)
    assert (done.returncode, read(tmp_path / "wsproof-report" / "results.json")["complete"]) == (0, True)


@pytest.mark.slow
def test_the_last_failure_leaves_nothing_out(tmp_path: Path) -> None:
    failing(tmp_path)
    done = wsproof("check", "--only-scenarios", "own.yaml", "--jobs", "1", "--maxfail", "12", folder=tmp_path)
    assert (done.returncode, read(tmp_path / "wsproof-report" / "results.json")["complete"]) == (1, True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose time is over before a heartbeat could come."""
    folder = tmp_path_factory.mktemp("time")
    beat = ("--set", "heartbeat.interval=60", "--set", "heartbeat.timeout=60")
    done = wsproof("check", *beat, "--select", "HB-01", "--time-limit", "500ms", folder=folder)
    assert done.returncode == 1, done.stderr
    assert "▲ This run ended early: the time limit of 500ms was reached (--time-limit). What" in done.stdout
    assert "✗ The run fails: the time limit of 500ms was reached (--time-limit).\n" in done.stdout
    return folder


@pytest.mark.slow
class TestTimeLimit:
    def test_the_document(self, folder: Path) -> None:
        document = read(folder / "wsproof-report" / "results.json")
        assert (document["complete"], document["verdict"]) == (False, "incomplete")
        assert document["outcome"]["reasons"] == ["the time limit of 500ms was reached (--time-limit)"]
        reasons = {one["reason"] for one in document["scenarios"] if one["verdict"] == "untested"}
        assert reasons == {"not finished: the time limit of 500ms was reached (--time-limit)"}

    @pytest.mark.parametrize("form", slow_but(["html", "junit"], FORMATS))
    def test_every_report_says_why(self, form: str, folder: Path) -> None:
        for language, said in (("en", "the time limit of 500ms"), ("ja", "制限時間 500ms に達しました")):
            report = ("report", "wsproof-report/results.json", "--format", form, "--lang", language)
            text = within(*report, folder=folder).stdout
            if form == "ctrf":  # which is ASCII
                text = text.encode().decode("unicode-escape")
            assert (said if form not in ("json", "jsonl") else "time-limit") in text

    def test_the_stream_says_the_same(self, folder: Path) -> None:
        again = within("report", "wsproof-report/results.jsonl", "--format", "json", folder=folder)
        assert again.stdout == (folder / "wsproof-report" / "results.json").read_text(encoding="utf-8")

    @pytest.mark.slow
    def test_what_may_stay_undecided_passes(self, tmp_path: Path) -> None:
        beat = ("--set", "heartbeat.interval=60", "--set", "heartbeat.timeout=60")
        options = ("--select", "HB-01", "--time-limit", "500ms", "--allow-undecided")
        done = wsproof("check", *beat, *options, folder=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        document = read(tmp_path / "wsproof-report" / "results.json")
        assert (document["complete"], document["verdict"], document["outcome"]["passed"]) == (False, "incomplete", True)
        root = ET.parse(tmp_path / "wsproof-report" / "junit.xml").getroot()
        assert not [one for one in root.iter("testcase") if one.find("error") is not None]

    @pytest.mark.slow
    def test_generated_messages_end_as_well(self, tmp_path: Path) -> None:
        options = ("--select", "fuzz", "--fuzz", "100000", "--time-limit", "1s", "--json", "-")
        done = wsproof("check", *options, folder=tmp_path)
        assert done.returncode == 1, done.stderr
        document = json.loads(done.stdout)
        assert document["ended"]["code"] == "time-limit"
        assert "untested" in {one["verdict"] for one in document["scenarios"]}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--time-limit", "soon"), "Invalid value for '--time-limit': expected a duration such as 5, 500ms or 2m"),
        (("--time-limit", "0s"), "Invalid value for '--time-limit': expected more than 0"),
        (("--maxfail", "0"), "Invalid value for '--maxfail'"),
    ],
)
def test_mistakes(options: tuple[str, ...], said: str, tmp_path: Path) -> None:
    assert said in complaint("check", *options, folder=tmp_path)


def test_a_baseline_is_not_written_of_half_a_run(tmp_path: Path) -> None:
    failing(tmp_path)
    options = ("--only-scenarios", "own.yaml", "--jobs", "1", "-x", "--write-baseline", "b.yaml")
    done = wsproof("check", *options, folder=tmp_path)
    assert "wsproof: b.yaml was not written: the run is incomplete\n" in done.stderr
    assert not (tmp_path / "b.yaml").exists()
