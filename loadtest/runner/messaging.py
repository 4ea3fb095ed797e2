"""Messages between the master of a load test and its workers."""

import json
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import gevent
import msgspec
from locust.runners import STATE_MISSING, MasterRunner, WorkerRunner

from loadtest.delivery.ledger import Ledger
from loadtest.delivery.parts import Part, Question, answer, packed, part_of, unpacked_part, unpacked_question
from loadtest.measure.recorder import Slice
from loadtest.runner.clocks import ClockReading, best_reading
from loadtest.runner.collector import Collector
from loadtest.settings import names
from loadtest.settings.settings import LoadSettings, settings_from

SETTINGS, ASKED, SLICE, QUESTION, PART, CLOCK = (
    f"wsproof-{name}" for name in ("settings", "asked", "slice", "question", "part", "clock")
)

CLOCK_SECONDS = 5.0
"""How often a worker compares its clock with the master's."""

MAX_READINGS = 120
"""Readings that are kept; clocks drift, and older ones say less."""

_encode = msgspec.msgpack.encode
_decode_slice = msgspec.msgpack.Decoder(Slice).decode


class Master:
    """Sends settings and the time to workers, and gives the collector what they measured."""

    def __init__(self, runner: MasterRunner, settings: LoadSettings | None, collector: Collector) -> None:
        self._runner: Any = runner
        self._settings = settings
        self._collector = collector
        for kind, listener in (
            (ASKED, self._on_asked),
            (SLICE, self._on_slice),
            (PART, self._on_part),
            (CLOCK, self._on_clock_asked),
        ):
            self._runner.register_message(kind, listener)

    def begin(self, settings: LoadSettings, collector: Collector) -> None:
        """Start a run: send its settings to all workers."""
        self._settings, self._collector = settings, collector
        self._send_settings(settings)

    def stop_running(self) -> None:
        """Stop the workers that still play: where Locust quits by itself, they do not tell what they measured."""
        clients = self._runner.clients
        for one in (*clients.running, *clients.spawning):
            self._runner.send_message("stop", client_id=one.id)

    def ask(self, question: Question) -> None:
        """Ask all workers what of their ledgers can be settled."""
        self._runner.send_message(QUESTION, {"question": packed(question)})

    def note_lost(self) -> None:
        """Let the collector know which workers are lost."""
        clients = self._runner.clients.all
        present = {self._name(one.id) for one in clients if one.state != STATE_MISSING}
        # Those that vanished before they had told anything are known here alone.
        self._collector.lose(present, {self._name(one.id) for one in clients} - present)

    def _on_asked(self, msg: Any, **_: Any) -> None:
        if self._settings is not None:
            self._send_settings(self._settings, msg.node_id)

    def _send_settings(self, settings: LoadSettings, worker: str | None = None) -> None:
        """To one worker, or to all."""
        message = {"settings": json.dumps(asdict(settings)), "journeys": ""}
        if settings.journey_file is not None:
            message["journeys"] = Path(settings.journey_file).read_text(encoding="utf-8")
        self._runner.send_message(SETTINGS, message, worker)

    def _on_slice(self, msg: Any, **_: Any) -> None:
        self._collector.add(self._name(msg.node_id), _decode_slice(msg.data["slice"]))

    def _on_part(self, msg: Any, **_: Any) -> None:
        part = unpacked_part(msg.data["part"])
        take = self._collector.finish if part.last else self._collector.answer
        take(self._name(msg.node_id), part, msg.data["margin"])

    def _on_clock_asked(self, msg: Any, **_: Any) -> None:
        answer: Mapping[str, float] = {"asked": msg.data["asked"], "read": time.monotonic()}
        self._runner.send_message(CLOCK, dict(answer), msg.node_id)

    def _name(self, node: str) -> str:
        """The collector's key for a worker, which it then knows by what it is called in the report."""
        number = int(self._runner.get_worker_index(node)) + 1
        remote = self._settings is not None and self._settings.master is not None
        key = f"{number:06}"  # which sorts as numbers do
        self._collector.call(key, names.worker(number, node.rpartition("_")[0] if remote else None))
        return key


class Worker:
    """Sends to the master what was measured here.

    A worker on another machine gets its settings from the master, except its `own` profile and overrides; `take` is
    called with the result. Without `take`, it has settings already.
    """

    def __init__(
        self, runner: WorkerRunner, own: Mapping[str, Any], take: Callable[[LoadSettings], None] | None
    ) -> None:
        self._runner: Any = runner
        self._own = own
        self._take = take
        self._readings: deque[ClockReading] = deque(maxlen=MAX_READINGS)
        self._question: Question | None = None
        self._ledger: Ledger | None = None
        self._runner.register_message(QUESTION, self._on_question)
        self._runner.register_message(SETTINGS, self._on_settings)
        self._runner.register_message(CLOCK, self._on_clock)
        gevent.spawn(self._compare_clocks)
        if take is not None:
            self._runner.send_message(ASKED, {})

    def begin(self, ledger: Ledger) -> None:
        """A run begins, and this is its ledger."""
        self._ledger, self._question = ledger, None

    def send_slice(self, taken: Slice) -> None:
        """Send what was measured in a second, and of the ledger what the master asked for."""
        self._runner.send_message(SLICE, {"slice": _encode(asdict(taken))})
        question = self._question
        # Without a reading of the master's clock nothing can be settled.
        if question is not None and self._ledger is not None and self._readings:
            self._question = None
            now = time.monotonic()
            reading = best_reading(self._readings, now)
            self._send(answer(self._ledger, question, now, reading.shift), reading.error)

    def send_part(self, ledger: Ledger) -> None:
        """Send the ledger, with times of the master's clock, once all users have left."""
        reading = best_reading(self._readings, time.monotonic())
        self._send(part_of(ledger, reading.shift), reading.error)

    def _send(self, part: Part, margin: float) -> None:
        self._runner.send_message(PART, {"part": packed(part), "margin": margin})

    def _on_question(self, msg: Any, **_: Any) -> None:
        self._question = unpacked_question(msg.data["question"])

    def _on_settings(self, msg: Any, **_: Any) -> None:
        """Take the master's settings; the profile, with the tokens, and the contract's place are this machine's own."""
        if self._take is None:
            return
        settings = settings_from(json.loads(msg.data["settings"]))
        if msg.data["journeys"]:
            file = Path("journeys-of-the-master.yaml").absolute()
            file.write_text(msg.data["journeys"], encoding="utf-8")
            settings = replace(settings, journey_file=str(file))
        overrides = {**settings.overrides, **self._own["overrides"]}
        addresses = tuple(self._own.get("source_addresses", ()))
        mine = replace(settings, profile=self._own["profile"], overrides=overrides, source_addresses=addresses)
        mine = replace(mine, contract=self._own.get("contract") or settings.contract)
        self._take(replace(mine, document=""))

    def _compare_clocks(self) -> None:
        while True:
            self._runner.send_message(CLOCK, {"asked": time.monotonic()})
            gevent.sleep(CLOCK_SECONDS if self._readings else 0.2)

    def _on_clock(self, msg: Any, **_: Any) -> None:
        self._readings.append(ClockReading(msg.data["asked"], msg.data["read"], time.monotonic()))
