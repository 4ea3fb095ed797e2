"""What one process measures, in slices of a second; `loadtest.measure.tally` adds up the slices of all processes.

A measurement costs an append: it is counted and put into histograms once a second.
"""

import json
import time
from collections import Counter
from dataclasses import dataclass, field

from conformance.play.record import cut
from contract.findings import Phrase, phrase
from contract.metrics import METRICS, REPLY, ROUND_TRIP, TO_OTHERS, metric_of
from loadtest.delivery.deliveries import Deliveries
from loadtest.delivery.ledger import Ledger
from loadtest.judge.judge import Judge, Judged
from loadtest.measure.punctuality import GRAIN, Punctuality
from wire.close_codes import CloseCode

LATE, LAG = "late", "lag"
"""How late the generator itself sent what was due, and how late its timers ran."""

GENERATORS = (LATE, LAG)
"""What is measured of the generator, and not of the endpoint."""

LATE_LIMIT_MS = 20.0
"""So late, what the generator sends and reads is no longer what was asked for."""

BUSY_PERCENT = 90.0
"""Of a core: a process that takes so much, with timers that are late, does all it can."""

NO_CLOSE_FRAME = int(CloseCode.ABNORMAL_CLOSURE)
"""Stands for an end without a close frame (RFC 6455 §7.1.5)."""

MAX_KINDS = 100
"""Kinds of errors that are told apart; what goes beyond is counted as one."""

MAX_PARAMETER = 200
"""Characters of each text in a kind of error."""

EXACT_BITS = 11
"""Leading bits of a latency in microseconds that are kept: steps of less than 0.1 per cent."""

HIGHEST_US = 3_600_000_000

Counts = dict[int, int]
"""Latencies in microseconds, and how often each was measured."""


def written(problem: Phrase) -> str:
    """A kind of error as processes tell each other: its JSON text."""
    return json.dumps(problem.changed(lambda text: cut(text, MAX_PARAMETER)).json, sort_keys=True)


OTHER_ERRORS = written(phrase("other-errors"))


def counted(seconds: list[float]) -> Counts:
    """Latencies as counts, with `EXACT_BITS` leading bits kept."""
    fine = Counter([int(one * 1_000_000) for one in seconds])
    counts: Counts = {}
    for value, count in fine.items():
        clamped = min(max(value, 1), HIGHEST_US)
        shift = max(clamped.bit_length() - EXACT_BITS, 0)
        kept = clamped >> shift << shift
        counts[kept] = counts.get(kept, 0) + count
    return counts


@dataclass(slots=True)
class Slice:
    """What a process measured in one stretch of time; all of it can be sent to another process as it is.

    `began` and `ended` in seconds since the start of the run; `connected` users with an accepted connection at its
    end, `most` at its peak; `cpu` in seconds.
    """

    began: float = 0.0
    ended: float = 0.0
    latencies: dict[str, Counts] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)
    """By the JSON text of what went wrong (`written`)."""
    closes: dict[str, int] = field(default_factory=dict)
    posts: int = 0
    received: int = 0
    connected: int = 0
    most: int = 0
    cpu: float = 0.0
    stalled: float = 0.0
    """Seconds that its loop stood still."""
    late: bool = False
    """Whether the generator was late: its timers, its posts or its handshakes."""
    ledger: dict[str, int] = field(default_factory=dict)
    """The ledger's counts so far, from the beginning of the run."""
    judged: Judged = field(default_factory=Judged)


class Recorder:
    """Collects from all users of one process. Times are in seconds of one monotonic clock.

    `trips` are the metrics of posts that come back, and that come to others.
    """

    def __init__(
        self,
        started: float,
        ledger: Ledger,
        punctuality: Punctuality | None = None,
        judge: Judge | None = None,
        deliveries: Deliveries | None = None,
        trips: tuple[str, str] = (ROUND_TRIP, TO_OTHERS),
    ) -> None:
        self.ledger = ledger
        self.punctuality = punctuality or Punctuality()
        self._judge = judge or Judge({})
        self._deliveries = deliveries
        self._arrived = 0
        self.samples: dict[str, list[float]] = {name: [] for name in (*METRICS, *trips, LATE, LAG)}
        self.own, self.others = (self.samples[name] for name in trips)
        self.late = self.samples[LATE]
        self.errors: Counter[str] = Counter()
        """By the JSON text of what went wrong."""
        self.kinds: set[str] = set()
        self.closes: Counter[str] = Counter()
        self.posts = 0
        self.connected = 0
        self.most = 0
        self.begin(started)

    def begin(self, t: float) -> None:
        """Start the clock."""
        self.started = self._since = t
        self.ledger.begin(t)
        self._cpu = time.process_time()
        self._stalled = self.punctuality.stalled

    def measured(self, metric: str, seconds: float) -> None:
        """A latency."""
        self.samples[metric].append(seconds)

    def replies(self, request: str) -> list[float]:
        """Where the latencies of the last replies to requests of this name are collected."""
        return self.samples.setdefault(metric_of(request, REPLY), [])

    def failed(self, problem: Phrase) -> None:
        """Something that went wrong for a user."""
        kind = written(problem)
        if kind not in self.kinds:
            if len(self.kinds) >= MAX_KINDS:
                kind = OTHER_ERRORS
            self.kinds.add(kind)
        self.errors[kind] += 1

    def opened(self) -> None:
        """A connection was accepted."""
        self.connected += 1
        self.most = max(self.most, self.connected)

    def closed(self, code: int | None) -> None:
        """An accepted connection ended with this close code; None: without a close frame."""
        self.connected -= 1
        self.closes[str(code if code is not None else NO_CLOSE_FRAME)] += 1

    def take(self, t: float) -> Slice:
        """What was measured since the last time, at time `t`."""
        cpu, arrived, stalled = time.process_time(), self.ledger.arrived, self.punctuality.stalled
        self.ledger.mark(t)
        compared = 0
        if self._deliveries is not None:
            self._deliveries.tick(t)
            compared = self._deliveries.compared()
        self._judge.count(arrived - self._arrived, compared, self.posts, several=self.ledger.several_channels)
        taken = Slice(
            began=self._since - self.started,
            ended=t - self.started,
            latencies={name: counted(values) for name, values in self.samples.items() if values},
            errors=dict(self.errors),
            closes=dict(self.closes),
            posts=self.posts,
            received=arrived - self._arrived,
            connected=self.connected,
            most=self.most,
            cpu=cpu - self._cpu,
            stalled=stalled - self._stalled,
            late=self._was_late(t, cpu),
            ledger=self.ledger.so_far(),
            judged=self._judge.take(self.started),
        )
        for values in self.samples.values():
            values.clear()
        self.errors.clear()
        self.closes.clear()
        self.posts = 0
        self.most = self.connected
        self._since, self._cpu, self._arrived, self._stalled = t, cpu, arrived, stalled
        return taken

    def _was_late(self, t: float, cpu: float) -> bool:
        """Whether a timer was late, more than one in a hundred sends, or any while the core was taken."""
        limit = LATE_LIMIT_MS / 1000
        lag, late = max(self.samples[LAG], default=0.0), self.late
        if lag > limit or 100 * sum(one > limit for one in late) > len(late):
            return True
        return lag > GRAIN and cpu - self._cpu >= BUSY_PERCENT / 100 * (t - self._since)
