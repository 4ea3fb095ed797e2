"""The command `wsproof compare`: documents of finished runs in, what differs between them out."""

import re
import sys
from pathlib import Path
from typing import Any, Final

import click

from wsproof.options import COMPARISON_FORMATS, language_option, stop
from wsproof.strictness import StrictCommand

_PERCENT: Final = re.compile(r"([0-9]{1,4}(?:\.[0-9]{1,4})?) ?%")


@click.command(cls=StrictCommand)
@click.argument("runs", metavar="A B [C …]", nargs=-1)
@click.option(
    "--tolerance",
    default="10%",
    show_default=True,
    metavar="PERCENT",
    help="By how much a load test's percentile may grow, and its capacity shrink.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("wsproof-report"),
    show_default=True,
    help="Folder for comparison.json and comparison.html.",
)
@click.option(
    "--format",
    "formats",
    multiple=True,
    metavar="NAME[=FILE]",
    help=f"Write this report as well: {COMPARISON_FORMATS}. Without FILE: into the folder; - is standard output.",
)
@click.option("--json", "json_path", metavar="FILE", help="Write the comparison there as well; - is standard output.")
@language_option
@click.option("-q", "--quiet", is_flag=True, help="Show the verdict only.")
def compare(runs: tuple[str, ...], tolerance: str, **options: Any) -> None:
    """Say what got better, worse, new and gone from A to B.

    Each is results.json of a check or load.json of a load test, or the folder that holds it; NAME=FILE says what the
    run is called. More than two make a matrix of requirements and implementations, or distributions over each other.

    Exit codes: 0 B is no worse than A, or there are more than two; 1 B is worse; 2 usage or a broken file.
    """
    from wsproof.comparing import CompareOptions, run_compare

    sys.exit(run_compare(runs, CompareOptions(tolerance=_share(tolerance), **options)))


def _share(text: str) -> float:
    match = _PERCENT.fullmatch(text.strip())
    if match is None:
        stop(f"--tolerance {text}: expected a percentage, such as 10%")
    return float(match[1]) / 100
