"""Geometry of the load report's charts over time: one time axis, several panels above each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any, Final

from contract.metrics import is_round_trip
from reports.load.generator import Marks
from reports.shared import limits, plots
from reports.shared.limits import Limit
from reports.shared.plots import Band, Bar, Column, Panel, Pole, Tick, rounded
from reports.text import quantities
from reports.text.language import t

MAX_POINTS: Final = 240
"""More points than this are joined into intervals; a chart is not wide enough to show them."""
BAR_HEIGHT: Final = 66
"""Height of the plots that count (px)."""
MAX_LOSSES: Final = 5
"""So many moments at which workers were lost are marked; all workers stand in their table."""

_TIME_STEPS: Final = (
    0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600,
    2 * 3600, 6 * 3600, 12 * 3600, 86_400,
)  # fmt: skip
_PERCENTILES: Final = ("p50", "p95", "p99", "max")
_JOINED: Final = {
    **dict.fromkeys(("users", "connected", *_PERCENTILES), "highest"),
    **dict.fromkeys(("rate", "posts", "received"), "mean"),
    **dict.fromkeys(("errors", "closes"), "all"),
}
"""How entries of the timeline become one point: no peak and no error is lost."""

NO_MARKS: Final = Marks()

Point = Mapping[str, Any]


_MEASURES: Final = ("users", "connected", "rate", "posts", "received", *_PERCENTILES, "errors", "closes")
"""Members of the timeline's entries, in the order of the table and of a reading."""
_WHOLE: Final = frozenset(("users", "connected", "errors", "closes"))


@dataclass(frozen=True, slots=True)
class Chart:
    panels: tuple[Panel, ...]
    time_ticks: tuple[Tick, ...]
    columns: tuple[Column, ...]
    points: tuple[Point, ...]
    joined: int
    """How many entries of the timeline one point stands for."""
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    """The table behind the charts: the time, then a cell for each of `headings`."""


def build(
    timeline: Sequence[Point],
    duration: float,
    marks: Marks = NO_MARKS,
    limited: Sequence[Limit] = (),
) -> Chart | None:
    """The chart of a timeline over `duration` seconds; None where there is nothing to draw.

    `marks` are of the generator; `limited` are the limits of the run, of which those for a round trip are drawn.
    """
    if not timeline:
        return None
    points, joined = _joined(sorted(timeline, key=lambda point: point["t"]))
    end = max(duration, points[-1]["t"], 0.001)
    measures = [one for one in _MEASURES if any(one in point for point in points)]
    trips = [limit for limit in limited if is_round_trip(limit.metric)]
    drawing = _Drawing(points, end, set(measures), trips)
    return Chart(
        panels=_with_bands(_with_poles(drawing.panels(), marks.losses[:MAX_LOSSES], end), marks.late, end),
        time_ticks=_time_ticks(end),
        columns=plots.columns(drawing.x, (_title(point, measures) for point in points)),
        points=tuple(points),
        joined=joined,
        headings=tuple(t(f"load.heading.{one}") for one in measures),
        rows=tuple((f"{p['t']:.1f}", *(_value(p, one) for one in measures)) for p in points),
    )


def _with_bands(panels: tuple[Panel, ...], late: Sequence[tuple[float, float]], end: float) -> tuple[Panel, ...]:
    places = [(min(100 * began / end, 100), min(100 * ended / end, 100)) for began, ended in late]
    bands = tuple(Band(rounded(left), rounded(right - left)) for left, right in places if right > left)
    return tuple(replace(panel, bands=bands) for panel in panels)


def _with_poles(panels: tuple[Panel, ...], losses: Sequence[tuple[float, str]], end: float) -> tuple[Panel, ...]:
    found = []
    for number, panel in enumerate(panels):
        poles = []
        for moment, label in losses:
            x = rounded(min(100 * moment / end, 100))
            # One panel names them; in the others a line is enough.
            poles.append(Pole(x, "lost", label if number == 0 else "", "end" if x > 50 else "start"))
        found.append(replace(panel, poles=tuple(poles)))
    return tuple(found)


