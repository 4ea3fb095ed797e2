"""Plays many scenarios at once: a thread for each, the longest first, so that a run lasts as its longest wait."""

import contextlib
import itertools
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from conformance.archive import Archive
from conformance.bounds import Bounds, Memory
from conformance.checks import History, judge
from conformance.engine import Ending, Outcome, play
from conformance.outlook import CONTROL_TAG, Outlook
from conformance.pace import Playing, Status, longest_wait, time_left
from conformance.record import Record
from conformance.scenario import Scenario
from conformance.stage import Failure, Setting
from conformance.transport import StoppedError, Target, Transport
from conformance.values import InconclusiveError, new_nonce
from conformance.verdicts import ScenarioVerdict, charge_failures
from contract.model import Contract
from contract.profile import Profile
from contract.requirements import Requirement

DEFAULT_JOBS = 16

ISOLATION = frozenset({"ERR-08", "JOIN-02", "JOIN-05", "JOIN-06", "CLOSE-03", "SEND-10"})
"""Requirements that keep connections apart. Where one fails, scenarios that ran side by side may have spoilt each
other, so that what else failed is played again, alone."""

PLAYED_ONCE = frozenset({"slow", "thorough"})
"""Tags of scenarios that last long by themselves."""

DELIVERY_REQUIREMENTS = frozenset({"SEND-01", "JOIN-01"})

THOROUGH_ROUNDS = 3
"""How often a thorough run plays a scenario."""

REPLAY_SECONDS = 60.0
"""How long such replays may take in all; what is not replayed by then stays undecided."""

