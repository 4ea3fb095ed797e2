"""Imports point downward only, and each library stays in the package that may know it."""

import ast
import importlib.metadata
import sys
from collections.abc import Collection, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

MAY_IMPORT: dict[str, frozenset[str]] = {
    "wire": frozenset(),
    "contract": frozenset(),
    "reference_server": frozenset({"wire", "contract"}),
    "conformance": frozenset({"wire", "contract"}),
    "reports": frozenset({"contract"}),
    "loadtest": frozenset({"wire", "contract", "conformance"}),
    "wsproof": frozenset({"wire", "contract", "reference_server", "conformance", "reports", "loadtest"}),
}
"""Each package with those of ours below it that it may know."""

ONLY_IN: dict[str, tuple[str, ...]] = {
    # They patch the interpreter of whoever imports them.
    "locust": ("loadtest.runner", "loadtest.locustfile"),
    "gevent": ("loadtest.runner", "loadtest.locustfile"),
    # One place in the reference server moves bytes; session and hub are told what happened.
    "asyncio": ("reference_server.network",),
    "websockets": ("wire", "reference_server.network", "conformance"),
    "socket": ("reference_server.network", "conformance.transport", "loadtest"),
    "selectors": ("conformance.transport", "loadtest"),
    # The results document is the reports' only input.
    "jinja2": ("reports",),
    # The command line is the only place that speaks to a person.
    "click": ("wsproof",),
}
"""Libraries with the packages or modules that may import them."""

FILES = sorted(path for package in MAY_IMPORT for path in (ROOT / package).rglob("*.py"))
NAMES = [path.relative_to(ROOT).as_posix() for path in FILES]


def module_name(path: Path) -> str:
    """The import name of a file of the repository."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(tree: ast.AST, package: str) -> Iterator[str]:
    """Every module that the code names in an import, wherever that stands; `package` is what a lone dot means."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _base(node, package)
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and _name(node.func) in {"import_module", "__import__", "run_module"}:
            values = (one.value for one in node.args[:1] if isinstance(one, ast.Constant))
            yield from (value for value in values if isinstance(value, str))


