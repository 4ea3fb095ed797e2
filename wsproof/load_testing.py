"""`wsproof load`: a child process makes the load, and its document becomes the report."""

import secrets
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from conformance.transport import UnreachableError, resolve
from contract.profile import Profile, seconds
from loadtest.child import run_load
from loadtest.settings import LoadError, LoadSettings, parse_journeys
from reports.documents import read_document, to_json, write_json, write_text
from reports.render import render
from wsproof import __version__
from wsproof.checking import show_summary
from wsproof.endpoints import EndpointError, endpoint
from wsproof.output import OutputError, prepare_file, prepare_folder

EXIT_PASSED, EXIT_FAILED, EXIT_USAGE, EXIT_UNREACHABLE, EXIT_INTERRUPTED = 0, 1, 2, 3, 130


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """The options of `wsproof load`."""

    users: int = 20
    spawn_rate: float | None = None
    duration: str = "30s"
    rate: float = 1.0
    size: int | None = None
    processes: int = 1
    abort_on_breach: bool = False
    channels: int = 1
    journeys: tuple[str, ...] = ()
    thresholds: tuple[str, ...] = ()
    output: Path = Path("wsproof-report")
    json_path: str | None = None


def run_load_test(
    url: str | None, profile: Profile, profile_path: Path | None, overrides: dict[str, Any], options: LoadOptions
) -> int:
    """Put load on an endpoint, write the reports, and give the exit code back."""
    try:
        duration = _duration("--time", options.duration)
        journeys = parse_journeys(options.journeys)
        prepare_folder(options.output)
        if options.json_path not in (None, "-"):
            prepare_file(Path(str(options.json_path)), "--json")
        document = options.output.absolute() / "load.json"
        with endpoint(url, profile) as address:
            resolve(address, verify=profile.tls.verify, ca=profile.tls.ca, timeout=profile.response_timeout)
            settings = LoadSettings(
                endpoint=address,
                users=options.users,
                spawn_rate=options.spawn_rate if options.spawn_rate is not None else max(options.users, 1),
                duration=duration,
                document=str(document),
                journeys=journeys,
                channels=options.channels,
                rate=options.rate,
                size=options.size,
                thresholds=options.thresholds,
                abort_on_breach=options.abort_on_breach,
                processes=options.processes,
                run=str(secrets.randbelow(9 * 10**7) + 10**7),
                profile=str(profile_path.absolute()) if profile_path else None,
                overrides=overrides | ({"tls.ca": str(Path(profile.tls.ca).absolute())} if profile.tls.ca else {}),
                version=__version__,
            )
            completed = run_load(settings, _progress(duration))
    except (LoadError, EndpointError, OutputError, ValueError) as error:
        return _complain(str(error), EXIT_USAGE)
    except OSError as error:
        return _complain(f"{error.filename or options.output}: {error.strerror}", EXIT_USAGE)
    except UnreachableError as error:
        return _complain(f"the endpoint {url} cannot be reached: {error}", EXIT_UNREACHABLE)
    return _report(document, options, completed=completed)


def _report(path: Path, options: LoadOptions, *, completed: bool) -> int:
    document = read_document(path)
    page = options.output / "load.html"
    write_text(page, render("html", document))
    on_stdout = options.json_path == "-"
    if on_stdout:
        click.echo(to_json(document), nl=False)
    elif options.json_path:
        write_json(Path(options.json_path), document)
    show_summary(document, err=on_stdout)
    click.echo(f"{page}  {path}", err=on_stdout)
    if not completed:
        return EXIT_INTERRUPTED
    return EXIT_PASSED if document["verdict"] == "passed" else EXIT_FAILED


def _duration(option: str, text: str) -> float:
    try:
        return seconds(text)
    except ValueError as error:
        raise LoadError(f"{option} {text}: {error}") from None


def _complain(message: str, code: int) -> int:
    click.echo(f"wsproof: {message}", err=True)
    return code


def _progress(duration: float) -> Any:
    terminal = sys.stderr.isatty()

    def show(elapsed: float) -> None:
        if terminal:
            click.echo(f"\r\x1b[K{min(elapsed, duration):.0f} of {duration:.0f} s of load", nl=False, err=True)
            if elapsed >= duration:
                click.echo("\r\x1b[K", nl=False, err=True)

    return show
