"""Documents with their sentences in the language that is spoken, and their phrases beside them."""

from typing import Any

from contract import findings
from contract.findings import Phrase
from reports.documents import Document

_BESIDE = ("params", "texts")


def translated(document: Any) -> Any:
    """A document for whoever reads it now: codes and parameters stay, so that nothing need read a sentence."""
    told = findings.translated(document)
    return document if told is document else _beside(told, document)


def _beside(told: Any, original: Any) -> Any:
    if isinstance(told, list):
        return [_beside(*pair) for pair in zip(told, original, strict=True)]
    if not isinstance(told, dict):
        return told
    kept = {name: original[name] for name in _BESIDE if name in original}
    return {name: _beside(value, original[name]) for name, value in told.items()} | kept


def moved(entry: Document, member: str, name: str = "") -> dict[str, Any]:
    """The phrase of a member, as `texts` of another object that has the sentence under `name`; nothing without one."""
    written = phrase(entry, member)
    return {} if written is None else {"texts": {name or member: dict(written)}}


def code(entry: Document, member: str) -> str | None:
    """The code of a member's phrase; None where it has none."""
    written = phrase(entry, member)
    return None if written is None else str(written["code"])


def phrase(entry: Document, member: str) -> Document | None:
    """The phrase, as documents have them, of an object's member; None where it has none."""
    texts = entry.get("texts")
    written = entry if member == "message" else texts.get(member) if isinstance(texts, dict) else None
    if not isinstance(written, dict) or not isinstance(written.get("code"), str) or "params" not in written:
        return None
    return {"code": written["code"], "params": written["params"]}


def rendered(written: Any, otherwise: str) -> str:
    """A phrase of a document, or a text, in the language that is spoken; `otherwise` for what is in no catalogue."""
    found = written if isinstance(written, str) else findings.read_text(otherwise, written)
    try:
        return found.render() if isinstance(found, Phrase) else found or otherwise
    except (LookupError, ValueError, TypeError, AttributeError, OverflowError):
        return otherwise
