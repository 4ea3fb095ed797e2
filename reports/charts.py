"""Geometry of the load report's charts: one time axis, several panels above each other.

Positions across are percentages and positions down are pixels, so that a chart stretches with
the page while its text keeps its size, on a phone as on paper. No drawing happens here; the
template writes the SVG.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from reports import quantities

HEIGHT: Final = 132
"""Height of a panel's plot (px)."""
TOP: Final = 8
"""Room above the highest grid line (px), for its label."""
MAX_POINTS: Final = 240
"""More points than this are joined into intervals; a chart is not wide enough to show them."""
MARKED_POINTS: Final = 60
"""Up to this many points, each gets a dot of its own."""

_TIME_STEPS: Final = (
    0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600,
    2 * 3600, 6 * 3600, 12 * 3600, 86_400,
)  # fmt: skip

Point = Mapping[str, Any]


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
class Series:
    """One line of a panel. `path` is in a box of 1000 by `HEIGHT`, `dots` are in % and px."""

    name: str
    label: str
    path: str
    area: str
    dots: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Column:
    """The stretch of the plot that belongs to one point of time, with what was measured then."""

    x: float
    width: float
    title: str


@dataclass(frozen=True, slots=True)
class Panel:
    name: str
    title: str
    unit: str
    summary: str
    ticks: tuple[Tick, ...]
    series: tuple[Series, ...]
    bars: tuple[Bar, ...] = ()


@dataclass(frozen=True, slots=True)
class Chart:
    panels: tuple[Panel, ...]
    time_ticks: tuple[Tick, ...]
    columns: tuple[Column, ...]
    points: tuple[Point, ...]
    joined: int
    """How many entries of the timeline one point stands for."""


def build(timeline: Sequence[Point], duration: float) -> Chart | None:
    """The chart of a timeline over `duration` seconds; None where there is nothing to draw."""
    if not timeline:
        return None
    points, joined = _joined(sorted(timeline, key=lambda point: point["t"]))
    end = max(duration, points[-1]["t"], 0.001)
    scale = _Scale(points, end)
    return Chart(
        panels=(
            scale.lines("users", "Virtual users", "connected", {"users": "users"}),
            scale.lines("rate", "Round trips", "per second", {"rate": "round trips"}),
            scale.lines("latency", "Latency", "ms", {"p50": "p50", "p95": "p95", "p99": "p99"}),
            scale.bars("errors", "Errors", "count"),
        ),
        time_ticks=_time_ticks(end),
        columns=tuple(scale.columns()),
        points=tuple(points),
        joined=joined,
    )


class _Scale:
    def __init__(self, points: Sequence[Point], end: float) -> None:
        self.points = points
        self.x = [100 * point["t"] / end for point in points]

    def lines(self, name: str, title: str, unit: str, members: Mapping[str, str]) -> Panel:
        known = [p[member] for p in self.points for member in members if p[member] is not None]
        ticks, top = _value_ticks(max(known, default=0), whole=name == "users")
        return Panel(
            name=name,
            title=title,
            unit=unit,
            summary=_summary(title, unit, known),
            ticks=ticks,
            series=tuple(self._series(key, label, top) for key, label in members.items()),
        )

    def bars(self, name: str, title: str, unit: str) -> Panel:
        known = [point[name] for point in self.points]
        ticks, top = _value_ticks(max(known), whole=True)
        bars = []
        for column, value in zip(self.columns(), known, strict=True):
            if value:
                y = _down(value, top)
                width = max(column.width * 0.8, 0.4)
                x = column.x + (column.width - width) / 2
                bars.append(Bar(_round(x), _round(width), y, _round(TOP + HEIGHT - y)))
        return Panel(name, title, unit, _summary(title, unit, known), ticks, (), tuple(bars))

    def columns(self) -> list[Column]:
        """The plot divided at the middles between the points."""
        middles = [(a + b) / 2 for a, b in zip(self.x, self.x[1:], strict=False)]
        edges = [0.0, *middles, 100.0]
        return [
            Column(_round(left), _round(right - left), _title(point))
            for left, right, point in zip(edges, edges[1:], self.points, strict=False)
        ]

    def _series(self, member: str, label: str, top: float) -> Series:
        runs: list[list[tuple[float, float]]] = [[]]
        for x, point in zip(self.x, self.points, strict=True):
            if point[member] is None:
                runs.append([])
            else:
                runs[-1].append((_round(x), _down(point[member], top)))
        runs = [run for run in runs if run]
        # A point between two gaps has no line that would show it.
        every = len(self.points) <= MARKED_POINTS
        dots = [dot for run in runs if every or len(run) == 1 for dot in run]
        return Series(
            name=member,
            label=label,
            path=" ".join(_path(run) for run in runs),
            area=" ".join(_area(run) for run in runs),
            dots=tuple(dots),
        )


