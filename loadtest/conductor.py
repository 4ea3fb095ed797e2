"""Conducts a load test inside Locust: alone, as the master of several processes, or as one of its workers.

A process that plays users sends a slice of what it measured every second, and its part of the ledger when its users
have left. The tally adds them up, wherever they come from.
"""

import json
import math
import os
import time
from array import array
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import gevent
import msgspec
from locust import User
from locust.env import Environment
from locust.runners import STATE_MISSING, MasterRunner, WorkerRunner

from contract.model import load_contract
from contract.profile import load_profile
from loadtest.clocks import ClockReading, best_reading
from loadtest.document import Ending, delivery_of, load_document, write_document
from loadtest.gevent_reactor import GeventReactor, in_turn
from loadtest.load_context import LoadContext
from loadtest.locust_side import feed, settings_of_locust
from loadtest.player import Player
from loadtest.population import SWEEP_SECONDS, Population
from loadtest.recorder import LAG, Slice
from loadtest.settings import LoadSettings, load_journeys, settings_from
from loadtest.settling import Part, part_of
from loadtest.tally import Tally
from loadtest.thresholds import breaches, parse_threshold
from loadtest.user import JourneyUser

SETTINGS, ASKED, SLICE, PART, CLOCK = (f"wsproof-{name}" for name in ("settings", "asked", "slice", "part", "clock"))
"""Messages between master and workers."""

CLOCK_SECONDS = 5.0
"""How often a worker compares its clock with the master's."""

CUT_OFF_TOLERANCE = 0.5
"""Seconds before its end at which a run counts as complete."""

LOCAL = "this process"

encode, decode_slice = msgspec.msgpack.encode, msgspec.msgpack.Decoder(Slice).decode
decode_part = msgspec.msgpack.Decoder(Part).decode


