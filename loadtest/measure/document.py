"""The load document: `schemas/load.schema.json`."""

import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from conformance.transport.troubles import own_error
from contract.findings import Phrase, english, few, message_of, phrase, text_of, texts
from contract.folder import DEFAULT
from contract.formats import LOAD
from contract.model import Contract
from contract.requirements import Level, Requirement, requirements_of
from loadtest.delivery.balance import Balance
from loadtest.judge.judge import Judged, Sighting, finding_key
from loadtest.judge.verdict import (
    Overall,
    Results,
    brief_entries,
    broken,
    overall,
    requirement_entries,
    requirement_results,
    summary,
)
from loadtest.measure.phases import reached
from loadtest.measure.thresholds import parse_threshold
from loadtest.settings import names
from loadtest.settings.settings import LoadSettings, Stage

MAX_NAMES = 5
"""Requirements that a reason lists."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended. `duration` in seconds; `complete` False: it was cut off; `why`, where somebody knows."""

    started: datetime
    duration: float
    complete: bool
    why: Phrase | None = None


def load_document(
    settings: LoadSettings,
    contract: Contract,
    ending: Ending,
    measured: Mapping[str, Any],
    judged: Judged,
    by_phase: Sequence[Judged] = (),
) -> dict[str, Any]:
    """The document of a run; `measured` is the recorder's part, `judged` what was found, in all and in each phase."""
    timed, requirements = {**measured, "duration_s": ending.duration}, requirements_of(contract.folder)
    entries = reached(measured["phases"], ending.duration)
    found = (*by_phase, *(Judged() for _ in entries))
    phases = [_judged(one, each, settings, requirements) for one, each in zip(entries, found, strict=False)]
    timed["phases"] = phases
    thresholds = [parse_threshold(text).judge_run(timed) for text in settings.thresholds]
    reason = _reason(settings, ending, measured)
    results = [] if settings.measure_only else requirement_results(requirements, judged)
    verdict = overall(
        results,
        strict=settings.strict,
        whole=ending.complete and reason is None,
        measure_only=settings.measure_only,
    )
    reasons = _against(settings, ending, results, thresholds, verdict, reason)
    return {
        "format": LOAD,
        "tool": {"name": "wsproof", "version": settings.version},
        "endpoint": settings.endpoint,
        "contract": {"title": contract.title, "version": contract.version},
        "started": ending.started.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "duration_s": round(ending.duration, 3),
        "complete": ending.complete,
        "settings": _settings(settings),
        "verdict": verdict,
        "reason": english(reason),
        **texts(reason=reason),
        "outcome": {"passed": not reasons, "reasons": list(map(str, reasons)), **texts(reasons=reasons)},
        "summary": summary(results),
        "requirements": requirement_entries(results),
        "thresholds": thresholds,
        **measured,
        "phases": phases,
        "delivery": _with_names(measured["delivery"]),
    }


def _settings(settings: LoadSettings) -> dict[str, Any]:
    """What the run was started with, as far as reports show it."""
    return {
        "embedded": settings.embedded,
        "users": settings.most_users,
        "spawn_rate": settings.spawn_rate,
        "time_s": settings.whole_duration if math.isfinite(settings.whole_duration) else None,
        "stages": [_stage(one) for one in settings.stages],
        "channels": settings.channels,
        "rate": settings.rate,
        "size": settings.size,
        "journeys": dict(settings.journeys),
        "journeys_file": settings.journey_file,
        "processes": settings.players,
        "source_addresses": list(settings.source_addresses),
        "tokens": settings.tokens.kind,
        "seed": settings.seed,
        "abort_on_breach": settings.abort_on_breach,
        "measure_only": settings.measure_only,
        "strict": settings.strict,
        "require_complete": settings.require_complete,
        "contract": None if settings.contract == DEFAULT else settings.contract,
        "profile": settings.profile,
    }


def _judged(
    phase: Mapping[str, Any], judged: Judged, settings: LoadSettings, requirements: Mapping[str, Requirement]
) -> dict[str, Any]:
    """A phase by itself: the requirements that it broke, and the thresholds of the run, as it alone keeps them."""
    lasted = {**phase, "duration_s": phase["to_s"] - phase["from_s"]}
    parsed = [parse_threshold(text) for text in settings.thresholds]
    results = [] if settings.measure_only else requirement_results(requirements, judged)
    return {
        **phase,
        "verdict": overall(results, strict=settings.strict, whole=True, measure_only=settings.measure_only),
        "requirements": brief_entries(results),
        "thresholds": [one.judge(lasted) for one in parsed if one.phase in (None, phase["name"])],
    }


def _reason(settings: LoadSettings, ending: Ending, measured: Mapping[str, Any]) -> Phrase | None:
    """Why a run does not show what it was there for; None where it does."""
    own = own_error(measured["errors"])
    if own is not None:
        return phrase("load-own-error", problem=own)
    return _nothing(measured) or _lost(measured) if ending.complete else _cut_off(settings, ending)


