"""Starts the program with its own packages first on the path.

In the wheel all of them lie in this package's folder, so that none of their generic names is installed into
anybody's environment; in a checkout they lie in the root. A user's own `reports/` or `schemas/`, `PYTHONPATH=.`
or the current folder must not stand in front of them.
"""

import gc
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # as type checkers know it; `typing` takes its time to load, as `pathlib` does
    from pathlib import Path

PACKAGES = ("wire", "contract", "reference_server", "conformance", "reports", "loadtest")

GARBAGE = 10_000
"""New objects after which the collector looks for garbage: modules and scenarios live to the end, and with Python's
700 a short check spent a fifth of its time on searching them."""


def home() -> "Path":
    """The folder that holds the packages, `spec/` and `schemas/`."""
    from pathlib import Path

    here = Path(__file__).resolve().parent
    return here if (here / "contract").is_dir() else here.parent


def take_the_lead(folder: "Path") -> None:
    """Put `folder` first on `sys.path`, and forget packages of our names that were imported from elsewhere."""
    text = str(folder)
    sys.path[:] = [text, *(entry for entry in sys.path if entry != text)]
    for name in list(sys.modules):
        if name.partition(".")[0] in PACKAGES and not _is_ours(name, folder):
            del sys.modules[name]


def _is_ours(name: str, folder: "Path") -> bool:
    from pathlib import Path

    origin = getattr(sys.modules[name], "__file__", None)
    return origin is not None and Path(origin).resolve().is_relative_to(folder)


def main() -> None:
    """Run the command line."""
    gc.set_threshold(GARBAGE)
    # Ctrl-C ends it without a traceback from here on: what follows takes its time to load.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from wsproof.interruption import end_at_once
    from wsproof.output.streams import settle, take_over

    end_at_once()
    take_over()
    take_the_lead(home())
    from wsproof.command_line import main as command_line

    try:
        command_line()
    finally:
        settle()


if __name__ == "__main__":
    main()