class Conductor:
    """One process's view of the run.

    A worker of another machine has no settings until the master tells it, but `own` ones: its profile and overrides.
    """

    def __init__(self, settings: LoadSettings | None, own: Mapping[str, Any] | None = None) -> None:
        self.settings = settings
        self._given = settings is not None
        self._own = own or {"profile": None, "overrides": {}}
        self.population: Population | None = None
        self.tally = Tally()
        self.parts: dict[str, Part] = {}
        self.margin = 0.0
        self.began = time.monotonic()
        self.started = datetime.now(UTC)
        self.ended: float | None = None
        self.aborted: str | None = None
        self.complete = False
        self._environment: Environment | None = None
        self._readings: list[ClockReading] = []
        self._drain: gevent.Greenlet | None = None
        self._finished = False

    # Setting up

    def attach(self, environment: Environment) -> None:
        """Locust has made its runner."""
        self._environment = environment
        runner = environment.runner
        if isinstance(runner, MasterRunner):
            for message, listener in ((ASKED, self._on_asked), (SLICE, self._on_slice), (PART, self._on_part)):
                runner.register_message(message, listener)
            runner.register_message(CLOCK, self._on_clock_asked)
        elif isinstance(runner, WorkerRunner):
            runner.register_message(SETTINGS, self._on_settings)
            runner.register_message(CLOCK, self._on_clock)
            gevent.spawn(self._compare_clocks)
            if self.settings is None:
                runner.send_message(ASKED, {})
        happens: Any = environment.events
        happens.test_start.add_listener(self._begin)
        happens.test_stopping.add_listener(self._stopping)
        happens.test_stop.add_listener(self._stopped)
        happens.quitting.add_listener(self._quitting)

    @property
    def runner(self) -> Any:
        """Locust's runner."""
        assert self._environment is not None
        return self._environment.runner

    @property
    def is_master(self) -> bool:
        """Whether this process only directs others."""
        return isinstance(self.runner, MasterRunner)

    @property
    def is_worker(self) -> bool:
        """Whether another process directs this one."""
        return isinstance(self.runner, WorkerRunner)

    def user_classes(self) -> dict[str, type[User]]:
        """Locust's classes of users: one for each journey that is played, or could be."""
        settings = self.settings
        found: dict[str, type[User]] = {}
        for journey in load_journeys(settings.journey_file if settings is not None else None):
            weight = settings.journeys.get(journey.id, 0.0) if settings is not None else journey.weight
            if weight:
                name = f"{journey.id}-user"
                members = {"conductor": self, "journey": journey.id, "weight": weight, "abstract": False}
                found[name] = type(name, (JourneyUser,), {**members, "__module__": __name__})
        return found

    def player(self, journey: str) -> Player | None:
        """A new player; None where the run is over."""
        if self.population is None or self._drain is not None:
            return None
        return self.population.player(journey)

    # Beginning

    def _begin(self, environment: Environment, **_: Any) -> None:
        settings = self.settings
        if settings is None or (not self._given and not self.is_worker):
            settings = self.settings = settings_of_locust(environment)
        if self.is_master:
            self._tell_settings()
        self.tally = Tally(settings.whole_duration)
        self.parts.clear()
        self._drain, self._finished, self.ended, self.aborted = None, False, None, None
        self.began, self.started = time.monotonic(), datetime.now(UTC)
        if not self.is_master:
            worker = max(self.runner.worker_index, 0)
            context = LoadContext(settings, GeventReactor(), worker)
            self.population = Population(context, worker, settings.players)
            self.population.begin()
            profile = context.profile
            for loop in (self._sweep, self._beat, self._report):
                gevent.spawn(loop, self.population)
        else:
            profile = load_profile(Path(settings.profile) if settings.profile else None, settings.overrides)
            gevent.spawn(self._observe)
        # A user may take this long until all that it is owed has come and its connection is closed.
        environment.stop_timeout = 2 * profile.response_timeout + 10
        if not self.is_worker and math.isfinite(settings.whole_duration):
            gevent.spawn_later(settings.whole_duration, self._end, self.began)

    def _end(self, began: float) -> None:
        """The time is up."""
        if self.began == began and self.ended is None:
            self.finish()
            self.runner.quit()

    # While it goes on

    def _sweep(self, population: Population) -> None:
        while self.population is population:
            population.sweep()
            gevent.sleep(SWEEP_SECONDS)

    def _beat(self, population: Population) -> None:
        """See how late the generator's own timers are."""
        while self.population is population:
            before = time.monotonic()
            gevent.sleep(SWEEP_SECONDS)
            population.context.recorder.measured(LAG, max(time.monotonic() - before - SWEEP_SECONDS, 0.0))

    def _report(self, population: Population) -> None:
        """A slice every second, and an end of it all where the parent process is gone."""
        parent, number = os.getppid(), 0
        while self.population is population:
            number += 1
            gevent.sleep(max(population.context.schedule.begin + number - time.monotonic(), 0.0))
            if self.population is population:
                self._give(population.context.recorder.take(time.monotonic()))
                self._judge()
                if os.getppid() != parent:
                    self.runner.quit()

    def _give(self, taken: Slice) -> None:
        """A slice of this process: to the master, or into the own tally."""
        assert self._environment is not None
        if self.is_worker:
            self.runner.send_message(SLICE, {"slice": encode(asdict(taken))})
        else:
            self.tally.add(LOCAL, taken)
        feed(self._environment.stats, taken)

    def _observe(self) -> None:
        """The master's second: which workers are lost, and whether a threshold is breached."""
        parent, began = os.getppid(), self.began
        while self.began == began and self.ended is None:
            gevent.sleep(1.0)
            self._notice_lost()
            self._judge()
            if os.getppid() != parent:
                self.runner.quit()

    def _notice_lost(self) -> None:
        present = {self._name(one.id) for one in self.runner.clients.all if one.state != STATE_MISSING}
        for name, health in self.tally.workers.items():
            if health.state == "running" and name not in present:
                self.tally.gone(name)

    def _judge(self) -> None:
        """End the run where a threshold is breached and the settings say so."""
        settings = self.settings
        if settings is None or not settings.abort_on_breach or self.aborted or self.is_worker or self.ended:
            return
        found = breaches([parse_threshold(one) for one in settings.thresholds], self.so_far())
        if found:
            self.aborted = found[0]
            gevent.spawn(self._abort)

    def _abort(self) -> None:
        self.finish()
        self.runner.quit()

    def so_far(self) -> dict[str, Any]:
        """The measured part of the document while the run goes on: of the ledger, what is certain by now."""
        document = self.tally.document()
        counts = [one.ledger for one in self.tally.workers.values()]
        total = {kind: sum(one.get(kind, 0) for one in counts) for kind in ("duplicated", "reordered", "misdelivered")}
        delivered = sum(one.get("delivered", 0) for one in counts)
        document["delivery"] = {"expected": delivered, "delivered": delivered, "lost": 0, **total}
        return document

    # Ending

    def _stopping(self, **_: Any) -> None:
        """Nobody posts any more; everybody stays until what is owed has come."""
        if self.population is not None and self._drain is None:
            now = time.monotonic()
            self.complete = now >= self.population.context.schedule.end - CUT_OFF_TOLERANCE or self.aborted is not None
            self.population.stop_posting()
            self._drain = gevent.spawn(self._wait_and_part, self.population)

    def _wait_and_part(self, population: Population) -> None:
        drain = population.drained()
        in_turn(drain.over, population.context.profile.response_timeout + 1)
        population.stay_to_the_end()
        population.part()
        in_turn(lambda: not population.players, population.context.closing_seconds + 1)

    def _stopped(self, **_: Any) -> None:
        """All users of this process have left."""
        population = self.population
        if population is None or self._environment is None:
            return
        if self._drain is not None:
            self._drain.join()
        self.population = None
        self._give(population.context.recorder.take(time.monotonic()))
        if self.is_worker:
            reading = best_reading(self._readings, time.monotonic())
            part = asdict(part_of(population.context.ledger, reading.shift))
            message = {"part": encode(part, enc_hook=_plain), "margin": reading.error, "complete": self.complete}
            self.runner.send_message(PART, message)
            # Locust's worker sleeps for so long before it hears its master again.
            self._environment.stop_timeout = 0
        else:
            self.parts[LOCAL] = part_of(population.context.ledger)
            self.tally.workers[LOCAL].state = "finished"

    def _quitting(self, **_: Any) -> None:
        if not self.is_worker:
            self.finish()
        elif self.runner.state not in ("stopped", "ready"):
            self.runner.stop()

    def finish(self) -> None:
        """Stop all users, wait for what the workers have to tell, and write the document. Idempotent."""
        if self._finished or self.settings is None:
            return
        self._finished = True
        if self.is_master:
            self.complete = (
                self.aborted is not None or self._elapsed() >= self.settings.whole_duration - CUT_OFF_TOLERANCE
            )
        self.runner.stop()
        self.ended = time.monotonic()
        if self.is_master:
            in_turn(lambda: not self._awaited(), self._environment.stop_timeout if self._environment else 30.0)
        if self.settings.document:
            self.write()

    def _elapsed(self) -> float:
        return time.monotonic() - self.began

    def _awaited(self) -> list[str]:
        """Workers that have not told their part yet."""
        self._notice_lost()
        return [name for name, one in self.tally.workers.items() if one.state == "running" and name not in self.parts]

    def document(self) -> dict[str, Any]:
        """The load document. Raises as `load_contract` does."""
        settings = self.settings
        assert settings is not None
        profile = load_profile(Path(settings.profile) if settings.profile else None, settings.overrides)
        measured = self.tally.document()
        grace = profile.response_timeout
        measured["delivery"] = delivery_of(self.parts.values(), grace, 2 * self.margin, self.began)
        measured["aborted"] = self.aborted
        ending = Ending(self.started, (self.ended or time.monotonic()) - self.began, self.complete)
        return load_document(settings, load_contract(None, profile.limits), ending, measured)

    def write(self) -> None:
        """Write the document to the settings' path."""
        assert self.settings is not None
        write_document(Path(self.settings.document), self.document())

    # Between master and workers

    def _on_asked(self, msg: Any, **_: Any) -> None:
        self._tell_settings(msg.node_id)

    def _tell_settings(self, worker: str | None = None) -> None:
        """To one worker, or to all."""
        settings = self.settings
        if settings is not None:
            told = {"settings": json.dumps(asdict(settings)), "journeys": ""}
            if settings.journey_file is not None:
                told["journeys"] = Path(settings.journey_file).read_text(encoding="utf-8")
            self.runner.send_message(SETTINGS, told, worker)

    def _on_settings(self, msg: Any, **_: Any) -> None:
        """The master's settings; the profile, and with it the tokens, are this machine's own."""
        if self._given:
            return
        told = settings_from(json.loads(msg.data["settings"]))
        if msg.data["journeys"]:
            file = Path("journeys-of-the-master.yaml").absolute()
            file.write_text(msg.data["journeys"], encoding="utf-8")
            told = replace(told, journey_file=str(file))
        overrides = {**told.overrides, **self._own["overrides"]}
        self.settings = replace(told, profile=self._own["profile"], overrides=overrides, document="")
        assert self._environment is not None
        self._environment.user_classes = list(self.user_classes().values())

    def _on_slice(self, msg: Any, **_: Any) -> None:
        self.tally.add(self._name(msg.node_id), decode_slice(msg.data["slice"]))

    def _name(self, node: str) -> str:
        """What a worker is called in the report."""
        host = node.rpartition("_")[0]
        return f"worker {self.runner.get_worker_index(node) + 1}" + (f" on {host}" if self.settings_are_remote else "")

    @property
    def settings_are_remote(self) -> bool:
        """Whether the workers may be on other machines."""
        return self.settings is not None and self.settings.master is not None

    def _on_part(self, msg: Any, **_: Any) -> None:
        name = self._name(msg.node_id)
        self.parts[name] = decode_part(msg.data["part"])
        self.margin = max(self.margin, msg.data["margin"])
        if name in self.tally.workers:
            self.tally.workers[name].state = "finished"

    def _compare_clocks(self) -> None:
        while True:
            self.runner.send_message(CLOCK, {"asked": time.monotonic()})
            gevent.sleep(CLOCK_SECONDS if self._readings else 0.2)

    def _on_clock_asked(self, msg: Any, **_: Any) -> None:
        answer: Mapping[str, float] = {"asked": msg.data["asked"], "read": time.monotonic()}
        self.runner.send_message(CLOCK, dict(answer), msg.node_id)

    def _on_clock(self, msg: Any, **_: Any) -> None:
        self._readings.append(ClockReading(msg.data["asked"], msg.data["read"], time.monotonic()))


def _plain(value: Any) -> Any:
    """How to write what msgpack does not know."""
    if isinstance(value, array):
        return list(value)
    raise NotImplementedError(type(value))
