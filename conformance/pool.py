"""Plays scenarios in threads: the transports, what all of them share, and what is kept of each once it is over."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence

from conformance.admission import Admission
from conformance.archive import Archive
from conformance.bounds import Memory
from conformance.breaker import CircuitBreaker
from conformance.engine import CUT_OFF, Outcome, play
from conformance.judging import checked, own_fault, unfinished
from conformance.outage import Watch
from conformance.pace import Playing
from conformance.plan import Channels, Plan
from conformance.scenario import Scenario
from conformance.stage import Setting
from conformance.transport import StoppedError, Transport
from conformance.verdicts import ScenarioVerdict, charge_failures

IDLE_SECONDS, WAITING_SHARE, WAITING_MOST = 0.5, 3, 48
"""A scenario on whose connections nothing has happened for so long only waits, and lets another one begin: up to so
many times the jobs, and so many scenarios. Else an endpoint that takes its time with everything would take minutes."""


class Pool:
    """The threads of a run. `stopped`: nothing more is played. Every method may be called from any thread."""

    def __init__(self, plan: Plan, scenarios: Iterable[Scenario]) -> None:
        self.stopped = False
        self._plan = plan
        self._transports: dict[str, tuple[Transport, float]] = {}
        self._lock = threading.Lock()
        self._admission = Admission()
        self._memory = Memory(plan.jobs)
        self._archive = Archive(plan.profile.secrets())
        self._index = {one.id: number for number, one in enumerate(scenarios)}

    def play_all(self, scenarios: Sequence[Scenario], play: Callable[[Scenario], None], watch: Watch) -> None:
        """Play scenarios in as many threads as there are jobs, until all are over, or `watch` sees an outage.

        Scenarios that only wait are no job, within bounds.
        """
        waiting = deque(scenarios)

        def work() -> None:
            while not self.stopped and watch.trip is None:
                try:
                    scenario = waiting.popleft()
                except IndexError:
                    return
                play(scenario)

        jobs, most = self._plan.jobs, len(scenarios)
        bound = min(jobs if jobs == 1 else max(jobs, min(jobs * WAITING_SHARE, WAITING_MOST)), most)
        threads: list[threading.Thread] = []
        started = 0
        while started == 0 or threads:
            idle = sum(one.idle > IDLE_SECONDS for one, _ in list(self._transports.values()))
            while started < most and len(threads) < min(jobs + idle, bound):
                started += 1
                threads.append(threading.Thread(target=work, name=f"scenario-{started}", daemon=True))
                threads[-1].start()
            if not threads:
                return
            threads[0].join(0.05)
            if watch.trip is not None:
                self._stop_transports()
            threads = [one for one in threads if one.is_alive()]

    def play(self, scenario: Scenario, breaker: CircuitBreaker, watch: Watch) -> ScenarioVerdict:
        """Play one scenario in this thread; its verdict."""
        if self.stopped:
            return self.judged(unfinished(scenario, "unfinished", CUT_OFF))
        share = self._memory.share()
        transport = Transport(self._plan.target, self._plan.bounds, share)
        watch.began(scenario.id)
        with self._lock:
            self._transports[scenario.id] = (transport, time.monotonic())
        if self.stopped or watch.trip is not None:
            transport.stop()
        try:
            outcome = transport.run(play(scenario, self._setting(scenario, breaker, watch)))
        except StoppedError:
            outcome = unfinished(scenario, "unfinished", CUT_OFF)
        except Exception as error:  # noqa: BLE001  # a fault of ours is a verdict of its own, never the endpoint's
            outcome = own_fault(scenario, error)
        finally:
            with self._lock:
                self._transports.pop(scenario.id, None)
            watch.over(scenario.id)
        ends = [one.ended for one in outcome.record.conversations if one.ended is not None]
        breaker.flooded(next((end.detail for end in ends if end.how == "flood"), None))
        try:
            return self.judged(outcome)
        finally:
            share.give_back()

    def _setting(self, scenario: Scenario, breaker: CircuitBreaker, watch: Watch) -> Setting:
        plan = self._plan
        channels = Channels(plan.profile, self._index.get(scenario.id, 0))
        return Setting(
            plan.contract,
            plan.profile,
            channels,
            plan.time_scale,
            plan.target.path,
            breaker=breaker,
            admission=self._admission,
            watch=watch,
        )

    def judged(self, outcome: Outcome) -> ScenarioVerdict:
        """The verdict; what is kept for people is masked and bounded, and the messages' memory is given back."""
        applied: Mapping[str, int] = {}
        try:
            failures, applied = checked(outcome, self._plan)
        except Exception as error:  # noqa: BLE001  # as above
            outcome, failures = own_fault(outcome.scenario, error), ()
        outcome.record.release()
        outcome, failures = self._archive.file(outcome, failures)
        return charge_failures(outcome, failures, self._plan.requirements, applied)

    def playing(self) -> tuple[tuple[Playing, ...], Mapping[str, float]]:
        """What scenarios wait for at the moment, and since when each one plays (seconds, monotonic)."""
        with self._lock:
            transports = dict(self._transports)
        waits = tuple(
            Playing(name, transport.waiting.waiting_for, transport.waiting.ends or transport.waiting.deadline)
            for name, (transport, _) in transports.items()
            if transport.waiting is not None
        )
        return waits, {name: since for name, (_, since) in transports.items()}

    def interrupt(self) -> None:
        """End everything soon: nothing new is played, and open connections are closed with 1000. It takes no lock."""
        self.stopped = True
        self._stop_transports()

    def _stop_transports(self) -> None:
        for transport, _ in list(self._transports.values()):
            transport.stop()
