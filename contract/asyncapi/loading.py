"""Reads a file of an AsyncAPI document: YAML, or JSON that YAML's parser does not understand."""

import json
from pathlib import Path
from typing import Any

from contract.errors import ContractError
from contract.files import MAX_DEPTH, Document, parse_yaml, read_text


def load(path: Path) -> Document:
    """Read a file; all keys of its value are strings. Raises `ContractError`."""
    text = read_text(path)
    try:
        document = parse_yaml(text, path)
    except ContractError:
        # For instance characters beyond U+FFFF, which JSON writes as two escapes.
        value = _json(text)
        if value is None:
            raise
        document = Document(path, value, None)
    return Document(path, _with_text_keys(document.value, path), document.node)


def _json(text: str) -> Any:
    if not text.lstrip().startswith("{"):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _with_text_keys(value: Any, path: Path, depth: int = 0) -> Any:
    """YAML has keys such as 200 and null; a JSON pointer and a member of a message do not."""
    if depth > MAX_DEPTH:
        raise ContractError(f"nested more than {MAX_DEPTH} levels deep", path)
    if isinstance(value, dict):
        return {_key(name): _with_text_keys(inner, path, depth + 1) for name, inner in value.items()}
    if isinstance(value, list):
        return [_with_text_keys(inner, path, depth + 1) for inner in value]
    return value


def _key(name: Any) -> str:
    if isinstance(name, str):
        return name
    return str(name).lower() if isinstance(name, bool) else "null" if name is None else str(name)
