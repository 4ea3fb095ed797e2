"""From an outcome to a verdict, with the transcript checks; and the outcome of a scenario without an end of its own."""

import time
from collections.abc import Mapping
from dataclasses import replace

from conformance.judge.checks import judge
from conformance.judge.verdicts import ScenarioVerdict, charge_failures
from conformance.language.scenario import Scenario
from conformance.play.context import Failure
from conformance.play.engine import Ending, Outcome
from conformance.play.history import History
from conformance.play.plan import Plan
from conformance.play.record import Record
from conformance.transport.troubles import fault
from contract.findings import Text


def judged(outcome: Outcome, plan: Plan) -> ScenarioVerdict:
    """The verdict with the transcript checks' failures."""
    failures, applied = checked(outcome, plan)
    return charge_failures(outcome, failures, plan.requirements, applied)


def checked(outcome: Outcome, plan: Plan) -> tuple[tuple[Failure, ...], Mapping[str, int]]:
    """The scenario's own failures and the transcript checks', and how often each check had a chance to fail."""
    offset = time.time() - time.monotonic()
    history = History(outcome.record, plan.contract, plan.profile, offset, plan.time_scale)
    found, applied = judge(history, plan.requirements)
    # What a step waited for in vain is not charged once more.
    charged = {name for one in outcome.failures if one.absent is not None for name in one.charge.requirements}
    kept = [one for one in found if one.absent is None or not charged & {*one.charge.requirements}]
    return (*outcome.failures, *kept), applied


def unfinished(scenario: Scenario, ending: Ending, reason: Text) -> Outcome:
    """The outcome of a scenario that did not come to an end of its own."""
    return Outcome(scenario, ending, reason, (), {}, {}, Record(0.0, ()), 0.0, 0.0)


def undecided(verdict: ScenarioVerdict, reason: Text) -> ScenarioVerdict:
    """The verdict where what did not come can not be confirmed any more."""
    absences = verdict.absences
    if not absences:
        return verdict
    outcome = replace(verdict.outcome, ending="inconclusive", reason=reason)
    charged = tuple(one for one in verdict.charged if one not in absences)
    return replace(verdict, outcome=outcome, charged=charged, unconfirmed=absences)


def own_fault(scenario: Scenario, error: Exception) -> Outcome:
    """The outcome of a scenario in which wsproof itself failed, or this machine."""
    return unfinished(scenario, "error", fault(error))
