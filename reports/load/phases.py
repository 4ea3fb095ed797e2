"""The phases of a load test, each by itself: a ramp leaves no trace in the figures of what was held."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from contract.escaping import visible
from contract.metrics import round_trip
from reports.load import wording as load_wording
from reports.shared import wording
from reports.shared.documents import Document
from reports.shared.wording import Mark
from reports.text import quantities
from reports.text.fitting import cut
from reports.text.language import t

PERCENTILES: Final = ("p50", "p95", "p99")
_NAMED: Final = ("ramp", "hold")


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase; `figures` are percentiles of a round trip, in milliseconds."""

    name: str
    time: str
    users: str
    figures: tuple[str, ...]
    errors: int
    wrong: str
    owed: str
    """Deliveries that went wrong, and those that were owed; a dash where no ledger was kept."""
    mark: Mark | None
    """What became of its requirements and thresholds; None where there is nothing to say."""
    word: str
    breached: tuple[str, ...]
    broken: tuple[str, ...]
    """The requirements that were broken in it, each with how often."""


def phases(document: Document) -> tuple[Phase, ...]:
    """The phases of a run; none where it had only one, which the other figures tell of."""
    found = document.get("phases", ())
    return tuple(_phase(number, one) for number, one in enumerate(found, 1)) if len(found) > 1 else ()


def _phase(number: int, one: Mapping[str, Any]) -> Phase:
    trip, kept = round_trip(one["metrics"]) or {}, one["delivery"]
    judged, failed = _worst(one["thresholds"]), _broken(one)
    mark = load_wording.threshold_mark(judged) if judged else None
    word = load_wording.threshold_word(judged) if judged else ""
    if failed:
        mark = wording.mark("failed", "MUST" if any(each["level"] == "MUST" for each in failed) else "SHOULD")
        word = mark.word
    return Phase(
        name=t(f"load.phase.{one['name']}") if one["name"] in _NAMED else t("load.phase.stage", number=number),
        time="–".join(f"{round(one[name], 1):g}" for name in ("from_s", "to_s")),
        users=_users(one),
        figures=tuple(quantities.measured(trip.get(name)) for name in PERCENTILES),
        errors=one["errors"],
        wrong=quantities.NOTHING if kept is None else quantities.count(sum(kept[name] for name in load_wording.WRONG)),
        owed=quantities.NOTHING if kept is None else quantities.count(kept["expected"]),
        mark=mark,
        word=word,
        breached=tuple(f"{each['metric']} {each['limit']}" for each in one["thresholds"] if each["passed"] is False),
        broken=tuple(f"{visible(cut(each['id'], 40))} ({quantities.count(each['failed'])})" for each in failed),
    )


def _broken(one: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [each for each in one.get("requirements", ()) if each["verdict"] == "failed"]


def _users(one: Mapping[str, Any]) -> str:
    before, after = (quantities.count(one[name]) for name in ("users_before", "users"))
    return after if before == after else f"{before} → {after}"


def _worst(thresholds: list[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """What stands for all of them: a breach, else what is undecided."""
    return min(thresholds, key=lambda one: wording.mark(load_wording.JUDGED[one["passed"]]).rank, default=None)