def _base(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    assert node.level <= len(parts), f"line {node.lineno}: a relative import out of the package"
    above = parts[: len(parts) - node.level + 1]
    return ".".join([*above, *([node.module] if node.module else [])])


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def violations(source: str, module: str, *, package: str | None = None) -> list[str]:
    """What an import in `source` breaks, were it the text of `module`."""
    found = set()
    home = module.partition(".")[0]
    for name in imports(ast.parse(source), package if package is not None else module.rpartition(".")[0]):
        top = name.partition(".")[0]
        if top in MAY_IMPORT and top != home and top not in MAY_IMPORT[home]:
            found.add(f"{home} must not know {top}")
        if top in ONLY_IN and not any(module == one or module.startswith(f"{one}.") for one in ONLY_IN[top]):
            found.add(f"{module} must not import {top}")
        if top in {"tests", "examples", "benchmarks"}:
            found.add(f"{module} must not import {top}")
    return sorted(found)


def test_imports_point_downward() -> None:
    wrong = []
    for path in FILES:
        name = module_name(path)
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        wrong += [(name, found) for found in violations(path.read_text(encoding="utf-8"), name, package=package)]
    assert wrong == []


@pytest.mark.parametrize(
    ("module", "source", "found"),
    [
        ("contract.model", "import contract.errors, json", []),
        ("wire.frames", "import contract.errors", ["wire must not know contract"]),
        ("contract.model", "import conformance.play.engine", ["contract must not know conformance"]),
        ("reports.formats.html", "from conformance import run", ["reports must not know conformance"]),
        ("conformance.run.run", "from reports.shared.documents import to_json", ["conformance must not know reports"]),
        ("reference_server.chat.hub", "from conformance import run", ["reference_server must not know conformance"]),
        ("loadtest.runner.user", "from conformance.play.engine import play\nimport locust", []),
        ("loadtest.runner.user", "from reference_server import hub", ["loadtest must not know reference_server"]),
        ("loadtest.runner.user", "import wsproof", ["loadtest must not know wsproof"]),
        ("wsproof.commands.check", "from locust import User", ["wsproof.commands.check must not import locust"]),
        (
            "wsproof.commands.check",
            "def f():\n    import gevent.monkey",
            ["wsproof.commands.check must not import gevent"],
        ),
        ("reference_server.network.connection", "import asyncio", []),
        ("reference_server.networking", "import asyncio", ["reference_server.networking must not import asyncio"]),
        (
            "reference_server.chat.hub",
            "from websockets import frames",
            ["reference_server.chat.hub must not import websockets"],
        ),
        ("contract.model", "from .errors import ContractError", []),
        ("contract.model", "import importlib as i\ni.import_module('reports')", ["contract must not know reports"]),
        ("contract.model", "import tests.reports", ["contract.model must not import tests"]),
    ],
)
def test_a_wrong_import_is_found(module: str, source: str, found: list[str]) -> None:
    assert violations(source, module) == found


def test_every_package_is_looked_at() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages <= MAY_IMPORT.keys()
    assert {name.partition("/")[0] for name in NAMES} == packages


def test_the_layers_have_no_cycle() -> None:
    assert len(list(TopologicalSorter(MAY_IMPORT).static_order())) == len(MAY_IMPORT)


def module_graph(sources: Mapping[str, str], packages: Collection[str] = ()) -> dict[str, set[str]]:
    """Which of these modules each of them imports: on top, inside functions, and only for type checkers."""
    graph = {}
    for name, source in sources.items():
        package = name if name in packages else name.rpartition(".")[0]
        graph[name] = {found for found in imports(ast.parse(source), package) if found in sources} - {name}
    return graph


def test_modules_have_no_cycle() -> None:
    """An import inside a function or for typing only hides a cycle: neither module can be understood alone."""
    sources = {module_name(path): path.read_text(encoding="utf-8") for path in FILES}
    packages = {module_name(path) for path in FILES if path.name == "__init__.py"}
    TopologicalSorter(module_graph(sources, packages)).prepare()


def rooms(graph: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Which rooms, folders of a package, know which others."""
    found: dict[str, set[str]] = {}
    for name, known in graph.items():
        room = name.split(".")[:2]
        others = {".".join(one.split(".")[:2]) for one in known if one.split(".")[0] == room[0]}
        found.setdefault(".".join(room), set()).update(others - {".".join(room), room[0]})
    return found


def test_rooms_have_no_cycle() -> None:
    sources = {module_name(path): path.read_text(encoding="utf-8") for path in FILES}
    TopologicalSorter(rooms(module_graph(sources))).prepare()


def test_a_cycle_of_rooms_is_found() -> None:
    graph = {"p.a.x": {"p.b.x"}, "p.b.y": {"p.a.y"}, "p.a.y": set[str](), "p.b.x": set[str]()}
    TopologicalSorter(graph).prepare()
    with pytest.raises(CycleError):
        TopologicalSorter(rooms(graph)).prepare()


@pytest.mark.parametrize(
    "back",
    [
        "from p.a import A",
        "from p import a",
        "from . import a",
        "from .a import A",
        "def f():\n    import p.a",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from p.a import A",
    ],
)
def test_a_cycle_is_found_wherever_the_import_stands(back: str) -> None:
    with pytest.raises(CycleError):
        TopologicalSorter(module_graph({"p.a": "import p.c", "p.b": back, "p.c": "from p.b import B"})).prepare()


@pytest.mark.parametrize("folder", ["spec", "schemas"])
def test_data_folders_hold_no_python(folder: str) -> None:
    assert [path for path in (ROOT / folder).rglob("*") if path.suffix in {".py", ".pyi", ".so"}] == []


@pytest.mark.parametrize("folder", ["", "wsproof", "loadtest"])
def test_no_name_of_ours_hides_a_library(folder: str) -> None:
    """The root or `wsproof/` lead the path, and Locust puts the folder of its file in front of that."""
    place = ROOT / folder
    ours = {path.stem for path in place.glob("*.py")} | {path.parent.name for path in place.glob("*/__init__.py")}
    libraries = {
        name
        for name, distributions in importlib.metadata.packages_distributions().items()
        if set(distributions) != {"wsproof"}
    }
    assert ours & (libraries | sys.stdlib_module_names) == set()
