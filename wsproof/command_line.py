"""The command line: options, variables and files become settings, and every error one clear line.

Whoever asks for help loads no more than this and the options: what a command needs, it imports when it runs.
"""

import os
import sys
from pathlib import Path
from typing import Any

import click

from contract.durations import seconds
from contract.errors import ContractError
from wsproof import __version__
from wsproof.commands.compare import compare
from wsproof.commands.extras import need
from wsproof.commands.load import load
from wsproof.commands.number_options import Number, Whole
from wsproof.commands.options import (
    FORMAT_HELP,
    FORMAT_NAMES,
    MAX_JOBS,
    contract_option,
    language_option,
    profile_options,
    reference_option,
    stop,
)
from wsproof.commands.strictness import StrictCommand
from wsproof.exit_codes import ExitCode

MAX_EXAMPLES = 100_000
MAX_SEED = 2**32 - 1


def _duration(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """A time as it was written, which is one."""
    try:
        if value is not None and seconds(value) <= 0:
            raise click.BadParameter(f"expected more than 0, got {value!r}")
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    return value


class _OneLine(click.Group):
    """A command line that says what is wrong in one line; WSPROOF_TRACE=1 shows where that came from."""

    command_class = StrictCommand

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command of a name. Raises `click.UsageError`, which says what may have been meant."""
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            from conformance.language.selection import did_you_mean

            raise click.UsageError(f"no such command {name!r}{did_you_mean(name, self.commands)}.", ctx)
        return super().resolve_command(ctx, args)

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run a command, and end the program with its exit code."""
        if os.environ.get("WSPROOF_TRACE"):
            return super().main(*args, **kwargs)
        try:
            sys.exit(super().main(*args, **(kwargs | {"standalone_mode": False})))
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            sys.exit(ExitCode.USAGE)
        except click.UsageError as error:
            where = error.ctx.command_path if error.ctx is not None else "wsproof"
            said = _one_line(error.format_message())
            stop(f"{said}{'' if said.endswith(('.', '?', ')')) else '.'} See {where} --help.")
        except click.ClickException as error:
            stop(_one_line(error.format_message()))
        except (click.Abort, KeyboardInterrupt):
            stop("interrupted", ExitCode.INTERRUPTED)
        except ContractError as error:
            stop(str(error))
        except Exception as error:  # noqa: BLE001  # a fault of ours; nobody is helped by a page of our code
            stop(
                f"internal error in wsproof: {type(error).__name__}: {_one_line(str(error))} "
                "(set WSPROOF_TRACE=1 for a traceback)"
            )


def _one_line(text: str) -> str:
    return " ".join(text.split())


@click.group(cls=_OneLine, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="wsproof")
def main() -> None:
    """Prove that a WebSocket API does what its specification says, and keeps doing so under load."""


@main.command()
@click.argument("url", required=False, envvar="WSPROOF_URL")
@contract_option
@profile_options
@reference_option
@click.option(
    "--select",
    multiple=True,
    metavar="WHAT",
    help="Run only scenarios that match a requirement id, group, level, tag or scenario id. Can be repeated.",
)
@click.option("--deselect", multiple=True, metavar="WHAT", help="Skip scenarios that match. Can be repeated.")
@click.option(
    "--scenarios",
    type=click.Path(path_type=Path, exists=True),
    multiple=True,
    metavar="PATH",
    help="Run your own scenarios (a file or directory) in addition to the bundled ones. Can be repeated.",
)
@click.option(
    "--only-scenarios",
    type=click.Path(path_type=Path, exists=True),
    multiple=True,
    metavar="PATH",
    help="Run only your own scenarios, without the bundled ones. Can be repeated.",
)
@click.option("--list", "listed", is_flag=True, help="List the selected scenarios and exit; with --json FILE, as JSON.")
@click.option("--strict", is_flag=True, help="Treat every SHOULD as a MUST.")
@click.option("--require-complete", is_flag=True, help="Exit with 1 if any selected MUST could not be decided.")
@click.option(
    "--allow-undecided",
    is_flag=True,
    help="Do not fail the run because most of the selected MUSTs could not be decided.",
)
@click.option(
    "--thorough", is_flag=True, help="Run every scenario several times, and additional long-running scenarios."
)
@click.option(
    "--baseline",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    envvar="WSPROOF_BASELINE",
    help="File of expected failures. An entry that no longer fails makes the run fail.",
)
@click.option(
    "--write-baseline",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the failures of this run to a baseline file. Entries that the run did not decide are kept.",
)
@click.option(
    "--fuzz",
    type=Whole(1, MAX_EXAMPLES),
    metavar="N",
    help="Also send N generated messages, valid and invalid, and shrink those that fail.",
)
@click.option(
    "--seed", type=Whole(0, MAX_SEED), metavar="S", help="Seed of --fuzz; the same seed generates the same messages."
)
@click.option("-x", "--exitfirst", is_flag=True, help="Stop after the first failed scenario; same as --maxfail 1.")
@click.option("--maxfail", type=Whole(1), metavar="N", help="Stop after N failed scenarios.")
@click.option("--time-limit", metavar="TIME", callback=_duration, help="Stop after this time, for example 90s or 10m.")
@click.option(
    "--jobs",
    type=Whole(1, MAX_JOBS),
    default=None,
    envvar="WSPROOF_JOBS",
    help="Number of concurrent scenarios, not counting those that only wait. Default: 16.",
)
@click.option(
    "--time-scale",
    type=Number(0.1, 100),
    default=1.0,
    show_default=True,
    help="Multiply every deadline by this factor.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("wsproof-report"),
    show_default=True,
    help="Directory for results.json, report.html and junit.xml, and for results.jsonl during the run.",
)
@click.option("--format", "formats", multiple=True, metavar="NAME[=FILE]", help=FORMAT_HELP)
@click.option("--json", "json_path", metavar="FILE", help="Also write results.json to FILE; - is stdout.")
@language_option
@click.option("-q", "--quiet", is_flag=True, help="Do not show progress.")
def check(
    url: str | None,
    contract: str | None,
    profile: Path | None,
    changes: tuple[str, ...],
    reference: bool,
    **options: Any,
) -> None:
    """Check an endpoint against the specification.

    If URL is omitted and there is no profile, a built-in reference server is started and checked.

    Exit codes: 0 no MUST failed, 1 non-conformant, too few requirements decided or time limit reached,
    2 usage error or invalid file, 3 endpoint unreachable, 130 interrupted.
    On SIGINT and SIGTERM, all connections are closed and the reports are still written.
    """
    import secrets

    from wsproof.commands.check import run_check, run_list
    from wsproof.commands.check_options import CheckOptions
    from wsproof.commands.contracts import chosen_contract
    from wsproof.commands.profiles import profile_path, read_profile, tested

    if options["scenarios"] and options["only_scenarios"]:
        stop("--scenarios and --only-scenarios cannot be used together")
    if options.pop("exitfirst"):
        options["maxfail"] = 1
    if options["seed"] is None:
        options["seed"] = secrets.randbelow(MAX_SEED + 1)
    elif options["fuzz"] is None:
        stop("--seed needs --fuzz N")
    folder = chosen_contract(contract, profile)
    if options.pop("listed"):
        sys.exit(run_list(folder, CheckOptions(**options)))
    if options["fuzz"] is not None:
        need("fuzz", "--fuzz")
    read = read_profile(folder, profile, changes)
    address = tested(url, read.endpoint, profile_path(profile), folder, reference=reference)
    if address is None:
        read = read_profile(folder, profile, changes, {"heartbeat.interval": 1, "heartbeat.timeout": 2})
    found = CheckOptions(profile=profile_path(profile), changes=changes, **options)
    sys.exit(run_check(address, folder, read, found))


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=Whole(0, 65535), default=8765, show_default=True, help="Port to listen on; 0 picks a free one."
)
@profile_options
@click.option("--fault", "faults", multiple=True, metavar="NAME", help="Enable a fault. Can be repeated.")
@click.option("--list-faults", is_flag=True, help="List the faults and the requirements they break.")
@click.option(
    "--liberty", "liberties", multiple=True, metavar="NAME", help="Enable a permitted variant. Can be repeated."
)
@click.option("--list-liberties", is_flag=True, help="List the permitted variants.")
@click.option("--rate-limit", type=Number(min=0.1), help="Messages per second that each connection may send.")
@click.option(
    "--certificate",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Certificate (PEM); enables TLS.",
)
@click.option(
    "--key", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Private key of the certificate (PEM)."
)
@click.option("-v", "--verbose", is_flag=True, help="Log connections and errors to stderr.")
def serve(
    profile: Path | None,
    changes: tuple[str, ...],
    list_faults: bool,
    list_liberties: bool,
    verbose: bool,
    **options: Any,
) -> None:
    """Run the reference server, optionally with faults."""
    import logging
    import ssl

    from contract.folder import DEFAULT
    from reference_server.core.settings import ServerSettings
    from reference_server.faults import catalogue, catalogue_under_load
    from reference_server.network import serve_forever
    from reference_server.variants import LIBERTIES, LIBERTIES_UNDER_LOAD
    from wsproof.commands.contracts import chosen_contract
    from wsproof.commands.profiles import read_profile

    if list_faults:
        for one in (*catalogue(), *catalogue_under_load()):
            also = f" (and with it {', '.join(one.entails)})" if one.entails else ""
            click.echo(f"{one.name}\n    breaks {', '.join(one.breaks)}{also}\n    {one.summary}")
        return
    if list_liberties:
        for liberty in (*LIBERTIES.values(), *LIBERTIES_UNDER_LOAD.values()):
            click.echo(f"{liberty.name}\n    {liberty.summary}")
        return
    if verbose:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    settings = ServerSettings(profile=read_profile(chosen_contract(DEFAULT, profile), profile, changes), **options)
    try:
        serve_forever(settings, lambda address: click.echo(f"listening on {address}"))
    except ssl.SSLError as error:
        stop(f"--certificate {options['certificate']}: {error}")
    except OSError as error:
        # asyncio wraps the system's words in its own; those of a name that is not found have no number.
        why = os.strerror(error.errno) if error.errno is not None and error.errno > 0 else error.strerror
        stop(f"{error.filename or f'{settings.host} port {settings.port}'}: {why or error}")
    except ValueError as error:
        stop(str(error))


