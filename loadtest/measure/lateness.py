"""When the generator was late, over all its processes: which windows of the timeline, and whether that was too much."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import inf

from loadtest.measure.recorder import Counts, Slice

MAX_STRETCHES = 100
"""Stretches that are told; beyond that, those that are nearest to each other are told as one."""

STALLED_SECONDS, STALLED_SHARE = 0.2, 0.05
"""A generator that stands still for so long in a stretch of late seconds, and for such a share of it, was the limit of
what was measured there; less is a hiccup, which is marked and no more."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Late windows without a punctual one between, in seconds of the run; `stalled` of the time was the loop still."""

    began: float
    ended: float
    stalled: float

    @property
    def grave(self) -> bool:
        """Whether the generator, and not the endpoint, was the limit in it."""
        return self.stalled >= max(STALLED_SECONDS, STALLED_SHARE * (self.ended - self.began))


class Lateness:
    """Is told every slice of every process. `width`: seconds of a window."""

    def __init__(self, width: float) -> None:
        self._width = width
        self._shares: dict[int, float] = {}
        self._late_until: dict[str, float] = {}

    def add(self, worker: str, taken: Slice) -> None:
        """A slice of a process, the later ones after the earlier ones."""
        if not taken.late:
            return
        self._late_until[worker] = taken.ended
        lasted = taken.ended - taken.began
        share = min(taken.stalled / lasted, 1.0) if lasted > 0 else 0.0
        # What ends with the first milliseconds of a window does not belong to it.
        last = max((taken.ended - 0.1 * self._width) // self._width, taken.began // self._width)
        for index in range(int(taken.began // self._width), int(last) + 1):
            self._shares[index] = max(self._shares.get(index, 0.0), share)

    def widen(self) -> None:
        """Each two windows become one."""
        shares: dict[int, float] = {}
        for index, share in self._shares.items():
            shares[index // 2] = shares.get(index // 2, 0.0) + share / 2
        self._shares = shares
        self._width *= 2

    def decided(self, worker: str, taken: Slice, counts: Counts) -> Counts:
        """Those latencies of a slice that certainly began and ended while the process was punctual."""
        if taken.late:
            return {}
        punctual_us = (taken.began - self._late_until.get(worker, -inf)) * 1e6
        return counts if punctual_us == inf else {us: count for us, count in counts.items() if us <= punctual_us}

    def at(self, index: int) -> bool:
        """Whether any process was late in this window."""
        return index in self._shares

    def stretches(self) -> list[Stretch]:
        """All of them, in order of time."""
        return list(_joined(self._shares, self._width))

    def told(self) -> list[list[float]]:
        """`[from, to]` of each stretch, not too many."""
        found = [[one.began, one.ended] for one in self.stretches()]
        while len(found) > MAX_STRETCHES:
            at = min(range(1, len(found)), key=lambda index: found[index][0] - found[index - 1][1])
            found[at - 1 : at + 1] = [[found[at - 1][0], found[at][1]]]
        return found


def _joined(shares: Mapping[int, float], width: float) -> Iterator[Stretch]:
    began = ended = None
    stalled = 0.0
    for index in sorted(shares):
        if index != ended:
            if began is not None and ended is not None:
                yield Stretch(began * width, ended * width, stalled)
            began, stalled = index, 0.0
        stalled += shares[index] * width
        ended = index + 1
    if began is not None and ended is not None:
        yield Stretch(began * width, ended * width, stalled)