def _joined(points: Sequence[Point]) -> tuple[list[Point], int]:
    """Points joined so that no peak is lost: the highest of each measurement, all of the errors."""
    size = -(-len(points) // MAX_POINTS)
    if size == 1:
        return list(points), 1
    chunks = [points[start : start + size] for start in range(0, len(points), size)]
    return [_one_point(chunk) for chunk in chunks], size


def _one_point(chunk: Sequence[Point]) -> Point:
    rates = [point["rate"] for point in chunk if point["rate"] is not None]
    joined: dict[str, float | None] = {
        "t": chunk[-1]["t"],
        "users": max(point["users"] for point in chunk),
        "rate": sum(rates) / len(rates) if rates else None,
        "errors": sum(point["errors"] for point in chunk),
    }
    for member in ("p50", "p95", "p99"):
        joined[member] = max((p[member] for p in chunk if p[member] is not None), default=None)
    return joined


def _value_ticks(highest: float, whole: bool) -> tuple[tuple[Tick, ...], float]:
    """Grid lines from zero up, at round numbers, and the value at the highest one."""
    step = _round_step(highest / 4) if highest else 1
    if whole:
        step = max(step, 1)
    lines = max(math.ceil(highest / step - 1e-9), 1)
    top = lines * step
    values = [index * step for index in range(lines + 1)]
    return tuple(Tick(_down(value, top), _value_label(value, step)) for value in values), top


def _value_label(value: float, step: float) -> str:
    if value >= 1e6:
        return f"{value / 1e6:,.6g}M"
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    return f"{value:,.{digits}f}"


def _round_step(least: float) -> float:
    """The smallest of 1, 2, 5, 10, 20, 50 … (or 0.5, 0.2, 0.1 …) that is not below `least`."""
    if least <= 0.001:
        return 0.001
    power = 10.0 ** math.floor(math.log10(least))
    return next(f * power for f in (1, 2, 5, 10) if f * power >= least * (1 - 1e-9))


def _time_ticks(end: float) -> tuple[Tick, ...]:
    step = next((step for step in _TIME_STEPS if end / step <= 6), end)
    marks = [index * step for index in range(int(end / step) + 1)]
    ticks = []
    for mark in marks:
        position = 100 * mark / end
        anchor = "start" if position < 3 else "end" if position > 95 else "middle"
        ticks.append(Tick(_round(position), _time_label(mark, step), anchor))
    return tuple(ticks)


def _time_label(mark: float, step: float) -> str:
    if mark == 0:
        return "0"
    if step < 1:
        return f"{mark:.1f} s"
    if step < 60:
        return f"{mark:.0f} s"
    return f"{mark / 60:.0f} min" if step < 3600 else f"{mark / 3600:.0f} h"


def _summary(title: str, unit: str, known: Sequence[float]) -> str:
    if not known:
        return f"{title} over time: nothing was measured"
    lowest, highest = quantities.measured(min(known)), quantities.measured(max(known))
    return f"{title} over time: from {lowest} to {highest} {unit}"


def _title(point: Point) -> str:
    shown = {name: quantities.measured(point[name]) for name in ("rate", "p50", "p95", "p99")}
    return (
        f"at {point['t']:.1f} s: {quantities.counted(point['users'], 'user')}, "
        f"{shown['rate']} round trips/s, "
        f"p50 {shown['p50']} ms, p95 {shown['p95']} ms, p99 {shown['p99']} ms, "
        f"{quantities.counted(point['errors'], 'error')}"
    )


def _down(value: float, top: float) -> float:
    return _round(TOP + HEIGHT * (1 - value / top))


def _path(run: Sequence[tuple[float, float]]) -> str:
    return "M" + " L".join(f"{_round(x * 10)},{y}" for x, y in run)


def _area(run: Sequence[tuple[float, float]]) -> str:
    return f"{_path(run)} V{TOP + HEIGHT} H{_round(run[0][0] * 10)} Z"


def _round(value: float) -> float:
    return round(value, 2)
