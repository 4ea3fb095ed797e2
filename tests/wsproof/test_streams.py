"""Standard streams as shells leave them: a pipe whose reader has left, and descriptors that are closed."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.slow import slow_but
from tests.wsproof.command import surroundings, wsproof

PATIENCE = 120.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the reports of a check."""
    folder = tmp_path_factory.mktemp("streams")
    done = wsproof("check", "--select", "CONN-01", folder=folder)
    assert done.returncode == 0, done.stderr
    return folder


def shell(script: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    """What a shell does with a command, which is `$@` of its script."""
    command = [sys.executable, "-m", "wsproof"]
    return subprocess.run(
        ["sh", "-c", script, "sh", *command],
        cwd=folder,
        env=surroundings({}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )


COMMANDS = {
    "check --select CONN-01": 0,
    "check --select CONN-01 --json -": 0,
    "check --bogus": 2,
    "load --time 1s --users 2": 0,
    "report wsproof-report/results.json": 0,
    "compare wsproof-report/results.json wsproof-report/results.json": 0,
    "lint": 0,
    "serve --list-faults": 0,
    "check --help": 0,
    "--version": 0,
}
"""Exit codes, which do not depend on who reads the output."""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("command", [one for one, code in COMMANDS.items() if code == 0])
def test_a_full_disk_is_told_in_one_line(command: str, folder: Path) -> None:
    done = shell(f'"$@" {command} > /dev/full', folder)
    assert done.returncode == 2
    last = done.stderr.decode().splitlines()[-1]
    assert last == "wsproof: standard output cannot be written: No space left on device"
    assert b"Traceback" not in done.stderr
    assert not list(folder.rglob(".*"))


@pytest.mark.parametrize(("command", "code"), slow_but([*COMMANDS.items()][:2], COMMANDS.items()))
def test_a_reader_who_has_left_is_no_fault(command: str, code: int, folder: Path) -> None:
    """The program begins when the reader is gone for certain."""
    script = f'( read gone; "$@" {command}; echo $? > code ) 2> said < reader | (exec <&-; echo > reader)'
    done = shell(f"rm -f reader; mkfifo reader; {script}", folder)
    assert done.returncode == 0, done.stderr
    assert (folder / "code").read_text() == f"{code}\n"
    said = (folder / "said").read_text(encoding="utf-8")
    assert not [word for word in ("Traceback", "fault of", "Broken pipe", "ignored") if word in said]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "code"), [("check --select CONN-01", 0), ("check --bogus", 2), ("load --time 1s --users 2", 0)]
)
@pytest.mark.parametrize("closed", ["2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_is_no_fault(command: str, code: int, closed: str, folder: Path) -> None:
    assert shell(f'"$@" {command} {closed}', folder).returncode == code


@pytest.mark.slow
@pytest.mark.parametrize("command", ["check --select CONN-01", "lint", "serve --list-faults", "--version"])
def test_nor_is_a_closed_output_alone(command: str, folder: Path) -> None:
    done = shell(f'"$@" {command} >&-', folder)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(
    "command",
    [
        "check --json -",
        "load --format text=-",
        "report wsproof-report/results.json",
        "compare wsproof-report/results.json wsproof-report/results.json --json -",
    ],
)
def test_a_report_needs_a_stream(command: str, folder: Path) -> None:
    done = shell(f'"$@" {command} >&-', folder)
    said = "wsproof: standard output is closed: give a file instead of -\n"
    assert (done.returncode, done.stderr.decode()) == (2, said)


def test_what_is_meant_for_people_goes_into_no_file(folder: Path) -> None:
    """The number of a closed stream would be that of the next file that is opened."""
    shell('"$@" check --select CONN-01 --output closed <&- >&- 2>&-', folder)
    text = (folder / "closed" / "results.jsonl").read_text(encoding="utf-8")
    assert all(line.startswith("{") for line in text.splitlines())
