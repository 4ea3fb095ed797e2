"""The readable summary of a run, on the terminal."""

import os
import sys
from collections.abc import Mapping
from typing import Any

import click

from contract.formats import RESULTS


def show_summary(document: Mapping[str, Any], language: str, *, err: bool) -> None:
    """The readable summary, in colour where a person reads it."""
    from contract.findings import translated
    from reports.formats.text import load_summary, summary
    from reports.shared.documents import upgraded
    from reports.text.language import speaking

    stream = sys.stderr if err else sys.stdout
    colour = stream.isatty() and "NO_COLOR" not in os.environ
    width = min(os.get_terminal_size(stream.fileno()).columns, 120) if stream.isatty() else 100
    with speaking(language):
        newest = upgraded(document)
        text = (summary if newest["format"] == RESULTS else load_summary)(translated(newest), colour, width)
    click.echo(text, nl=not text.endswith("\n"), err=err, color=colour)
