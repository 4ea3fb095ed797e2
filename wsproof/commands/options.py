"""Options that several commands have, and an end with one line. Every command loads this: it imports little."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from contract.language import LANGUAGES
from wsproof.exit_codes import ExitCode

Command = TypeVar("Command", bound=Callable[..., Any])

FORMAT_NAMES = "html, text, markdown, junit, ctrf, badge, badge-svg, json, jsonl"
"""Of `reports.formats.render`, which takes its time to load; a test compares them."""

COMPARISON_FORMATS = "html, text, markdown, json"
FORMAT_HELP = (
    f"Write an additional report: {FORMAT_NAMES}. FILE defaults to the output directory; - is stdout. Can be repeated."
)

MAX_JOBS = 500


def stop(message: str, code: int = ExitCode.USAGE) -> NoReturn:
    """End with one line on stderr."""
    click.echo(f"wsproof: {message}", err=True)
    sys.exit(code)


def profile_options(command: Command) -> Command:
    """`--profile` and `--set`, which every command that speaks to an endpoint has."""
    profile = click.option(
        "--profile",
        type=click.Path(path_type=Path, dir_okay=False),
        envvar="WSPROOF_PROFILE",
        help="Profile of the endpoint. Default: ./wsproof.yaml, if it exists.",
    )
    change = click.option(
        "--set",
        "changes",
        multiple=True,
        metavar="NAME=VALUE",
        help="Override one value of the profile, for example heartbeat.interval=1s. Can be repeated.",
    )
    return profile(change(command))


def contract_option(command: Command) -> Command:
    """`--contract`, which every command has that knows an API."""
    return click.option(
        "--contract",
        metavar="NAME|PATH",
        envvar="WSPROOF_CONTRACT",
        help="Contract of the API: a bundled one (see `wsproof contracts`), a directory or an AsyncAPI document. "
        "Default: `contract` in the profile, or else chat.",
    )(command)


def reference_option(command: Command) -> Command:
    """`--reference`, which every command has that tests the built-in server where no endpoint is named."""
    return click.option(
        "--reference", is_flag=True, help="Test the built-in reference server and ignore the endpoint of the profile."
    )(command)


def language_option(command: Command) -> Command:
    """`--lang`, which every command that writes a report or a summary has."""
    return click.option(
        "--lang",
        "language",
        type=click.Choice(LANGUAGES),
        default=LANGUAGES[0],
        envvar="WSPROOF_LANG",
        show_default=True,
        help="Language of the reports and of the summary.",
    )(command)
