"""`wsproof load --find-capacity`: a run for each load, and the best one's document with the curve."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from contract.findings import phrase, text_of, texts
from loadtest.capacity import Search
from loadtest.child import run_load
from loadtest.document import write_document
from loadtest.plan import new_run
from loadtest.settings import LoadError, LoadSettings

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

    `interrupted` is asked between two loads. Raises as `run_load` does.
    """
    search = _search(settings, wanted)
    curve: list[dict[str, Any]] = []
    best: dict[str, Any] | None = None
    completed = True
    while completed and (load := search.next()) is not None:
        completed = run_load(_step(settings, wanted, load))
        document = json.loads(Path(settings.document).read_text(encoding="utf-8"))
        if not completed:
            search.stop(phrase("interrupted"))
            best = best or document
            break
        row = _row(document, settings, wanted.unit, load)
        curve.append(row)
        generator = document["generator"] or {}
        if generator.get("limited"):
            why = text_of(generator, "reason") or ""
            search.stop(phrase("capacity-limited", load=f"{load:g}", unit=phrase(f"unit-{wanted.unit}"), why=why))
        else:
            search.tell(load, passed=row["passed"])
        if best is None or (row["passed"] and not generator.get("limited")):
            best = document if row["passed"] or best is None else best
        tell(_line(row, wanted.unit, load))
        if interrupted():
            completed = False
            search.stop(phrase("interrupted"))
    assert best is not None
    curve.sort(key=lambda row: row[wanted.unit])
    capacity = {
        "unit": wanted.unit,
        "knee": search.knee,
        "broke": search.broke,
        "reason": str(search.reason),
        **texts(reason=search.reason),
        "curve": curve,
    }
    write_document(Path(settings.document), {**best, "capacity": capacity})
    return completed


def _search(settings: LoadSettings, wanted: Capacity) -> Search:
    if not settings.thresholds:
        raise LoadError("--find-capacity: expected a --threshold that breaks when it is too much")
    if settings.stages:
        raise LoadError("--find-capacity: expected no stages; it makes steps of its own (--step-time)")
    if not (wanted.step_time > 0 and math.isfinite(wanted.step_time)):
        raise LoadError(f"--step-time {wanted.step_time:g}: expected more than 0")
    most = wanted.most if wanted.most is not None else DEFAULT_MOST[wanted.unit]
    start = float(settings.users) if wanted.unit == "users" else settings.rate
    if most < start:
        raise LoadError(f"--max {most:g}: expected at least the {start:g} {wanted.unit} that the search begins with")
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
    metric = document["metrics"].get("post_to_own") or {}
    delivery = document["delivery"] or {}
    duration = document["duration_s"] or 1.0
    return {
        "users": load if unit == "users" else settings.users,
        "rate": load if unit == "rate" else settings.rate,
        **{name: metric.get(name) for name in ("p50", "p95", "p99")},
        "throughput": round(delivery.get("delivered", 0) / duration, 3),
        "errors": sum(one["count"] for one in document["errors"]),
        "lost": delivery.get("lost"),
        "passed": document["outcome"]["passed"],
        "breached": [f"{one['metric']} {one['limit']}" for one in document["thresholds"] if one["passed"] is False],
    }


def _line(row: dict[str, Any], unit: Unit, load: float) -> str:
    p99 = f"p99 {row['p99']:.1f} ms" if row["p99"] is not None else "nothing measured"
    mark = "✓" if row["passed"] else "✗ " + ", ".join(row["breached"])
    return f"  {load:>8g} {unit}  {row['throughput']:>10,.0f} deliveries/s  {p99}  {mark}"