def _cut_off(settings: LoadSettings, ending: Ending) -> Phrase:
    """How far a run came that did not come to its end."""
    how_far = phrase("load-cut-off", seconds=math.floor(ending.duration), of=f"{settings.whole_duration:g}")
    return phrase("with-detail", what=how_far, detail=ending.why) if ending.why is not None else how_far


def _nothing(measured: Mapping[str, Any]) -> Phrase | None:
    """What says that nothing was measured; None where something was."""
    metrics = measured["metrics"]
    first = next(map(message_of, measured["errors"]), None)
    if "connect" not in metrics:
        return phrase("load-no-connect", why=first or phrase("load-none-started"))
    if not set(metrics) - {"connect", "close"}:
        return phrase("load-nothing", why=first or phrase("load-too-short"))
    if first is not None and not set(metrics) - {"connect", "ack", "close"}:
        return phrase("load-nothing", why=first)
    delivery = measured["delivery"]
    if delivery is not None and delivery["posts"] and not delivery["delivered"]:
        return phrase("load-undelivered", count=delivery["posts"], why=first or phrase("load-to-nobody"))
    return None


def _against(
    settings: LoadSettings,
    ending: Ending,
    results: Results,
    thresholds: list[dict[str, Any]],
    verdict: Overall,
    reason: Phrase | None,
) -> list[Phrase]:
    """What stands against a run: its exit code says whether anything does."""
    reasons = [reason] if reason is not None else []
    if verdict == "non-conformant":
        reasons.append(phrase("run-fails", names=few(broken(results, strict=settings.strict), MAX_NAMES)))
    # A threshold that nothing was measured for when the run was cut off may have held in the end.
    breached = [
        f"{one['metric']} {one['limit']}"
        for one in thresholds
        if one["passed"] is False and (ending.complete or one["value"] is not None)
    ]
    if breached:
        reasons.append(phrase("load-breached", thresholds=breached))
    if ending.complete and reason is None and verdict == "incomplete" and settings.require_complete:
        reasons.append(phrase("not-everything"))
    return reasons


def add_lost(
    judged: Judged,
    balance: Balance,
    examples: Iterable[Mapping[str, Any]],
    clauses: Iterable[tuple[str, Level]],
    begin: float = 0.0,
    end: float = math.inf,
) -> None:
    """Enter the ledger's balance from second `begin` to before `end`: what was owed might have been lost.

    `clauses`: those that a loss breaks.
    """
    counts, times = balance.phase(begin, end), balance.times("lost", begin, end)
    judged.add(Judged(chances={"delivered": counts["expected"]}))
    if times is None:
        return
    shown = [
        {"t_s": one["t_s"] or 0.0, "user": one["receiver"], "detail": one["texts"]["detail"]}
        for one in examples
        if one["kind"] == "lost"
    ]
    seen = Sighting(counts["lost"], *times, shown)
    for name, level in clauses:
        judged.add(Judged(findings={finding_key(name, level, "delivered", phrase("undelivered")): seen}))


def _with_names(delivery: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The ledger's entry with users as a document calls them."""
    return None if delivery is None else {**delivery, "examples": [_named(one) for one in delivery.get("examples", ())]}


def _named(example: Mapping[str, Any]) -> dict[str, Any]:
    poster = names.user(example["poster"]) if example["poster"] else names.stranger()
    receiver = names.user(example["receiver"])
    shown = {"poster": poster.json, "receiver": receiver.json}
    return {**example, "poster": str(poster), "receiver": str(receiver), "texts": {**example["texts"], **shown}}


def _lost(measured: Mapping[str, Any]) -> Phrase | None:
    """Processes that vanished took with them what they had not told yet."""
    workers = (measured["generator"] or {"workers": ()})["workers"]
    lost = [
        phrase("load-worker-lost", worker=text_of(one, "name") or one["name"], seconds=round(one["last_report_s"]))
        for one in workers
        if one["state"] == "lost"
    ]
    return phrase("load-workers-lost", workers=lost) if lost else None


def delivery_of(balance: Balance, began: float) -> dict[str, Any]:
    """The ledgers' entry, in a run that began at `began`."""
    shown = [
        {
            "kind": one.kind,
            "t_s": round(max(one.t - began, 0.0), 3) if math.isfinite(one.t) else None,
            "channel": one.channel[:200],
            "poster": one.poster,
            "number": one.number,
            "receiver": one.receiver,
            "detail": str(message_of(one.detail)),
            "texts": {"detail": one.detail},
        }
        for one in balance.examples
    ]
    return {**balance.counts, "examples": shown}


def _stage(stage: Stage) -> str:
    """As `--stages` writes it."""
    rate = f"@{stage.rate:g}" if stage.rate is not None else ""
    return f"{stage.users}:{stage.seconds:g}s{rate}"


def write_document(path: Path, document: Mapping[str, Any]) -> None:
    """Write atomically: `path` holds all of the document, or what it held before. Raises `OSError`."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        # ASCII, so that lone surrogates of an endpoint's error messages survive.
        temporary.write_text(json.dumps(document, indent=1, allow_nan=False), encoding="ascii")
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
