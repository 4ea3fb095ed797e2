"""Tokens of virtual users: from the profile, a file or a command; none of them is ever shown."""

import sys
from pathlib import Path

import pytest

from loadtest.settings.settings import LoadError, TokenSource
from loadtest.settings.tokens import read_tokens
from tests.bundled import load_profile


def test_a_pattern_gives_each_user_its_own() -> None:
    tokens = read_tokens(TokenSource(), load_profile(None, {}), 3)
    assert [tokens(number) for number in (1, 2, 3)] == ["load-1", "load-2", "load-3"]


def test_the_profiles_users_take_turns_where_there_is_no_pattern() -> None:
    profile = load_profile(None, {"users": {"alice": {"token": "a"}, "bob": {"token": "b"}}})
    tokens = read_tokens(TokenSource(), profile, 3)
    assert [tokens(number) for number in (1, 2, 3)] == ["a", "b", "a"]


def test_a_file_has_one_a_line(tmp_path: Path) -> None:
    path = tmp_path / "tokens.txt"
    path.write_text("first\n\n  second  \n", encoding="utf-8")
    tokens = read_tokens(TokenSource("file", str(path)), load_profile(None, {}), 2)
    assert [tokens(number) for number in (1, 2)] == ["first", "second"]


def test_a_command_prints_one_a_line(tmp_path: Path) -> None:
    script = tmp_path / "tokens.py"
    script.write_text("for n in range(3): print(f'token-{n}')", encoding="utf-8")
    source = TokenSource("command", f"{sys.executable} {script}")
    assert read_tokens(source, load_profile(None, {}), 3)(3) == "token-2"


@pytest.mark.parametrize(
    ("content", "users", "expected"),
    [
        (b"one\ntwo\n", 3, "2 tokens for 3 users"),
        (b"one two\n", 1, "line 1 is not a token"),
        (b"one\n\x1b[31m\n", 2, "line 2 is not a token"),
        (b"\xff\xfe", 1, "not UTF-8"),
        (b"x" * 20_000, 1, "line 1 is not a token"),
    ],
)
def test_a_wrong_file_is_told_without_its_tokens(tmp_path: Path, content: bytes, users: int, expected: str) -> None:
    path = tmp_path / "tokens.txt"
    path.write_bytes(content)
    with pytest.raises(LoadError, match=expected) as caught:
        read_tokens(TokenSource("file", str(path)), load_profile(None, {}), users)
    assert "one" not in str(caught.value).replace("one per line", "")


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("no-such-command-anywhere --now", "no-such-command-anywhere: No such file"),
        ("'", "No closing quotation"),
        ("", "expected a command"),
        (f"{sys.executable} -c 'raise SystemExit(3)'", "exit code 3"),
    ],
)
def test_a_wrong_command_is_told(command: str, expected: str) -> None:
    with pytest.raises(LoadError, match=expected):
        read_tokens(TokenSource("command", command), load_profile(None, {}), 1)


def test_a_missing_file_is_told() -> None:
    with pytest.raises(LoadError, match="cannot be read"):
        read_tokens(TokenSource("file", "/nowhere/tokens.txt"), load_profile(None, {}), 1)
