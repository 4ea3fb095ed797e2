"""What stands for a part of a profile: options that replace it, and environment variables."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from contract.choices import TLS_FILES
from contract.errors import ContractError, together
from contract.files import Document
from contract.mistakes import Mistake, Where, check_document

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def part_problem(name: str, written: Mapping[str, Any], value: Mapping[str, Any]) -> str | None:
    """What is wrong with the part of the profile that an override changes."""
    top = name.partition(".")[0]
    try:
        check_document(Document(Path("--set"), {top: value[top]}, None), "profile", {top: written[top]})
    except ContractError as error:
        return error.message
    return None


def culprit(name: str, own: dict[str, Any], overrides: Mapping[str, Any], environ: Mapping[str, str]) -> str:
    """Of the overrides of one part, that which is wrong by itself."""
    for other, value in overrides.items():
        if other.partition(".")[0] == name.partition(".")[0]:
            alone = Document(Path("--set"), overridden(own, {other: value}), None)
            if part_problem(other, alone.value, expand(alone.value, environ)) is not None:
                return other
    return name


def refuse_overrides(found: Iterable[Mistake], overrides: Iterable[str]) -> None:
    """Raise `ContractError` for mistakes in parts that an override changed, which has no line in any file."""
    parts = {name.partition(".")[0]: name for name in overrides}
    blamed = [(parts[str(one.where[0])], one) for one in found if str(one.where[0]) in parts]
    if blamed:
        raise together([ContractError(f"--set {name}: {one.text.removeprefix(f'{name}: ')}") for name, one in blamed])


def overridden(value: dict[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """A profile's value with some members, named by dotted paths, replaced or added."""
    changed = dict(value)
    for name, new in overrides.items():
        target = changed
        *parents, last = name.split(".")
        for parent in parents:
            inner = target.get(parent)
            target[parent] = dict(inner) if isinstance(inner, dict) else {}
            target = target[parent]
        target[last] = new
    return changed


def anywhere(overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Overrides that mean the same in every folder: their paths are absolute."""
    paths = {f"tls.{name}" for name in TLS_FILES}
    return {name: os.path.abspath(value) if name in paths and value else value for name, value in overrides.items()}


def unset(value: Any, environ: Mapping[str, str], where: Where = ()) -> Iterator[Mistake]:
    """The variables that there are not. An empty one is a secret that the CI did not hand over."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, member in inner:
        yield from unset(member, environ, (*where, step))
    for name in _VARIABLE.findall(value) if isinstance(value, str) else ():
        if not environ.get(name):
            yield Mistake(where, f"the environment variable {name} is not set")


def expand(value: Any, environ: Mapping[str, str]) -> Any:
    """Replace `${NAME}` in texts by environment variables, all of which are set."""
    if isinstance(value, dict):
        return {name: expand(member, environ) for name, member in value.items()}
    if isinstance(value, list):
        return [expand(member, environ) for member in value]
    return _VARIABLE.sub(lambda found: environ[found[1]], value) if isinstance(value, str) else value
