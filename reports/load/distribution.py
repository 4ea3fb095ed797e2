"""Geometry of the latency distributions: percentiles across on a logarithmic axis, latencies up.

Each step to the right leaves a tenth of the measurements: 90 %, 99 %, 99.9 % stand equally far
apart, so that the slowest few have as much room as all the others.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from reports.shared import limits, plots
from reports.shared.limits import Limit
from reports.shared.plots import Column, Panel, Tick, rounded
from reports.text import quantities
from reports.text.fitting import cut
from reports.text.language import t, tn

MAX_METRICS: Final = 8
"""So many distributions are drawn; the figures of all stand in the table of steps."""
HEIGHT: Final = 264
"""Height of a plot (px)."""

_LEAST: Final = 0.01
"""What lies below (ms) differs for nobody: it stands at the foot of a logarithmic axis."""
_APART: Final = "ping_period"
"""A period, and no latency: it would press all others flat."""
_TAILS: Final = (1.0, 0.75, 0.5, 0.4, 0.3, 0.25, 0.2, 0.15)
"""The shares that are slower, for each power of ten, at which values can be read."""
_ROWS: Final = (0.5, 0.25, 0.1, 0.05, 0.01, 0.001, 0.0001, 0.00001)

Points = Sequence[tuple[float, int]]


@dataclass(frozen=True, slots=True)
class Distribution:
    """One metric's measurements: `points` are (value, how many were no larger), both ascending."""

    name: str
    unit: str
    points: Points
    index: int
    """Its place among the metrics, which gives its line its style."""

    @property
    def count(self) -> int:
        return self.points[-1][1]

    def at(self, tail: float) -> float | None:
        """The value that a share `tail` of the measurements exceeds; None where that is less than one of them."""
        if tail * self.count < 1 - 1e-9:
            return None
        rank = math.ceil(round((1 - tail) * self.count, 6))
        return next((value for value, number in self.points if number >= rank), self.points[-1][0])


@dataclass(frozen=True, slots=True)
class Choice:
    """One drawing that the page can show: all metrics over each other, or one alone."""

    label: str
    panel: Panel
    ticks: tuple[Tick, ...]
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Distributions:
    choices: tuple[Choice, ...]
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    """The table behind the charts: the percentile, then a cell for each of `headings`."""
    left_out: int
    """How many metrics have a distribution that is not drawn."""


def build(metrics: Mapping[str, Mapping[str, Any]], limited: Sequence[Limit] = ()) -> Distributions | None:
    """The distributions of a document's metrics, each with its limits; None where it has none."""
    all_of_them = [
        (name, metric, points) for name, metric in metrics.items() if (points := _points(metric.get("histogram", ())))
    ]
    if not all_of_them:
        return None
    drawn = [
        Distribution(cut(name, 30), cut(metric["unit"], 10), points, index)
        for index, (name, metric, points) in enumerate(all_of_them[:MAX_METRICS])
    ]
    together = [one for one in drawn if one.name != _APART and one.unit == drawn[0].unit]
    choices = [_choice(tn("load.distribution.together", len(together)), together)] if len(together) > 1 else []
    choices += [_choice(one.name, [one], [limit for limit in limited if limit.metric == one.name]) for one in drawn]
    return Distributions(
        choices=tuple(choices),
        headings=tuple(f"{one.name} ({one.unit})" for one in drawn),
        rows=_rows(drawn),
        left_out=len(all_of_them) - len(drawn),
    )


def _points(histogram: Sequence[Sequence[float]]) -> Points:
    """A histogram's points with both members ascending, whatever the document holds."""
    found: list[tuple[float, int]] = []
    for value, number in sorted((value, int(number)) for value, number in histogram):
        if number > (found[-1][1] if found else 0):
            found.append((value, number))
    return found


def _choice(label: str, shown: Sequence[Distribution], limited: Sequence[Limit] = ()) -> Choice:
    values = [value for one in shown for value, _ in one.points]
    highest = max(values)
    drawn = limits.near(limited, highest)
    if len(shown) > 1:
        axis = plots.logarithmic(max(min(values), _LEAST), highest, HEIGHT)
    else:
        axis = plots.linear(max([highest, *(limit.value for limit in drawn)]), height=HEIGHT)
    end = max(_decades(1 / (2 * one.count)) for one in shown)
    title = t("load.distribution.title") if len(shown) > 1 else shown[0].name
    unit = t("load.axis.logarithmic", unit=shown[0].unit) if axis.lowest else shown[0].unit
    panel = Panel(
        name="distribution",
        title=title,
        unit=unit,
        summary=plots.summary("percentile", title, shown[0].unit, values),
        ticks=axis.ticks,
        series=tuple(_line(one, axis, end) for one in shown),
        limits=limits.lines(drawn, axis),
        height=HEIGHT,
    )
    tails = _tails(end)
    positions = [100 * _decades(tail) / end for tail in tails]
    titles = [_title(tail, shown) for tail in tails]
    return Choice(label, panel, _ticks(end), plots.columns([*positions, 100.0], [*titles, _slowest(shown)]))


def _line(one: Distribution, axis: plots.Axis, end: float) -> plots.Series:
    # The largest value has nothing beyond it; half a measurement stands for that, as on probability paper.
    least = 1 / (2 * one.count)
    places = [(100 * _decades(max(1 - number / one.count, least)) / end, value) for value, number in one.points]
    first = (0.0, one.points[0][0])
    return plots.line(f"m{one.index}", one.name, [first, *places], axis, marked=False)


def _decades(tail: float) -> float:
    return -math.log10(tail)


def _tails(end: float) -> list[float]:
    every = [factor * 10.0**-power for power in range(math.ceil(end) + 1) for factor in _TAILS]
    return [tail for tail in every if _decades(tail) <= end - 0.1]


def _ticks(end: float) -> tuple[Tick, ...]:
    step = max(1, math.ceil(end / 6))
    tails = [1.0, 0.5, *(10.0**-power for power in range(step, math.floor(end) + 1, step))]
    positions = [100 * _decades(tail) / end for tail in tails]
    # Nobody needs to read 0, and on a phone it has no room beside 50.
    return tuple(
        Tick(rounded(position), percent(tail) if tail < 1 else "", plots.anchor(position))
        for tail, position in zip(tails, positions, strict=True)
        if position <= 100
    )


def percent(tail: float) -> str:
    """The percentile beyond which a share `tail` lies: ``99.9`` for a thousandth."""
    digits = max(0, math.ceil(_decades(tail) - 1e-9))
    text = f"{100 * (1 - tail):.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _title(tail: float, shown: Sequence[Distribution]) -> str:
    known = [(one, one.at(tail)) for one in shown]
    values = ", ".join(
        f"{one.name} {quantities.measured(value)} {one.unit}" for one, value in known if value is not None
    )
    if tail == 1:
        return t("load.distribution.fastest", values=values)
    return t("load.distribution.share", percent=percent(tail), values=values)


def _slowest(shown: Sequence[Distribution]) -> str:
    return t("load.distribution.slowest", values=", ".join(_reading(one, one.points[-1][0]) for one in shown))


def _reading(one: Distribution, value: float) -> str:
    return f"{one.name} {quantities.measured(value)} {one.unit}"


def _rows(drawn: Sequence[Distribution]) -> tuple[tuple[str, ...], ...]:
    most = max(one.count for one in drawn)
    rows = [
        (f"{percent(tail)} %", *(quantities.measured(one.at(tail)) for one in drawn))
        for tail in _ROWS
        if tail * most >= 1
    ]
    return (*rows, (t("load.distribution.last"), *(quantities.measured(one.points[-1][0]) for one in drawn)))
