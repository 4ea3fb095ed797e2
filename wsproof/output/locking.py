"""A folder of reports has one writer: two runs at once would mix their files.

The lock is the system's: it ends with the process that holds it, however that ends. A file that a killed run leaves
behind locks nobody out.
"""

import contextlib
import errno
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from wsproof.interruption import passing
from wsproof.output.files import OutputError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_HELD = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
_BYTE = 1 << 30
"""Where Windows locks: those bytes cannot be read, and the others say who holds the lock."""


@contextlib.contextmanager
def sole_writer(folder: Path, command: str) -> Iterator[None]:
    """Be the only `command` that writes its reports to the folder. Raises `OutputError`, naming the other one."""
    path = folder / f".{command}.lock"
    with contextlib.ExitStack() as stack:
        try:
            descriptor = _held(path)
            stack.callback(os.close, descriptor)
            # From here on a signal removes the file; only then does it say whose it is.
            stack.enter_context(passing(path))
            _sign(descriptor)
        except OSError as error:
            if error.errno not in _HELD:
                raise OutputError(f"{path} cannot be written: {error.strerror or error}") from None
            what = f"another wsproof {command} is writing there{_holder(path)}"
            raise OutputError(f"--output {folder}: {what}; use another directory for this one") from None
        yield


def _held(path: Path) -> int:
    """A descriptor that holds the lock. Raises `OSError`."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _lock(descriptor)
            if _is_at(path, descriptor):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        # Whoever held it has removed the file in the meantime: there may be a new one.
        os.close(descriptor)


def _sign(descriptor: int) -> None:
    """Say in the file who holds the lock. Raises `OSError`."""
    os.truncate(descriptor, 0)
    os.write(descriptor, f"process {os.getpid()}, since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC".encode())


def _lock(descriptor: int) -> None:
    """Raises `OSError` where another process holds it."""
    if fcntl is None:
        import msvcrt

        os.lseek(descriptor, _BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        os.lseek(descriptor, 0, os.SEEK_SET)
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS):
            raise
        # Some network file systems have no locks; two runs at once are rarer than they are.


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _holder(path: Path) -> str:
    try:
        said = path.read_text(encoding="utf-8", errors="replace")[:100]
    except OSError:
        said = ""
    return f" ({said})" if said else ""
