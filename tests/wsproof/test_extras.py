"""What wsproof does where only the libraries are installed that it cannot do without.

Each test runs with links to exactly those distributions that `pyproject.toml` asks for, and to what they need.
"""

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.reports.documents import LOADS
from tests.slow import slow_but
from tests.wsproof.command import PATIENCE, ROOT, surroundings

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def needed(requirements: Iterable[str]) -> dict[str, Distribution]:
    """The distributions of some requirements, and of what they need, by name."""
    found: dict[str, Distribution] = {}
    left = [Requirement(one) for one in requirements]
    while left:
        one = left.pop()
        name = canonicalize_name(one.name)
        if name not in found and (one.marker is None or one.marker.evaluate({"extra": ""})):
            found[name] = distribution(name)
            left += [Requirement(text) for text in found[name].requires or ()]
    return found


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder to import from, without any extra."""
    folder = tmp_path_factory.mktemp("libraries")
    for one in needed(PROJECT["dependencies"]).values():
        for name in {file.parts[0] for file in one.files or () if file.parts[0] not in ("..", "__pycache__")}:
            (folder / name).symlink_to(Path(str(one.locate_file(name))))
    return folder


def bare(libraries: Path, folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command with these libraries alone; a trace instead of a line where it fails."""
    paths = f"{ROOT}:{libraries}"
    return subprocess.run(
        [sys.executable, "-S", "-m", "wsproof", *map(str, arguments)],
        cwd=folder,
        env=surroundings({"PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1", "WSPROOF_TRACE": "1"}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_a_check_needs_no_extra(libraries: Path, tmp_path: Path) -> None:
    done = bare(libraries, tmp_path, "check", "--select", "CONN", "--format", "markdown", "--output", "out")
    assert done.returncode == 0, done.stderr
    assert {"report.html", "junit.xml", "results.json"} <= {one.name for one in (tmp_path / "out").iterdir()}


@pytest.mark.parametrize(
    "name",
    slow_but(["html", "markdown"], ["html", "text", "markdown", "junit", "ctrf", "badge", "badge-svg", "json"]),
)
def test_reports_about_load_need_no_extra(libraries: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "load.json").write_text(json.dumps(LOADS["full load"]), encoding="utf-8")
    done = bare(libraries, tmp_path, "report", "load.json", "--format", name, "--lang", "ja", "--output", "report")
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "report").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["load", "--users", "1", "--time", "1s"],
            "wsproof load needs Locust, which is not installed: pip install 'wsproof[load]'",
        ),
        (
            ["load", "--worker", "127.0.0.1:1"],
            "wsproof load needs Locust, which is not installed: pip install 'wsproof[load]'",
        ),
        (["check", "--fuzz", "5"], "--fuzz needs Hypothesis, which is not installed: pip install 'wsproof[fuzz]'"),
    ],
)
def test_what_needs_an_extra_names_it(libraries: Path, tmp_path: Path, arguments: list[str], said: str) -> None:
    done = bare(libraries, tmp_path, *arguments)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"wsproof: {said}\n")
    assert not list(tmp_path.iterdir())


def test_generated_messages_are_listed_without_the_extra(libraries: Path, tmp_path: Path) -> None:
    done = bare(libraries, tmp_path, "check", "--fuzz", "5", "--list")
    assert done.returncode == 0, done.stderr
    assert "fuzz-valid" in done.stdout


@pytest.mark.slow
def test_other_commands_need_no_extra(libraries: Path, tmp_path: Path) -> None:
    for arguments in (["--version"], ["load", "--help"], ["lint"], ["serve", "--list-faults"]):
        done = bare(libraries, tmp_path, *arguments)
        assert (done.returncode, done.stderr) == (0, ""), arguments


def test_a_check_brings_no_library_of_an_extra() -> None:
    assert not {"babel", "gevent", "hypothesis", "locust"} & needed(PROJECT["dependencies"]).keys()
