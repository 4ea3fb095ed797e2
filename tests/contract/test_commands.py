"""Secrets that commands print: real programs, each run once, and none of whose words is shown."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from contract import commands
from contract.commands import MAX_CHARACTERS, VARIABLE, handed_over
from contract.errors import ContractError
from contract.profile import Profile
from tests.bundled import load_profile


@pytest.fixture(autouse=True)
def _nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "_outputs", {})


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def counting(folder: Path, text: str) -> list[str]:
    """Prints a text, and leaves a mark in a file of its folder."""
    return python(f"open('runs', 'a').write('x'); print({text!r})")


def runs(folder: Path) -> int:
    path = folder / "runs"
    return len(path.read_text()) if path.exists() else 0


def loaded(folder: Path, value: Any, **options: Any) -> Profile:
    # JSON is YAML.
    (folder / "wsproof.yaml").write_text(json.dumps(value), encoding="utf-8")
    return load_profile(folder / "wsproof.yaml", **options)


def test_wherever_a_secret_stands(tmp_path: Path) -> None:
    said = {name: {"command": python(f"print('covert-{name}')")} for name in "abcdefg"}
    profile = loaded(
        tmp_path,
        {
            "users": {"alice": {"token": said["a"]}, "bob": {"token": "covert-bob"}},
            "tokens": {"invalid": said["b"], "expired": said["c"], "expiring": {"token": said["d"], "after": "5s"}},
            "headers": {"X-Key": said["e"]},
            "cookies": {"gate": said["f"]},
            "basic": {"user": "ci", "password": said["g"]},
        },
    )
    assert [user.token for user in profile.users.values()] == ["covert-a", "covert-bob"]
    tokens = profile.tokens
    assert (tokens.invalid, tokens.expired, tokens.expiring) == ("covert-b", "covert-c", "covert-d")
    access = profile.access
    assert (access.headers, access.cookies) == ((("X-Key", "covert-e"),), (("gate", "covert-f"),))
    assert access.basic == "ci:covert-g"
    assert {f"covert-{name}" for name in "abcdefg"} <= set(profile.secrets())
    assert "covert" not in repr(profile)


def test_a_text_is_taken_apart_as_a_shell_does_and_runs_in_the_profile_s_folder(tmp_path: Path) -> None:
    (tmp_path / "vault.py").write_text("import sys; print('covert', *sys.argv[1:], sep='-')", encoding="utf-8")
    command = f"{sys.executable} vault.py 'a b' \"${{WHO}}\""
    (tmp_path / "wsproof.yaml").write_text(f"users:\n  alice: {{token: {{command: {json.dumps(command)}}}}}\n")
    profile = load_profile(tmp_path / "wsproof.yaml", None, {"WHO": "$HOME"})
    assert profile.users["alice"].token == "covert-a b-$HOME"


def test_it_is_run_once(tmp_path: Path) -> None:
    value = {"users": {"alice": {"token": {"command": counting(tmp_path, "covert")}}}}
    for _ in range(3):
        assert loaded(tmp_path, value).users["alice"].token == "covert"
    assert runs(tmp_path) == 1


def test_a_child_gets_it_handed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    value = {"users": {"alice": {"token": {"command": counting(tmp_path, "covert")}}}}
    assert handed_over() == {}
    loaded(tmp_path, value)
    given = handed_over()
    monkeypatch.setattr(commands, "_outputs", {})
    monkeypatch.setenv(VARIABLE, given[VARIABLE])
    assert loaded(tmp_path, value).users["alice"].token == "covert"
    assert runs(tmp_path) == 1
    assert VARIABLE not in os.environ


def test_lint_runs_none(tmp_path: Path) -> None:
    value = {"users": {name: {"token": {"command": counting(tmp_path, "covert")}} for name in ("alice", "bob")}}
    assert loaded(tmp_path, value, run_commands=False).users["alice"].token != "covert"
    assert runs(tmp_path) == 0


def test_one_that_expires_is_printed_anew(tmp_path: Path) -> None:
    count = "file = open('runs', 'a'); file.write('x'); file.flush(); print(f'covert-{file.tell()}')"
    value = {"tokens": {"expiring": {"token": {"command": python(count)}}}}
    profile = loaded(tmp_path, value)
    assert profile.tokens.expiring == "covert-1"
    assert [profile.tokens.fresh_expiring(), profile.tokens.fresh_expiring()] == ["covert-2", "covert-3"]
    assert {"covert-1", "covert-2", "covert-3"} <= set(profile.secrets())
    assert loaded(tmp_path, {"tokens": {"expiring": "covert"}}).tokens.fresh_expiring() == "covert"


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        (["no-such-program", "covert"], "the command no-such-program cannot be run: No such file or directory"),
        ("  ", "expected a command and its arguments"),
        ("'", "No closing quotation"),
        (python("pass"), "printed nothing; expected one line with only the secret"),
        (python("print('covert\\ncovert')"), "printed 2 lines; expected one line with only the secret"),
        (python(f"print('covert' * {MAX_CHARACTERS})"), f"printed {6 * MAX_CHARACTERS} characters; expected one line"),
        (
            python("import sys; print('covert-1'); sys.exit('no vault\\x1b[2J for covert-1')"),
            "ended with exit code 1: no vault\\u001b[2J for •••",
        ),
        (python("import sys; sys.exit(3)"), "ended with exit code 3: no output"),
        ([*python("import sys; sys.exit(sys.argv[1] + ' is wrong')"), "covert-2"], "exit code 1: ••• is wrong"),
    ],
)
def test_one_that_gives_no_secret(command: Any, problem: str, tmp_path: Path) -> None:
    with pytest.raises(ContractError) as caught:
        loaded(tmp_path, {"users": {"alice": {"token": {"command": command}}}})
    assert problem in str(caught.value)
    assert "users.alice.token: " in str(caught.value)
    assert "covert" not in str(caught.value)


def test_one_that_does_not_end(tmp_path: Path) -> None:
    command = python("import time; time.sleep(600)")
    with pytest.raises(ContractError, match=r"users\.alice\.token: the command .* did not finish within 0\.2 s"):
        loaded(tmp_path, {"users": {"alice": {"token": {"command": command, "timeout": "200ms"}}}})


def test_two_users_whose_commands_print_one_token(tmp_path: Path) -> None:
    said = {"command": python("print('covert')")}
    with pytest.raises(ContractError, match=r"same value as users\.alice\.token"):
        loaded(tmp_path, {"users": {"alice": {"token": said}, "bob": {"token": said}}})
