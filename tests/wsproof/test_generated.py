"""`wsproof check` of a contract without a line of scenario."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from conformance.run.stream import read_stream
from contract.files import load_yaml
from tests.conformance.generated.desk import ROLES, TOKEN, Desk, Talk, running, written
from tests.slow import slow_but
from tests.wsproof.command import PATIENCE, read, surroundings, within

BARE = ROLES[: ROLES.index("  reactions:")] + ROLES[ROLES.index("numbers:") :]
OPTIONS = ("--contract", "desk", "--set", "users.alice.token=${DESK_TOKEN}", "--set", "response_timeout=1s")


class Silent(Desk):
    def found(self, talk: Talk, identity: Any) -> None:
        pass


def checked(folder: Path, desk: Desk, *options: str, roles: str = ROLES) -> tuple[int, Any, str]:
    """Exit code, document and summary."""
    written(folder / "desk", roles)
    with running(desk) as url:
        done = within("check", url, *OPTIONS, *options, folder=folder, DESK_TOKEN=TOKEN)
    try:
        return done.returncode, read(folder / "wsproof-report" / "results.json"), done.stdout
    except FileNotFoundError:
        raise AssertionError(done.stdout + done.stderr) from None


def test_the_right_server(tmp_path: Path) -> None:
    code, document, _ = checked(tmp_path, Desk())
    assert (code, document["verdict"]) == (0, "conformant")
    assert {one["id"].partition("-")[0] for one in document["scenarios"]} == {"generated"}


def test_a_failure_is_repeated_by_its_id(tmp_path: Path) -> None:
    code, document, summary = checked(tmp_path, Silent(), "--select", "generated-answer/look")
    assert (code, document["verdict"]) == (1, "non-conformant")
    assert [one["id"] for one in document["scenarios"]] == ["generated-answer/look"]
    assert "`look` was not answered" in summary
    page = (tmp_path / "wsproof-report" / "report.html").read_text(encoding="utf-8")
    assert "--select generated-answer/look" in page


def test_a_baseline_may_list_it(tmp_path: Path) -> None:
    code, _, _ = checked(tmp_path, Silent(), "--write-baseline", "known.yaml")
    assert code == 1
    assert [one["requirement"] for one in load_yaml(tmp_path / "known.yaml").value["entries"]] == ["MSG-23"]
    code, document, _ = checked(tmp_path, Silent(), "--baseline", "known.yaml")
    assert (code, document["outcome"]["passed"]) == (0, True)


def test_the_list(tmp_path: Path) -> None:
    written(tmp_path / "desk")
    done = within("check", "--contract", "desk", "--list", "--json", "-", folder=tmp_path)
    listed = {one["id"]: one for one in json.loads(done.stdout)["scenarios"]}
    assert listed["generated-invalid/missing-look-what.colour"]["title"] == "`look` without `what.colour`"
    assert listed["generated-invalid/missing-look-what.colour"]["title_ja"] == "`what.colour` のない `look`"


@pytest.mark.parametrize(
    ("language", "heading", "seen"),
    [
        ("en", "Observed, not judged", "A text that is not JSON: the next message: "),
        ("ja", "観察のみ（判定なし）", "JSON でないテキスト: 次のメッセージ: "),
    ],
)
def test_what_is_left_open_is_listed(tmp_path: Path, language: str, heading: str, seen: str) -> None:
    options = ("--lang", language, "--format", "markdown")
    code, document, summary = checked(tmp_path, Desk(), *options, roles=BARE)
    assert (code, document["verdict"]) == (0, "conformant")
    first = document["observations"][0]
    assert (first["scenario"], first["what"]) == ("generated-invalid/not-json", "A text that is not JSON")
    assert first["seen"].startswith('the next message: {"kind": "fault", "code": "NOT_JSON"')
    report = tmp_path / "wsproof-report"
    assert read_stream(report / "results.jsonl")["observations"] == document["observations"]
    for text in (
        summary,
        (report / "summary.md").read_text(encoding="utf-8"),
        (report / "report.html").read_text(encoding="utf-8"),
    ):
        assert heading in text
    assert seen in summary


@pytest.mark.parametrize("named", slow_but(["--wsproof-bundled"], ["--wsproof-bundled", "desk/asyncapi.yaml", "."]))
def test_pytest_plays_it_where_it_is_named(tmp_path: Path, named: str) -> None:
    """A folder that is walked may hold any contract: only what is asked for is played."""
    written(tmp_path / "desk")
    (tmp_path / "wsproof.yaml").write_text(f"contract: desk\nusers: {{alice: {{token: {TOKEN}}}}}\n", encoding="utf-8")
    with running(Desk()) as url:
        arguments = ("-p", "wsproof.pytest_plugin", "-p", "no:cacheprovider", "--wsproof-url", url, named)
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "--strict-markers", *arguments],
            cwd=tmp_path,
            env={**surroundings({}), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    said = "no tests ran" if named == "." else "16 passed"
    assert said in done.stdout, done.stdout + done.stderr
