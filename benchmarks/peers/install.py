"""The peers, from their registries into build/peers, each at the version that was measured."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.peers.tools import DEBIAN, ERLANG, NODE, PEERS, PYTHON

PYPI = ("locust==2.47.0", "websocket-client==1.9.2", "k9-load==0.1.0")
ARTILLERY = "artillery@2.0.21"
PACKAGES = (
    "tsung",
    "erlang-base",
    *(f"erlang-{name}" for name in ("asn1", "crypto", "eldap", "inets", "mnesia", "os-mon", "public-key")),
    *(f"erlang-{name}" for name in ("runtime-tools", "snmp", "ssl", "syntax-tools", "xmerl")),
)


def _run(*command: str, folder: Path = PEERS) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(command, cwd=folder, check=True, stdout=sys.stderr)


def _python() -> None:
    _run(sys.executable, "-m", "venv", str(PYTHON.parent))
    _run(str(PYTHON / "pip"), "install", "--quiet", "--disable-pip-version-check", *PYPI)


def _node() -> None:
    # Without the scripts of what it depends on: one of them fetches a browser.
    _run("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--silent", ARTILLERY, folder=NODE)


def _debian() -> None:
    """Unpack the packages beside everything else, and tell their scripts where they are."""
    shutil.rmtree(DEBIAN, ignore_errors=True)
    _run("apt-get", "download", "--quiet", *PACKAGES, folder=DEBIAN)
    for package in sorted(DEBIAN.glob("*.deb")):
        _run("dpkg-deb", "--extract", str(package), str(DEBIAN))
        package.unlink()
    _replace(ERLANG / "bin" / "erl", "/usr/lib/erlang", str(ERLANG))
    tsung = DEBIAN / "usr" / "bin" / "tsung"
    _replace(tsung, "=/usr/lib", f"={DEBIAN}/usr/lib")
    _replace(tsung, "ERL=/usr/bin/erl", f"ERL={ERLANG}/bin/erl")


def _replace(script: Path, old: str, new: str) -> None:
    script.write_text(script.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


INSTALLERS: dict[str, Callable[[], None]] = {
    "Locust, websocket-client, k9-load (PyPI)": _python,
    "Artillery (npm)": _node,
    "tsung (Debian)": _debian,
}


def install() -> int:
    """Install what can be; 1 where something cannot, which costs only its row."""
    failed = 0
    for name, installer in INSTALLERS.items():
        try:
            installer()
            print(f"installed: {name}")
        except (subprocess.CalledProcessError, OSError) as error:
            failed = 1
            print(f"not installed: {name}: {error}")
    return failed
