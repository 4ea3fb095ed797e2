"""The launcher: our packages lead the path, whatever stood or was imported there before."""

import subprocess
import sys
from pathlib import Path

import pytest

from wsproof import launcher

ROOT = Path(__file__).resolve().parents[2]
SHOW = "import contract, reports; print(contract.__file__); print(reports.__file__)"
OURS = [str(ROOT / name / "__init__.py") for name in ("contract", "reports")]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Harmless packages of our names: one with a file, and one without, a namespace package."""
    (tmp_path / "contract").mkdir()
    (tmp_path / "contract" / "__init__.py").write_text("model = 'theirs'\n", encoding="utf-8")
    (tmp_path / "contract" / "model.py").write_text("", encoding="utf-8")
    (tmp_path / "reports").mkdir()
    return tmp_path


def output(command: list[str], folder: Path) -> list[str]:
    done = subprocess.run(command, cwd=folder, env={}, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_home_is_the_root_of_a_checkout() -> None:
    assert launcher.home() == ROOT


def test_every_package_is_known() -> None:
    assert {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"wsproof"} == set(launcher.PACKAGES)


def test_packages_imported_before_are_forgotten(project: Path) -> None:
    code = f"""
import sys
sys.path.insert(0, {str(project)!r})
import contract.model, reports
sys.path.insert(0, {str(ROOT)!r})
from wsproof.launcher import home, take_the_lead
take_the_lead(home())
{SHOW}
import contract.model as again
print(again.__file__)
print(sys.path.count(str(home())), sys.path[0] == str(home()))
"""
    expected = [*OURS, str(ROOT / "contract" / "model.py"), "1 True"]
    assert output([sys.executable, "-c", code], project) == expected


def test_our_own_modules_are_kept() -> None:
    code = """
import contract.errors
from wsproof.launcher import home, take_the_lead
take_the_lead(home())
from contract.errors import ContractError
print(ContractError is contract.errors.ContractError)
"""
    assert output([sys.executable, "-c", code], ROOT) == ["True"]
