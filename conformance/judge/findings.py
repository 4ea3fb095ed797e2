"""What the transcript checks find, and the requirements that it breaks.

A check knows no requirement: `requirements.yaml` says which clauses a check decides. It counts its chances to fail
(`History.chance`), since a clause holds only where there was one.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from conformance.language.deed import Charge
from conformance.play.context import Absence, Failure
from conformance.play.record import Conversation, Record
from contract.findings import Phrase, Text, changed, phrase
from contract.requirements import CheckUse, Level, Requirement

STEP = phrase("step-transcript")
MAX_FINDINGS = 3
"""Findings that one scenario shows for one clause; the fourth says nothing new."""

UNITS: Mapping[str, str] = {
    **dict.fromkeys(("text", "unfragmented", "envelope", "payload", "number", "number-step"), "message"),
    **dict.fromkeys(("named", "direction", "undeclared"), "message"),
    **dict.fromkeys(("subprotocol", "frames", "compression", "acknowledged-first", "acknowledged-once"), "connection"),
    **dict.fromkeys(("session-unique", "secret-echo", "close-code"), "connection"),
    **dict.fromkeys(("error-code", "error-about"), "error"),
    "heartbeat-answered": "ping",
    "reply": "request",
    **dict.fromkeys(("reply-id", "reply-once"), "reply"),
    **dict.fromkeys(("delivered", "delivered-once", "intact", "order", "one-order", "author"), "delivery"),
    **dict.fromkeys(("author-name", "author-distinct", "delivery-id", "delivery-time"), "delivery"),
    "membership": "post",
}
"""Every check, and what it counts."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found wrong. `message` is the kind of message it was found in, `places` are dotted paths in its
    payload that are meant; `absent` where something did not come. `otherwise`: the check whose matter it is in a
    contract in which nothing is decided by `check`."""

    check: str
    conversation: Conversation | None
    text: Phrase
    expected: Text | None = None
    received: Text | None = None
    message: str | None = None
    places: tuple[str, ...] = ()
    absent: Absence | None = None
    otherwise: str | None = None

    def concerns(self, use: CheckUse) -> bool:
        """Whether this breaks what the check is used for."""
        return use.covers(self.check, self.message, self.places)


def charged(
    findings: Iterable[Finding], requirements: Mapping[str, Requirement], record: Record
) -> tuple[Failure, ...]:
    """The findings as failures of the clauses that their checks decide, a few for each."""
    clauses = [
        (Charge((one.id,), clause.level), clause.checks)
        for one in requirements.values()
        for clause in one.clauses
        if clause.checks
    ]
    used = {use.check for _, checks in clauses for use in checks}
    counted: Counter[tuple[str, Level | None]] = Counter()
    failures = []
    for finding in findings:
        if finding.otherwise is not None and finding.check not in used:
            finding = replace(finding, check=finding.otherwise)
        for charge, checks in clauses:
            if not any(map(finding.concerns, checks)):
                continue
            key = (charge.requirements[0], charge.level)
            counted[key] += 1
            if counted[key] <= MAX_FINDINGS:
                failures.append(_failure(finding, charge, record))
    return tuple(failures)


def _failure(finding: Finding, charge: Charge, record: Record) -> Failure:
    return Failure(
        charge,
        STEP,
        finding.conversation.actor if finding.conversation else None,
        finding.text.changed(record.mask),
        None if finding.expected is None else changed(finding.expected, record.shown),
        None if finding.received is None else changed(finding.received, record.shown),
        finding.absent,
        finding.check,
    )
