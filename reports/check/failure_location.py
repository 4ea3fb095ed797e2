"""Where in its transcript a scenario failed."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from reports.shared.failures import WHOLE
from reports.text.language import t, tn
from reports.text.phrases import items, phrase

MAX_SHOWN: Final = 5
"""Failures of one scenario that are marked in its diagram."""

_ALIKE: Final = 200
"""Characters by which a text is known again that one of the two places may have cut."""


@dataclass(frozen=True, slots=True)
class Blow:
    """What was found wrong, after which event (its index; None: over the whole transcript)."""

    index: int | None
    text: str
    counts: bool = True
    """Whether it does: what was seen once, and not again, does not."""


Failures = Sequence[Mapping[str, Any]]


def blows(entries: Sequence[Mapping[str, Any]], failures: Failures, unconfirmed: Failures = ()) -> tuple[Blow, ...]:
    """A scenario's failures with their places; those that differ in the requirement alone as one."""
    shown = [*_blows(entries, failures, "failed"), *_blows(entries, unconfirmed, "unconfirmed")]
    more = len(shown) - MAX_SHOWN
    return (*shown[:MAX_SHOWN], *([Blow(None, tn("compliance.diagram.more-failures", more))] if more > 0 else []))


def _blows(entries: Sequence[Mapping[str, Any]], failures: Failures, what: str) -> list[Blow]:
    found: dict[tuple[int | None, str, str], list[str]] = {}
    for failure in failures:
        key = (place(entries, failure), _finder(failure), failure["message"])
        found.setdefault(key, []).append(failure["requirement"])
    return [
        Blow(index, _text(what, finder, message, names), what == "failed")
        for (index, finder, message), names in found.items()
    ]


def _finder(failure: Mapping[str, Any]) -> str:
    if failure.get("check"):
        return t("compliance.check", name=failure["check"])
    return "" if failure["step"] in (None, "", WHOLE) else f"{t('compliance.step')} {failure['step']}"


def _text(what: str, finder: str, message: str, requirements: Sequence[str]) -> str:
    names = ", ".join(dict.fromkeys(requirements))
    words = t(f"compliance.diagram.{what}", requirements=names, message=message)
    return f"{words} ({finder})" if finder else words


def place(entries: Sequence[Mapping[str, Any]], failure: Mapping[str, Any]) -> int | None:
    """The index of the event at which a failure was found; None where none shows it."""
    tests = (_is_its_note, _is_what_came, _is_the_close)
    return next((index for test in tests for index in _indices(entries, failure, test)), None)


def _indices(entries: Sequence[Mapping[str, Any]], failure: Mapping[str, Any], test: Any) -> Iterator[int]:
    """The events that pass a test, the last first."""
    for index in range(len(entries) - 1, -1, -1):
        if failure["actor"] in (None, entries[index]["actor"]) and test(entries[index], failure):
            yield index


def _is_its_note(entry: Mapping[str, Any], failure: Mapping[str, Any]) -> bool:
    own, other = phrase(entry, "data"), phrase(failure, "message")
    return entry["kind"] == "note" and bool(own == other if own and other else entry["data"] == failure["message"])


def _is_what_came(entry: Mapping[str, Any], failure: Mapping[str, Any]) -> bool:
    if not entry["data"] or entry["direction"] != "in":
        return False
    came = [one for one in items(failure, "received") if isinstance(one, str)] or [failure["received"] or ""]
    return any(entry["data"][:_ALIKE] == one[:_ALIKE] for one in came)


def _is_the_close(entry: Mapping[str, Any], failure: Mapping[str, Any]) -> bool:
    """Whether it is a close frame, or a refusal, whose code is that which was received."""
    code = re.match(r"\d{3,4}\b", entry["data"])
    if code is None or entry["direction"] != "in" or entry["kind"] not in ("close", "handshake"):
        return False
    return code[0] in _codes(phrase(failure, "received"))


def _codes(written: Any) -> set[str]:
    """The close codes and statuses that a phrase names, and the phrases in it."""
    if isinstance(written, list):
        return set().union(*map(_codes, written))
    if not isinstance(written, dict) or not isinstance(written.get("params"), dict):
        return set()
    params = written["params"]
    own = params.get({"closed": "code", "closed-because": "code", "answer-status": "status"}.get(written["code"], ""))
    return _codes(list(params.values())) | ({str(own)} if isinstance(own, str | int) else set())
