"""Plays scenarios in threads: the transports, what all of them share, and what is kept of each once it is over."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence

from conformance.judge.outcomes import checked, own_fault, unfinished
from conformance.judge.verdicts import ScenarioVerdict, charge_failures
from conformance.language.scenario import Scenario
from conformance.play.admission import Admission
from conformance.play.circuit_breaker import CircuitBreaker
from conformance.play.context import Setting
from conformance.play.engine import Outcome, play
from conformance.play.outage import Watch
from conformance.play.plan import Channels, Plan, most_at_once
from conformance.run.limits import not_finished
from conformance.run.progress import Playing
from conformance.run.retention import Archive
from conformance.transport.bounds import Memory, Share
from conformance.transport.sockets import StoppedError, Transport
from conformance.transport.troubles import OwnTroubleError
from contract.findings import Phrase, phrase

IDLE_SECONDS = 0.5
"""A scenario on whose connections nothing has happened for so long only waits, and lets another one begin. Else an
endpoint that takes its time with everything would take minutes."""


class Pool:
    """The threads of a run. `stopped`: nothing more is played. Every method may be called from any thread.

    `trouble`: what this machine lacks, which ended the run.
    """

    def __init__(self, plan: Plan, scenarios: Iterable[Scenario]) -> None:
        self.stopped = False
        self.trouble: Phrase | None = None
        self.ended: Phrase | None = None
        """Why it was stopped; None: by a signal."""
        self._plan = plan
        self._transports: dict[str, tuple[Transport, float]] = {}
        self._lock = threading.Lock()
        self._admission = Admission()
        self._memory = Memory(plan.jobs)
        self._archive = Archive(plan.profile.secrets(), plan.profile.tokens.minted)
        self._index = {one.id: number for number, one in enumerate(scenarios)}

    def play_all(
        self,
        scenarios: Sequence[Scenario],
        play: Callable[[Scenario], None],
        watch: Watch,
        enough: Callable[[], bool] = lambda: False,
    ) -> None:
        """Play scenarios in as many threads as there are jobs, until all are over, or `watch` sees an outage.

        Scenarios that only wait are no job, within bounds. Where there is `enough`, those that play are cut off. Raises
        what `play` raises, once nothing plays any more, and `OwnTroubleError` where this machine gives no thread.
        """
        waiting = deque(scenarios)
        faults: list[Exception] = []

        def work() -> None:
            try:
                while not self.stopped and watch.trip is None and not enough():
                    try:
                        scenario = waiting.popleft()
                    except IndexError:
                        return
                    play(scenario)
            except Exception as error:  # noqa: BLE001  # raised again where somebody can act on it
                faults.append(error)
                self.interrupt()

        bound = min(self._bound(), len(scenarios))
        threads: list[threading.Thread] = []
        started = 0
        while started == 0 or threads:
            idle = sum(one.idle > IDLE_SECONDS for one, _ in list(self._transports.values()))
            while started < len(scenarios) and len(threads) < min(self._plan.jobs + idle, bound):
                started += 1
                thread = threading.Thread(target=work, name=f"scenario-{started}", daemon=True)
                if not _starts(thread, alone=not threads):
                    bound = len(threads)
                    break
                threads.append(thread)
            if not threads:
                break
            threads[0].join(0.05)
            if watch.trip is not None or enough():
                self._stop_transports()
            threads = [one for one in threads if one.is_alive()]
        if faults:
            raise faults[0]

    def _bound(self) -> int:
        """How many scenarios may play at once, with those that only wait."""
        most, at_once = most_at_once(self._plan.jobs), self._plan.at_once
        return most if at_once is None else min(most, at_once)

    def play(self, scenario: Scenario, breaker: CircuitBreaker, watch: Watch) -> ScenarioVerdict:
        """Play one scenario in this thread; its verdict."""
        if self.stopped:
            return self.judged(unfinished(scenario, "unfinished", not_finished(self.ended)))
        share = self._memory.share()
        watch.began(scenario.id)
        try:
            outcome = self._outcome(scenario, breaker, watch, share)
        except StoppedError:
            outcome = unfinished(scenario, "unfinished", not_finished(self.ended))
        except Exception as error:  # noqa: BLE001  # a fault of ours is a verdict of its own, never the endpoint's
            outcome = own_fault(scenario, error)
            if isinstance(error, OwnTroubleError):
                # Whatever plays meanwhile, and after it, would have the same.
                self.trouble = self.trouble or error.trouble
                self.interrupt()
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

    def _outcome(self, scenario: Scenario, breaker: CircuitBreaker, watch: Watch, share: Share) -> Outcome:
        transport = Transport(self._plan.target, self._plan.bounds, share)
        with self._lock:
            self._transports[scenario.id] = (transport, time.monotonic())
        if self.stopped or watch.trip is not None:
            transport.stop()
        return transport.run(play(scenario, self._setting(scenario, breaker, watch)))

    def _setting(self, scenario: Scenario, breaker: CircuitBreaker, watch: Watch) -> Setting:
        plan = self._plan
        channels = Channels(plan.profile, self._index.get(scenario.id, 0))
        return Setting(
            plan.contract,
            plan.requirements,
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

    def replenish(self) -> None:
        """Give out the whole reserve of memory anew: what others had received is no longer held against anybody."""
        self._memory = Memory(self._plan.jobs)

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

    def interrupt(self, ended: Phrase | None = None) -> None:
        """End everything soon: nothing new is played, and open connections are closed with 1000. It takes no lock."""
        if not self.stopped:
            self.ended = ended
        self.stopped = True
        self._stop_transports()

    def _stop_transports(self) -> None:
        for transport, _ in list(self._transports.values()):
            transport.stop()


def _starts(thread: threading.Thread, *, alone: bool) -> bool:
    """Start a thread; whether there is room for it. Raises `OwnTroubleError` where there is not even one."""
    try:
        thread.start()
    except RuntimeError:
        if alone:
            raise OwnTroubleError(phrase("trouble-threads")) from None
        return False
    return True
