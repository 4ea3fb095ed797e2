"""What tests of real runs share: a server, settings, and their documents."""

import contextlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from contract.schemas import format_validator, violations
from loadtest.settings.settings import LoadSettings

served = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")


def settings_for(url: str, folder: Path) -> LoadSettings:
    """Five users for a short while."""
    return LoadSettings(
        endpoint=url,
        users=5,
        spawn_rate=5,
        duration=3,
        document=str(folder / "load.json"),
        rate=10.0,
        run="12345678",
        overrides={"heartbeat.interval": 0.5, "heartbeat.timeout": 5},
    )


def read(settings: LoadSettings) -> dict[str, Any]:
    """The document of a run, which its schema must accept."""
    return read_document(Path(settings.document))


def read_document(path: Path) -> dict[str, Any]:
    """A load document, which its schema must accept."""
    value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    assert violations(format_validator("load"), value) == ()
    return value


def children_of(pid: int) -> list[int]:
    """The processes that another one started."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(status.read_text(encoding="utf-8").rpartition(")")[2].split()[1]) == pid:
                found.append(int(status.parent.name))
    return found


def connections(url: str) -> int:
    """How many connections to a server of this machine are open."""
    port = f":{int(url.rpartition(':')[2].partition('/')[0]):04X}"
    lines = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    return sum(state == "01" and there.endswith(port) for _, _, there, state, *_ in map(str.split, lines))
