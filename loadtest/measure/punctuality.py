"""How punctual this process of the generator is: what it must not blame on the endpoint.

One loop plays all users of a process. While it is held up (its core is taken by others, or more is due than it can
do), nothing is read and nothing is sent, and every clock of a user runs on. The loop's own timers show it: one that was
due at `due` and rings only `now` proves that what was due in between had to wait.

So each timer that rings late tells it here (`woke`), and the stretch from `due` to `now` counts as stalled, once,
however many timers were late in it; less than `GRAIN` is what timers are coarse by. Whoever judges a wait asks
afterwards how much of it was stalled. What was due within W seconds and is judged `now`, having been asked for at
`began`, has been waited for only `now - began - stalled_since(began)` seconds: where that is less than W, nobody knows
whether it was the endpoint's fault, and it is undecided. Judge only what the loop has
had a turn to read since (`Executor._sweep`).

Seconds in which the loop was late are marked (`Slice.late`). A latency that may have begun in one is undecided, and a
limit that only such latencies breach is not breached. What came wrong is wrong all the same.
"""

import time
from bisect import bisect_right
from math import inf

GRAIN = 0.005
"""Seconds by which a timer may be late without a reason."""

REMEMBERED = 5_000
"""Stalls that are remembered at least: those of a minute on the busiest machine, of hours on others."""


_monotonic = time.monotonic


class Punctuality:
    """How long the loop of one process was stalled. Times are in seconds of one monotonic clock."""

    def __init__(self) -> None:
        self.due = inf
        """When the next timer rings that tells of itself: what is later than that is a stall that is not over yet."""
        self.stalled = 0.0
        """Seconds since the beginning."""
        # When each stall began and ended, one after the other, and how much was stalled until then.
        self._moments: list[float] = []
        self._sums: list[float] = []

    def woke(self, due: float, now: float) -> None:
        """What was due at a time is done only `now`."""
        if now - due < GRAIN:
            return
        moments, sums = self._moments, self._sums
        if moments and due <= moments[-1]:
            if now <= moments[-1]:
                return
            self.stalled += now - moments[-1]
            moments[-1], sums[-1] = now, self.stalled
            return
        if len(moments) >= 4 * REMEMBERED:
            del moments[: 2 * REMEMBERED], sums[: 2 * REMEMBERED]
        moments.append(due)
        sums.append(self.stalled)
        self.stalled += now - due
        moments.append(now)
        sums.append(self.stalled)

    def stalled_since(self, began: float) -> float:
        """How many seconds of the time until now, since `began`, were stalled.

        Of a time before all that is remembered, everything was.
        """
        self.woke(self.due, _monotonic())
        moments, sums = self._moments, self._sums
        after = bisect_right(moments, began)
        if after == len(moments):
            return 0.0
        if after == 0:
            return self.stalled
        # Between two moments either all of the time was stalled or nothing.
        part = (began - moments[after - 1]) / (moments[after] - moments[after - 1])
        return self.stalled - sums[after - 1] - part * (sums[after] - sums[after - 1])
