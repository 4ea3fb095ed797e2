"""Standard streams that nobody reads: a pipe whose reader has left, a descriptor that the shell closed, a full disk."""

import io
import os
import sys
from typing import IO, Any, Final

from wsproof.exit_codes import ExitCode

_DESCRIPTORS: Final = {"stdin": 0, "stdout": 1, "stderr": 2}


class _Output(io.FileIO):
    """Bytes for a reader who may leave. What is written after that goes nowhere: `| head -1` is no fault.

    Nor does anything go where the disk is full: what else is to be done is done, and `settle` says so in the end.
    """

    trouble: str | None = None
    """Why something could not be written."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            pass
        except OSError as error:
            self.trouble = error.strerror or str(error)
        _discard(self.fileno())
        return len(data)


class _Nowhere(io.TextIOWrapper):
    """Stands for a stream that was closed before the program began."""


def take_over() -> None:
    """Make the standard streams bear what shells do to them.

    A closed descriptor is filled: else the next file or connection would get its number, and what is meant for people.
    """
    for name, descriptor in _DESCRIPTORS.items():
        if getattr(sys, name) is None:
            _fill(descriptor)
            if name != "stdin":
                nowhere = io.BufferedWriter(io.FileIO(os.devnull, "wb"))
                setattr(sys, name, _Nowhere(nowhere, encoding="utf-8", errors="backslashreplace"))
        elif name != "stdin" and isinstance(getattr(sys, name), io.TextIOWrapper):
            setattr(sys, name, _taken_over(getattr(sys, name), descriptor))


def settle() -> None:
    """Write what waits to be written. Ends the program with exit code 2 where standard output did not take it all."""
    sys.stdout.flush()
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    if isinstance(raw, _Output) and raw.trouble is not None:
        sys.stderr.write(f"wsproof: standard output cannot be written: {raw.trouble}\n")
        raise SystemExit(ExitCode.USAGE)


def is_closed(stream: IO[str] | None) -> bool:
    """Whether there is no such stream, so that nothing can be printed there."""
    return stream is None or isinstance(stream, _Nowhere)


def _taken_over(stream: io.TextIOWrapper, descriptor: int) -> io.TextIOWrapper:
    return io.TextIOWrapper(
        io.BufferedWriter(_Output(descriptor, "wb", closefd=False)),
        encoding=stream.encoding,
        # Not every terminal or pipe takes a check mark; what it cannot show is shown as an escape.
        errors="backslashreplace",
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


def _fill(descriptor: int) -> None:
    try:
        os.fstat(descriptor)
    except OSError:
        _discard(descriptor)


def _discard(descriptor: int) -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    if nowhere != descriptor:
        os.dup2(nowhere, descriptor)
        os.close(nowhere)
