"""The contracts in `examples/contracts/`, the real servers beside them, and checks of these."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.contracts.proxy import Fault, Proxy
from tests.wsproof.command import wsproof

EXAMPLES = Path(__file__).parents[2] / "examples" / "contracts"

DEVIATIONS = {
    "graphql-transport-ws": ("gql-id-again-late",),
    "json-rpc": ("rpc-falsy-id", "rpc-notification-unknown", "rpc-invalid-more", "rpc-method-inherited"),
}
"""The scenarios in which a real server breaks its protocol, whatever the proxy does; see `DEVIATIONS.md` beside it."""


def lacking() -> str | None:
    """What is not installed, in words; None: the servers can be started."""
    return next((f"needs {name}, which is not installed" for name in ("node", "npm") if not shutil.which(name)), None)


@contextmanager
def server(name: str, log: Path) -> Iterator[str]:
    """The real server of an example on a free port; yields its URL."""
    environment = {**os.environ, "PORT": "0", "INIT_TIMEOUT": "1"}
    command = [EXAMPLES / name / "server" / "start"]
    with (
        log.open("w") as stderr,
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=stderr, text=True) as process,
    ):
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("listening on ws://127.0.0.1:"), line + log.read_text()
            yield line.removeprefix("listening on ").rstrip()
        finally:
            process.terminate()


def check(name: str, url: str, output: Path, *options: str) -> Any:
    """Check a server against the contract of an example: the results."""
    done = wsproof("check", url, "--quiet", "--output", output, "--allow-undecided", *options, folder=EXAMPLES / name)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return json.loads((output / "results.json").read_text(encoding="utf-8"))


def failed(results: Any) -> set[str]:
    """The requirements that failed."""
    return {one["id"] for one in results["requirements"] if one["verdict"] == "failed"}


def undecided(results: Any) -> set[str]:
    """Those of which nothing is known."""
    return {one["id"] for one in results["requirements"] if one["verdict"] not in ("passed", "failed")}


def groups(name: str) -> list[str]:
    """Those of the contract's own scenarios; the rest is a pack's."""
    found = (
        re.findall(r"^group: (.*)$", file.read_text(), re.MULTILINE) for file in EXAMPLES.glob(f"{name}/scenarios/*")
    )
    return sorted({group for each in found for group in each})


def selected(name: str) -> list[str]:
    """The options that leave out the scenarios of packs."""
    return [part for one in groups(name) for part in ("--select", one)]


def charged(name: str, fault: Fault, url: str, output: Path) -> set[str]:
    """The requirements that fail for a fault between wsproof and the real server."""
    known: Iterable[str] = DEVIATIONS[name]
    with Proxy(url, fault).running() as address:
        deselected = [part for one in known for part in ("--deselect", one)]
        results = check(name, address, output, *selected(name), *deselected)
    return failed(results)
