"""The repository's own files: nothing of one machine in them, everything pinned, one version."""

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from wsproof import __version__

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CONSTRAINTS = (ROOT / "constraints.txt").read_text(encoding="utf-8")

LOCK_FILES = {
    "Pipfile.lock",
    "npm-shrinkwrap.json",
    "package-lock.json",
    "pdm.lock",
    "pnpm-lock.yaml",
    "poetry.lock",
    "pylock.toml",
    "uv.lock",
    "yarn.lock",
}

# Written so that this file does not hold what it looks for.
OF_A_MACHINE = {
    "a package registry": re.compile(
        r"pypi\.(org|python)|python[h]osted\.org|registry\.(npm[j]s|yarn[p]kg)|npm[j]s\.(org|com)"
        r"|(deb|security)\.debian\.org|proxy\.golang\.org|(static|index)\.crates\.io|repo1?\.maven"
    ),
    "an option for a registry": re.compile(r"--?(extra-)?index[-_]url[ =]\S*:|--find[-]links[ =]|--trusted[-]host[ =]"),
    "somebody's home folder": re.compile(r"/(home|Users)/[A-Za-z_][\w.-]*/|(?<![\w.~])/root/\w|[A-Z]:\\Users\\"),
}


def tracked() -> list[Path]:
    """The files that git knows."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    paths = [ROOT / os.fsdecode(name) for name in listed.split(b"\0") if name]
    return [path for path in paths if path.is_file()]


def pins() -> dict[str, tuple[str, list[str]]]:
    """Name → (version, hashes) of the constraints."""
    found: dict[str, tuple[str, list[str]]] = {}
    for entry in re.sub(r"\\\n", " ", CONSTRAINTS).splitlines():
        line = entry.partition("#")[0].split()
        if line:
            name, equals, version = line[0].partition("==")
            assert equals, f"{entry!r} is no pin"
            assert canonicalize_name(name) not in found, f"{name} stands there twice"
            found[canonicalize_name(name)] = (version, line[1:])
    return found


@pytest.mark.parametrize("what", OF_A_MACHINE)
def test_no_file_is_bound_to_a_machine(what: str) -> None:
    found = []
    for path in tracked():
        text = path.read_bytes().decode("utf-8", errors="replace")
        for number, line in enumerate(text.splitlines(), 1):
            if OF_A_MACHINE[what].search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    assert found == []


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("a package registry", "https://pypi." + "org/simple"),
        ("a package registry", "registry=https://registry.npm" + "js.org/"),
        ("an option for a registry", "--index" + "-url https://example.com/simple"),
        ("an option for a registry", "--find" + "-links ./wheels"),
        ("somebody's home folder", "/home/" + "jo/project"),
        ("somebody's home folder", "cd /root" + "/project"),
    ],
)
def test_what_binds_to_a_machine_is_recognised(what: str, line: str) -> None:
    assert OF_A_MACHINE[what].search(line)


def test_no_lock_files_and_nothing_installed_is_tracked() -> None:
    paths = [path.relative_to(ROOT) for path in tracked()]
    assert [str(path) for path in paths if path.name in LOCK_FILES] == []
    assert [str(path) for path in paths if {"node_modules", "__pycache__", ".venv"} & set(path.parts)] == []


def test_text_files_end_with_one_newline() -> None:
    endings = {".py", ".toml", ".md", ".yaml", ".json", ".j2", ".css", ".js", ".cjs", ".txt"}
    found = []
    for path in tracked():
        data = path.read_bytes()
        if path.suffix in endings and data and (not data.endswith(b"\n") or data.endswith(b"\n\n") or b"\r\n" in data):
            found.append(str(path.relative_to(ROOT)))
    assert found == []


@pytest.mark.parametrize("name", [".ci/run", "examples/servers/*/start"])
def test_programs_can_be_executed(name: str) -> None:
    found = [path for path in tracked() if path.relative_to(ROOT).match(name)]
    assert [str(path) for path in found if not os.access(path, os.X_OK)] == []


def test_every_pin_has_hashes() -> None:
    loose = {
        name: hashes
        for name, (_, hashes) in pins().items()
        if not hashes or not all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", one) for one in hashes)
    }
    assert loose == {}


def test_constraints_hold_pins_only() -> None:
    assert [line for line in CONSTRAINTS.splitlines() if "://" in line or " @ " in line or "/" in line] == []


def requirements() -> list[Requirement]:
    """What the project, its developers and its build ask for."""
    project = PROJECT["project"]
    texts = [*project["dependencies"], *PROJECT["build-system"]["requires"]]
    for extra in project["optional-dependencies"].values():
        texts += extra
    return [Requirement(text) for text in texts]


@pytest.mark.parametrize("requirement", requirements(), ids=str)
def test_every_dependency_is_pinned(requirement: Requirement) -> None:
    version, _ = pins()[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(version)


def test_the_version_has_one_source() -> None:
    assert "version" not in PROJECT["project"]
    assert PROJECT["project"]["dynamic"] == ["version"]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## \[(.+?)\]", changelog, re.MULTILINE)
    assert headings[0] == __version__


def test_ci_runs_what_a_developer_runs() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    subprocess.run(["bash", "-n", ROOT / ".ci" / "run"], check=True, timeout=60)
    assert "set -euo pipefail" in script
    assert script.index("make test") < script.index("make lint")


def test_commit_hooks_use_the_tools_of_the_project() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert [one["repo"] for one in config["repos"]] == ["local"]
    hooks = [hook for one in config["repos"] for hook in one["hooks"]]
    assert [hook for hook in hooks if hook["language"] != "system" or not hook["entry"].startswith(".venv/bin/")] == []
