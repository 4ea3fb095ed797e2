"""The wheel installs one folder, and runs wherever names like ours are in the way."""

import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from contract.language import Catalogues, speaking
from wsproof import __version__

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("wire", "contract", "reference_server", "conformance", "reports", "loadtest")
DATA = ("spec", "schemas")
HANGS = 300  # seconds; no claim about speed


def run(
    command: Sequence[str | Path], folder: Path, extra: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, with none of the variables that steer Python, pytest or us."""
    steering = ("PYTHON", "PYTEST", "WSPROOF", "PIP")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(steering)}
    return subprocess.run(
        command,
        cwd=folder,
        env={**environment, **(extra or {})},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=HANGS,
        check=False,
    )


def succeed(
    command: Sequence[str | Path], folder: Path, extra: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    done = run(command, folder, extra)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    local = ["--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    succeed([sys.executable, "-m", "pip", "wheel", "--quiet", *local, "--wheel-dir", folder, ROOT], folder)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` folder of an environment with the wheel, which borrows the libraries of the tests' own."""
    folder = tmp_path_factory.mktemp("installed")
    succeed([sys.executable, "-m", "venv", "--without-pip", folder], folder)
    python = folder / "bin" / "python"
    local = ["--no-index", "--no-deps", "--disable-pip-version-check"]
    succeed([sys.executable, "-m", "pip", "--python", python, "install", "--quiet", *local, wheel], folder)
    where = succeed([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], folder).stdout.strip()
    borrowed = dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))
    (Path(where) / "borrowed.pth").write_text("\n".join(borrowed) + "\n", encoding="utf-8")
    return folder / "bin"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Somebody's project, with packages of our names that can be told from ours."""
    for name in (*PACKAGES, *DATA):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('the project\\'s own')\n", encoding="utf-8")
    return tmp_path


def test_the_wheel_installs_one_folder(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0] for name in names} == {"wsproof", f"wsproof-{__version__}.dist-info"}


def test_the_wheel_holds_every_file(wheel: Path) -> None:
    names = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("wsproof/")}
    expected = {path.relative_to(ROOT).as_posix() for path in (ROOT / "wsproof").rglob("*.py")}
    for folder in (*PACKAGES, *DATA):
        files = (path for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts)
        installed = (path.with_suffix(".mo") if path.suffix == ".po" else path for path in files)
        expected |= {f"wsproof/{path.relative_to(ROOT).as_posix()}" for path in installed}
    assert names == expected


def test_the_wheel_speaks_every_language_as_a_checkout_does(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    for source in ROOT.glob("*/locales/*/LC_MESSAGES/*.po"):
        locales = source.parents[2]
        here, there = Catalogues(locales), Catalogues(tmp_path / "wsproof" / locales.relative_to(ROOT))
        ids = re.findall(r'^msgid "(.+)"\n(msgid_plural)?', source.read_text(encoding="utf-8"), re.MULTILINE)
        assert ids
        with speaking(source.parts[-3]):
            for name, plural in ids:
                for number in (0, 1, 2) if plural else (None,):
                    assert there.form(name, number) == here.form(name, number)


@pytest.mark.parametrize("name", PACKAGES + DATA)
def test_no_generic_name_is_importable(installed: Path, project: Path, tmp_path: Path, name: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    nobody = run([installed / "python", "-c", f"import {name}"], elsewhere)
    assert f"No module named '{name}'" in nobody.stderr
    theirs = run([installed / "python", "-c", f"import {name}"], project)
    assert theirs.stderr.strip() == "the project's own"


@pytest.mark.slow
@pytest.mark.parametrize("path", [None, "."], ids=["no PYTHONPATH", "PYTHONPATH=."])
@pytest.mark.parametrize("start", [["wsproof"], ["python", "-m", "wsproof"]], ids=["script", "python -m"])
def test_it_runs_beside_packages_of_its_names(
    installed: Path, project: Path, start: list[str], path: str | None
) -> None:
    command: list[str | Path] = [installed / start[0], *start[1:]]
    extra = {"PYTHONPATH": path} if path else {}
    assert __version__ in succeed([*command, "--version"], project, extra).stdout
    succeed([*command, "check", "--select", "CONN", "--output", "out"], project, extra)
    assert {"results.json", "report.html", "junit.xml"} <= {one.name for one in (project / "out").iterdir()}


@pytest.mark.slow
def test_a_load_test_runs_beside_packages_of_its_names(installed: Path, project: Path) -> None:
    """And beside settings of Locust's, which are for the project's own load tests."""
    (project / "locust.conf").write_text("master = true\n", encoding="utf-8")
    extra = {"PYTHONPATH": ".", "LOCUST_MODE_MASTER": "true"}
    succeed([installed / "wsproof", "load", "--users", "2", "--time", "2s", "--output", "out"], project, extra)
    assert {"load.json", "load.html"} <= {one.name for one in (project / "out").iterdir()}
