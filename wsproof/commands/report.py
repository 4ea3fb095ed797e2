"""`wsproof report`: a document, or the stream of a run that was cut off, becomes a report."""

from pathlib import Path

from conformance.run.stream import is_stream, read_stream
from reports.formats.render import render
from reports.shared.documents import Document, DocumentError, check_document, read_document, write_text
from wsproof.commands.options import stop
from wsproof.output.files import OutputError, prepare_file, prepare_stdout, write_stdout
from wsproof.output.formats import check_name


def make_report(document: Path, name: str, output: str, language: str) -> None:
    """Make one report. Ends the program with one line where that is not possible."""
    try:
        check_name(name)
        if output == "-":
            prepare_stdout()
        else:
            prepare_file(Path(output), "--output")
        text = render(name, _read(document), language)
        if output == "-":
            write_stdout(text)
        else:
            write_text(Path(output), text)
    except (OutputError, DocumentError) as error:
        stop(str(error))
    except OSError as error:
        stop(f"--output {output}: cannot be written: {error.strerror or error}")


def _read(path: Path) -> Document:
    if is_stream(path):
        return check_document(read_stream(path), str(path))
    return read_document(path)
