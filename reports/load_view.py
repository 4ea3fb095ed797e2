"""A load document as the load page shows it: the sentence, the figures, the charts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from reports import charts, quantities, wording
from reports.charts import Chart
from reports.documents import Document
from reports.wording import Mark

BUSY_PERCENT: Final = 80.0
LATE_MS: Final = 50.0
"""From here on (per cent of a core, milliseconds) the generator's own health is in doubt: what it
measures then holds its own delays."""

# RFC 6455 §7.4.1 and the registry it opens; codes from 4000 on belong to the application.
_CLOSE_CODES: Final = {
    "1000": "normal closure",
    "1001": "going away",
    "1002": "protocol error",
    "1003": "unsupported data",
    "1005": "close frame without a code",
    "1006": "connection lost, no close frame",
    "1007": "invalid data, such as broken UTF-8",
    "1008": "policy violation",
    "1009": "message too big",
    "1010": "extension missing",
    "1011": "internal error",
    "1012": "service restart",
    "1013": "try again later",
    "1014": "bad gateway",
    "1015": "TLS handshake failed",
}
_LEDGER: Final = (
    ("expected", "owed: posts times receivers", False),
    ("delivered", "arrived", False),
    ("lost", "never arrived", True),
    ("duplicated", "arrived more than once", True),
    ("reordered", "arrived out of order", True),
    ("misdelivered", "arrived at somebody who was owed none", True),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """A key figure of the first screen."""

    value: str
    label: str
    mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class Threshold:
    source: Mapping[str, Any]
    value: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class LedgerRow:
    name: str
    meaning: str
    number: int
    mark: Mark | None
    """Whether a number that should be zero is; None where any number is fine."""


@dataclass(frozen=True, slots=True)
class Health:
    """One reading of the load generator's own health."""

    name: str
    value: str
    limit: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class Load:
    """Everything on the load page that is not in the document as it stands."""

    mark: Mark
    sentence: str
    figures: tuple[Figure, ...]
    thresholds: tuple[Threshold, ...]
    chart: Chart | None
    ledger: tuple[LedgerRow, ...]
    closes: tuple[tuple[str, str, int], ...]
    errors: tuple[tuple[str, int], ...]
    health: tuple[Health, ...]


def build(document: Document) -> Load:
    """The load page's view of a load document."""
    return Load(
        mark=wording.overall_mark(document),
        sentence=wording.load_sentence(document),
        figures=_figures(document),
        thresholds=tuple(
            Threshold(entry, wording.threshold_value(entry), verdict_mark(entry["passed"]))
            for entry in document["thresholds"]
        ),
        chart=charts.build(document["timeline"], document["duration_s"]),
        ledger=ledger(document),
        closes=tuple((code, close_meaning(code), number) for code, number in sorted(document["closes"].items())),
        errors=sorted_errors(document),
        health=health(document),
    )


def sorted_errors(document: Document) -> tuple[tuple[str, int], ...]:
    """Error messages with their numbers, the most frequent first."""
    return tuple(sorted(document["errors"].items(), key=lambda item: (-item[1], item[0])))


def close_meaning(code: str) -> str:
    """What a close code means, as far as that does not depend on the endpoint."""
    if code in _CLOSE_CODES:
        return _CLOSE_CODES[code]
    return "the application's own" if len(code) == 4 and code.startswith("4") else ""


def ledger(document: Document) -> tuple[LedgerRow, ...]:
    """The delivery ledger's rows; empty where none was kept."""
    kept = document["delivery"]
    if kept is None:
        return ()
    return tuple(
        LedgerRow(name, meaning, kept[name], verdict_mark(not kept[name]) if zero else None)
        for name, meaning, zero in _LEDGER
    )


def health(document: Document) -> tuple[Health, ...]:
    """The load generator's readings; empty where it was not watched."""
    generator = document["generator"]
    if generator is None:
        return ()
    cpu, late = generator["cpu_percent"], generator["late_ms_max"]
    return (
        Health(
            "Highest processor use",
            f"{quantities.measured(cpu)} %",
            f"{BUSY_PERCENT:.0f} %",
            _health_mark(cpu, BUSY_PERCENT),
        ),
        Health(
            "Most delayed timer",
            f"{quantities.measured(late)} ms",
            f"{LATE_MS:.0f} ms",
            _health_mark(late, LATE_MS),
        ),
    )


def verdict_mark(passed: bool) -> Mark:
    """The mark of something that was held against a limit."""
    return wording.mark("passed" if passed else "failed")


def _health_mark(value: float | None, limit: float) -> Mark:
    if value is None:
        return wording.mark("untested")
    # A busy generator casts doubt on the numbers; it is no failure of the endpoint.
    return wording.mark("passed" if value < limit else "inconclusive")


def _figures(document: Document) -> tuple[Figure, ...]:
    timeline = document["timeline"]
    rates = [point["rate"] for point in timeline if point["rate"] is not None]
    users = max((point["users"] for point in timeline), default=0)
    errors = sum(document["errors"].values())
    found = [
        Figure(quantities.count(users) if timeline else quantities.NOTHING, "users at the peak"),
        Figure(quantities.measured(max(rates, default=None)), "round trips per second at the peak"),
        Figure(quantities.count(errors), "error" if errors == 1 else "errors"),
    ]
    kept = document["delivery"]
    if kept is not None:
        of = f"deliveries lost, of {quantities.count(kept['expected'])}"
        found.append(Figure(quantities.count(kept["lost"]), of))
    return tuple(found)
