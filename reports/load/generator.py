"""The load generator's own health, and what puts a run's figures in doubt."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from reports.shared import wording
from reports.shared.documents import Document
from reports.shared.wording import Mark
from reports.text import quantities
from reports.text.fitting import cut
from reports.text.language import t, tn
from reports.text.phrases import code

BUSY_PERCENT: Final = 90.0
LATE_MS: Final = 50.0
LAG_MS: Final = 20.0
"""From here on (per cent of a core; milliseconds at most; milliseconds at the 99th percentile) the
generator's own health is in doubt: what it measures then holds its own delays."""

_READINGS: Final = (
    ("cpu_percent", "%", BUSY_PERCENT),
    ("late_ms_max", "ms", LATE_MS),
    ("lag_ms_p99", "ms", LAG_MS),
    ("late_sends_p99_ms", "ms", LAG_MS),
)
_STATES: Final = {"finished": "passed", "running": "untested", "lost": "failed"}
MAX_NAMES: Final = 4


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of the load generator's own health; `limit` is where doubt begins."""

    name: str
    value: str
    limit: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class Worker:
    source: Mapping[str, Any]
    mark: Mark


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something to know before believing the figures; `anchor` is where the page says more."""

    mark: Mark
    title: str
    text: str
    anchor: str


def readings(document: Document) -> tuple[Reading, ...]:
    """The load generator's readings; empty where it was not watched."""
    generator = document["generator"]
    if generator is None:
        return ()
    return tuple(
        Reading(
            t(f"load.reading.{member}"),
            f"{quantities.measured(generator[member])} {unit}",
            f"{limit:.0f} {unit}",
            _mark(generator[member], limit),
        )
        for member, unit, limit in _READINGS
        if member in generator
    )


def workers(document: Document) -> tuple[Worker, ...]:
    """The processes that played the users, lost ones first."""
    found = (document["generator"] or {}).get("workers", ())
    listed = [Worker(worker, wording.mark(_STATES[worker["state"]])) for worker in found]
    return tuple(sorted(listed, key=lambda worker: worker.source["state"] != "lost"))


@dataclass(frozen=True, slots=True)
class Marks:
    """What a chart over time shows of the generator, in seconds: when workers were lost, and when it was `late`."""

    losses: tuple[tuple[float, str], ...] = ()
    late: tuple[tuple[float, float], ...] = ()


def marks(document: Document) -> Marks:
    """What a chart over time shows of the generator."""
    return Marks(tuple(losses(document)), tuple((began, ended) for began, ended in late(document)))


def late(document: Document) -> list[tuple[float, float]]:
    """From when to when the generator was late, in seconds."""
    return [(began, ended) for began, ended in (document["generator"] or {}).get("late", ())]


def losses(document: Document) -> list[tuple[float, str]]:
    """When workers were heard of for the last time (seconds), with what became of them."""
    lost = [worker.source for worker in workers(document) if worker.source["state"] == "lost"]
    times = Counter(worker["last_report_s"] for worker in lost if worker["last_report_s"] is not None)
    return [(at, tn("load.worker.losses", number)) for at, number in sorted(times.items())]


def doubts(document: Document) -> tuple[Doubt, ...]:
    """What puts the figures in doubt or bounds them, the gravest first."""
    found = (_limited(document), _late(document), _lost_workers(document), _ended(document))
    return tuple(doubt for doubt in found if doubt is not None)


def _limited(document: Document) -> Doubt | None:
    generator = document["generator"] or {}
    mark = wording.mark("inconclusive")
    if generator.get("limited"):
        why = f": {cut(generator['reason'], 300)}" if generator.get("reason") else ""
        return Doubt(mark, t("load.doubt.limited"), t("load.doubt.limited.text", why=why), "generator")
    doubtful = [one for one in readings(document) if one.mark.tone == "inconclusive"]
    # Where it was watched all the time, one bad moment is in the table and no reason to doubt everything.
    if not doubtful or "limited" in generator:
        return None
    listed = ", ".join(f"{one.name[0].lower()}{one.name[1:]} {one.value}" for one in doubtful)
    return Doubt(mark, t("load.doubt.near"), t("load.doubt.near.text", listed=listed), "generator")


def _late(document: Document) -> Doubt | None:
    found = late(document)
    # Where that was the limit, its reason says when.
    if not found or code(document["generator"], "reason") == "generator-stalled":
        return None
    listed = ", ".join(t("common.time.s", s=f"{began:g}–{ended:g}") for began, ended in found[:MAX_NAMES])
    if len(found) > MAX_NAMES:
        listed = t("common.and-more", listed=listed, more=f"{len(found) - MAX_NAMES:,}")
    text = t("load.doubt.late.text", listed=listed)
    return Doubt(wording.mark("inconclusive"), t("load.doubt.late"), text, "timeline")


def _lost_workers(document: Document) -> Doubt | None:
    everybody = workers(document)
    lost = [worker.source for worker in everybody if worker.source["state"] == "lost"]
    if not lost:
        return None
    names = ", ".join(_last_heard(worker) for worker in lost[:MAX_NAMES])
    if len(lost) > MAX_NAMES:
        names = t("common.and-more", listed=names, more=f"{len(lost) - MAX_NAMES:,}")
    title = tn("load.doubt.lost", len(lost), of=tn("load.worker.of", len(everybody)))
    return Doubt(wording.mark("failed"), title, t("load.doubt.lost.text", names=names), "workers")


def _last_heard(worker: Mapping[str, Any]) -> str:
    name, last = cut(worker["name"], 40), worker["last_report_s"]
    return t("load.worker.never", name=name) if last is None else t("load.worker.last", name=name, last=f"{last:.1f}")


def _ended(document: Document) -> Doubt | None:
    threshold = document.get("aborted")
    if threshold is None:
        return None
    text = t("load.doubt.ended.text", threshold=cut(threshold, 100))
    return Doubt(wording.mark("failed", "SHOULD"), t("load.doubt.ended"), text, "thresholds")


def _mark(value: float | None, limit: float) -> Mark:
    if value is None:
        return wording.mark("untested")
    # A busy generator casts doubt on the numbers; it is no failure of the endpoint.
    return wording.mark("passed" if value < limit else "inconclusive")
