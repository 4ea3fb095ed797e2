"""`wsproof load`: child processes make the load, and their document becomes the report."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from conformance.transport.target import UnreachableError, target_for
from conformance.transport.troubles import OwnTroubleError, own_error
from contract.escaping import visible
from contract.folder import ContractFolder
from contract.formats import LOAD
from contract.model import load_contract
from contract.profile import Profile
from loadtest.processes.supervisor import run_load, run_worker
from loadtest.settings.plan import Wishes, settings_for
from loadtest.settings.settings import WAIT_SECONDS, AbsenceError, EndedError, LoadError, LoadSettings
from reports.shared.documents import Document, check_document, read_document
from wsproof import __version__
from wsproof.commands.capacity import Capacity, find_capacity
from wsproof.commands.contracts import mention_notes
from wsproof.commands.endpoints import EndpointError, endpoint
from wsproof.exit_codes import ExitCode
from wsproof.interruption import Interruption
from wsproof.output.files import OutputError, prepare_folder, write_all
from wsproof.output.formats import Wanted, forget_former, print_wanted, wanted_reports, writers
from wsproof.output.locking import sole_writer
from wsproof.output.summaries import show_summary

REPORTS = ("html", "json")
"""The reports of every load test."""


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """How a load test is run, beside what it does. `capacity`: what to raise until a threshold breaks."""

    output: Path = Path("wsproof-report")
    formats: tuple[str, ...] = ()
    json_path: str | None = None
    quiet: bool = False
    language: str = "en"
    master: str | None = None
    expect_workers: int = 0
    wait: float = WAIT_SECONDS
    capacity: Capacity | None = None
    measure_only: bool = False
    strict: bool = False
    require_complete: bool = False


@dataclass(frozen=True, slots=True)
class ProfileSource:
    """Where the profile comes from, for processes that read it for themselves."""

    contract: ContractFolder
    profile: Profile
    path: Path | None
    overrides: dict[str, Any]


def run_load_test(address: str | None, source: ProfileSource, wishes: Wishes, options: LoadOptions) -> int:
    """Put load on an endpoint, write the reports, and give the exit code back.

    `address`: the endpoint's URL; None: the built-in reference server.
    """
    document = options.output.absolute() / "load.json"
    with _complaints(options.output, address) as failed:
        # A broken contract is said before anything is reached.
        contract = load_contract(source.contract, source.profile.limits)
        if not options.quiet:
            mention_notes(contract)
        prepare_folder(options.output)
        with sole_writer(options.output, "load"), endpoint(address, source.profile) as found:
            wanted = wanted_reports(REPORTS, options.formats, options.json_path, options.output, LOAD)
            target_for(found, source.profile, embedded=address is None)
            settings = _settings(found, document, source, wishes, options, embedded=address is None)
            forget_former(wanted)
            with Interruption(lambda: None, "") as interruption:
                problems: list[str] = []
                try:
                    completed = _run(settings, options, interruption)
                    measured = read_document(document)
                except EndedError as error:
                    completed, measured = True, check_document(error.document)
                    problems.append(str(error))
                code = _report(measured, document, options, wanted, problems)
        return code if completed and not interruption.happened else ExitCode.INTERRUPTED
    return failed[0]


def _run(settings: LoadSettings, options: LoadOptions, interruption: Interruption) -> bool:
    if options.capacity is None:
        return run_load(settings, _progress(settings.whole_duration, options))
    tell = _progress_of_steps(options)
    return find_capacity(settings, options.capacity, tell, lambda: interruption.happened)


def run_worker_for(address: str, source: ProfileSource, wait: float, addresses: tuple[str, ...] = ()) -> int:
    """Play users for a master on another machine, and give the exit code back."""
    with _complaints(Path(), None) as failed:
        click.echo(f"wsproof: running users for the master at {address}", err=True)
        named = source.contract.option
        contract = named if named is None or source.contract.is_bundled else str(source.contract.place.absolute())
        completed = run_worker(address, source.path, source.overrides, wait, addresses, contract)
        return ExitCode.PASSED if completed else ExitCode.INTERRUPTED
    return failed[0]


@contextmanager
def _complaints(output: Path, url: str | None) -> Iterator[list[int]]:
    """One line for what cannot work; the exit code is left in the list that is given."""
    code: list[int] = []
    try:
        yield code
    except (LoadError, EndpointError, OutputError, OwnTroubleError, ValueError) as error:
        code.append(_complain(str(error), ExitCode.USAGE))
    except AbsenceError as error:
        code.append(_complain(str(error), ExitCode.UNREACHABLE))
    except UnreachableError as error:
        code.append(_complain(f"the endpoint {url} cannot be reached: {error}", ExitCode.UNREACHABLE))
    except OSError as error:
        code.append(_complain(f"{error.filename or output}: {error.strerror}", ExitCode.USAGE))


def _complain(message: str, code: int) -> int:
    click.echo(f"wsproof: {message}", err=True)
    return code


def _settings(
    address: str, document: Path, source: ProfileSource, wishes: Wishes, options: LoadOptions, *, embedded: bool
) -> LoadSettings:
    settings = settings_for(
        wishes,
        address,
        document,
        source.contract,
        source.profile,
        profile=str(source.path.absolute()) if source.path else None,
        overrides=source.overrides,
        version=__version__,
    )
    same = ("master", "expect_workers", "wait", "measure_only", "strict", "require_complete")
    return replace(settings, **{name: getattr(options, name) for name in same}, embedded=embedded)


def _report(document: Document, path: Path, options: LoadOptions, wanted: tuple[Wanted, ...], former: list[str]) -> int:
    # The document itself is there already.
    reports = [one for one in writers(wanted, document, options.language) if one[0].absolute() != path]
    written, problems = write_all(reports)
    problems = [*former, *problems]
    files = [*written, *([options.output / path.name] if path.is_file() else [])]
    on_stdout = print_wanted(wanted, document, options.language)
    show_summary(document, options.language, err=on_stdout)
    if files:
        click.echo("  ".join(map(str, files)), err=on_stdout)
    own = own_error(document["errors"])
    if own is not None:
        problems.append(visible(str(own)))
    for problem in problems:
        _complain(problem, ExitCode.USAGE)
    if problems:
        return ExitCode.USAGE
    return ExitCode.PASSED if document["outcome"]["passed"] else ExitCode.FAILED


def _progress(duration: float, options: LoadOptions) -> Callable[[float], None]:
    terminal = sys.stderr.isatty() and not options.quiet

    def show(elapsed: float) -> None:
        if terminal:
            click.echo(f"\r\x1b[K{min(elapsed, duration):.0f} of {duration:.0f} s of load", nl=False, err=True)
            if elapsed >= duration:
                click.echo("\r\x1b[K", nl=False, err=True)

    return show


def _progress_of_steps(options: LoadOptions) -> Callable[[str], None]:
    return lambda line: None if options.quiet else click.echo(line, err=True)
