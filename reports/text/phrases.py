"""The phrases that stand beside a document's sentences, for whoever needs to know what a sentence says."""

from collections.abc import Mapping
from typing import Any

from contract import findings

Json = Mapping[str, Any]


def phrase(entry: Json, member: str) -> Json | None:
    """The phrase, as documents have them, of an object's member; None where it has none."""
    texts = entry.get("texts")
    written = entry if member == "message" else texts.get(member) if isinstance(texts, dict) else None
    if not isinstance(written, dict) or not isinstance(written.get("code"), str):
        return None
    return {"code": written["code"], "params": written["params"]} if isinstance(written.get("params"), dict) else None


def code(entry: Json, member: str) -> str | None:
    """The code of a member's phrase; None where it has none."""
    written = phrase(entry, member)
    return None if written is None else str(written["code"])


def moved(entry: Json, member: str, name: str = "") -> dict[str, Any]:
    """The phrase of a member, as `texts` of another object that has the sentence under `name`; nothing without one."""
    written = phrase(entry, member)
    return {} if written is None else {"texts": {name or member: dict(written)}}


def rendered(written: Any, otherwise: str) -> str:
    """A phrase of a document, or a text, in the language that is spoken; `otherwise` for what is neither."""
    return (written or otherwise) if isinstance(written, str) else findings.rendered(written, otherwise)


def items(entry: Json, member: str) -> list[Any]:
    """What a member lists, one after the other: JSON texts, and phrases; nothing where it says something else."""
    written = phrase(entry, member)
    if written is None:
        # Without a code nobody knows whether it is JSON or words about it.
        return [entry[member]] if "code" in entry and entry[member] is not None else []
    return _items(written)


def _items(written: Any) -> list[Any]:
    if not isinstance(written, dict):
        return []
    params = written.get("params") or {}
    if written.get("code") == "differs":
        return _items(params.get("came"))
    if written.get("code") == "came" and isinstance(params.get("items"), list):
        return list(params["items"])
    return [written] if written.get("code") == "parts" else []
