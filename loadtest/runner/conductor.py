"""Conducts a load test inside Locust: alone, as the master of several processes, or as one of its workers.

A process that plays users sends a slice of what it measured every second, and its part of the ledger when its users
have left. The collector adds them up, wherever they come from.
"""

import math
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gevent
from locust import User
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from contract.profile import load_profile
from loadtest.delivery.parts import answer, part_of
from loadtest.measure.recorder import Slice
from loadtest.processes.relay import relay_of_environment
from loadtest.runner.arrivals import Begin
from loadtest.runner.collector import Collector
from loadtest.runner.executor import Executor
from loadtest.runner.gevent_reactor import in_turn
from loadtest.runner.locust_side import choose_default, feed, keep_no_history, settings_of_locust, stop_at_once, trim
from loadtest.runner.messaging import Master, Worker
from loadtest.runner.presence import exit_code_of, watch_workers
from loadtest.runner.stages import follow
from loadtest.runner.user import user_classes
from loadtest.settings.names import LOCAL, this_process
from loadtest.settings.settings import LoadSettings, contract_of
from loadtest.users.player import Player

CUT_OFF_TOLERANCE = 0.5
"""Seconds before its end at which a run counts as complete."""


class Conductor:
    """One process's view of the run.

    A worker of another machine has no settings until the master tells it, but `own` ones: its profile and overrides.
    """

    def __init__(self, settings: LoadSettings | None, own: Mapping[str, Any] | None = None) -> None:
        self.settings = settings
        self._given = settings is not None
        self._by_hand = settings is None and own is None
        self._own = own or {"profile": None, "overrides": {}}
        self._environment: Environment | None = None
        self._master: Master | None = None
        self._worker: Worker | None = None
        self._executor: Executor | None = None
        self._relay = relay_of_environment()
        self._collector = Collector(relay=self._relay)
        self._begun = False
        self._played = ""
        self._finished = False
        self._ramp: gevent.Greenlet | None = None
        self._parent = 0

    # Setting up

    def attach(self, environment: Environment) -> None:
        """Locust has made its runner."""
        self._environment = environment
        stop_at_once()
        if not self._by_hand:
            keep_no_history(environment)
        runner = environment.runner
        if isinstance(runner, MasterRunner):
            self._master = Master(runner, self.settings, self._collector)
            if self.settings is not None:
                gevent.spawn(watch_workers, runner, self.settings.players, self.settings.wait)
        elif isinstance(runner, WorkerRunner):
            self._worker = Worker(runner, self._own, None if self._given else self._take_settings)
        if not self._given:
            choose_default(environment)
        happens: Any = environment.events
        happens.test_start.add_listener(self._begin)
        happens.test_stopping.add_listener(self._stopping)
        happens.test_stop.add_listener(self._stopped)
        happens.quitting.add_listener(self._quitting)

    @property
    def environment(self) -> Environment:
        """Locust's."""
        assert self._environment is not None
        return self._environment

    @property
    def runner(self) -> Any:
        """Locust's runner."""
        return self.environment.runner

    def user_classes(self) -> dict[str, type[User]]:
        """Locust's classes of users."""
        return user_classes(self.settings, self)

    def player(self, journey: str) -> Player | None:
        """A new player; None if the run is over."""
        return self._executor.player(journey) if self._executor is not None else None

    def arrive(self, begin: Begin) -> None:
        """Let a user begin in its turn."""
        if self._executor is not None:
            self._executor.arrive(begin)

    def _take_settings(self, settings: LoadSettings) -> None:
        """Use the settings that the master sent."""
        self.settings = settings
        self.environment.user_classes = list(self.user_classes().values())

    # Beginning

    def _begin(self, environment: Environment, **_: Any) -> None:
        settings = self.settings
        if settings is None or (not self._given and self._worker is None):
            settings = self.settings = settings_of_locust(environment)
        collector = self._collector = Collector(settings, self._relay)
        collector.call(LOCAL, this_process())
        self._begun, self._finished = True, False
        self._parent = os.getppid()
        if self._master is not None:
            self._master.begin(settings, collector)
            gevent.spawn(self._observe, self._master, collector)
            profile = load_profile(
                Path(settings.profile) if settings.profile else None,
                settings.overrides,
                contract=contract_of(settings),
            )
            response_timeout = profile.response_timeout
        elif self._worker is not None and settings.run == self._played:
            # What its master said before the end came after it: users of a run that is over find no player.
            return
        else:
            if self._executor is not None:
                self._executor.over = True
            self._executor = Executor(settings, max(self.runner.worker_index, 0), self._second)
            response_timeout = self._executor.response_timeout
        self._settle(collector, response_timeout)
        # A user may take this long until all that it is owed has come and its connection is closed.
        environment.stop_timeout = 2 * response_timeout + 10
        if self._worker is None:
            if settings.stages:
                self._ramp = gevent.spawn(follow, self.runner, settings)
            if math.isfinite(settings.whole_duration):
                gevent.spawn_later(settings.whole_duration, self._end, collector)

    def _settle(self, collector: Collector, grace: float) -> None:
        """Settle the ledgers while the run goes on."""
        if self._master is not None:
            collector.settle(grace, self._master.ask)
            return
        assert self._executor is not None
        ledger = self._executor.ledger
        if self._worker is not None:
            self._worker.begin(ledger)
        else:
            collector.settle(grace, lambda asked: collector.answer(LOCAL, answer(ledger, asked, time.monotonic())))

    def _end(self, collector: Collector) -> None:
        """The time is up."""
        if self._collector is collector and collector.ended is None:
            self._quit()

    def _quit(self) -> None:
        try:
            self.finish()
        finally:
            # Whatever went wrong, this process ends.
            self.runner.quit()

    # While it goes on

    def _second(self, taken: Slice) -> None:
        """The second of a process that plays users."""
        self._give(taken)
        self._end_early()

    def _give(self, taken: Slice) -> None:
        """Send a slice to the master, or add it to the collector here."""
        if self._worker is not None:
            self._worker.send_slice(taken)
        else:
            self._collector.add(LOCAL, taken)
        if self._by_hand:
            feed(self.environment.stats, taken)
            trim(self.environment.stats)

    def _observe(self, master: Master, collector: Collector) -> None:
        """The second of a master: it measures nothing, but workers may be lost."""
        while self._collector is collector and collector.ended is None:
            gevent.sleep(1.0)
            master.note_lost()
            trim(self.environment.stats)
            self._end_early()

    def _end_early(self) -> None:
        """End the run if a threshold is breached and the settings say so, or if the parent process is gone."""
        settings, collector = self.settings, self._collector
        undecided = self._worker is None and not collector.aborted and not collector.ended
        if settings is not None and settings.abort_on_breach and undecided:
            collector.aborted = collector.breach(settings)
            if collector.aborted:
                gevent.spawn(self._quit)
        if os.getppid() != self._parent:
            self.runner.quit()

    # Ending

    def _stopping(self, **_: Any) -> None:
        """Locust is about to stop the users."""
        if self._ramp is not None:
            self._ramp.kill()
        executor, collector = self._executor, self._collector
        if self._worker is None and self.settings is not None and self._begun:
            # What nobody gave a time ends when somebody stops it.
            duration = self.settings.whole_duration
            over = time.monotonic() - collector.began >= duration - CUT_OFF_TOLERANCE or math.isinf(duration)
            collector.complete = over or collector.aborted is not None
        if executor is not None and not executor.leaving:
            executor.stop_posting()
            if not self._by_hand:
                # Of users who are still there, Locust would stop each in a greenlet of its own.
                executor.wait_until_left()

    def _stopped(self, **_: Any) -> None:
        """All users of this process, or of all workers, have left."""
        executor = self._executor
        if executor is not None:
            taken = executor.finish()
            self._executor = None
            self._played = executor.run
            self._give(taken)
            if self._worker is not None:
                self._worker.send_part(executor.ledger)
                # Locust's worker sleeps for so long before it hears its master again.
                self.environment.stop_timeout = 0
            else:
                self._collector.finish(LOCAL, part_of(executor.ledger))
        if self._worker is None and self._begun:
            self._conclude()
            if self._given and not self._finished:
                # Locust stopped the run by itself: its last worker is gone.
                gevent.spawn(self._quit)

    def _quitting(self, **_: Any) -> None:
        if self._worker is None:
            self.finish()
            return
        if self.runner.state not in ("stopped", "ready"):
            self.runner.stop()
        self.environment.process_exit_code = exit_code_of(self.runner, begun=self._begun)

    def finish(self) -> None:
        """Stop all users, and write the document. Idempotent."""
        if self._finished or self.settings is None:
            return
        self._finished = True
        self.runner.stop()
        self._conclude()

    def _conclude(self) -> None:
        """Wait for the workers' ledgers, and write the document; once for each run."""
        settings, collector, master = self.settings, self._collector, self._master
        if settings is None or collector.ended is not None:
            return
        collector.ended = time.monotonic() if self._begun else collector.began
        if master is not None:
            master.stop_running()
            in_turn(lambda: self._all_told(master, collector), self.environment.stop_timeout or 0.0)
        if settings.document:
            collector.write(settings)

    def _all_told(self, master: Master, collector: Collector) -> bool:
        master.note_lost()
        return not collector.waits
