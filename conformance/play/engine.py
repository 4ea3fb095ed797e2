"""The engine: plays a scenario as a generator that yields actions and receives happenings. Sans-I/O."""

from collections import Counter
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Literal

from conformance.language.scenario import Decided, Scenario, Step, decided
from conformance.language.values import DisturbedError, Enough, InconclusiveError, NotWaitedForError, ScenarioError
from conformance.play.attribution import is_rate_limited
from conformance.play.context import Failure, Setting, Stage, StepFailedError
from conformance.play.history import History
from conformance.play.owed import outstanding
from conformance.play.record import Record
from conformance.play.steps import perform
from conformance.transport.exchange import Action, Happening, Wait
from contract.findings import Phrase, Text, phrase

Ending = Literal["finished", "stopped", "inconclusive", "error", "unfinished"]
"""`stopped`: a step failed. `unfinished`: the run ended before the scenario did, or it was not played."""

OWED = ("deliveries that are owed",)
"""A wait, as the circuit breaker counts it."""

CUT_OFF = phrase("cut-off")
"""The reason of a scenario that was interrupted."""


def is_cut_off(reason: Text | None) -> bool:
    """Whether a scenario has no end because its run ended."""
    return reason == CUT_OFF or (isinstance(reason, Phrase) and reason.code == "not-finished")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a scenario went.

    `reached` says how many played steps decide which requirements, at which level (None: the requirement's own);
    `unreached` the same of the steps that were left out. `started` is the time of its first happening, on the
    transport's clock; `duration` in seconds. `disturbed`: what left it undecided may be over when it is played again;
    `cut_short`: the circuit breaker did so.
    """

    scenario: Scenario
    ending: Ending
    reason: Text | None
    failures: tuple[Failure, ...]
    reached: Mapping[Decided, int]
    unreached: Mapping[Decided, int]
    record: Record
    started: float
    duration: float
    disturbed: bool = False
    cut_short: bool = False


def play(scenario: Scenario, setting: Setting) -> Generator[Action, Happening, Outcome]:
    """Play a scenario. Gives an `Outcome` back; never raises for what the endpoint does."""
    stage = Stage(scenario, setting, (yield Wait(0.0)).t)
    return (yield from play_steps(stage, scenario.steps))


def play_steps(stage: Stage, steps: tuple[Step, ...], *, stay: bool = False) -> Generator[Action, Happening, Outcome]:
    """Play steps of the stage's scenario. `stay`: where they succeed, its connections stay open for more of them."""
    scenario, now = stage.scenario, stage.now
    played = 0
    ending: Ending = "finished"
    reason: Text | None = None
    disturbed = cut_short = False
    try:
        check_needs(scenario, stage.setting)
        for step in steps:
            stage.step_label, stage.step_charge = step.label, step.charge
            yield from perform(stage, step)
            played += 1
        if not stay:
            yield from _await_deliveries(stage)
            yield from stage.close_all()
    except Enough:
        played = len(steps)
        yield from stage.close_all()
    except StepFailedError as failed:
        stage.failures.append(failed.failure)
        ending, reason = "stopped", phrase("at-step", step=failed.failure.step, reason=failed.failure.message)
        stage.note(failed.failure.actor, "none", "note", failed.failure.message)
        yield from stage.close_all()
        if is_rate_limited(stage.record, stage.contract, stage.profile):
            stage.failures.remove(failed.failure)
            ending, reason = "inconclusive", phrase("rate-limited", reason=reason)
    except InconclusiveError as lacking:
        ending, reason = "inconclusive", lacking.reason
        disturbed = isinstance(lacking, DisturbedError)
        cut_short = isinstance(lacking, NotWaitedForError)
        if cut_short:
            yield from stage.close_all()
    except ScenarioError as mistake:
        place = f"{scenario.path.name}:{scenario.line}"
        problem = phrase("at-step", step=stage.step_label, reason=str(mistake))
        ending, reason = "error", phrase("at", place=place, problem=problem)
    stage.record.ended = stage.now
    return Outcome(
        scenario,
        ending,
        reason,
        tuple(stage.failures),
        Counter(stage.reached),
        Counter(one for step in steps[played:] for one in decided(step, scenario)),
        stage.record,
        now,
        stage.now - now,
        disturbed,
        cut_short,
    )


def _await_deliveries(stage: Stage) -> Generator[Action, Happening, None]:
    """Wait for what was posted and is owed to a connection, whatever the scenario is there for: it may be lost."""
    history = History(stage.record, stage.contract, stage.profile, 0.0, stage.setting.time_scale)
    breaker, start, pause = stage.setting.breaker, stage.now, 0.005
    patience = breaker.patience(OWED, stage.setting.time_scale)
    while (due := outstanding(history)) is not None:
        limit = due if patience is None else min(due, start + patience)
        if stage.now >= limit:
            breaker.missed(OWED)
            return
        yield from stage.until(lambda: False, min(stage.now + pause, limit), "deliveries that are owed")
        pause = min(2 * pause, 0.25)
    breaker.came(OWED, stage.now - start)


def check_needs(scenario: Scenario, setting: Setting) -> None:
    """Raise `InconclusiveError` for the first fixture that the profile lacks."""
    profile = setting.profile
    offered = {
        "bob": ("bob" in profile.users, "users.bob"),
        "carol": ("carol" in profile.users, "users.carol"),
        "private_channel": (profile.channels.private is not None, "channels.private"),
        "missing_channel": (profile.channels.missing is not None, "channels.missing"),
        "channel_names": (
            profile.channels.names == "any" and isinstance(profile.channels.open, str),
            "channels.names: any",
        ),
        # What floods a channel may flood nobody else's.
        "own_channels": (isinstance(profile.channels.open, str), "channels.open: a pattern with {nonce}"),
        "no_replay": (profile.history != "connect", "history: none, or join"),
        "expired_token": (profile.tokens.expired is not None, "tokens.expired"),
        "expiring_token": (profile.tokens.expiring is not None, "tokens.expiring"),
        "heartbeat": (profile.heartbeat.form != "none", "heartbeat.form: message, or control"),
        "message_heartbeat": (profile.heartbeat.form == "message", "heartbeat.form: message"),
    }
    for need in scenario.needs:
        is_offered, name = offered[need]
        if not is_offered:
            raise InconclusiveError(phrase("lacking", setting=name))
