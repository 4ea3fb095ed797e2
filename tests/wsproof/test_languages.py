"""`--lang`: the reports and summaries of a run, and of one that is rendered again, in Japanese."""

from pathlib import Path

import pytest

from tests.wsproof.command import complaint, read, within, wsproof

ONE = ("check", "--select", "CONN-02", "--lang", "ja")
FOLDER = "wsproof-report"


def test_a_check_reports_in_japanese(tmp_path: Path) -> None:
    done = wsproof(*ONE, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "（選択範囲のみ）: MUST 要件" in done.stdout
    page = (tmp_path / FOLDER / "report.html").read_text(encoding="utf-8")
    assert '<html lang="ja">' in page
    assert "適合性レポート" in page
    assert ">接続<" in page


@pytest.mark.slow
def test_the_results_do_not_depend_on_the_language(tmp_path: Path) -> None:
    wsproof(*ONE, folder=tmp_path, WSPROOF_LANG="en")
    document = read(tmp_path / FOLDER / "results.json")
    assert {one["section_title"] for one in document["requirements"]} >= {"Connecting", "Joining"}
    assert {one["section_title_ja"] for one in document["requirements"]} >= {"接続"}


@pytest.mark.slow
def test_a_report_is_rendered_again_in_either_language(tmp_path: Path) -> None:
    wsproof(*ONE, folder=tmp_path)
    results = tmp_path / FOLDER / "results.json"
    japanese = within("report", results, "--format", "text", "--lang", "ja", folder=tmp_path)
    english = within("report", results, "--format", "text", folder=tmp_path)
    from_variable = within("report", results, "--format", "text", folder=tmp_path, WSPROOF_LANG="ja")
    assert "接続" in japanese.stdout
    assert "Connecting" in english.stdout
    assert from_variable.stdout == japanese.stdout


@pytest.mark.slow
def test_a_load_test_reports_in_japanese(tmp_path: Path) -> None:
    done = wsproof("load", "--users", "2", "--time", "1s", "--lang", "ja", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "適合（2 ユーザーの負荷時）" in done.stdout
    assert "負荷試験レポート" in (tmp_path / FOLDER / "load.html").read_text(encoding="utf-8")


def test_an_unknown_language(tmp_path: Path) -> None:
    line = complaint("check", "--lang", "fr", folder=tmp_path)
    assert "--lang" in line
    assert "en" in line
    assert "ja" in line
