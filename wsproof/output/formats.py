"""The reports that `check` and `load` write: the usual ones, `--format NAME[=FILE]` and `--json FILE`."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from contract.formats import COMPARISON, RESULTS
from reports.formats.render import FORMATS, render
from reports.shared.documents import Document, write_text
from wsproof.output.files import OutputError, forget, prepare_file, prepare_stdout, write_stdout

Writer = tuple[Path, Callable[[Path], None]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A report that is to be made; `path` is None for standard output."""

    name: str
    path: Path | None


def check_name(name: str, kind: str = RESULTS) -> None:
    """See that there is such a format for documents of the format `kind`. Raises `OutputError`."""
    known = [one for one, form in FORMATS.items() if kind != COMPARISON or form.comparison]
    if name not in known:
        raise OutputError(f"--format {name}: expected one of {', '.join(known)}")


def usual_path(name: str, folder: Path, kind: str) -> Path:
    """Where a report of a document of the format `kind` lies, unless something else is said."""
    return folder / FORMATS[name].renderer(kind).file


def wanted_reports(
    usual: Iterable[str], formats: Sequence[str], json_path: str | None, folder: Path, kind: str
) -> tuple[Wanted, ...]:
    """The usual reports, and those that the options ask for. Raises `OutputError` for what cannot be written."""
    found = {path: name for name in usual for path in [usual_path(name, folder, kind)]}
    printed = []
    options = [*formats, *([f"json={json_path}"] if json_path is not None else [])]
    for option in options:
        name, path = _parsed(option, folder, kind)
        if path is None:
            prepare_stdout()
            printed.append(Wanted(name, None))
        elif found.setdefault(path, name) != name:
            raise OutputError(f"--format {option}: {path} is already used for the {found[path]} report")
        else:
            prepare_file(path, "--json" if option is options[-1] and json_path is not None else f"--format {name}:")
    if len(printed) > 1:
        raise OutputError("only one report can go to standard output: give the others a file")
    return (*(Wanted(name, path) for path, name in found.items()), *printed)


def _parsed(option: str, folder: Path, kind: str) -> tuple[str, Path | None]:
    name, equals, file = option.partition("=")
    check_name(name, kind)
    if equals and not file:
        raise OutputError(f"--format {option}: expected a file after =, or - for standard output")
    if file == "-":
        return name, None
    return name, Path(file) if file else usual_path(name, folder, kind)


def forget_former(wanted: Sequence[Wanted]) -> None:
    """Remove what a former run left where these reports go. Raises `OutputError`."""
    forget(one.path for one in wanted if one.path is not None and one.path.is_file())


def writers(wanted: Sequence[Wanted], document: Document, language: str) -> list[Writer]:
    """What writes those reports that go into files."""
    return [(one.path, _writer(one.name, document, language)) for one in wanted if one.path is not None]


def _writer(name: str, document: Document, language: str) -> Callable[[Path], None]:
    return lambda path: write_text(path, render(name, document, language))


def print_wanted(wanted: Sequence[Wanted], document: Document, language: str) -> bool:
    """Print the report that goes to standard output; whether there is one."""
    printed = [one.name for one in wanted if one.path is None]
    for name in printed:
        write_stdout(render(name, document, language))
    return bool(printed)
