"""Starts the processes of a load test, and waits for its document."""

import json
import math
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from conformance.transport.target import target_for
from contract.commands import handed_over
from contract.files import DATA_ROOT
from contract.findings import phrase
from contract.model import load_contract
from contract.overrides import anywhere
from contract.profile import Profile
from loadtest.measure.document import Ending, load_document, write_document
from loadtest.measure.phases import phases_of
from loadtest.measure.tally import Tally
from loadtest.processes.checking import check_settings, raise_descriptor_limit
from loadtest.processes.processes import (
    ENDING_SECONDS,
    MASTER_GONE,
    MASTER_LEFT,
    NO_MASTER,
    WORKERS_ABSENT,
    Children,
    Progress,
)
from loadtest.processes.relay import Receiver
from loadtest.settings.settings import (
    AT_ONCE,
    SETTINGS_VARIABLE,
    TICK_SECONDS,
    WAIT_SECONDS,
    WORKER_VARIABLE,
    AbsenceError,
    EndedError,
    LoadError,
    LoadSettings,
    contract_of,
)
from loadtest.settings.sources import check_source

STARTING_SECONDS = 30.0
"""How long the processes may take to import everything and to begin."""

WORKER_SECONDS = 7 * 24 * 3600.0
"""How long a worker stays, whatever its master does."""


def _locust(*options: str) -> list[str]:
    """A command line of Locust; no token stands in it."""
    return [
        *(sys.executable, "-P", "-m", "locust"),
        *("-f", str(DATA_ROOT / "loadtest" / "locustfile.py")),
        *("--only-summary", "--loglevel", "ERROR", "--exit-code-on-error", "0", "--stop-timeout", "30"),
        *options,
    ]


def _port(address: str) -> tuple[str, str]:
    """Host and port of `HOST:PORT`. Raises `LoadError`."""
    host, colon, port = address.rpartition(":")
    if not (colon and port.isdigit() and 0 < int(port) < 65_536):
        raise LoadError(f"{address}: expected HOST:PORT, such as 0.0.0.0:5557")
    return host.strip("[]") or "0.0.0.0", port


def commands(settings: LoadSettings) -> list[list[str]]:
    """The command lines of the run: that of the document's process first."""
    first, rate = (
        (settings.users_within(0.0, TICK_SECONDS), AT_ONCE)
        if settings.stages
        else (settings.users, settings.spawn_rate)
    )
    users = ["--headless", "--users", str(first), "--spawn-rate", f"{rate:.6f}"]
    if settings.master is not None:
        host, port = _port(settings.master)
        workers = str(settings.expect_workers)
        return [_locust(*users, *_master(host, port, workers))]
    if settings.processes == 1:
        return [_locust(*users)]
    port = str(_free_port())
    master = _locust(*users, *_master("127.0.0.1", port, str(settings.processes)))
    worker = _locust(*_worker("127.0.0.1", port))
    return [master, *([worker] * settings.processes)]


def _master(host: str, port: str, workers: str) -> list[str]:
    return ["--master", "--master-bind-host", host, "--master-bind-port", port, "--expect-workers", workers]


