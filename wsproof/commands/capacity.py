"""`wsproof load --find-capacity`: a run for each load, and the best one's document with the curve."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from contract.findings import phrase, text_of, texts
from contract.metrics import round_trip
from loadtest.measure.capacity import Search
from loadtest.measure.document import write_document
from loadtest.processes.supervisor import run_load
from loadtest.settings.plan import new_run
from loadtest.settings.settings import EndedError, LoadError, LoadSettings

Unit = Literal["users", "rate"]

DEFAULT_MOST = {"users": 100_000.0, "rate": 10_000.0}


@dataclass(frozen=True, slots=True)
class Capacity:
    """What is raised, up to which load, and how many seconds each step lasts."""

    unit: Unit
    most: float | None = None
    step_time: float = 10.0


def find_capacity(
    settings: LoadSettings, wanted: Capacity, tell: Callable[[str], None], interrupted: Callable[[], bool]
) -> bool:
    """Try loads until the knee is known; False where that was interrupted. The document is at `settings.document`.

    It is that of the highest load that was borne: what broke beyond it was broken on purpose. `interrupted` is asked
    between two loads. Raises as `run_load` does.
    """
    search = _search(settings, wanted)
    trials = _Trials(settings, wanted.unit, search)
    completed = True
    try:
        while completed and (load := search.next()) is not None:
            completed = run_load(_step(settings, wanted, load))
            document = json.loads(Path(settings.document).read_text(encoding="utf-8"))
            if completed:
                tell(_line(trials.add(load, document), wanted.unit, load))
            if not completed or interrupted():
                completed = False
                trials.best = trials.best or document
                search.stop(phrase("interrupted"))
    except EndedError as error:
        if trials.best is None:
            raise
        raise EndedError(str(error), trials.document()) from None
    found = trials.document()
    try:
        write_document(Path(settings.document), found)
    except OSError as error:
        raise EndedError(f"{settings.document} cannot be written: {error.strerror or error}", found) from None
    return completed


class _Trials:
    """The loads that were tried. `best`: the document of the highest that was borne, or else of the lowest."""

    def __init__(self, settings: LoadSettings, unit: Unit, search: Search) -> None:
        self._settings = settings
        self._unit = unit
        self._search = search
        self._curve: list[dict[str, Any]] = []
        self._rank = (False, -math.inf)
        self.best: dict[str, Any] | None = None

    def add(self, load: float, document: dict[str, Any]) -> dict[str, Any]:
        """Enter how a load went. Returns its entry of the curve."""
        row = _row(document, self._settings, self._unit, load)
        self._curve.append(row)
        generator = document["generator"] or {}
        limited = bool(generator.get("limited"))
        if limited:
            why = text_of(generator, "reason") or ""
            unit = phrase(f"unit-{self._unit}")
            self._search.stop(phrase("capacity-limited", load=f"{load:g}", unit=unit, why=why))
        else:
            self._search.tell(load, passed=row["passed"])
        borne = row["passed"] and not limited
        rank = (borne, load if borne else -load)
        if self.best is None or rank > self._rank:
            self.best, self._rank = document, rank
        return row

    def document(self) -> dict[str, Any]:
        """The load document of the search."""
        assert self.best is not None
        search = self._search
        capacity = {
            "unit": self._unit,
            "knee": search.knee,
            "broke": search.broke,
            "reason": str(search.reason),
            **texts(reason=search.reason),
            "curve": sorted(self._curve, key=lambda row: float(row[self._unit])),
        }
        return {**self.best, "capacity": capacity}


def _search(settings: LoadSettings, wanted: Capacity) -> Search:
    if not settings.thresholds:
        raise LoadError("--find-capacity needs a --threshold that is breached when the load is too high")
    if settings.stages:
        raise LoadError("--find-capacity cannot be used with stages; it makes its own steps (--step-time)")
    if not (wanted.step_time > 0 and math.isfinite(wanted.step_time)):
        raise LoadError(f"--step-time {wanted.step_time:g}: expected more than 0")
    most = wanted.most if wanted.most is not None else DEFAULT_MOST[wanted.unit]
    start = float(settings.users) if wanted.unit == "users" else settings.rate
    if most < start:
        raise LoadError(f"--max {most:g}: expected at least the {start:g} {wanted.unit} that the search starts with")
    return Search(start, most, whole=wanted.unit == "users")


def _step(settings: LoadSettings, wanted: Capacity, load: float) -> LoadSettings:
    step = replace(settings, duration=wanted.step_time, run=new_run())
    if wanted.unit == "rate":
        return replace(step, rate=load)
    # Half of the step at the most goes by until all users are there.
    users = int(load)
    processes = min(settings.processes, users)
    return replace(
        step, users=users, spawn_rate=max(settings.spawn_rate, 2 * users / wanted.step_time), processes=processes
    )


def _row(document: dict[str, Any], settings: LoadSettings, unit: Unit, load: float) -> dict[str, Any]:
    metric = round_trip(document["metrics"]) or {}
    breached = [f"{one['metric']} {one['limit']}" for one in document["thresholds"] if one["passed"] is False]
    broken = [one["id"] for one in document["requirements"] if one["verdict"] == "failed" and one["level"] == "MUST"]
    return {
        "users": int(load) if unit == "users" else settings.users,
        "rate": load if unit == "rate" else settings.rate,
        **{name: metric.get(name) for name in ("p50", "p95", "p99")},
        "throughput": _throughput(document),
        "errors": sum(one["count"] for one in document["errors"]),
        "lost": (document["delivery"] or {}).get("lost"),
        "passed": document["outcome"]["passed"],
        "breached": [*broken, *breached],
    }


def _throughput(document: dict[str, Any]) -> float:
    """Round trips per second once all users were there."""
    held = document["phases"][-1]
    count: int = (round_trip(held["metrics"]) or {"count": 0})["count"]
    lasted: float = held["to_s"] - held["from_s"]
    return round(count / max(lasted, 1.0), 3)


def _line(row: dict[str, Any], unit: Unit, load: float) -> str:
    p99 = f"p99 {row['p99']:.1f} ms" if row["p99"] is not None else "nothing measured"
    mark = "✓" if row["passed"] else "✗ " + ", ".join(row["breached"])
    return f"  {load:>8g} {unit}  {row['throughput']:>10,.0f} round trips/s  {p99}  {mark}"
