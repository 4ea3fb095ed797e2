"""What the load report's charts are made of: axes, lines, bars, and the places whose values can be read.

Positions across are percentages and positions down are pixels, so that a chart stretches with
the page while its text keeps its size, on a phone as on paper. No drawing happens here; the
templates write the SVG.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from reports.text import quantities
from reports.text.language import t

HEIGHT: Final = 132
"""Height of a panel's plot (px)."""
TOP: Final = 8
"""Room above the highest grid line (px), for its label."""
MARKED_POINTS: Final = 60
"""Up to this many points, each gets a dot of its own."""

_LEAST: Final = 0.001
"""What lies below (ms) stands at the foot of a logarithmic axis: one microsecond."""
_WIDE: Final = 40
"""A value so many times the usual one would press it flat against the foot of a linear axis."""


@dataclass(frozen=True, slots=True)
class Tick:
    position: float
    label: str
    anchor: str = "middle"


@dataclass(frozen=True, slots=True)
class Bar:
    x: float
    width: float
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch across (in %) that is set off from the rest, over the whole height."""

    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a panel. `path` is in a box 1000 wide, `dots` and `crosses` are in % and px."""

    name: str
    label: str
    path: str
    area: str
    dots: tuple[tuple[float, float], ...]
    crosses: tuple[tuple[float, float], ...] = ()
    """Where something was breached."""


@dataclass(frozen=True, slots=True)
class Column:
    """The stretch of the plot that belongs to one place of the axis across, with what was measured there."""

    x: float
    width: float
    title: str


@dataclass(frozen=True, slots=True)
class Pole:
    """A line down the plot with its label at the top."""

    x: float
    kind: str
    label: str
    anchor: str = "middle"


@dataclass(frozen=True, slots=True)
class Line:
    """A limit across the plot, with its label at the end; `kept` where nothing breached it."""

    y: float
    label: str
    kept: bool


@dataclass(frozen=True, slots=True)
class Panel:
    name: str
    title: str
    unit: str
    summary: str
    ticks: tuple[Tick, ...]
    series: tuple[Series, ...]
    bars: tuple[Bar, ...] = ()
    poles: tuple[Pole, ...] = ()
    limits: tuple[Line, ...] = ()
    bands: tuple[Band, ...] = ()
    height: int = HEIGHT


@dataclass(frozen=True, slots=True)
class Axis:
    """Values up a plot. A logarithmic one begins above zero, and holds what lies below at its foot."""

    lowest: float
    highest: float
    ticks: tuple[Tick, ...]
    height: int = HEIGHT

    def down(self, value: float) -> float:
        """Where `value` stands, in px from the top."""
        if not self.lowest:
            return _down(value / self.highest, self.height)
        span = math.log(self.highest / self.lowest)
        return _down(math.log(max(value, self.lowest) / self.lowest) / span, self.height)


def linear(highest: float, whole: bool = False, height: int = HEIGHT) -> Axis:
    """An axis from zero up, with grid lines at round numbers, the last of them at or above `highest`."""
    step = round_step(highest / 4) if highest else 1
    if whole:
        step = max(step, 1)
    lines = max(math.ceil(highest / step - 1e-9), 1)
    top = lines * step
    values = [index * step for index in range(lines + 1)]
    ticks = tuple(Tick(_down(value / top, height), value_label(value, step)) for value in values)
    return Axis(0.0, top, ticks, height)


def logarithmic(lowest: float, highest: float, height: int = HEIGHT) -> Axis:
    """An axis over the powers of ten that `lowest` and `highest` lie between."""
    first = math.floor(math.log10(max(lowest, _LEAST)) + 1e-9)
    last = max(math.ceil(math.log10(max(highest, _LEAST)) - 1e-9), first + 1)
    step = -(-(last - first) // 6)
    last = first + step * -(-(last - first) // step)
    span = last - first
    powers = range(first, last + 1, step)
    ticks = tuple(
        Tick(_down((power - first) / span, height), value_label(10.0**power, 10.0**power)) for power in powers
    )
    return Axis(10.0**first, 10.0**last, ticks, height)


def latencies(known: Sequence[float], usual: float | None, height: int = HEIGHT) -> Axis:
    """A linear axis; a logarithmic one where the highest of `known` would press the `usual` value flat."""
    highest = max(known, default=0)
    if usual is None or highest <= _WIDE * max(usual, _LEAST):
        return linear(highest, height=height)
    return logarithmic(min(value for value in known if value > 0), highest, height)


def line(name: str, label: str, places: Iterable[tuple[float, float | None]], axis: Axis, marked: bool) -> Series:
    """A line through places (% across, value), with a gap where nothing was measured."""
    runs: list[list[tuple[float, float]]] = [[]]
    for x, value in places:
        if value is None:
            runs.append([])
        else:
            runs[-1].append((rounded(x), axis.down(value)))
    runs = [run for run in runs if run]
    # A point between two gaps has no line that would show it.
    dots = [dot for run in runs if marked or len(run) == 1 for dot in run]
    return Series(
        name=name,
        label=label,
        path=" ".join(map(_path, runs)),
        area=" ".join(f"{_path(run)} V{TOP + axis.height} H{rounded(run[0][0] * 10)} Z" for run in runs),
        dots=tuple(dots),
    )


def columns(positions: Sequence[float], titles: Iterable[str]) -> tuple[Column, ...]:
    """The plot divided at the middles between `positions` (%), which ascend."""
    middles = [(a + b) / 2 for a, b in pairwise(positions)]
    edges = [0.0, *middles, 100.0]
    return tuple(
        Column(rounded(left), rounded(right - left), title)
        for left, right, title in zip(edges, edges[1:], titles, strict=False)
    )


def summary(over: str, title: str, unit: str, known: Sequence[float]) -> str:
    """What a panel shows over the `time`, the `load` or the `percentile`, for those who do not see it."""
    start = t(f"load.over.{over}", title=title)
    if not known:
        return t("load.over.nothing", start=start)
    lowest, highest = quantities.measured(min(known)), quantities.measured(max(known))
    return t("load.over.range", start=start, lowest=lowest, highest=highest, unit=unit)


def value_label(value: float, step: float) -> str:
    """The label of a grid line, with as many digits as its `step` needs."""
    if value >= 1e6:
        return f"{value / 1e6:,.6g}M"
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    return f"{value:,.{digits}f}"


def round_step(least: float) -> float:
    """The smallest of 1, 2, 5, 10, 20, 50 … (or 0.5, 0.2, 0.1 …) that is not below `least`."""
    if least <= _LEAST:
        return _LEAST
    power = 10.0 ** math.floor(math.log10(least))
    return next(f * power for f in (1, 2, 5, 10) if f * power >= least * (1 - 1e-9))


def anchor(position: float) -> str:
    """How a label at `position` (%) is anchored, so that it stays inside the plot."""
    return "start" if position < 3 else "end" if position > 95 else "middle"


def rounded(value: float) -> float:
    """A position with as many digits as a screen can show."""
    return round(value, 2)


def _down(part: float, height: int) -> float:
    return rounded(TOP + height * (1 - part))


def _path(run: Sequence[tuple[float, float]]) -> str:
    return "M" + " L".join(f"{rounded(x * 10)},{y}" for x, y in run)
