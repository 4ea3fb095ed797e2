"""The engine is generic: what is said of one API stands in its contract."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bundled import load_requirements

ROOT = Path(__file__).resolve().parents[2]
GENERIC = ("conformance", "loadtest", "reports", "contract", "wsproof")
REQUIREMENT = re.compile(rf"({'|'.join(sorted({one.section.id for one in load_requirements().values()}))})-[0-9]+")


def requirements_in(source: str) -> Iterator[tuple[int, str]]:
    """Strings of the code, docstrings apart, that name a requirement, with their lines."""
    tree = ast.parse(source)
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield from ((node.lineno, one[0]) for one in [REQUIREMENT.search(node.value)] if one)


@pytest.mark.parametrize("package", GENERIC)
def test_no_code_names_a_requirement(package: str) -> None:
    found = {
        f"{path.relative_to(ROOT)}:{line}": name
        for path in (ROOT / package).rglob("*.py")
        for line, name in requirements_in(path.read_text(encoding="utf-8"))
    }
    assert found == {}


def test_one_that_does_is_found() -> None:
    source = '"""As SEND-01 says."""\nCHARGE = Charge(("SEND-01",), "MUST")\n'
    assert list(requirements_in(source)) == [(2, "SEND-01")]
