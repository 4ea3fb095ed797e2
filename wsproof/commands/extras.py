"""Libraries that only some commands need, each installed as an extra of wsproof."""

from importlib.util import find_spec
from typing import Final

from wsproof.commands.options import stop

_LIBRARIES: Final = {"load": "locust", "fuzz": "hypothesis"}
"""What an extra brings, by its name in pyproject.toml."""


def need(extra: str, use: str) -> None:
    """End the program with one line if the library of an extra, which `use` needs, is not installed."""
    if find_spec(_LIBRARIES[extra]) is None:
        library = _LIBRARIES[extra].capitalize()
        stop(f"{use} needs {library}, which is not installed: pip install 'wsproof[{extra}]'")