@main.command()
@click.argument("document", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--format", "name", default="html", show_default=True, metavar="NAME", help=f"Report format: {FORMAT_NAMES}."
)
@click.option("--output", default="-", metavar="FILE", help="File to write. Default: stdout, same as -.")
@language_option
def report(document: Path, name: str, output: str, language: str) -> None:
    """Render a report from results.json, load.json, or the results.jsonl of a run that was killed.

    Exit codes: 0 report written, whatever the verdict of the run, 2 usage error, or a file that cannot be read or
    written.
    """
    from wsproof.commands.report import make_report

    make_report(document, name, output, language)


@main.command()
@click.argument("path", type=click.Path(path_type=Path, exists=True), required=False)
@contract_option
def lint(path: Path | None, contract: str | None) -> None:
    """Find mistakes in a contract, scenarios, journeys or a profile without connecting to anything.

    PATH is a file or a directory. If it is omitted, the contract and its scenarios are checked, as they are if it is a
    contract's directory. Reported are syntax errors, unknown names, expectations that a correct server would fail, and
    expectations that no server can fail. What a contract does not declare, or what of its AsyncAPI document is not
    checked, is listed as well, and is not a problem.
    """
    from wsproof.commands.linting import linted

    findings = linted(path, contract)
    for finding in findings.problems:
        click.echo(finding, err=True)
    for note in findings.notes:
        click.echo(f"note: {note}")
    click.echo(findings.summary)
    if findings.problems:
        sys.exit(ExitCode.USAGE)


@main.command()
def contracts() -> None:
    """List the bundled contracts, and the packs that a contract can include."""
    from wsproof.commands.contracts import list_contracts

    list_contracts()


main.add_command(load)
main.add_command(compare)