CUT_OFF = "not finished: the run was cut off"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is made of.

    `time_scale` stretches every deadline. `rounds` is how often a scenario is played, until it fails; those that wait
    for a heartbeat, and the long ones, are played once.
    """

    target: Target
    contract: Contract
    profile: Profile
    requirements: Mapping[str, Requirement]
    jobs: int = DEFAULT_JOBS
    time_scale: float = 1.0
    rounds: int = 1
    bounds: Bounds = field(default_factory=Bounds)


class Channels:
    """Gives every name of a scenario a channel: one of its own where the endpoint lets users create them."""

    def __init__(self, profile: Profile, offset: int) -> None:
        self._profile = profile
        self._given: dict[str, str] = {}
        self._offset = offset
        self._next = itertools.count(offset)

    def __call__(self, name: str) -> str:
        """The channel for `${channel.name}`."""
        if name not in self._given:
            self._given[name] = self._choose(name)
        return self._given[name]

    def _choose(self, name: str) -> str:
        channels = self._profile.channels
        if name == "private":
            return str(channels.private)
        if name == "missing":
            return str(channels.missing).replace("{nonce}", new_nonce())
        if isinstance(channels.open, str):
            return channels.open.replace("{nonce}", new_nonce())
        number = next(self._next)
        if number - self._offset >= len(channels.open):
            # Two names of a scenario for one channel would be a fault of ours.
            raise InconclusiveError(f"it needs another channel than the {len(channels.open)} that the profile lists")
        return channels.open[number % len(channels.open)]


class Run:
    """A run in progress. Scenarios start when `start` is called, and `result` waits for one."""

    def __init__(self, plan: Plan, scenarios: Sequence[Scenario]) -> None:
        self.plan = plan
        self.scenarios = tuple(scenarios)
        self.complete = False
        """Whether everything has been played to its end."""
        self.started = time.monotonic()
        self._futures: dict[str, Future[ScenarioVerdict]] = {}
        self._transports: dict[str, tuple[Transport, float]] = {}
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None
        self._stopped = False
        self._again = 0
        self._settled: dict[str, ScenarioVerdict] | None = None
        self._settling = threading.Lock()
        self._outlook = Outlook(plan.contract, plan.jobs)
        self._memory = Memory(plan.jobs)
        self._archive = Archive(plan.profile.secrets())

    def start(self, finished: Callable[[ScenarioVerdict], None] | None = None) -> None:
        """Begin to play everything; `finished` is called from the playing threads, before `result` has its verdict."""
        self.started = time.monotonic()
        self._pool = ThreadPoolExecutor(max_workers=self.plan.jobs, thread_name_prefix="scenario")
        order = sorted(enumerate(self.scenarios), key=lambda one: -longest_wait(one[1], self.plan.profile))
        for index, scenario in order:
            self._futures[scenario.id] = self._pool.submit(self._first, index, scenario, finished)

    def _first(
        self, index: int, scenario: Scenario, finished: Callable[[ScenarioVerdict], None] | None
    ) -> ScenarioVerdict:
        verdict = self._play_rounds(index, scenario)
        if finished is not None and verdict.outcome.ending != "unfinished":
            finished(verdict)
        return verdict

    def result(self, scenario: Scenario) -> ScenarioVerdict:
        """The verdict of one scenario, waited for: it is known when all scenarios have played."""
        with self._settling:
            if self._settled is None:
                self._settled = self._settle()
                self.complete = not self._stopped and bool(self._futures)
        return self._settled[scenario.id]

    def _settle(self) -> dict[str, ScenarioVerdict]:
        verdicts = {one.id: self._verdict(one) for one in self.scenarios}
        until = time.monotonic() + REPLAY_SECONDS * self.plan.time_scale
        self._play_disturbed(verdicts, until)
        if self._outlook.bleak:
            return without_consequences(verdicts)
        self._play_hasty(verdicts, until)
        if len(verdicts) == 1:
            return verdicts
        if _broken_isolation(verdicts):
            # First what shows whether deliveries are missed anyway: then isolation may be broken in appearance only.
            self._replay(verdicts, until, lambda one: CONTROL_TAG in one.tags)
        verdicts = without_consequences(verdicts)
        if _broken_isolation(verdicts):
            self._replay(verdicts, until, lambda one: CONTROL_TAG not in one.tags)
            verdicts = without_consequences(verdicts)
        return verdicts

    def _verdict(self, scenario: Scenario) -> ScenarioVerdict:
        """The first verdict, waited for; what was never begun is unfinished."""
        future = self._futures.get(scenario.id)
        if future is not None:
            with contextlib.suppress(CancelledError):
                return future.result()
        return self.judged(unfinished(scenario, "unfinished", CUT_OFF))

    def _play_disturbed(self, verdicts: dict[str, ScenarioVerdict], until: float) -> None:
        """Play again, alone, what a busy machine left undecided."""
        for index, scenario in enumerate(self.scenarios):
            self._again = sum(one.outcome.disturbed for one in verdicts.values())
            takes = longest_wait(scenario, self.plan.profile)
            while verdicts[scenario.id].outcome.disturbed and time.monotonic() + takes < until and not self._stopped:
                verdicts[scenario.id] = self._play(index, scenario)
        self._again = 0

    def _play_hasty(self, verdicts: dict[str, ScenarioVerdict], until: float) -> None:
        """Play again, alone, where TCP ended without the close frame owed; once it does so again, it plainly does."""
        hasty = [(index, one) for index, one in enumerate(self.scenarios) if _is_hasty(verdicts[one.id])]
        for index, scenario in hasty:
            if time.monotonic() > until or self._stopped:
                return
            verdict = self._play(index, scenario)
            if _is_hasty(verdict):
                return
            verdicts[scenario.id] = verdict

    def _replay(self, verdicts: dict[str, ScenarioVerdict], until: float, chosen: Callable[[Scenario], bool]) -> None:
        """Play again, alone, what failed in anything but isolation."""
        broken = ", ".join(sorted(_broken_isolation(verdicts)))
        doubtful = [
            (index, one)
            for index, one in enumerate(self.scenarios)
            if chosen(one) and not {charged.requirement for charged in verdicts[one.id].charged} <= ISOLATION
        ]
        for number, (index, scenario) in enumerate(doubtful):
            self._again = len(doubtful) - number
            if time.monotonic() < until and not self._stopped:
                verdicts[scenario.id] = self._play(index, scenario)
            else:
                reason = f"other connections disturbed it ({broken}); no time to play it alone"
                verdicts[scenario.id] = self.judged(unfinished(scenario, "inconclusive", reason))
        self._again = 0

    def verdicts(self) -> list[ScenarioVerdict]:
        """All verdicts, in the scenarios' order, once everything has played or the run was stopped."""
        return [self.result(one) for one in self.scenarios]

    def status(self) -> Status:
        """How far the run is."""
        now = time.monotonic()
        with self._lock:
            transports = dict(self._transports)
        futures = dict(self._futures)
        done = {name: one.result() for name, one in futures.items() if one.done() and not one.cancelled()}
        playing = [
            Playing(name, transport.waiting.waiting_for, transport.waiting.ends or transport.waiting.deadline)
            for name, (transport, _) in transports.items()
            if transport.waiting is not None
        ]
        unfinished = [
            (one, now - transports[one.id][1] if one.id in transports else 0.0)
            for one in self.scenarios
            if one.id not in done
        ]
        left = time_left(unfinished, self.plan.profile, self.plan.jobs)
        failed = sum(one.verdict == "failed" for one in done.values())
        return Status(len(done), failed, left, tuple(playing), self._again)

    def interrupt(self) -> None:
        """End everything soon: nothing new is played, and open connections are closed with 1000.

        It takes no lock, so that a signal's handler may call it whatever the interrupted code was doing.
        """
        self._stopped = True
        for transport, _ in list(self._transports.values()):
            transport.stop()

    def stop(self) -> None:
        """The same, and wait until it is so."""
        self.interrupt()
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def _play_rounds(self, index: int, scenario: Scenario) -> ScenarioVerdict:
        verdict = self._play(index, scenario)
        rounds = 1 if PLAYED_ONCE & {*scenario.tags} else self.plan.rounds
        for _ in range(rounds - 1):
            if verdict.verdict != "passed" or self._stopped:
                break
            verdict = self._play(index, scenario)
        return verdict

    def _play(self, index: int, scenario: Scenario) -> ScenarioVerdict:
        if self._stopped:
            return self.judged(unfinished(scenario, "unfinished", CUT_OFF))
        hopeless = self._outlook.hopeless(scenario)
        if hopeless is not None:
            return self.judged(unfinished(scenario, "inconclusive", hopeless))
        share = self._memory.share()
        transport = Transport(self.plan.target, self.plan.bounds, share)
        with self._lock:
            self._transports[scenario.id] = (transport, time.monotonic())
        if self._stopped:
            transport.stop()
        try:
            outcome = transport.run(play(scenario, self._setting(index)))
        except StoppedError:
            outcome = unfinished(scenario, "unfinished", CUT_OFF)
        except Exception as error:  # noqa: BLE001  # a fault of ours is a verdict of its own, never the endpoint's
            outcome = own_fault(scenario, error)
        finally:
            with self._lock:
                self._transports.pop(scenario.id, None)
        self._outlook.learn(outcome)
        try:
            return self.judged(outcome)
        finally:
            share.give_back()

    def _setting(self, index: int) -> Setting:
        plan = self.plan
        channels = Channels(plan.profile, index)
        return Setting(
            plan.contract, plan.profile, channels, plan.time_scale, plan.target.path, seen=self._outlook.seen
        )

    def judged(self, outcome: Outcome) -> ScenarioVerdict:
        """The verdict; what is kept for people is masked and bounded, and the messages' memory is given back."""
        try:
            failures = checked(outcome, self.plan)
        except Exception as error:  # noqa: BLE001  # as above
            outcome, failures = own_fault(outcome.scenario, error), ()
        outcome.record.release()
        outcome, failures = self._archive.file(outcome, failures)
        return charge_failures(outcome, failures, self.plan.requirements)


