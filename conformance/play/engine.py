"""The engine: plays a scenario as a generator that yields actions and receives happenings. Sans-I/O."""

from collections import Counter
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Literal

from conformance.language.scenario import Decided, Scenario, Step, decided
from conformance.language.values import DisturbedError, Enough, InconclusiveError, NotWaitedForError, ScenarioError
from conformance.play.attribution import is_rate_limited
from conformance.play.context import Context, Failure, Observation, Setting, StepFailedError
from conformance.play.history import History
from conformance.play.owed import outstanding
from conformance.play.record import Record
from conformance.play.steps import perform
from conformance.transport.exchange import Action, Happening, Wait
from contract.findings import Phrase, Text, phrase
from contract.paths import has
from contract.profile import Profile

Ending = Literal["finished", "stopped", "inconclusive", "error", "unfinished"]
"""`stopped`: a step failed. `unfinished`: the run ended before the scenario did, or it was not played."""

OWED = ("expected deliveries and replies",)
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
    `cut_short`: the circuit breaker did so. `observations`: what it did where the contract leaves that open.
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
    observations: tuple[Observation, ...] = ()


def play(scenario: Scenario, setting: Setting) -> Generator[Action, Happening, Outcome]:
    """Play a scenario. Gives an `Outcome` back; never raises for what the endpoint does."""
    context = Context(scenario, setting, (yield Wait(0.0)).t)
    return (yield from play_steps(context, scenario.steps))


def play_steps(
    context: Context, steps: tuple[Step, ...], *, stay: bool = False
) -> Generator[Action, Happening, Outcome]:
    """Play steps of the context's scenario. `stay`: where they succeed, its connections stay open for more of them."""
    scenario, now = context.scenario, context.now
    played = 0
    ending: Ending = "finished"
    reason: Text | None = None
    disturbed = cut_short = False
    try:
        check_needs(scenario, context.setting)
        for step in steps:
            context.step_label, context.step_charge = step.label, step.charge
            yield from perform(context, step)
            played += 1
        if not stay:
            yield from _await_deliveries(context)
            yield from context.close_all()
    except Enough:
        played = len(steps)
        yield from context.close_all()
    except StepFailedError as failed:
        context.failures.append(failed.failure)
        ending, reason = "stopped", phrase("at-step", step=failed.failure.step, reason=failed.failure.message)
        context.note(failed.failure.actor, "none", "note", failed.failure.message)
        yield from context.close_all()
        if is_rate_limited(context.record, context.contract, context.profile):
            context.failures.remove(failed.failure)
            ending, reason = "inconclusive", phrase("rate-limited", reason=reason)
    except InconclusiveError as lacking:
        ending, reason = "inconclusive", lacking.reason
        disturbed = isinstance(lacking, DisturbedError)
        cut_short = isinstance(lacking, NotWaitedForError)
        if cut_short:
            yield from context.close_all()
    except ScenarioError as mistake:
        place = f"{scenario.path.name}:{scenario.line}"
        problem = phrase("at-step", step=context.step_label, reason=str(mistake))
        ending, reason = "error", phrase("at", place=place, problem=problem)
    context.record.ended = context.now
    return Outcome(
        scenario,
        ending,
        reason,
        tuple(context.failures),
        Counter(context.reached),
        Counter(one for step in steps[played:] for one in decided(step, scenario)),
        context.record,
        now,
        context.now - now,
        disturbed,
        cut_short,
        tuple(context.observations),
    )


def _await_deliveries(context: Context) -> Generator[Action, Happening, None]:
    """Wait for what was posted and is owed to a connection, whatever the scenario is there for: it may be lost."""
    history = History(context.record, context.contract, context.profile, 0.0, context.setting.time_scale)
    breaker, start, pause = context.setting.breaker, context.now, 0.005
    patience = breaker.patience(OWED, context.setting.time_scale)
    while (due := outstanding(history, start)) is not None:
        limit = due if patience is None else min(due, start + patience)
        if context.now >= limit:
            breaker.missed(OWED)
            return
        yield from context.until(lambda: False, min(context.now + pause, limit), "expected deliveries")
        pause = min(2 * pause, 0.25)
    breaker.came(OWED, context.now - start)


def check_needs(scenario: Scenario, setting: Setting) -> None:
    """Raise `InconclusiveError` for the first fixture that the profile lacks."""
    profile = setting.profile
    offered = {
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
        "message_limit": ("message_bytes" in profile.declared_limits, "limits.message_bytes"),
    }
    declared = {
        "probe": (setting.contract.roles.probe is not None, phrase("no-probe")),
        "binary_reaction": ("binary" in setting.contract.errors.reactions, phrase("no-reaction")),
    }
    for need in scenario.needs:
        if need in declared:
            is_there, reason = declared[need]
        else:
            is_there, name = offered.get(need) or _own(need, profile)
            reason = phrase("lacking", setting=name)
        if not is_there:
            raise InconclusiveError(reason)


def _own(need: str, profile: Profile) -> tuple[bool, str]:
    """Whether a profile has a user, a user's member or a value of its own, and its place there."""
    kind, dot, path = need.partition(".")
    if kind == "value":
        return has(profile.values, path), f"values.{path}"
    # The name alone stands for the user of this name.
    name, _, member = path.partition(".") if dot else (need, "", "")
    if not dot and profile.auth.where == "none":
        return True, f"users.{name}"  # nobody can be told from anybody
    user = profile.users.get(name)
    return user is not None and (not member or user.member(member) is not None), f"users.{path or name}"
