"""The files that a command writes: whether they can be, before the work begins, and the writing itself."""

import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from wsproof.output.streams import is_closed


class OutputError(Exception):
    """A file or folder that was asked for cannot be written; the message names the option."""


def prepare_folder(folder: Path, option: str = "--output") -> None:
    """Make a folder, and see that files can be written to it. Raises `OutputError`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        what = "not a directory" if isinstance(error, FileExistsError) else (error.strerror or str(error)).lower()
        raise OutputError(f"{option} {folder}: cannot be written: {what}") from None


def prepare_file(path: Path, option: str) -> None:
    """See that a file can be written. Raises `OutputError`."""
    if path.is_dir():
        raise OutputError(f"{option} {path}: expected a file, found a directory")
    if path.exists() and not path.is_file():
        return  # a device or a pipe, beside which nothing need be written
    if not path.parent.is_dir():
        raise OutputError(f"{option} {path}: no such directory: {path.parent}")
    prepare_folder(path.parent, option)


def forget(paths: Iterable[Path]) -> None:
    """Remove what a former run wrote, which must not be taken for this one's. Raises `OutputError`."""
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(f"{path} of a previous run cannot be removed: {error.strerror or error}") from None


def write_all(writers: Iterable[tuple[Path, Callable[[Path], None]]]) -> tuple[list[Path], list[str]]:
    """Write every file that can be written: those, and what is wrong with the others."""
    written, problems = [], []
    for path, write in writers:
        try:
            write(path)
            written.append(path)
        except OSError as error:
            problems.append(f"{path} cannot be written: {error.strerror or error}")
        except Exception as error:  # noqa: BLE001  # a fault of ours in one report takes no other with it
            problems.append(f"{path} cannot be created: internal error in wsproof: {type(error).__name__}: {error}")
    return written, problems


def prepare_stdout() -> None:
    """See that there is a standard output. Raises `OutputError`."""
    if is_closed(sys.stdout):
        raise OutputError("standard output is closed: give a file instead of -")


def write_stdout(text: str) -> None:
    """Print a report as the bytes that its file would have, whatever the terminal's encoding."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
    sys.stdout.buffer.flush()
