"""What `wsproof compare` does: find the documents of the runs, hold them against each other, write what differs."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import click

from conformance.run.stream import is_stream, read_stream
from contract.errors import ContractError
from contract.files import readable
from contract.findings import translated
from contract.formats import COMPARISON, LOAD, RESULTS
from reports.compare import comparison
from reports.compare.parts import ComparisonError, Run
from reports.formats.comparison_text import comparison_summary, last_line
from reports.shared.documents import Document, DocumentError, check_document, read_document
from reports.text.language import speaking
from wsproof import __version__
from wsproof.exit_codes import ExitCode
from wsproof.output.files import OutputError, prepare_folder, write_all
from wsproof.output.formats import Wanted, print_wanted, wanted_reports, writers

REPORTS: Final = ("html", "json")
"""Formats that are always written."""

_PAGES: Final = {RESULTS: "report.html", LOAD: "load.html"}
"""What a run's own page is called, by the format of its document."""
_FINISHED: Final = ("results.json", "load.json")
_CUT_OFF: Final = "results.jsonl"


@dataclass(frozen=True, slots=True)
class CompareOptions:
    """The options of a comparison; `tolerance` is a share."""

    tolerance: float
    output: Path
    formats: tuple[str, ...]
    json_path: str | None
    quiet: bool
    language: str = "en"


@dataclass(frozen=True, slots=True)
class _Named:
    """A document's file, and what its run is called; None where nobody said."""

    name: str | None
    path: Path


def run_compare(arguments: Sequence[str], options: CompareOptions) -> int:
    """Compare the runs that the arguments name, and give the exit code back."""
    try:
        if len(arguments) < 2:
            found = f"only {arguments[0]}" if arguments else "none"
            raise ComparisonError(f"expected two or more runs, found {found}. See wsproof compare --help.")
        runs = _runs(arguments, options.output)
        document = comparison.compare(runs, {"name": "wsproof", "version": __version__}, options.tolerance)
        prepare_folder(options.output)
        wanted = wanted_reports(REPORTS, options.formats, options.json_path, options.output, COMPARISON)
    except (ComparisonError, ContractError, DocumentError, OutputError) as error:
        return _complain(str(error))
    problems = _write(document, wanted, options)
    for problem in problems:
        _complain(problem)
    if problems:
        return ExitCode.USAGE
    return ExitCode.FAILED if document["verdict"] == "worse" else ExitCode.PASSED


def _complain(message: str) -> int:
    click.echo(f"wsproof: {message}", err=True)
    return ExitCode.USAGE


def _runs(arguments: Sequence[str], folder: Path) -> list[Run]:
    named = [_named(argument) for argument in arguments]
    return [
        Run(name, document, _page(one.path, document["format"], folder))
        for name, one, document in zip(_names(named), named, [_read(one.path) for one in named], strict=True)
    ]


def _named(argument: str) -> _Named:
    """``NAME=FILE``, or a file or folder; what is there under the whole text is meant by it."""
    name, equals, rest = argument.partition("=")
    if not equals or Path(argument).exists():
        return _Named(None, _document(Path(argument)))
    if not name.strip() or not rest:
        raise ComparisonError(f"{argument}: expected FILE or NAME=FILE")
    return _Named(name.strip(), _document(Path(rest)))


def _document(path: Path) -> Path:
    """The document itself where `path` is the folder that a run wrote."""
    if not path.exists():
        raise ComparisonError(f"{path}: no such file or directory")
    if not path.is_dir():
        return path
    found = [path / name for name in _FINISHED if (path / name).is_file()]
    if len(found) > 1:
        raise ComparisonError(f"{path}: contains {' and '.join(_FINISHED)}: name the one to compare")
    if not found and (path / _CUT_OFF).is_file():
        return path / _CUT_OFF
    if not found:
        raise ComparisonError(f"{path}: expected {' or '.join(_FINISHED)} in this directory, found neither")
    return found[0]


def _read(path: Path) -> Document:
    return check_document(read_stream(path), str(path)) if is_stream(path) else read_document(path)


def _names(named: Sequence[_Named]) -> list[str]:
    others = iter(_told_apart([one.path for one in named if one.name is None]))
    return [readable(one.name or next(others)) for one in named]


def _told_apart(paths: Sequence[Path]) -> list[str]:
    """Their file names, or those of their folders; whole paths or numbers where these do not tell them apart."""
    usual = (*_FINISHED, _CUT_OFF)
    short = [(path.resolve().parent.name if path.name in usual else path.stem) or path.name for path in paths]
    for found in (short, [str(path.with_suffix("")) for path in paths]):
        if len(set(found)) == len(paths):
            return found
    return [f"{name} ({number})" for number, name in enumerate(short, 1)]


def _page(path: Path, kind: str, folder: Path) -> str | None:
    """Where the run's own report is as seen from `folder`, as a URL; None where there is none beside its document."""
    page = path.parent / _PAGES[kind]
    if not page.is_file():
        return None
    try:
        relative = os.path.relpath(page.resolve(), folder.resolve())
    except ValueError:  # another drive
        return None
    # Quoted, so that no name of a folder is taken for a scheme, a query or a fragment.
    return quote(os.fsencode(relative.replace(os.sep, "/")))


def _write(document: Document, wanted: Sequence[Wanted], options: CompareOptions) -> list[str]:
    """Write the reports and show the summary; what could not be written."""
    written, problems = write_all(writers(wanted, document, options.language))
    on_stdout = print_wanted(wanted, document, options.language)
    with speaking(options.language):
        _show(document, quiet=options.quiet, err=on_stdout)
    if not options.quiet:
        click.echo("  ".join(str(path) for path in written), err=on_stdout)
    return problems


def _show(document: Any, *, quiet: bool, err: bool) -> None:
    stream = sys.stderr if err else sys.stdout
    colour = stream.isatty() and "NO_COLOR" not in os.environ
    width = min(os.get_terminal_size(stream.fileno()).columns, 120) if stream.isatty() else 100
    summary = last_line if quiet else comparison_summary
    click.echo(summary(translated(document), colour, width), nl=False, err=err, color=colour)
