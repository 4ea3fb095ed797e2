"""A run's course by windows of time: users, rate, latencies, errors, as reports draw it.

A window keeps the latencies measured in it only until it is over. A run whose end nobody knows has windows of a second
at first; whenever it has twice as many as a report needs, each two of them become one, so that its memory has a bound.
"""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from contract.metrics import is_round_trip
from loadtest.measure.histograms import rank
from loadtest.measure.lateness import Lateness
from loadtest.measure.recorder import Counts, Slice

MAX_ENTRIES = 3_600
"""Windows of a run whose length is known: where it is longer than so many seconds, they are wider."""

OPEN_WINDOWS = 15
"""Windows that still take slices of workers which report late."""

PERCENTS = {"p50": 50.0, "p95": 95.0, "p99": 99.0, "max": 100.0}


@dataclass(slots=True)
class Window:
    """A stretch of the timeline."""

    latencies: Counter[int] = field(default_factory=Counter)
    errors: int = 0
    posts: int = 0
    received: int = 0
    closes: int = 0
    users: dict[str, int] = field(default_factory=dict)

    def add(self, other: "Window") -> None:
        """Take in the window beside this one."""
        self.latencies.update(other.latencies)
        self.errors += other.errors
        self.posts += other.posts
        self.received += other.received
        self.closes += other.closes
        for worker, users in other.users.items():
            self.users[worker] = max(self.users.get(worker, 0), users)

    def entry(self, t: float, width: float) -> dict[str, Any]:
        """The timeline's entry, `width` seconds wide; percentiles are None where nothing was measured."""
        count = self.latencies.total()
        return {
            "t": t,
            "users": sum(self.users.values()),
            "rate": round(count / width, 3),
            **dict(zip(PERCENTS, _percentiles(self.latencies, PERCENTS.values()), strict=True)),
            "errors": self.errors,
            "posts": round(self.posts / width, 3),
            "received": round(self.received / width, 3),
            "closes": self.closes,
        }


def _percentiles(counts: Counts, percents: Iterable[float]) -> list[float | None]:
    """Percentiles in milliseconds, by the nearest rank; None where nothing was counted."""
    total = sum(counts.values())
    if not total:
        return [None for _ in percents]
    found: list[float | None] = []
    values = iter(sorted(counts.items()))
    value, cumulative = 0, 0
    for wanted in (rank(total, percent) for percent in percents):
        while cumulative < wanted:
            value, count = next(values)
            cumulative += count
        found.append(round(value / 1000, 3))
    return found


def _joined(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Two entries as one of twice the width. Percentiles cannot be added up any more: it has the higher ones."""
    higher = {
        name: max((one[name] for one in (first, second) if one[name] is not None), default=None) for name in PERCENTS
    }
    return {
        "t": first["t"],
        "users": max(first["users"], second["users"]),
        "rate": round((first["rate"] + second["rate"]) / 2, 3),
        **higher,
        "errors": first["errors"] + second["errors"],
        "posts": round((first["posts"] + second["posts"]) / 2, 3),
        "received": round((first["received"] + second["received"]) / 2, 3),
        "closes": first["closes"] + second["closes"],
    }


class Timeline:
    """Of a run of `duration` seconds, which may be infinite. `width`: seconds of a window."""

    def __init__(self, duration: float) -> None:
        self.width = max(1, math.ceil(duration / MAX_ENTRIES)) if math.isfinite(duration) else 1
        self.lateness = Lateness(self.width)
        self._entries: dict[int, dict[str, Any]] = {}
        self._windows: dict[int, Window] = {}
        self._users: dict[str, int] = {}

    def add(self, worker: str, taken: Slice) -> None:
        """Add a slice of one process."""
        self.lateness.add(worker, taken)
        middle = max((taken.began + taken.ended) / 2, 0.0)
        while middle // self.width >= 2 * MAX_ENTRIES:
            self._widen()
        index = int(middle // self.width)
        if index in self._entries:
            # It came too late for its window's percentiles; its errors still show.
            self._entries[index]["errors"] += sum(taken.errors.values())
            return
        window = self._windows.get(index)
        if window is None:
            # A window in which a process says nothing has as many users as before.
            window = self._windows[index] = Window(users=dict(self._users))
        for metric, counts in taken.latencies.items():
            if is_round_trip(metric):
                window.latencies.update(counts)
        window.errors += sum(taken.errors.values())
        window.posts += taken.posts
        window.received += taken.received
        window.closes += sum(taken.closes.values())
        window.users[worker] = taken.most
        self._users[worker] = taken.connected
        for old in [one for one in self._windows if one < index - OPEN_WINDOWS]:
            self._entries[old] = self._windows.pop(old).entry(old * self.width, self.width)

    def gone(self, worker: str) -> None:
        """A process was lost: its users are no longer connected."""
        self._users.pop(worker, None)

    def _widen(self) -> None:
        """Each two windows become one."""
        windows, entries = self._windows, self._entries
        for index in [one for one in windows if one ^ 1 in entries]:
            entries[index] = windows.pop(index).entry(index * self.width, self.width)
        nothing = Window()
        self._entries = {
            half: _joined(
                *(
                    entries.get(index) or nothing.entry(index * self.width, self.width)
                    for index in (2 * half, 2 * half + 1)
                )
            )
            for half in dict.fromkeys(index // 2 for index in entries)
        }
        self._windows = {}
        for index, window in windows.items():
            self._windows.setdefault(index // 2, Window()).add(window)
        self.width *= 2
        self.lateness.widen()

    def entries(self) -> list[dict[str, Any]]:
        """All windows in order of time; one in which nothing happened has its entry too."""
        entries = {index: one.entry(index * self.width, self.width) for index, one in self._windows.items()}
        entries |= self._entries
        if not entries:
            return []
        return [
            {
                **(entries.get(index) or Window().entry(index * self.width, self.width)),
                "generator_late": self.lateness.at(index),
            }
            for index in range(max(entries) + 1)
        ]
