"""A small contract of quite another shape: arrays, requests and replies, a heartbeat of the client's, no
acknowledgement. All commands work on it where wsproof has no chat at all."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contracts.meters import WRONG, centre
from tests.slow import slow_but
from tests.wsproof.command import PATIENCE, ROOT, read, surroundings

CONTRACT = Path(__file__).parent / "small"

PACKAGES = ("wire", "contract", "reference_server", "conformance", "loadtest", "reports", "wsproof", "spec", "schemas")

FORMATS = ("html", "text", "markdown", "junit", "ctrf", "badge", "badge-svg", "json", "jsonl")


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """wsproof without the chat's contract and the schemas of its messages."""
    folder = tmp_path_factory.mktemp("bare")
    for name in PACKAGES:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.rmtree(folder / "spec" / "chat")
    shutil.rmtree(folder / "schemas" / "payloads")
    (folder / "schemas" / "envelope.schema.json").unlink()
    return folder


class Command:
    """wsproof of a folder, in another one."""

    def __init__(self, bare: Path, folder: Path) -> None:
        self.bare, self.folder = bare, folder

    def run(self, *arguments: str | Path, module: str = "wsproof") -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [sys.executable, "-m", module, *map(str, arguments)],
            cwd=self.folder,
            env=surroundings({}) | {"PYTHONPATH": str(self.bare)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def check(self, url: str, *options: str | Path) -> subprocess.CompletedProcess[str]:
        """Check a centre."""
        return self.run("check", "--contract", CONTRACT, url, "--quiet", "--output", "report", *options)

    def failed(self) -> set[str]:
        """The requirements that the last check found broken."""
        results = read(self.folder / "report" / "results.json")
        return {one["id"] for one in results["requirements"] if one["verdict"] == "failed"}


@pytest.fixture
def command(bare: Path, tmp_path: Path) -> Command:
    return Command(bare, tmp_path)


@pytest.fixture(scope="module")
def right() -> Iterator[str]:
    """The URL of a right centre."""
    with centre() as url:
        yield url


def test_the_right_centre_is_acquitted_in_every_format(command: Command, right: str) -> None:
    done = command.check(right, "--require-complete", *(part for one in FORMATS for part in ("--format", one)))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Conformant: all 7 MUST requirements hold." in done.stdout
    written = sorted(path.name for path in (command.folder / "report").iterdir() if path.stat().st_size)
    assert {"report.html", "report.txt", "summary.md", "junit.xml", "ctrf.json", "badge.json", "badge.svg"} <= {
        *written
    }
    text = (command.folder / "report" / "report.html").read_text(encoding="utf-8")
    assert "meter-adjust" in text


@pytest.mark.parametrize("wrong", slow_but(["other-id"], WRONG))
def test_each_wrong_centre_is_charged_exactly(command: Command, wrong: str) -> None:
    with centre(wrong) as url:
        command.check(url)
    assert command.failed() == WRONG[wrong]


def test_lint_and_the_list_of_contracts(command: Command) -> None:
    done = command.run("lint", "--contract", CONTRACT)
    assert done.returncode == 0, done.stdout + done.stderr
    listed = command.run("contracts")
    assert listed.returncode == 0
    assert "chat" not in listed.stdout


def test_reports_in_japanese_and_again_later(command: Command, right: str) -> None:
    assert "適合" in command.check(right, "--lang", "ja").stdout
    again = command.run("report", "report/results.json", "--format", "text")
    assert again.returncode == 0, again.stderr
    assert "METER" in again.stdout


def test_baseline_and_comparison(command: Command, right: str) -> None:
    """What is wrong today is written down, and passes then; it is worse than the right one."""
    command.check(right, "--output", "before")
    with centre("twice") as url:
        assert command.check(url, "--write-baseline", "known.yaml").returncode == 1
        assert command.check(url, "--baseline", "known.yaml").returncode == 0
    compared = command.run("compare", "before", "report")
    assert "METER-08" in compared.stdout, compared.stderr


def test_without_requirements_of_its_own(command: Command, right: str, tmp_path: Path) -> None:
    """What the roles declare is checked, by generated messages."""
    contract = tmp_path / "roles-alone"
    contract.mkdir()
    for name in ("contract.yaml", "asyncapi.yaml"):
        shutil.copy(CONTRACT / name, contract / name)
    done = command.run("check", "--contract", contract, right, "--quiet", "--output", "report")
    assert done.returncode == 0, done.stdout + done.stderr
    passed = [one for one in read(tmp_path / "report" / "results.json")["requirements"] if one["verdict"] == "passed"]
    assert len(passed) >= 10


def test_as_items_of_pytest(command: Command, right: str) -> None:
    options: list[str | Path] = ["--wsproof-url", right, "--wsproof-contract", CONTRACT, "--wsproof-bundled"]
    done = command.run("-p", "wsproof.pytest_plugin", *options, "-q", module="pytest")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "10 passed" in done.stdout


def test_a_load_test_needs_no_journeys(command: Command, right: str) -> None:
    done = command.run("load", "--contract", CONTRACT, right, "--users", "2", "--time", "2s", "--quiet")
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_needs_the_chat_says_so(command: Command, right: str) -> None:
    done = command.run("check", right, "--quiet")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("wsproof: no contract 'chat'"), done.stderr


def test_the_contract_is_named_by_the_profile(command: Command, right: str) -> None:
    (command.folder / "wsproof.yaml").write_text(f"contract: {json.dumps(str(CONTRACT))}\nendpoint: {right}\n")
    done = command.run("check", "--quiet", "--output", "report", "--select", "METER-05")
    assert done.returncode == 0, done.stdout + done.stderr
