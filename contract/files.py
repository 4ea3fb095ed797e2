"""Reads YAML and JSON files with the line and column of every value, so that an error can name them."""

import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from contract.errors import ContractError

DATA_ROOT = Path(__file__).resolve().parents[1]
"""The folder that holds `spec/` and `schemas/`: the checkout's root, or the installed `wsproof/`."""

MAX_FILE_BYTES = 8 * 1024 * 1024
MAX_DEPTH = 100

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc]  # the base is chosen at run time
    """YAML 1.2's core schema: `no` and `on` are strings, and a date is one as well."""


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"true|false", "tf"),
    ("null", r"null|~|", "n~"),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), list(_first))
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^$"), [""])
# YAML 1.1 reads 012 as ten.
_Loader.add_constructor("tag:yaml.org,2002:int", lambda loader, node: int(loader.construct_scalar(node)))


@dataclass(frozen=True, slots=True)
class Document:
    """A file's value, and the means to say where in the file a part of it stands."""

    path: Path
    value: Any
    node: yaml.Node | None

    def error(self, message: str, where: Sequence[str | int] = ()) -> ContractError:
        """An error at the value that `where` (member names and indices from the root) leads to."""
        line, column = self.position(where) if self.node is not None else (None, None)
        return ContractError(message, self.path, line, column)

    def position(self, where: Sequence[str | int]) -> tuple[int, int]:
        """Line and column, from 1, of the deepest part of `where` that the file has."""
        node = self.node
        mark = node.start_mark if node is not None else None
        for step in where:
            found = _child(node, step)
            if found is None:
                break
            mark, node = found
        return (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)


def _child(node: yaml.Node | None, step: str | int) -> tuple[Any, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                return key.start_mark, value
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        child = node.value[step]
        return child.start_mark, child
    return None


def readable(name: str | Path) -> str:
    """An argument or a file's name for people: what the locale could not decode is taken for UTF-8."""
    text = str(name)
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
    except UnicodeError:
        return text


def read_text(path: Path) -> str:
    """The file's text. Raises `ContractError` where it cannot be read, is too large or is not UTF-8."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ContractError(f"cannot be read: {error.strerror or error}", path) from None
    if len(data) > MAX_FILE_BYTES:
        raise ContractError(f"larger than {MAX_FILE_BYTES} bytes", path)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ContractError("expected UTF-8", path, line) from None


def load_yaml(path: Path) -> Document:
    """Read a YAML (or JSON) file. Raises `ContractError` with file, line and column."""
    return parse_yaml(read_text(path), path)


def parse_yaml(text: str, path: Path, *, aliases: bool = False) -> Document:
    """Read the text of a YAML (or JSON) file. Raises as `load_yaml` does.

    With `aliases`, one part of the value may stand in it many times, even inside itself: whoever walks through it must
    set a bound.
    """
    loader = _Loader(text)
    try:
        _refuse_hazards(text, path, aliases)
        node = loader.get_single_node()
        if node is None:
            raise ContractError("the file is empty", path, 1, 1)
        _settle_keys(node, path, set())
        return Document(path, loader.construct_document(node), node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else (None, None)
        raise ContractError(f"invalid YAML: {error.problem or error.context}", path, *place) from None
    except (yaml.YAMLError, ValueError) as error:
        raise ContractError(f"invalid YAML: {error}", path) from None
    except RecursionError:
        raise ContractError("nested too deeply", path) from None
    finally:
        loader.dispose()


def _at(mark: Any, message: str, path: Path) -> ContractError:
    return ContractError(message, path, mark.line + 1, mark.column + 1)


def _refuse_hazards(text: str, path: Path, aliases: bool) -> None:
    """Aliases, of which a few lines can stand for gigabytes, and nesting that would overflow the C parser's stack."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.AliasEvent) and not aliases:
            raise _at(event.start_mark, "YAML aliases are not supported; write the value out", path)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise _at(event.start_mark, f"nested more than {MAX_DEPTH} levels deep", path)


def _settle_keys(node: yaml.Node, path: Path, done: set[int]) -> None:
    """A key is its text, as in JSON: `null`, `true` and `200` name members. None may stand twice."""
    if id(node) in done:  # an alias of it
        return
    done.add(id(node))
    if isinstance(node, yaml.MappingNode):
        seen: set[Hashable] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _at(key.start_mark, "expected a string as the key", path)
            if key.value in seen:
                raise _at(key.start_mark, f"duplicate key {key.value!r}", path)
            seen.add(key.value)
            key.tag = "tag:yaml.org,2002:str"
            _settle_keys(value, path, done)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _settle_keys(value, path, done)
