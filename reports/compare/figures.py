"""What got better and worse between two load tests, figure by figure, and the figures of several side by side.

Worse is: a percentile (p50, p95, p99) that grew by more than the tolerance and by more than a millisecond; more errors;
more lost, duplicated, reordered or misdelivered deliveries; a threshold that held and is breached; a
capacity that shrank by more than the tolerance; a run that fails for what is neither a threshold nor a requirement
(nothing was measured). A percentile is judged where at
least `MIN_BEYOND` measurements lie beyond it on both sides: of twenty connects the 99th percentile is one connect.
What only one document has is `new` or `gone`, which weighs where it is a step of the same journeys: one that is not
reached any more. How long a server waits between its pings is its own choice, and neither better nor worse.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final

from reports.compare.parts import Json, sorted_changes
from reports.load.view import error_count
from reports.load.wording import WRONG
from reports.shared.documents import Document
from reports.text.phrases import moved

_VERDICTS: Final[Mapping[bool | None, str]] = {True: "passed", False: "failed", None: "inconclusive"}

FLOOR_MS: Final = 1.0
"""A smaller difference (milliseconds) is nobody's concern, whatever share it is."""
MIN_BEYOND: Final = 5
PERCENTILES: Final[Mapping[str, float]] = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
PERIOD: Final = "ping_period"
MAX_ERRORS: Final = 30
"""So many error messages are listed, the most frequent first; all count."""

_FIGURES: Final = ("mean", "p50", "p90", "p95", "p99", "p999", "max")

Found = tuple[str, Json]
"""The list that a change belongs to, and the change."""


def changes(before: Document, after: Document, tolerance: float) -> Mapping[str, Sequence[Json]]:
    """What differs, by list; `tolerance` is a share."""
    found: dict[str, list[Json]] = {}
    parts = (
        _percentiles(before, after, tolerance),
        _errors(before, after),
        _deliveries(before, after),
        _thresholds(before, after),
        _capacity(before, after, tolerance),
        _outcome(before, after),
    )
    for part in parts:
        for where, change in part:
            found.setdefault(where, []).append(change)
    return sorted_changes(found)


def metrics(documents: Sequence[Document]) -> list[Json]:
    """Every step's latencies with their distribution, in each run; None where it was not measured."""
    names = dict.fromkeys(name for document in documents for name in document["metrics"])
    return [{"name": name, "cells": [_cell(document["metrics"].get(name)) for document in documents]} for name in names]


def counts(documents: Sequence[Document]) -> list[Json]:
    """Errors, and what the delivery ledgers say, in each run; None where no ledger was kept."""
    errors = [error_count(document) for document in documents]
    rows: list[Json] = [{"kind": "errors", "name": "errors", "wrong": True, "values": errors}]
    rows += [
        {
            "kind": "delivery",
            "name": name,
            "wrong": name in WRONG,
            "values": [document["delivery"] and document["delivery"][name] for document in documents],
        }
        for name in ("expected", "delivered", *WRONG)
    ]
    return rows + _each_error(documents)


def _each_error(documents: Sequence[Document]) -> list[Json]:
    numbers = [{entry["message"]: entry["count"] for entry in document["errors"]} for document in documents]
    known = {entry["message"]: entry for document in documents for entry in document["errors"]}
    totals = {message: sum(one.get(message, 0) for one in numbers) for message in known}
    most = sorted(totals, key=lambda message: (-totals[message], message))[:MAX_ERRORS]
    return [
        {
            "kind": "error",
            "name": message,
            **moved(known[message], "message", "name"),
            "wrong": True,
            "values": [one.get(message, 0) for one in numbers],
        }
        for message in most
    ]


def _cell(metric: Json | None) -> Json | None:
    if metric is None or not metric["count"]:
        return None
    figures = {name: metric[name] for name in _FIGURES}
    return {"count": metric["count"], "unit": metric["unit"], **figures, "histogram": metric.get("histogram", [])}


def _percentiles(before: Document, after: Document, tolerance: float) -> Iterator[Found]:
    same_journeys = before["settings"].get("journeys") == after["settings"].get("journeys")
    for row in metrics((before, after)):
        name, (was, now) = row["name"], row["cells"]
        if was is None and now is None:
            continue
        if was is None or now is None:
            weighs = same_journeys and name != PERIOD
            sides = [cell and cell["count"] for cell in (was, now)]
            yield (
                "gone" if now is None else "new",
                _change("measured", name, "", *sides, weighs=weighs),
            )
        elif name != PERIOD:
            for percentile, where in judged(was, now, tolerance):
                sides = [cell[percentile] for cell in (was, now)]
                yield where, _change("latency", f"{percentile}({name})", was["unit"], *sides)


