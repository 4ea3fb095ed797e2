"""The search for an endpoint's capacity: its sentence, the geometry of its curve, and its table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from reports.shared import plots, wording
from reports.shared.documents import Document
from reports.shared.plots import Column, Panel, Pole, Tick, rounded
from reports.shared.wording import Mark
from reports.text import quantities
from reports.text.fitting import cut
from reports.text.language import t, tn

_PERCENTILES: Final = ("p50", "p95", "p99")

Trial = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """A load that was tried; `at` says where it is the knee, or where it broke."""

    load: str
    source: Trial
    mark: Mark
    at: str


@dataclass(frozen=True, slots=True)
class Capacity:
    mark: Mark
    sentence: str
    reason: str
    unit: str
    short: str
    """`unit` in one or two words."""
    panels: tuple[Panel, ...]
    ticks: tuple[Tick, ...]
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


def build(document: Document) -> Capacity | None:
    """The capacity part of a load document; None where none was looked for."""
    found = document.get("capacity")
    if found is None:
        return None
    mark, sentence = sentences(found)
    trials = sorted(found["curve"], key=lambda trial: trial[found["unit"]] or 0)
    drawing = _Drawing(found, trials) if trials else None
    return Capacity(
        mark=mark,
        sentence=sentence,
        reason=found["reason"] or "",
        unit=t(f"load.capacity.unit.{found['unit']}"),
        short=t(f"load.capacity.short.{found['unit']}"),
        panels=drawing.panels() if drawing else (),
        ticks=drawing.ticks if drawing else (),
        columns=drawing.columns() if drawing else (),
        rows=tuple(_row(found, trial) for trial in trials),
    )


def sentences(found: Mapping[str, Any]) -> tuple[Mark, str]:
    """What the search found, in one sentence with its mark."""
    unit, knee, broke = found["unit"], found["knee"], found["broke"]
    if knee is None and broke is None:
        return wording.mark("inconclusive"), t("load.capacity.not-found")
    if knee is None:
        return wording.mark("failed"), t("load.capacity.too-much", load=_load(unit, broke))
    if broke is None:
        return wording.mark("passed"), _borne(found)
    return wording.mark("passed"), t("load.capacity.found", load=_load(unit, knee), broke=_load(unit, broke))


def _load(unit: str, value: float) -> str:
    if unit == "users":
        return tn("load.capacity.load.users", value)
    return t("load.capacity.load.rate", rate=_number(unit, value))


def _borne(found: Mapping[str, Any]) -> str:
    """What is said where nothing broke."""
    unit, value = found["unit"], found["knee"]
    if any((trial[unit] or 0) > value for trial in found["curve"]):
        # More was tried, and the load generator was the limit.
        return t("load.capacity.held", load=_load(unit, value))
    if unit == "users":
        return tn("load.capacity.borne.users", value)
    return t("load.capacity.borne.rate", rate=_number(unit, value))


def _number(unit: str, value: float | None) -> str:
    return quantities.count(value) if unit == "users" and value is not None else quantities.measured(value)


def _row(found: Mapping[str, Any], trial: Trial) -> Row:
    unit = found["unit"]
    value = trial[unit]
    # Two trials of one load may end differently: the knee is one that held. Where nothing broke, there is none.
    knee = value == found["knee"] and trial["passed"] and found["broke"] is not None
    broke = value == found["broke"] and not trial["passed"]
    mark = wording.mark("passed" if trial["passed"] else "failed")
    return Row(
        _number(unit, value),
        trial,
        mark,
        t("load.capacity.knee") if knee else t("load.capacity.broke") if broke else "",
    )


class _Drawing:
    def __init__(self, found: Mapping[str, Any], trials: Sequence[Trial]) -> None:
        self.found = found
        self.trials = trials
        self.unit = found["unit"]
        loads = [trial[self.unit] or 0 for trial in trials]
        self.end = 1.03 * max(*loads, found["knee"] or 0, found["broke"] or 0) or 1
        self.x = [100 * load / self.end for load in loads]
        self.ticks = self.across()

    def across(self) -> tuple[Tick, ...]:
        step = plots.round_step(self.end / 5)
        marks = [index * step for index in range(int(self.end / step) + 1)]
        positions = [100 * mark / self.end for mark in marks]
        return tuple(
            Tick(rounded(position), plots.value_label(mark, step), plots.anchor(position))
            for mark, position in zip(marks, positions, strict=True)
        )

    def panels(self) -> tuple[Panel, ...]:
        known = [trial[name] for trial in self.trials for name in _PERCENTILES if trial[name] is not None]
        medians = [trial["p50"] for trial in self.trials if trial["p50"] is not None]
        latency = plots.latencies(known, median(medians) if medians else None)
        rates = [trial["throughput"] for trial in self.trials if trial["throughput"] is not None]
        unit = t("load.axis.logarithmic", unit="ms") if latency.lowest else "ms"
        names = dict(zip(_PERCENTILES, _PERCENTILES, strict=True))
        return (
            self.panel("capacity-latency", (t("load.panel.latency"), unit), names, latency, known),
            self.panel(
                "rate",
                (t("load.panel.rate"), t("load.unit.trips")),
                {"throughput": t("load.line.rate")},
                plots.linear(max(rates, default=0)),
                rates,
            ),
        )

    def panel(
        self, name: str, title: tuple[str, str], members: Mapping[str, str], axis: plots.Axis, known: Sequence[float]
    ) -> Panel:
        series = tuple(self.series(member, label, axis) for member, label in members.items())
        summary = plots.summary("load", title[0], title[1].partition(",")[0], known)
        return Panel(name, *title, summary, axis.ticks, series, poles=self.poles())

    def series(self, member: str, label: str, axis: plots.Axis) -> plots.Series:
        places = list(zip(self.x, (trial[member] for trial in self.trials), strict=True))
        whole = plots.line("rate" if member == "throughput" else member, label, places, axis, marked=True)
        drawn = [trial for trial in self.trials if trial[member] is not None]
        ends = list(zip(whole.dots, drawn, strict=True))
        return plots.Series(
            name=whole.name,
            label=label,
            path=whole.path,
            area=whole.area,
            dots=tuple(dot for dot, trial in ends if trial["passed"]),
            crosses=tuple(dot for dot, trial in ends if not trial["passed"]),
        )

    def poles(self) -> tuple[Pole, ...]:
        poles = []
        for kind, side in (("knee", "end"), ("broke", "start")):
            value = self.found[kind]
            if value is not None and self.found["broke"] is not None:
                x = rounded(100 * value / self.end)
                anchor = "start" if x < 20 else "end" if x > 80 and kind == "broke" else side
                poles.append(Pole(x, kind, t(f"load.capacity.pole.{kind}", load=_number(self.unit, value)), anchor))
        return tuple(poles)

    def columns(self) -> tuple[Column, ...]:
        return plots.columns(self.x, map(self.title, self.trials))

    def title(self, trial: Trial) -> str:
        figures = ", ".join(f"{name} {quantities.measured(trial[name])} ms" for name in _PERCENTILES)
        return t(
            "load.capacity.trial.kept" if trial["passed"] else "load.capacity.trial.breached",
            load=_load(self.unit, trial[self.unit] or 0),
            figures=figures,
            rate=quantities.measured(trial["throughput"]),
            breached=cut("; ".join(trial["breached"]), 120),
        )
