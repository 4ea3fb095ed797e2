"""Reading, checking and writing the documents that reports are made of."""

import json
import math
import os
import secrets
import uuid
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, NoReturn

from jsonschema import Draft202012Validator, ValidationError

from contract.escaping import quoted, visible
from contract.findings import phrase
from contract.formats import LOAD, RESULTS, family

Document = Mapping[str, Any]
"""A results or load document that its schema accepts."""

MAX_BYTES: Final = 256 * 1024 * 1024
"""Largest file that is read (bytes); a full run of the bundled contract writes about 1 MiB."""
MAX_DEPTH: Final = 100
"""A document that is nested deeper is none of ours, and nobody need be able to walk through it."""

_UPGRADES: Final = {"wsproof.results/1": RESULTS, "wsproof.load/1": LOAD, "wsproof.load/2": LOAD}
_SCHEMAS: Final = {RESULTS: "results.schema.json", LOAD: "load.schema.json"}
_SCHEMA_FOLDER: Final = Path(__file__).resolve().parents[2] / "schemas"


class DocumentError(Exception):
    """A document that cannot be used: which one, where in it, and what was expected instead.

    `where` is ``line:column`` for text that is no JSON, a JSON pointer (``/scenarios/0/id``) for
    JSON that breaks its schema, and empty where the whole file is meant.
    """

    def __init__(self, file: str, where: str, message: str) -> None:
        self.file = file
        self.where = where
        self.message = message
        super().__init__(": ".join(visible(part) for part in (file, where, message) if part))


def read_document(path: Path, max_bytes: int = MAX_BYTES) -> Document:
    """The checked document in a file, in the shape of its format's newest version.

    Raises `DocumentError` for a file that cannot be read, is larger than `max_bytes`, is no JSON,
    is of another format or version, or breaks its schema.
    """
    name = str(path)
    return check_document(_parse(name, _read_text(path, max_bytes)), name)


def check_document(value: object, name: str = "document") -> Document:
    """`value`, upgraded if it is of an earlier version. Raises `DocumentError` with `name` if its schema refuses it."""
    if not isinstance(value, dict):
        raise DocumentError(name, "", f"expected a JSON object, found {_kind(value)}")
    if _deeper(value, MAX_DEPTH):
        raise DocumentError(name, "", f"expected at most {MAX_DEPTH} levels of nesting")
    document = upgraded(value)
    validator = _validator(_format_of(document, name))
    first = _first_error(validator.iter_errors(document))
    if first is not None:
        raise DocumentError(name, _pointer(first.absolute_path), _expectation(first))
    return document


def upgraded(document: Document) -> Document:
    """A document of an earlier version in the shape of the newest one; any other as it is.

    Version 1 had its sentences in English only, and they stay so. In a load test `errors` was an object, which had the
    count of each message, and up to version 2 nothing was judged but the thresholds.
    """
    found = document.get("format")
    newest = _UPGRADES.get(found) if isinstance(found, str) else None
    if newest is None:
        return document
    return _unjudged(document) if newest == LOAD else {**document, "format": newest}


def _unjudged(document: Document) -> Document:
    """A load document of a version that judged no requirement: what it measured, and whether its run passed."""
    errors, reason = document.get("errors"), document.get("reason")
    if isinstance(errors, dict):
        document = {**document, "errors": [{"message": name, "count": count} for name, count in errors.items()]}
    written = document.get("texts")
    unjudged = phrase("load-former-version", format=str(document["format"]))
    counts = dict.fromkeys(("passed", "failed", "inconclusive", "untested", "error"), 0)
    return {
        **document,
        "format": LOAD,
        "verdict": "measured",
        "reason": str(unjudged),
        "texts": {"reason": unjudged.json},
        "outcome": {
            "passed": document.get("verdict") == "passed",
            "reasons": [reason] if reason else [],
            "texts": {"reasons": [written.get("reason")] if reason and isinstance(written, dict) else []},
        },
        "summary": dict.fromkeys(("MUST", "SHOULD", "MAY"), counts),
        "requirements": [],
        "shed": {},
    }


def to_json(document: Document) -> str:
    """A document as JSON text: members in their order, indented by one, ASCII only.

    ASCII, so that lone surrogates survive (as ``\\udXXX``) and nobody's terminal is at the mercy
    of an endpoint's control characters. Raises `ValueError` for NaN and infinities.
    """
    return json.dumps(document, indent=1, ensure_ascii=True, allow_nan=False) + "\n"


def document_id(document: Document) -> str:
    """A UUID of what a document says: the same for the same document, another one for any other."""
    # Without indentation, which costs most of the time.
    return str(uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(document, ensure_ascii=True, allow_nan=False)))


