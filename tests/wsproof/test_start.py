"""Whoever asks for help waits for nothing: commands import what they need when they run."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOADED = """
import json, sys, sysconfig
before = set(sys.modules)  # what the environment's .pth files have loaded
from wsproof.launcher import main
sys.argv = ["wsproof", *sys.argv[1:]]
try:
    main()
finally:
    libraries = tuple(sysconfig.get_path(name) for name in ("purelib", "platlib"))
    new = {name: module for name, module in sys.modules.items() if name not in before}
    files = {name: getattr(module, "__file__", None) or "" for name, module in new.items()}
    theirs = sorted({name.partition(".")[0] for name, file in files.items() if file.startswith(libraries)})
    print(json.dumps({"theirs": theirs, "all": sorted(new)}), file=sys.stderr)
"""


def loaded(*arguments: str) -> dict[str, list[str]]:
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found: dict[str, list[str]] = json.loads(done.stderr)
    return found


@pytest.mark.parametrize("command", ["", "check", "load", "serve", "report", "lint", "compare"])
def test_help_loads_click_and_no_other_library(command: str) -> None:
    found = loaded(*command.split(), "--help")
    assert found["theirs"] == ["click"]
    ours = {name.partition(".")[0] for name in found["all"]} & {"wire", "conformance", "reports", "loadtest"}
    assert not ours
    assert not {"asyncio", "ssl", "logging"} & set(found["all"])


def test_the_version_loads_no_more() -> None:
    assert loaded("--version")["theirs"] == ["click"]
