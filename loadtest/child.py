"""Runs Locust headless as a child process, since importing it patches the interpreter."""

import contextlib
import math
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from conformance.transport import resolve
from contract.files import DATA_ROOT
from contract.model import load_contract
from contract.profile import Profile
from loadtest.document import Ending, load_document, write_document
from loadtest.recorder import Recorder
from loadtest.settings import SETTINGS_VARIABLE, LoadError, LoadSettings, load_journeys
from loadtest.thresholds import parse_threshold
from loadtest.world import read_profile

try:
    import resource
except ImportError:  # pragma: no cover  # no such limits on Windows
    resource = None  # type: ignore[assignment]

STARTING_SECONDS = 20.0
"""How long the child may take to import everything and to begin."""

ENDING_SECONDS = 15.0
"""How long the child may take to end its users and write its document."""

SPARE_DESCRIPTORS = 100
MAX_LOG_BYTES = 65_536
PROGRESS_SECONDS = 0.5

Progress = Callable[[float], None]


def check_settings(settings: LoadSettings) -> Profile:
    """The profile that the settings name. Raises `LoadError` and `ContractError` for what cannot work."""
    if settings.users < 1:
        raise LoadError(f"--users {settings.users}: expected at least 1")
    for name, value in (("--spawn-rate", settings.spawn_rate), ("--time", settings.duration)):
        if not (value > 0 and math.isfinite(value)):
            raise LoadError(f"{name} {value:g}: expected more than 0")
    if not (settings.think_time >= 0 and math.isfinite(settings.think_time)):
        raise LoadError(f"--think-time {settings.think_time:g}: expected 0 or more")
    if settings.channels < 1:
        raise LoadError(f"--channels {settings.channels}: expected at least 1")
    if not settings.journeys:
        raise LoadError("no journey to play")
    known = {one.id for one in load_journeys()}
    for name in settings.journeys:
        if name not in known:
            raise LoadError(f"--journey {name}: no such journey; known are {', '.join(sorted(known))}")
    for text in settings.thresholds:
        parse_threshold(text)
    _check_descriptors(settings.users)
    return read_profile(settings)


def _check_descriptors(users: int) -> None:
    """Raise this process's limit, which the child inherits, to what so many users need."""
    if resource is None:  # pragma: no cover
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = users * 2 + SPARE_DESCRIPTORS
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise LoadError(f"--users {users}: needs {needed} file descriptors, and the limit is {hard} (ulimit -Hn)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def command(settings: LoadSettings) -> list[str]:
    """The child's command line; no token stands in it.

    Locust ends the run after whole seconds; the users themselves leave when the time is up.
    """
    return [
        *(sys.executable, "-P", "-m", "locust"),
        *("-f", str(DATA_ROOT / "loadtest" / "locustfile.py")),
        *("--headless", "--users", str(settings.users), "--spawn-rate", f"{settings.spawn_rate:.6f}"),
        *("--run-time", f"{math.ceil(settings.duration)}s"),
        *("--only-summary", "--loglevel", "ERROR", "--exit-code-on-error", "0"),
    ]


def environment(settings_file: Path) -> dict[str, str]:
    """The child's environment: our packages first, and none of the user's own settings of Locust."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LOCUST_")}
    theirs = [os.path.abspath(path) for path in kept.get("PYTHONPATH", "").split(os.pathsep) if path]
    paths = os.pathsep.join([str(DATA_ROOT), *theirs])
    return {**kept, SETTINGS_VARIABLE: str(settings_file), "PYTHONPATH": paths}


def run_load(settings: LoadSettings, progress: Progress = lambda elapsed: None) -> bool:
    """Run the load to its end; False where it was interrupted. The document is at `settings.document`.

    Raises `LoadError` for settings that cannot work, and where the child wrote no document; `ContractError` for
    a broken profile; `UnreachableError` and ValueError as `resolve` does.
    """
    profile = check_settings(settings)
    resolve(settings.endpoint, verify=profile.tls.verify, ca=profile.tls.ca, timeout=profile.response_timeout)
    document = Path(settings.document).absolute()
    if not document.parent.is_dir():
        raise LoadError(f"{document.parent}: no such folder to write {document.name} to")
    document.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="wsproof-") as name:
        folder = Path(name)
        _absolute(settings, profile, document).write(folder / "settings.json")
        with (folder / "log").open("wb") as output:
            # It works in a folder of its own, where no locust.conf and no package of the user's lies. In a session
            # of its own, it hears of Ctrl-C from this process, once, and can close its connections.
            child = subprocess.Popen(
                command(settings),
                cwd=folder,
                env=environment(folder / "settings.json"),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
            completed = _wait(child, settings.duration, progress)
        if not document.is_file() and not completed:
            _write_empty(settings, profile, document)
        elif not document.is_file():
            raise LoadError(f"the load generator ended early: {_last_words(folder / 'log', child.returncode)}")
    return completed


def _write_empty(settings: LoadSettings, profile: Profile, document: Path) -> None:
    """The document of a run that was interrupted before the child could write one."""
    ending = Ending(datetime.now(UTC), 0.0, complete=False)
    contract = load_contract(None, profile.limits)
    write_document(document, load_document(settings, contract, ending, Recorder(0.0).document(0.0)))


def _absolute(settings: LoadSettings, profile: Profile, document: Path) -> LoadSettings:
    """The settings as they read in another folder."""
    overrides = dict(settings.overrides)
    if profile.tls.ca is not None:
        overrides["tls.ca"] = os.path.abspath(profile.tls.ca)
    path = os.path.abspath(settings.profile) if settings.profile else None
    return replace(settings, document=str(document), profile=path, overrides=overrides)


def _last_words(log: Path, code: int) -> str:
    with log.open("rb") as file:
        file.seek(max(log.stat().st_size - MAX_LOG_BYTES, 0))
        lines = file.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1].strip() if lines else f"exit code {code}, no output"


@contextlib.contextmanager
def _termination_interrupts() -> Iterator[None]:
    """SIGTERM ends the block as Ctrl-C does, so that the child is not left behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _wait(child: subprocess.Popen[bytes], duration: float, progress: Progress) -> bool:
    """Wait for the child's end; whether it was left to its own. A second interrupt kills it."""
    began = time.monotonic()
    latest = began + STARTING_SECONDS + duration + ENDING_SECONDS
    completed = True
    with _termination_interrupts():
        while True:
            try:
                _follow(child, latest, lambda: progress(time.monotonic() - began))
                return completed
            except KeyboardInterrupt:
                if completed:
                    child.terminate()
                    latest = time.monotonic() + ENDING_SECONDS
                else:
                    child.kill()
                completed = False


def _follow(child: subprocess.Popen[bytes], latest: float, progress: Callable[[], None]) -> None:
    """Report progress until the child has ended; at `latest` (seconds, monotonic) it is killed."""
    while True:
        try:
            child.wait(timeout=PROGRESS_SECONDS)
            return
        except subprocess.TimeoutExpired:
            progress()
            if time.monotonic() >= latest:
                child.kill()
