"""What a hunt for failing messages found, as verdicts on scenarios."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from conformance.fuzz.example import Example
from conformance.fuzz.session import Played
from conformance.judge.verdicts import Charged, ScenarioVerdict
from conformance.language.deed import Charge
from conformance.language.scenario import Scenario
from conformance.play.charges import charge_of
from conformance.play.context import Failure
from conformance.play.engine import Ending, Outcome
from conformance.play.record import Record, cut
from conformance.play.transcript import MAX_DATA, Entry
from contract.findings import Text, missing, phrase
from contract.requirements import Requirement

SHOWN_MESSAGE = 300
"""Characters of the smallest message that a failure quotes; the transcript has more."""

KEPT_ENTRIES = 12
"""Lines of the transcript that a kind without a failure keeps: its last message."""

UNANSWERED = missing("error")
"""What a step says that waited for an error in vain, on a connection that stayed open."""

Signature = tuple[str, str, str]
"""What makes two failures the same: requirement, level and, where the scenario could not go on, the change."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A message that fails, the smallest that was found, and how many others must go before it."""

    example: Example
    played: Played
    after: int = 0


def signatures(example: Example, verdict: ScenarioVerdict) -> list[Signature]:
    """What is wrong with a message, a MUST first."""
    stopped = verdict.outcome.ending == "stopped"
    found = [(one.level, one.requirement, example.change if stopped else "") for one in verdict.charged]
    return [(name, level, change) for level, name, change in sorted(set(found))]


def verdict_on(
    findings: Sequence[Finding],
    scenario: Scenario,
    requirements: Mapping[str, Requirement],
    started: float,
    duration: float,
) -> ScenarioVerdict:
    """All findings of a kind as one verdict. Every failure quotes its message; the transcripts follow each other."""
    charged: list[Charged] = []
    first = next((one for one in findings if one.played.verdict.outcome.ending == "stopped"), findings[0])
    record = Record(started, ())
    for number, one in enumerate(findings, 1):
        charged += [_quoting(failure, one) for failure in _charged(one, requirements)]
        _append(record, one.played.verdict.outcome.record, number, len(findings))
    outcome = replace(
        first.played.verdict.outcome, scenario=scenario, record=record, started=started, duration=duration
    )
    return ScenarioVerdict(outcome, tuple(charged))


def _charged(finding: Finding, requirements: Mapping[str, Requirement]) -> tuple[Charged, ...]:
    """What a finding is charged to. What is lost only after other messages is no fault of the last one's kind."""
    charged = finding.played.verdict.charged
    lost = [one for one in charged if one.failure.absent == "undelivered"]
    unanswered = [one for one in charged if one.failure.message == UNANSWERED]
    delivered, answered = charge_of(requirements, "delivered"), charge_of(requirements, "answered-each")
    if finding.after and lost and delivered is not None:
        return (_charged_with(delivered, lost[0].failure),)
    if finding.after and unanswered and answered is not None:
        # Where plain posts are lost as well, this follows from it.
        return (_charged_with(answered, replace(unanswered[0].failure, absent="undelivered")),)
    return charged


def _charged_with(charge: Charge, failure: Failure) -> Charged:
    return Charged(charge.requirements[0], charge.level or "MUST", failure)


def _append(record: Record, more: Record, number: int, count: int) -> None:
    """Add a transcript behind what is there, with its times since its own beginning."""
    if count > 1:
        record.transcript.add(Entry(0.0, None, "none", "note", None, phrase("one-of-those", count=number, all=count)))
    more.release()
    record.transcript.extend(more.transcript)
    record.saw_messages = record.saw_messages or more.saw_messages


def _quoting(one: Charged, finding: Finding) -> Charged:
    smallest: Text = cut(finding.played.text, SHOWN_MESSAGE) or phrase("empty")
    quote = phrase("smallest-message", what=one.failure.message, message=smallest)
    if finding.after:
        quote = phrase("smallest-after-others", what=one.failure.message, message=smallest, number=finding.after)
    return replace(one, failure=replace(one.failure, message=quote))


def passed(last: ScenarioVerdict, scenario: Scenario, started: float, duration: float) -> ScenarioVerdict:
    """The verdict on a kind whose messages were all handled as they must be; `last` is that on the last of them."""
    record = last.outcome.record
    record.transcript.shorten(0, KEPT_ENTRIES, MAX_DATA)
    record.release()
    outcome = replace(last.outcome, scenario=scenario, started=started, duration=duration)
    return ScenarioVerdict(outcome, (), last.applied)


def undecided(
    scenario: Scenario, ending: Ending, reason: Text, started: float = 0.0, duration: float = 0.0
) -> ScenarioVerdict:
    """The verdict on a kind of which nothing can be said."""
    return ScenarioVerdict(Outcome(scenario, ending, reason, (), {}, {}, Record(0.0, ()), started, duration), ())