def judged(was: Json, now: Json, tolerance: float) -> Iterator[tuple[str, str]]:
    """The percentiles of a step that differ, each with the list it belongs to."""
    if was["unit"] != now["unit"]:
        return
    floor = FLOOR_MS if was["unit"] == "ms" else 0.0
    for percentile, share in PERCENTILES.items():
        values = was[percentile], now[percentile]
        least = min(was["count"], now["count"])
        if None in values or least * (1 - share) < MIN_BEYOND - 1e-9:
            continue
        where = _direction(*values, partial(_grown, tolerance=tolerance, floor=floor))
        if where:
            yield percentile, where


def _grown(low: float, high: float, tolerance: float, floor: float) -> bool:
    return high > low * (1 + tolerance) and high - low > floor


def _direction(was: float, now: float, differs: Callable[[float, float], bool]) -> str | None:
    """Where a figure belongs of which less is better; None where it does not differ."""
    if not differs(min(was, now), max(was, now)):
        return None
    return "worse" if now > was else "better"


def _errors(before: Document, after: Document) -> Iterator[Found]:
    yield from _counted("errors", "errors", error_count(before), error_count(after))


def _deliveries(before: Document, after: Document) -> Iterator[Found]:
    was, now = before["delivery"], after["delivery"]
    if was is None or now is None:
        if was is not None or now is not None:
            sides = [kept and kept["expected"] for kept in (was, now)]
            where = "gone" if now is None else "new"
            yield where, _change("ledger", "expected", "", *sides, weighs=False)
        return
    for name in WRONG:
        yield from _counted("delivery", name, was[name], now[name])


def _counted(kind: str, name: str, was: int, now: int) -> Iterator[Found]:
    where = _direction(was, now, lambda low, high: high > low)
    if where:
        yield where, _change(kind, name, "", was, now)


def _thresholds(before: Document, after: Document) -> Iterator[Found]:
    was, now = (
        {(one["metric"], one["limit"]): one for one in reversed(document["thresholds"])} for document in (before, after)
    )
    for key in dict.fromkeys([*reversed(was), *reversed(now)]):
        sides = was.get(key), now.get(key)
        change = {
            "kind": "threshold",
            "name": " ".join(key),
            "unit": "",
            "weighs": None not in sides,
            "before": _judgement(sides[0]),
            "after": _judgement(sides[1]),
        }
        if sides[0] is None or sides[1] is None:
            yield "gone" if sides[1] is None else "new", change
        elif sides[0]["passed"] is not sides[1]["passed"]:
            yield _turned(sides[0]["passed"], sides[1]["passed"]), change


def _turned(was: bool | None, now: bool | None) -> str:
    """Where a threshold belongs that became another one; None is undecided."""
    if was is None or now is None:
        return "unclear"
    return "better" if now else "worse"


def _judgement(threshold: Json | None) -> Json | None:
    if threshold is None:
        return None
    return {"verdict": _VERDICTS[threshold["passed"]], "value": threshold["value"]}


def _capacity(before: Document, after: Document, tolerance: float) -> Iterator[Found]:
    was, now = before.get("capacity"), after.get("capacity")
    if not was or not now or was["unit"] != now["unit"]:
        return
    knees = was["knee"] or 0.0, now["knee"] or 0.0
    # More is better here.
    where = _direction(knees[1], knees[0], lambda low, high: high > low * (1 + tolerance))
    if where:
        yield where, _change("capacity", was["unit"], "", *knees)


def _outcome(before: Document, after: Document) -> Iterator[Found]:
    was, now = _failed_by_itself(before), _failed_by_itself(after)
    if was != now:
        change = {
            "kind": "run",
            "name": "run",
            "unit": "",
            "weighs": True,
            "before": _end(before, was),
            "after": _end(after, now),
        }
        yield "worse" if now else "better", change


def _end(document: Document, failed: bool) -> Json:
    return {
        "verdict": "failed" if failed else "passed",
        "value": None,
        **(_why(document["outcome"]) if failed else {"reason": None}),
    }


def _why(outcome: Json) -> Json:
    """The first reason of a run that fails, with its phrase."""
    reason = next(iter(outcome["reasons"]), None)
    written = next(iter((outcome.get("texts") or {}).get("reasons", ())), None)
    return {"reason": reason, **({"texts": {"reason": written}} if reason and written else {})}


def _failed_by_itself(document: Document) -> bool:
    told = document["verdict"] == "non-conformant" or any(one["passed"] is False for one in document["thresholds"])
    return not document["outcome"]["passed"] and not told


def _change(kind: str, name: str, unit: str, was: float | None, now: float | None, *, weighs: bool = True) -> Json:
    """A change of a figure; None is a side that does not have it."""
    before, after = (None if value is None else {"verdict": None, "value": value} for value in (was, now))
    return {"kind": kind, "name": name, "unit": unit, "weighs": weighs, "before": before, "after": after}