def _worker(host: str, port: str) -> list[str]:
    return ["--worker", "--master-host", host, "--master-port", port]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def environment(**variables: str) -> dict[str, str]:
    """The child's environment: our packages first, and none of the user's own settings of Locust."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LOCUST_")}
    theirs = [os.path.abspath(path) for path in kept.get("PYTHONPATH", "").split(os.pathsep) if path]
    paths = os.pathsep.join([str(DATA_ROOT), *theirs])
    # Who spawned which greenlet takes a kilobyte for each.
    return {**kept, "PYTHONPATH": paths, "GEVENT_TRACK_GREENLET_TREE": "false", **handed_over(), **variables}


def run_load(settings: LoadSettings, progress: Progress = lambda elapsed: None) -> bool:
    """Run the load to its end; False where it was interrupted. The document is at `settings.document`.

    Raises `LoadError` for settings that cannot work, and where nothing was measured; `EndedError` where the generator
    crashed in mid-run or no document can be written; `ContractError` for a broken profile; `AbsenceError` where workers
    did not come; `UnreachableError` and ValueError as `target_for` does.
    """
    profile = check_settings(settings)
    target = target_for(settings.endpoint, profile, embedded=settings.embedded)
    for address in settings.source_addresses:
        check_source(address, target.family)
    document = Path(settings.document).absolute()
    if not document.parent.is_dir():
        raise LoadError(f"{document.parent}: no such directory to write {document.name} to")
    document.unlink(missing_ok=True)
    limit = STARTING_SECONDS + settings.whole_duration + ENDING_SECONDS + 3 * profile.response_timeout
    if settings.master is not None:
        limit += settings.wait
    receiver = Receiver(settings.whole_duration, phases_of(settings)) if os.name == "posix" else None
    with Children(environment, limit, receiver) as children:
        _absolute(settings, document).write(children.folder / "settings.json")
        variables = {SETTINGS_VARIABLE: str(children.folder / "settings.json")}
        for one in commands(settings):
            children.start(one, variables)
        completed = children.wait(progress)
        if not document.is_file():
            _save(settings, profile, receiver, children, completed=completed)
    return completed


def _save(
    settings: LoadSettings, profile: Profile, receiver: Receiver | None, children: Children, *, completed: bool
) -> None:
    """Write what the children measured where they could not. Raises as `run_load` does, but for an interrupted run."""
    if children.code == WORKERS_ABSENT:
        raise AbsenceError(f"{children.last_words()}{f' to {settings.master}' if settings.master else ''}")
    trouble = f"the load generator ended early: {children.last_words()}" if completed else None
    if receiver is not None and receiver.document is not None:
        found: Mapping[str, Any] = receiver.document
        trouble = None
    else:
        if trouble is not None and (receiver is None or not receiver.seconds):
            raise LoadError(trouble)
        tally, seconds = (receiver.tally, receiver.seconds) if receiver is not None else (Tally(), 0.0)
        why = phrase("load-generator-ended", how=children.last_words()) if completed else None
        ending = Ending(datetime.now(UTC) - timedelta(seconds=seconds), seconds, complete=False, why=why)
        contract, judged = load_contract(contract_of(settings), profile.limits), tally.judged
        measured = {**tally.document(), "shed": dict(sorted(judged.shed.items()))}
        found = load_document(settings, contract, ending, measured, judged)
    try:
        write_document(Path(settings.document).absolute(), found)
    except OSError as error:
        reason = f"{settings.document} cannot be written: {error.strerror or error}"
        raise EndedError(f"{trouble}; {reason}" if trouble else reason, found) from None
    if trouble is not None:
        raise EndedError(trouble, found)


def run_worker(
    address: str,
    profile: Path | None,
    overrides: Mapping[str, Any],
    wait: float = WAIT_SECONDS,
    source_addresses: Sequence[str] = (),
    contract: str | None = None,
) -> bool:
    """Play users for the master at `address` (HOST:PORT) until it ends the run; False where it was interrupted.

    The profile is this machine's own (its tokens do not travel), and so are its addresses and its `contract`, if one is
    named. Raises `LoadError`, and
    `AbsenceError` where the master is silent for `wait` seconds.
    """
    host, port = _port(address)
    _check_wait(wait)
    for one in source_addresses:
        check_source(one)
    own = {
        "profile": str(profile.absolute()) if profile is not None else None,
        "overrides": anywhere(overrides),
        "wait": wait,
        "source_addresses": list(source_addresses),
        "contract": contract,
    }
    raise_descriptor_limit()
    with Children(environment, WORKER_SECONDS) as children:
        (children.folder / "worker.json").write_text(json.dumps(own), encoding="utf-8")
        children.start(_locust(*_worker(host, port)), {WORKER_VARIABLE: str(children.folder / "worker.json")})
        completed = children.wait(lambda elapsed: None)
        absent = {
            NO_MASTER: f"no master answered at {address} within {wait:g} s",
            MASTER_GONE: f"the master at {address} has been silent for {wait:g} s; its users were stopped",
            MASTER_LEFT: f"the master at {address} ended before the run began",
        }
        if completed and children.code in absent:
            raise AbsenceError(absent[children.code])
        if completed and children.code:
            raise LoadError(f"the worker ended early: {children.last_words()}")
    return completed


def _check_wait(wait: float) -> None:
    if not (wait > 0 and math.isfinite(wait)):
        raise LoadError(f"--wait {wait:g}: expected more than 0")


def _absolute(settings: LoadSettings, document: Path) -> LoadSettings:
    """The settings as they read in another folder."""
    tokens = settings.tokens
    if tokens.kind == "file":
        tokens = replace(tokens, value=os.path.abspath(tokens.value))
    return replace(
        settings,
        document=str(document),
        overrides=anywhere(settings.overrides),
        tokens=tokens,
        profile=_found(settings.profile),
        journey_file=_found(settings.journey_file),
    )


def _found(path: str | None) -> str | None:
    return os.path.abspath(path) if path else None
