"""`wsproof lint` of an endpoint's file."""

from pathlib import Path

import pytest

from conformance.run.profile_lint import is_profile, lint_profile
from tests.bundled import CHAT
from wsproof.command_line import main


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "wsproof.yaml"


def test_all_that_is_wrong_is_told(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path.write_text("ack_timeout: soon\nendpont: x\n", encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        main.main(["lint", str(path)], prog_name="wsproof")
    shown = capsys.readouterr()
    assert ended.value.code == 2
    assert [line.removeprefix(f"{path}:") for line in shown.err.splitlines()] == [
        '1:1: ack_timeout: expected a duration such as 500ms, 5s or 2m; got "soon"',
        "2:1: unknown member 'endpont' (did you mean 'endpoint'?)",
    ]
    assert shown.out == "the profile: 2 problems\n"


def test_one_that_is_right(path: Path) -> None:
    path.write_text("users: {alice: {token: a}}\n", encoding="utf-8")
    assert lint_profile(path, CHAT).problems == ()


@pytest.mark.parametrize(
    ("name", "text", "profile"),
    [
        ("wsproof.yaml", "tls: {verify: false}\n", True),
        ("wsproof.yaml", "users: [\n", True),
        ("staging.yaml", "endpoint: ws://x/\n", True),
        ("own.yaml", "format: wsproof.scenarios/1\n", False),
        ("own.yaml", "scenarios: []\n", False),
        ("own.yaml", "users: [\n", False),
    ],
)
def test_which_files_are_profiles(tmp_path: Path, name: str, text: str, profile: bool) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert is_profile(tmp_path / name) is profile
