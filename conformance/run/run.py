"""Plays many scenarios at once: a thread for each, the longest first, so that a run lasts as its longest wait.

A run has one conductor, a thread of its own. It plays everything side by side; where the endpoint dies meanwhile
(`outage`), it waits until it is back, looks for the culprit, and goes on with the rest. In the end it confirms what did
not come (`replays`). Only then is any verdict known.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

from conformance.judge.outcomes import own_fault, undecided, unfinished
from conformance.judge.verdicts import ScenarioVerdict
from conformance.language.scenario import Scenario
from conformance.play.circuit_breaker import CircuitBreaker
from conformance.play.outage import Outage, Trip, Watch
from conformance.play.plan import Plan
from conformance.run.limits import FailureLimit, not_finished
from conformance.run.pool import Pool
from conformance.run.progress import Status, longest_wait, time_left
from conformance.run.recovery import Recovery, convicted
from conformance.run.replays import Player, Replays, does_wrong
from conformance.transport.troubles import fault
from contract.findings import Phrase, phrase

PLAYED_ONCE = frozenset({"slow", "thorough"})
"""Tags of scenarios that last long by themselves."""

THOROUGH_ROUNDS = 3
"""How often a thorough run plays a scenario."""

ONE_BY_ONE_SECONDS = 60.0
"""How long scenarios like a culprit may be played one by one, at a time scale of 1."""

GONE = phrase("gone-before-replay")
NO_TIME_ALONE = phrase("not-played-alone")

Finished = Callable[[ScenarioVerdict], None]


class Run:
    """A run in progress. Scenarios start when `start` is called, and `result` waits for one."""

    def __init__(self, plan: Plan, scenarios: Sequence[Scenario], limit: FailureLimit | None = None) -> None:
        """`limit`: where it is reached, the rest is not played."""
        self.plan = plan
        self.scenarios = tuple(scenarios)
        self.complete = False
        """Whether everything has been played to its end."""
        self.started = time.monotonic()
        self.outages: tuple[Outage, ...] = ()
        self.fault: Phrase | None = None
        """What ended the run before its end: this machine's trouble, or a fault of wsproof itself."""
        self._limit = limit
        self._conductor: threading.Thread | None = None
        self._first: dict[str, ScenarioVerdict] = {}
        self._confirmed: dict[str, ScenarioVerdict] = {}
        self._settled: dict[str, ScenarioVerdict] = {}
        self._again = 0
        self._watch = Watch()
        self._breaker = CircuitBreaker()
        self._pool = Pool(plan, self.scenarios)

    def start(self, finished: Finished | None = None) -> None:
        """Begin to play everything; `finished` is called from the playing threads, once a scenario has ended."""
        self.started = time.monotonic()
        self._conductor = threading.Thread(target=self._conduct, args=(finished,), name="conductor", daemon=True)
        self._conductor.start()

    def result(self, scenario: Scenario) -> ScenarioVerdict:
        """The verdict of one scenario, waited for: it is known when all scenarios have played."""
        if self._conductor is not None:
            self._conductor.join()
        return self._settled.get(scenario.id) or self._pool.judged(unfinished(scenario, "unfinished", self._cut_off))

    @property
    def ended(self) -> Phrase | None:
        """Why it ended before everything was played; None: it did not, or a signal came."""
        return self._pool.ended

    @property
    def _cut_off(self) -> Phrase:
        return not_finished(self.ended)

    def verdicts(self) -> list[ScenarioVerdict]:
        """All verdicts, in the scenarios' order, once everything has played or the run was stopped."""
        return [self.result(one) for one in self.scenarios]

    # The conductor

    def _conduct(self, finished: Finished | None) -> None:
        try:
            self._settled = self._played(finished)
        except Exception as error:  # noqa: BLE001  # a fault of ours is a verdict of its own, never the endpoint's
            self.fault = fault(error)
            self._settled = self._found_so_far(error, self.fault)
        self.fault = self.fault or self._pool.trouble
        self.complete = not self._pool.stopped and self.fault is None

    def _found_so_far(self, error: Exception, reason: Phrase) -> dict[str, ScenarioVerdict]:
        """What is known where the run cannot go on. One scenario bears the fault, so that no report overlooks it."""
        self._pool.interrupt()
        played = dict(self._first)
        bearer = next((one for one in self.scenarios if one.id not in played), self.scenarios[0])
        found = {name: undecided(one, reason) for name, one in played.items()}
        return found | {bearer.id: self._pool.judged(own_fault(bearer, error))}

    def _played(self, finished: Finished | None) -> dict[str, ScenarioVerdict]:
        recovery = Recovery(self.plan, self.started, self._play_beside, lambda: self._pool.stopped)
        replays = self._replays(recovery)
        waiting = self._in_order()
        while waiting and not self._pool.stopped:
            # What tests the same as a culprit may do the same to all others.
            alike = [one for one in waiting if recovery.guilty & {*one.verifies}]
            self._side_by_side([one for one in waiting if not recovery.guilty & {*one.verifies}], finished)
            trip = self._watch.trip
            if self._is_enough() and not self._pool.stopped:
                waiting = self._after_failures(replays)
                continue
            if trip is None or self._pool.stopped:
                self._one_by_one(alike, recovery, finished)
                break
            waiting = self._recover(trip, recovery)
        for one in self.scenarios:
            if one.id not in self._first:
                reason = self._cut_off if self._pool.stopped else recovery.over or NO_TIME_ALONE
                self._first[one.id] = self._pool.judged(unfinished(one, "unfinished", reason))
        first = {one.id: self._first[one.id] for one in self.scenarios}
        if recovery.gone:
            found = {name: undecided(one, GONE) for name, one in first.items()}
        else:
            culprits = {one.culprit: first[one.culprit] for one in recovery.outages if one.culprit is not None}
            self._pool.replenish()
            found = {**replays.confirmed(first), **culprits}
        trouble = self._pool.trouble
        if trouble is not None:
            # What did not come before this machine's trouble was noticed may have been its work already.
            found = {name: undecided(one, trouble) for name, one in found.items()}
        self.outages = tuple(recovery.outages)
        return found

    def _is_enough(self) -> bool:
        return self._limit is not None and self._limit.reached({**self._first, **self._confirmed}.values())

    def _after_failures(self, replays: Replays) -> list[Scenario]:
        """Confirm what has failed so far; what is to be played then: nothing, where enough has failed for certain."""
        self._confirmed = replays.confirmed(dict(self._first))
        left = [one for one in self._in_order() if one.id not in self._first]
        if self._limit is not None and self._is_enough() and left:
            self._pool.interrupt(self._limit.reason)
        return left

    def _in_order(self) -> list[Scenario]:
        """The longest first; else what decides each requirement in turn, so that little shows in much."""
        turn: Counter[tuple[str, ...]] = Counter()
        keys = {}
        for one in self.scenarios:
            turn[one.verifies] += 1
            keys[one.id] = (-int(longest_wait(one, self.plan.profile)), turn[one.verifies])
        return sorted(self.scenarios, key=lambda one: keys[one.id])

    def _recover(self, trip: Trip, recovery: Recovery) -> list[Scenario]:
        """Decide an outage: what is to be played, with what it cut off; nothing, where the run is over."""
        cut_off = {one.id for one in self.scenarios if one.id not in self._first}
        spoilt = {
            name
            for name, one in self._first.items()
            if one.verdict != "passed" and one.outcome.started + one.outcome.duration >= trip.since - 0.05
        }
        by_id = {one.id: one for one in self.scenarios}
        # What does something wrong on purpose is likelier than what does not, then what was sent last.
        senders = sorted((by_id[name] for name in trip.senders if name in by_id), key=lambda one: not does_wrong(one))
        culprit = recovery.recover(trip, senders)
        self._watch.reset(phantom=recovery.phantom)
        if recovery.phantom:
            spoilt = set()
        for name in spoilt - {one.culprit for one in recovery.outages}:
            del self._first[name]
        if culprit is not None:
            self._first[culprit.outcome.scenario.id] = culprit
        if recovery.over:
            return []
        return [one for one in self._in_order() if one.id in cut_off | spoilt and one.id not in self._first]

    def _replays(self, recovery: Recovery) -> Replays:
        def left(number: int) -> None:
            self._again = number

        stopped, still = (lambda: self._pool.stopped or recovery.gone), self._watch.stood_still
        alone = partial(self._play_alone, recovery=recovery)
        player = Player(alone, self._play_together, stopped, time.monotonic, left, still)
        return Replays(player, self.plan.profile, self.plan.requirements, self.scenarios, self.plan.time_scale)

    # Playing

    def _side_by_side(self, scenarios: Sequence[Scenario], finished: Finished | None) -> None:
        """Play scenarios at once, into `_first`, until the endpoint dies or all are over."""

        def play(scenario: Scenario) -> None:
            verdict = self._play_rounds(scenario)
            if verdict.outcome.ending == "unfinished":
                return
            self._first[scenario.id] = verdict
            if finished is not None:
                finished(verdict)

        self._pool.play_all(scenarios, play, self._watch, self._is_enough)

    def _one_by_one(self, scenarios: Sequence[Scenario], recovery: Recovery, finished: Finished | None) -> None:
        """Play scenarios one after the other, as far as there is time and the endpoint lives, or lives again."""
        until = time.monotonic() + ONE_BY_ONE_SECONDS * self.plan.time_scale
        for scenario in scenarios:
            late = time.monotonic() + longest_wait(scenario, self.plan.profile) > until
            if self._pool.stopped or recovery.gone or late:
                continue
            verdict = recovery.beside_a_witness(scenario)
            if verdict is not None and verdict.outcome.ending != "unfinished":
                self._first[scenario.id] = verdict
                if finished is not None:
                    finished(verdict)

    def _play_together(self, scenarios: Sequence[Scenario]) -> dict[str, ScenarioVerdict]:
        """Play scenarios again, side by side."""
        found, watches = {}, list[Watch]()

        def play(scenario: Scenario) -> None:
            watch = Watch()
            watches.append(watch)
            found[scenario.id] = self._pool.play(scenario, CircuitBreaker(), watch)

        self._pool.play_all(scenarios, play, Watch())
        # Where the endpoint went away meanwhile, what did not come shows nothing.
        gone = any(one.trip is not None and one.trip.kind == "stopped" for one in watches)
        return {name: one for name, one in found.items() if not (gone and one.absences)}

    def _play_beside(self, scenario: Scenario) -> ScenarioVerdict:
        """Play a scenario again, beside a witness."""
        return self._pool.play(scenario, CircuitBreaker(), Watch())

    def _play_alone(self, scenario: Scenario, recovery: Recovery) -> ScenarioVerdict:
        """Play a scenario again, to the full deadlines. That nobody listens confirms nothing; doing it twice does."""
        for _ in range(2):
            watch = Watch()
            verdict = self._pool.play(scenario, CircuitBreaker(), watch)
            if watch.trip is None or watch.trip.kind == "dropped":
                return verdict
            if not recovery.comes_back():
                recovery.gone = True
                return undecided(verdict, GONE)
        return convicted(verdict, "stopped", self.plan.requirements)

    def _play_rounds(self, scenario: Scenario) -> ScenarioVerdict:
        rounds = 1 if PLAYED_ONCE & {*scenario.tags} else self.plan.rounds
        for _ in range(rounds):
            given_up = self._breaker.given_up
            if given_up is not None:
                return self._pool.judged(unfinished(scenario, "inconclusive", given_up))
            verdict = self._pool.play(scenario, self._breaker, self._watch)
            if verdict.verdict != "passed" or self._pool.stopped or self._watch.trip is not None:
                break
        return verdict

    # From outside

    def status(self) -> Status:
        """How far the run is."""
        now, done = time.monotonic(), dict(self._first)
        playing, since = self._pool.playing()
        unfinished_ones = [(one, now - since.get(one.id, now)) for one in self.scenarios if one.id not in done]
        left = time_left(unfinished_ones, self.plan.profile, self.plan.jobs)
        failed = sum(one.verdict == "failed" for one in done.values())
        return Status(len(done), failed, left, playing, self._again)

    def interrupt(self, ended: Phrase | None = None) -> None:
        """End everything soon, and say why: nothing new is played, and open connections are closed with 1000.

        It takes no lock, so that a signal's handler may call it whatever the interrupted code was doing.
        """
        self._pool.interrupt(ended)

    def stop(self) -> None:
        """The same, and wait until it is so."""
        self.interrupt()
        if self._conductor is not None:
            self._conductor.join()