def write_text(path: Path, text: str) -> None:
    """Write a file atomically: a temporary file beside it, flushed to disk, then renamed.

    UTF-8, line ends as they are. What is there and no file (a device, a pipe) is written to as it is. Raises `OSError`
    where the file cannot be written.
    """
    data = text.encode("utf-8", "backslashreplace")
    if path.exists() and not path.is_file():
        # Renaming would put a file in the place of /dev/stdout, which those who run as root may do.
        path.write_bytes(data)
        return
    temporary = path.with_name(f".{path.name[:100]}.{secrets.token_hex(8)}.tmp")
    # os.open and not tempfile: a report is to have the permissions that the umask gives any file.
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _read_text(path: Path, max_bytes: int) -> str:
    try:
        with path.open("rb") as stream:
            data = stream.read(max_bytes + 1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise DocumentError(str(path), "", f"cannot be read: {reason}") from error
    if len(data) > max_bytes:
        raise DocumentError(str(path), "", f"too large: expected at most {max_bytes:,} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"expected UTF-8, found other bytes at byte {error.start:,}"
        raise DocumentError(str(path), "", message) from error


def _parse(name: str, text: str) -> object:
    if not text.strip():
        raise DocumentError(name, "", "expected a JSON document, found an empty file")
    try:
        return json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
    except json.JSONDecodeError as error:
        where = f"{error.lineno}:{error.colno}"
        raise DocumentError(name, where, f"expected JSON: {error.msg}") from error
    except ValueError as error:
        raise DocumentError(name, "", f"expected JSON: {error}") from error
    except RecursionError as error:
        raise DocumentError(name, "", "nested too deeply") from error


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a JSON number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"the number {text[:40]} is out of range")
    return value


def _deeper(value: object, limit: int) -> bool:
    """Whether a JSON value is nested deeper than that."""
    level = [value]
    for _ in range(limit):
        level = [inner for outer in level if isinstance(outer, dict | list) for inner in _inner(outer)]
    return bool(level)


def _inner(value: dict[str, object] | list[object]) -> Iterable[object]:
    return value.values() if isinstance(value, dict) else value


def _format_of(value: Mapping[str, object], name: str) -> str:
    found = value.get("format")
    if isinstance(found, str) and found in _SCHEMAS:
        return found
    known = " or ".join(f'"{format_name}"' for format_name in _SCHEMAS)
    if isinstance(found, str):
        if family(found) in map(family, _SCHEMAS):
            message = f"version not supported: expected {known}, found {quoted(found)}"
        elif found.startswith("wsproof."):
            message = f"no report can be made of this format: expected {known}, found {quoted(found)}"
        else:
            message = f"not a wsproof document: expected {known}, found {quoted(found)}"
        raise DocumentError(name, "/format", message)
    state = "is missing" if "format" not in value else f"is {_kind(found)}"
    raise DocumentError(name, "/format", f"expected {known}, but it {state}")


@cache
def _validator(format_name: str) -> Draft202012Validator:
    file = _SCHEMA_FOLDER / _SCHEMAS[format_name]
    return Draft202012Validator(json.loads(file.read_text(encoding="utf-8")))


def _first_error(errors: Iterable[ValidationError]) -> ValidationError | None:
    first = next(iter(errors), None)
    # Of "null, or an object that …" the alternative that came closest says more than "neither".
    while first is not None and first.context:
        first = max(first.context, key=_closeness)
    return first


def _closeness(error: ValidationError) -> tuple[int, bool]:
    return len(error.absolute_path), error.validator != "type"


def _pointer(path: Iterable[str | int]) -> str:
    parts = (str(part).replace("~", "~0").replace("/", "~1") for part in path)
    return "".join(f"/{part[:80]}" for part in parts)


def _expectation(error: ValidationError) -> str:
    rule: object = error.validator
    wanted: Any = error.validator_value
    found: Any = error.instance
    if rule == "required":
        missing = [member for member in wanted if member not in found]
        return "expected the member" + "".join(f" {quoted(member)}" for member in missing[:1])
    if rule == "type":
        expected = wanted if isinstance(wanted, str) else " or ".join(wanted)
    elif rule == "enum":
        expected = "one of " + ", ".join(json.dumps(choice) for choice in wanted)
    else:
        expected = f"{rule} {json.dumps(wanted)}"
    return f"expected {expected}, found {_kind(found)}"


def _kind(value: object) -> str:
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "an array"
    if isinstance(value, str):
        return quoted(value)
    return json.dumps(value)[:40]
