"""The command `wsproof compare`: documents of finished runs in, what differs between them out."""

import re
import sys
from pathlib import Path
from typing import Any, Final

import click

from wsproof.commands.options import COMPARISON_FORMATS, language_option, stop
from wsproof.commands.strictness import StrictCommand

_PERCENT: Final = re.compile(r"([0-9]{1,4}(?:\.[0-9]{1,4})?) ?%")


@click.command(cls=StrictCommand)
@click.argument("runs", metavar="A B [C …]", nargs=-1)
@click.option(
    "--tolerance",
    default="10%",
    show_default=True,
    metavar="PERCENT",
    help="How much a percentile of a load test may grow, and its capacity shrink.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("wsproof-report"),
    show_default=True,
    help="Directory for comparison.json and comparison.html.",
)
@click.option(
    "--format",
    "formats",
    multiple=True,
    metavar="NAME[=FILE]",
    help=f"Write an additional report: {COMPARISON_FORMATS}. FILE defaults to the output directory; - is stdout.",
)
@click.option("--json", "json_path", metavar="FILE", help="Also write comparison.json to FILE; - is stdout.")
@language_option
@click.option("-q", "--quiet", is_flag=True, help="Print only the verdict.")
def compare(runs: tuple[str, ...], tolerance: str, **options: Any) -> None:
    """Compare runs: what got better or worse from A to B, and what was added or removed.

    Each run is the results.json of a check or the load.json of a load test, or the directory that contains it;
    NAME=FILE gives the run a name. With three runs or more, the report is a matrix of requirements by run, or the
    overlaid latency distributions.

    Exit codes: 0 B is no worse than A, or there are more than two runs; 1 B is worse; 2 usage error or invalid file.
    """
    from wsproof.commands.comparing import CompareOptions, run_compare

    sys.exit(run_compare(runs, CompareOptions(tolerance=_share(tolerance), **options)))


def _share(text: str) -> float:
    match = _PERCENT.fullmatch(text.strip())
    if match is None:
        stop(f"--tolerance {text}: expected a percentage, such as 10%")
    return float(match[1]) / 100
