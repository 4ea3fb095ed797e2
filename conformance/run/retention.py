"""What is kept of the scenarios that are over: redacted, and bounded over the whole run."""

import json
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from conformance.language.deed import Charge
from conformance.play.context import Failure
from conformance.play.engine import Outcome
from conformance.play.record import Record, cut
from contract.findings import changed
from contract.redaction import Redactor

FULL = 6_291_456
"""Characters of JSON that all scenarios of a run may fill with evidence; a usual run has two million. What is over
afterwards is kept short."""

SHORT_FIRST, SHORT_LAST = 5, 10
SHORT_TEXT = 200
"""Lines of a short transcript from its start and from its end, and characters of a text."""

REASON_CHARACTERS = 1_000

_LINE = 130
"""Characters that a line takes besides its data."""


class Archive:
    """Takes what was found in a scenario, once it is over."""

    def __init__(self, secrets: Iterable[str], minted: Sequence[str] = (), full: int = FULL) -> None:
        self._redactor = Redactor(secrets, minted)
        self._left = full
        self._lock = threading.Lock()

    def file(self, outcome: Outcome, failures: Iterable[Failure]) -> tuple[Outcome, tuple[Failure, ...]]:
        """The outcome and the failures without any token, and short where the archive is full."""
        kept = tuple(_with_texts(one, self._redactor.redact) for one in failures)
        size = _size(outcome.record, kept)
        with self._lock:
            roomy = size <= self._left
            self._left -= size if roomy else 0
        if not roomy:
            outcome.record.transcript.shorten(SHORT_FIRST, SHORT_LAST, SHORT_TEXT)
            kept = tuple(_with_texts(one, lambda text: cut(text, SHORT_TEXT)) for one in _distinct(kept))
        reason = None if outcome.reason is None else changed(outcome.reason, self._reason)
        return replace(outcome, reason=reason, failures=kept), kept

    def _reason(self, text: str) -> str:
        return cut(self._redactor.redact(text), REASON_CHARACTERS)


def _with_texts(failure: Failure, change: Callable[[str], str]) -> Failure:
    """The failure with each of its texts changed."""
    return replace(
        failure,
        message=failure.message.changed(change),
        expected=None if failure.expected is None else changed(failure.expected, change),
        received=None if failure.received is None else changed(failure.received, change),
    )


def _size(record: Record, failures: tuple[Failure, ...]) -> int:
    texts = [text for one in record.entries for text in (one.data, one.event or "")]
    texts += [text or "" for one in failures for text in (one.message, one.expected, one.received)]
    return _LINE * (len(record.entries) + len(failures)) + sum(len(json.dumps(str(text))) for text in texts)


def _distinct(failures: tuple[Failure, ...]) -> Iterable[Failure]:
    """The first failure of each charge."""
    found: dict[Charge, Failure] = {}
    for one in failures:
        found.setdefault(one.charge, one)
    return found.values()