def judged(outcome: Outcome, plan: Plan) -> ScenarioVerdict:
    """The verdict with the transcript checks' failures."""
    return charge_failures(outcome, checked(outcome, plan), plan.requirements)


def checked(outcome: Outcome, plan: Plan) -> tuple[Failure, ...]:
    """The scenario's own failures, and the transcript checks'."""
    history = History(outcome.record, plan.contract, plan.profile, time.time() - time.monotonic())
    return (*outcome.failures, *judge(history))


def _is_hasty(verdict: ScenarioVerdict) -> bool:
    return any(charged.failure.hasty for charged in verdict.charged)


def _broken_isolation(verdicts: Mapping[str, ScenarioVerdict]) -> set[str]:
    return {one.requirement for verdict in verdicts.values() for one in verdict.charged} & ISOLATION


def without_consequences(verdicts: dict[str, ScenarioVerdict]) -> dict[str, ScenarioVerdict]:
    """Where plain deliveries are missed, take back what others were charged with for a missed delivery."""
    controls = [one for one in verdicts.values() if CONTROL_TAG in one.outcome.scenario.tags]
    if not any(charged.failure.undelivered for one in controls for charged in one.charged):
        return verdicts
    return {name: _without_undelivered(one) for name, one in verdicts.items()}


def _without_undelivered(one: ScenarioVerdict) -> ScenarioVerdict:
    kept = tuple(
        charged
        for charged in one.charged
        if not charged.failure.undelivered or charged.requirement in DELIVERY_REQUIREMENTS
    )
    if kept == one.charged:
        return one
    reason = "deliveries are missed here already where nothing else is tested (SEND-01)"
    outcome = replace(one.outcome, ending="inconclusive", reason=reason)
    return ScenarioVerdict(outcome, kept)


def unfinished(scenario: Scenario, ending: Ending, reason: str) -> Outcome:
    """The outcome of a scenario that did not come to an end of its own."""
    nothing: frozenset[str] = frozenset()
    return Outcome(scenario, ending, reason, (), nothing, nothing, Record(0.0, ()), 0.0, 0.0)


def own_fault(scenario: Scenario, error: Exception) -> Outcome:
    """The outcome of a scenario in which wsproof itself failed."""
    return unfinished(scenario, "error", f"fault of wsproof: {type(error).__name__}: {error}")
