"""What an example server needs beyond this interpreter."""

import shutil
from pathlib import Path

PROGRAMS = {
    "aiohttp": (),
    "go-gorilla": ("go",),
    "java": ("java", "javac"),
    "node-ws": ("node", "npm"),
    "starlette": (),
}

SOURCES = {"go-gorilla": Path("/usr/share/gocode/src/github.com/gorilla/websocket")}
"""Where Debian's packages put a library."""


def lacking(name: str) -> str | None:
    """What is not installed of it, in words; None: it can be started."""
    for program in PROGRAMS[name]:
        if shutil.which(program) is None:
            return f"{name} needs {program}, which is not installed"
    if name in SOURCES and not SOURCES[name].exists():
        return f"{name} needs {SOURCES[name]}, which a package of Debian's installs"
    return None