class _Drawing:
    def __init__(self, points: Sequence[Point], end: float, members: set[str], limited: Sequence[Limit]) -> None:
        self.points = points
        self.members = members
        self.limited = limited
        self.x = [100 * point["t"] / end for point in points]

    def panels(self) -> tuple[Panel, ...]:
        found = [
            self.lines("users", ("users",)),
            self.lines("rate", ("rate", "posts")),
            self.lines("received", ("received",)),
            self.latency(),
            self.bars("errors"),
        ]
        if any(self.known("closes")):
            found.append(self.bars("closes"))
        # A member that older documents do not have is no panel, rather than an empty one.
        return tuple(panel for panel in found if panel.series or panel.bars or panel.name == "errors")

    def known(self, *members: str) -> list[float]:
        return [p[name] for p in self.points for name in members if p.get(name) is not None]

    def lines(self, name: str, members: Sequence[str]) -> Panel:
        axis = plots.linear(max(self.known(*members), default=0), whole=name == "users")
        labels = {member: t(f"load.line.{member}") for member in members}
        return self.panel(name, t(f"load.panel.{name}"), t(f"load.unit.{name}"), labels, axis)

    def latency(self) -> Panel:
        members = dict(zip(_PERCENTILES, _PERCENTILES, strict=True))
        medians = self.known("p50")
        known = self.known(*members)
        drawn = limits.near(self.limited, max(known, default=0))
        axis = plots.latencies([*known, *(limit.value for limit in drawn)], median(medians) if medians else None)
        unit = t("load.axis.logarithmic", unit="ms") if axis.lowest else "ms"
        panel = self.panel("latency", t("load.panel.trip"), unit, members, axis)
        return replace(panel, limits=limits.lines(drawn, axis))

    def panel(self, name: str, title: str, unit: str, members: Mapping[str, str], axis: plots.Axis) -> Panel:
        marked = len(self.points) <= plots.MARKED_POINTS
        series = [
            plots.line(key, label, zip(self.x, (p.get(key) for p in self.points), strict=True), axis, marked)
            for key, label in members.items()
            if key in self.members
        ]
        summary = plots.summary("time", title, unit.partition(",")[0], self.known(*members))
        return Panel(name, title, unit, summary, axis.ticks, tuple(series))

    def bars(self, name: str) -> Panel:
        title, unit = t(f"load.panel.{name}"), t("load.unit.count")
        known = [point.get(name) or 0 for point in self.points]
        axis = plots.linear(max(known), whole=True, height=BAR_HEIGHT)
        usual = median(column.width for column in plots.columns(self.x, [""] * len(self.x)))
        width = max(usual * 0.8, 0.4)
        bars = []
        for middle, value in zip(self.x, known, strict=True):
            if value:
                y, left, right = axis.down(value), max(middle - width / 2, 0), min(middle + width / 2, 100)
                bars.append(Bar(rounded(left), rounded(right - left), y, rounded(plots.TOP + axis.height - y)))
        summary = plots.summary("time", title, unit, known)
        return Panel(name, title, unit, summary, axis.ticks, (), tuple(bars), height=BAR_HEIGHT)


def _joined(points: Sequence[Point]) -> tuple[list[Point], int]:
    size = -(-len(points) // MAX_POINTS)
    if size == 1:
        return list(points), 1
    chunks = [points[start : start + size] for start in range(0, len(points), size)]
    return [_one_point(chunk) for chunk in chunks], size


def _one_point(chunk: Sequence[Point]) -> Point:
    joined: dict[str, float | None] = {"t": chunk[-1]["t"]}
    if any("generator_late" in point for point in chunk):
        joined["generator_late"] = any(point.get("generator_late") for point in chunk)
    for member, how in _JOINED.items():
        if not any(member in point for point in chunk):
            continue
        known = [point[member] for point in chunk if point.get(member) is not None]
        if how == "all":
            joined[member] = sum(known)
        elif how == "mean":
            joined[member] = sum(known) / len(known) if known else None
        else:
            joined[member] = max(known, default=None)
    return joined


def _time_ticks(end: float) -> tuple[Tick, ...]:
    step = next((step for step in _TIME_STEPS if end / step <= 6), end)
    marks = [index * step for index in range(int(end / step) + 1)]
    positions = [100 * mark / end for mark in marks]
    return tuple(
        Tick(rounded(position), _time_label(mark, step), plots.anchor(position))
        for mark, position in zip(marks, positions, strict=True)
    )


def _time_label(mark: float, step: float) -> str:
    if mark == 0:
        return "0"
    if step < 1:
        return t("common.time.s", s=f"{mark:.1f}")
    if step < 60:
        return t("common.time.s", s=f"{mark:.0f}")
    return t("common.time.min", min=f"{mark / 60:.0f}") if step < 3600 else t("common.time.h", h=f"{mark / 3600:.0f}")


def _value(point: Point, measure: str) -> str:
    value = point.get(measure)
    if measure in _WHOLE:
        return quantities.NOTHING if value is None else quantities.count(value)
    return quantities.measured(value)


def _title(point: Point, measures: Sequence[str]) -> str:
    readings = ", ".join(t(f"load.reading-of.{one}", value=_value(point, one)) for one in measures)
    late = f", {t('load.reading-of.late')}" if point.get("generator_late") else ""
    return t("load.at", t=f"{point['t']:.1f}", readings=f"{readings}{late}")
