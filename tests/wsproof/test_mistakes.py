"""Every mistake is one clear line, and exit code 2; where it can be, it is said before the run."""

import socket
from pathlib import Path

import pytest

from tests.conformance.servers import raw_server
from tests.wsproof.command import complaint, within
from wsproof.command_line import main

MISTAKES = [
    (("--selct", "x"), "No such option '--selct'. (Did you mean one of: '--deselect', '--select'"),
    (("--jobs", "many"), "Invalid value for '--jobs': expected a whole number from 1 to 500, got 'many'."),
    (("--jobs", "0"), "Invalid value for '--jobs': expected a whole number from 1 to 500, got '0'."),
    (("--time-scale", "0"), "Invalid value for '--time-scale': expected a number from 0.1 to 100, got '0'."),
    (("--maxfail", "0"), "Invalid value for '--maxfail': expected a whole number of at least 1, got '0'."),
    (("--set", "heartbeat"), "--set heartbeat: expected NAME=VALUE"),
    (("--set", "heartbeat.intervall=1"), "--set heartbeat.intervall: heartbeat: unknown member 'intervall'"),
    (("--set", "heartbeat.interval=soon"), "--set heartbeat.interval: expected a duration"),
    (("--profile", "none.yaml"), "none.yaml: cannot be read: No such file"),
    (("--profile", "broken.yaml"), "broken.yaml:2:1: invalid YAML"),
    (("--profile", "unset.yaml"), "unset.yaml:1:1: the environment variable WSPROOF_NOT_SET is not set"),
    (("--scenarios", "none"), "Invalid value for '--scenarios': Path 'none' does not exist."),
    (("--scenarios", "broken.yaml"), "broken.yaml:2:1: invalid YAML"),
    (("--baseline", "none.yaml"), "Invalid value for '--baseline': File 'none.yaml' does not exist."),
    (("--baseline", "broken.yaml"), "broken.yaml:2:1: invalid YAML"),
    (("--output", "broken.yaml"), "Invalid value for '--output': Directory 'broken.yaml' is a file."),
    (("--output", "broken.yaml/out"), "--output broken.yaml/out: cannot be written: not a directory"),
    (("--output", "/proc/none/out"), "--output /proc/none/out: cannot be written"),
    (("--json", "none/x.json"), "--json none/x.json: no such directory: none"),
    (("--json", "."), "--json .: expected a file, found a directory"),
    (("--format", "pdf"), "--format pdf: expected one of html, text, markdown, junit"),
    (("--format", "junit="), "--format junit=: expected a file after =, or - for standard output"),
    (("--format", "junit=none/x.xml"), "--format junit: none/x.xml: no such directory: none"),
    (("--format", "ctrf=-", "--json", "-"), "only one report can go to standard output: give the others a file"),
    (("--format", "ctrf=x", "--format", "badge=x"), "--format badge=x: x is already used for the ctrf report"),
    (("--write-baseline", "none/b.yaml"), "--write-baseline none/b.yaml: no such directory: none"),
    (("http://localhost/",), "http://localhost/: expected a WebSocket URL: write ws:// for it"),
    (("https://user:secret@localhost/?key=secret",), "https://…@localhost/?…: credentials do not belong in the URL"),
    (("https://localhost/?key=secret",), "https://localhost/?…: expected a WebSocket URL: write wss:// for it"),
    (("localhost:8080/socket",), "localhost:8080/socket: expected a WebSocket URL such as wss://example.com/v1/socket"),
    (("ws://:secret@localhost/",), "ws://…@localhost/: credentials do not belong in the URL"),
    (("ws://localhost/#secret",), "ws://localhost/#…: expected a URL without a fragment"),
    (("ws://localhost/a b",), "ws://localhost/a b: expected a URL without spaces; write a space as %20"),
    (("ws://localhost/\n",), "ws://localhost/\\n: expected a URL without spaces"),
    (("ws://stra\u00dfe.example/",), "stra\u00dfe.example is ambiguous"),
    (("",), "URL is empty: give it a value, or leave it out."),
    ((" ",), "URL is empty: give it a value, or leave it out."),
    (("--profile", ""), "--profile is empty"),
    (("--select", "CONN", "--select", ""), "--select is empty"),
    (("--json", ""), "--json is empty"),
    (("--output", " "), "--output is empty"),
    (("--profile", "nowhere.yaml"), "nowhere.yaml names no endpoint: add `endpoint: wss://…`, give a URL, or --ref"),
    (("--reference", "ws://localhost/"), "--reference cannot be used with a URL"),
    (("ws://localhost:99999/",), "ws://localhost:99999/: "),
    (("ws://localhost/?access_token=secret",), "ws://localhost/?…: a token does not belong in the URL"),
    (("one", "two"), "Got unexpected extra argument (two)"),
]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "broken.yaml").write_text("users: [\n", encoding="utf-8")
    (tmp_path / "unset.yaml").write_text("endpoint: ${WSPROOF_NOT_SET}\n", encoding="utf-8")
    (tmp_path / "nowhere.yaml").write_text("response_timeout: 3\n", encoding="utf-8")
    (tmp_path / "file").write_text("", encoding="utf-8")
    (tmp_path / "file.jsonl").write_text("nothing\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> str:
    """The one line of a command that cannot begin."""
    with pytest.raises(SystemExit) as ended:
        main.main(list(arguments), prog_name="wsproof")
    shown = capsys.readouterr()
    assert (ended.value.code, shown.out) == (2, "")
    (line,) = shown.err.splitlines()
    assert line.startswith("wsproof: ")
    return line


@pytest.mark.parametrize(("options", "message"), MISTAKES, ids=[" ".join(options) for options, _ in MISTAKES])
def test_of_a_check(options: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    line = said(("check", *options), capsys)
    assert message in line
    assert "secret" not in line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("report", "none.json"), "File 'none.json' does not exist."),
        (("report", "file"), "file: expected a JSON document, found an empty file"),
        (("report", "file", "--format", "pdf"), "--format pdf: expected one of html, text, markdown"),
        (("report", "file.jsonl"), "file.jsonl:1: expected a JSON object on one line"),
        (("lint", "none"), "Path 'none' does not exist."),
        (("serve", "--fault", "none-such"), "none-such"),
        (("load", "--format", "ctrf=none/x"), "--format ctrf: none/x: no such directory: none"),
        (("load", "--output", "file/out"), "--output file/out: cannot be written"),
        (("chekc",), "no such command 'chekc'; did you mean check?"),
        (("serve", "--host", "nobody.invalid"), "nobody.invalid port 8765: "),
        (("serve", "--port", "x"), "'--port': expected a whole number from 0 to 65535, got 'x'."),
        (("load", "--seed", "x"), "'--seed': expected a whole number from 0 to 4294967295, got 'x'."),
    ],
)
def test_of_other_commands(arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert message in said(arguments, capsys)


UNSOUND = """\
format: wsproof.scenarios/1
scenarios:
  - id: it
    title: It
    verifies: [CONN-02]
    steps:
      - connect: {actor: alice}
      - expect: {actor: alice, event: conection_ack}
      - expect: {actor: alice, event: error, match: {payload: {code: {$contain: X}}}}
"""


def test_a_scenario_that_no_server_passes_is_refused_by_each_command(folder: Path) -> None:
    (folder / "own.yaml").write_text(UNSOUND, encoding="utf-8")
    expected = [
        "own.yaml:8:32: expect: the contract has no event 'conection_ack' (did you mean 'connection_ack'?)",
        "own.yaml:9:71: expect: unknown operator '$contain' (did you mean '$contains'?)",
    ]
    linted = within("lint", "own.yaml", folder=folder)
    assert (linted.returncode, linted.stderr.splitlines()) == (2, expected)
    assert linted.stdout == "1 scenario verifies 1 of 70 requirements of a server; 2 problems\n"
    checked = within("check", "--scenarios", "own.yaml", folder=folder)
    assert (checked.returncode, checked.stdout) == (2, "")
    assert checked.stderr.splitlines() == [f"wsproof: {expected[0]}", expected[1]]
    loaded = within("load", "--journeys", "own.yaml", folder=folder)
    assert (loaded.returncode, expected[0] in loaded.stderr) == (2, True)


def test_a_port_that_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = said(("serve", "--port", str(port)), capsys)
    assert line == f"wsproof: 127.0.0.1 port {port}: Address already in use"


def test_what_cannot_be_written_is_said_before_the_run(folder: Path) -> None:
    calls: list[socket.socket] = []
    with raw_server(calls.append) as url:
        said = complaint("check", url, "--output", "file/out", folder=folder)
    assert said == "--output file/out: cannot be written: not a directory"
    assert calls == []


def test_nobody_there(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    done = within("check", f"ws://127.0.0.1:{port}/", folder=folder)
    assert done.returncode == 3
    (line,) = done.stderr.splitlines()
    assert "cannot be reached" in line


def test_a_command_that_is_missing_gets_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main.main([], prog_name="wsproof")
    assert ended.value.code == 2
    assert "Usage: wsproof" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "variable"),
    [
        ("check", "WSPROOF_URL"),
        ("load", "WSPROOF_URL"),
        ("check", "WSPROOF_PROFILE"),
        ("serve", "WSPROOF_PROFILE"),
        ("check", "WSPROOF_BASELINE"),
        ("check", "WSPROOF_JOBS"),
        ("load", "WSPROOF_PLAN"),
        ("compare", "WSPROOF_LANG"),
    ],
)
@pytest.mark.parametrize("value", ["", " \t"])
def test_an_empty_variable(
    command: str, variable: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(variable, value)
    line = said((command,), capsys)
    assert line == f"wsproof: {variable} is empty: give it a value, or unset it. See wsproof {command} --help."


@pytest.mark.parametrize("arguments", [("load",), ("load", "--profile", "nowhere.yaml")])
def test_a_profile_names_the_endpoint_of_a_load_test(
    arguments: tuple[str, ...], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "wsproof.yaml").write_text("response_timeout: 3\n", encoding="utf-8")
    assert "names no endpoint: add `endpoint: wss://…`, give a URL, or --reference" in said(arguments, capsys)
