"""A load document as the load page shows it: the sentence, the figures, the charts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from contract.metrics import round_trip
from reports.load import capacity, charts, distribution, generator, phases
from reports.load import requirements as load_judged
from reports.load import wording as load_wording
from reports.load.capacity import Capacity
from reports.load.charts import Chart
from reports.load.distribution import Distributions
from reports.load.generator import Doubt, Reading, Worker
from reports.load.phases import Phase
from reports.load.requirements import Judged
from reports.shared import limits, wording
from reports.shared.commands import repeating_load
from reports.shared.documents import Document
from reports.shared.wording import Mark
from reports.text import quantities
from reports.text.language import t, tn

_LEDGER: Final = ("posts", "expected", "delivered", *load_wording.WRONG, "undecided", "strangers")
_SHARES: Final = ("delivered", *load_wording.WRONG, "undecided")
_COLUMNS: Final = {
    "mean": "",
    "p50": "p50",
    "p75": "p75",
    "p90": "p90",
    "p95": "p95",
    "p99": "p99",
    "p999": "p99.9",
    "p9999": "p99.99",
    "max": "",
}
"""Figures with their headings; the language's own where there is none."""
_SETTINGS: Final = frozenset(
    ("users", "spawn_rate", "time_s", "think_time_s", "stages", "channels", "rate", "size", "journeys", "processes",
     "tokens", "seed", "embedded", "journeys_file", "abort_on_breach", "contract", "profile", "set", "measure_only",
     "strict", "require_complete", "source_addresses")
)  # fmt: skip
"""Settings that the page gives a name; others keep their own."""
_TOKENS: Final = frozenset(("profile", "file", "command", "pattern"))
_UNITS: Final = frozenset(("spawn_rate", "time_s", "think_time_s", "rate", "size"))
_STEPS: Final = frozenset(("connect", "ack", "join", "post_to_own", "post_to_receive", "ping_period", "close"))
_FIRST_SCREEN: Final = ("users", "rate", "stages", "journeys")


@dataclass(frozen=True, slots=True)
class Figure:
    """A key figure of the first screen."""

    value: str
    label: str
    mark: Mark | None = None
    """Where it should be zero and is not."""


@dataclass(frozen=True, slots=True)
class Threshold:
    source: Mapping[str, Any]
    value: str
    mark: Mark
    word: str


@dataclass(frozen=True, slots=True)
class LedgerRow:
    name: str
    meaning: str
    number: int
    share: str
    """Of what was owed; empty where that says nothing."""
    mark: Mark | None
    """Whether a number that should be zero is; None where any number is fine."""


@dataclass(frozen=True, slots=True)
class Step:
    """A row of the table of latencies."""

    name: str
    meaning: str
    count: int
    cells: tuple[str, ...]
    unit: str
    undecided: int
    """Measurements that may hold delays of the generator itself, which was late."""


@dataclass(frozen=True, slots=True)
class Load:
    """Everything on the load page that is not in the document as it stands."""

    mark: Mark
    sentence: str
    reason: str
    """The document's reason, where the sentence does not say it."""
    cut_off: str
    """How far a run came that did not come to its end."""
    outcome: tuple[Mark, str] | None
    judged: Judged | None
    """The requirements; None where nothing was to be judged."""
    doubts: tuple[Doubt, ...]
    facts: tuple[tuple[str, str], ...]
    figures: tuple[Figure, ...]
    capacity: Capacity | None
    thresholds: tuple[Threshold, ...]
    chart: Chart | None
    late: bool
    """Whether the chart sets off when the generator was late."""
    phases: tuple[Phase, ...]
    headings: tuple[str, ...]
    steps: tuple[Step, ...]
    distributions: Distributions | None
    ledger: tuple[LedgerRow, ...]
    examples: tuple[Mapping[str, Any], ...]
    closes: tuple[tuple[str, str, int], ...]
    errors: tuple[tuple[str, int], ...]
    """Error messages with their counts."""
    readings: tuple[Reading, ...]
    workers: tuple[Worker, ...]
    settings: tuple[tuple[str, str], ...]
    command: str

    @property
    def undecided(self) -> bool:
        """Whether any step has measurements that may hold delays of the generator."""
        return any(step.undecided for step in self.steps)


def build(document: Document) -> Load:
    """The load page's view of a load document."""
    columns = _columns(document)
    settings = document["settings"]
    return Load(
        mark=wording.overall_mark(document),
        sentence=load_wording.load_sentence(document),
        reason=load_wording.reason(document),
        cut_off=load_wording.cut_off_sentence(document),
        outcome=load_wording.outcome_sentence(document),
        judged=load_judged.build(document),
        doubts=generator.doubts(document),
        facts=tuple(setting(name, settings[name]) for name in _FIRST_SCREEN if settings.get(name)),
        figures=_figures(document),
        capacity=capacity.build(document),
        thresholds=_thresholds(document),
        chart=charts.build(
            document["timeline"], document["duration_s"], generator.marks(document), limits.read(document)
        ),
        late=bool(generator.late(document)),
        phases=phases.phases(document),
        headings=tuple(heading for _, heading in columns),
        steps=_steps(document, columns),
        distributions=distribution.build(document["metrics"], limits.read(document)),
        ledger=ledger(document),
        examples=tuple((document["delivery"] or {}).get("examples", ())),
        closes=closes(document),
        errors=sorted_errors(document),
        readings=generator.readings(document),
        workers=generator.workers(document),
        settings=tuple(setting(name, value) for name, value in settings.items() if value not in (None, [])),
        command=repeating_load(document),
    )


def sorted_errors(document: Document) -> tuple[tuple[str, int], ...]:
    """Error messages with their counts, the most frequent first."""
    found = ((entry["message"], entry["count"]) for entry in document["errors"])
    return tuple(sorted(found, key=lambda error: (-error[1], error[0])))


def error_count(document: Document) -> int:
    """How many errors there were, of every kind."""
    return sum(entry["count"] for entry in document["errors"])


def closes(document: Document) -> tuple[tuple[str, str, int], ...]:
    """Close codes with what they mean and how many connections ended with each."""
    found = sorted(document["closes"].items(), key=lambda item: (len(item[0]), item[0]))
    return tuple((code, load_wording.close_meaning(code), number) for code, number in found)


def ledger(document: Document) -> tuple[LedgerRow, ...]:
    """The delivery ledger's rows; empty where none was kept."""
    kept = document["delivery"]
    if kept is None:
        return ()
    return tuple(
        LedgerRow(
            t(f"load.ledger.{name}.name"),
            t(f"load.ledger.{name}.meaning"),
            kept[name],
            quantities.share(kept[name], kept["expected"]) if name in _SHARES else "",
            verdict_mark(not kept[name]) if name in load_wording.WRONG else None,
        )
        for name in _LEDGER
        if name in kept
    )


def verdict_mark(passed: bool | None) -> Mark:
    """The mark of something that was held against a limit; None: it is undecided."""
    return wording.mark("inconclusive" if passed is None else "passed" if passed else "failed")


def _thresholds(document: Document) -> tuple[Threshold, ...]:
    return tuple(
        Threshold(
            entry,
            load_wording.threshold_value(entry),
            load_wording.threshold_mark(entry),
            load_wording.threshold_word(entry),
        )
        for entry in document["thresholds"]
    )


def _columns(document: Document) -> list[tuple[str, str]]:
    """The figures that any metric of this document has, with their headings."""
    return [
        (member, heading or t(f"load.column.{member}"))
        for member, heading in _COLUMNS.items()
        if any(member in metric for metric in document["metrics"].values())
    ]


def _steps(document: Document, columns: list[tuple[str, str]]) -> tuple[Step, ...]:
    return tuple(
        Step(
            name,
            t(f"load.step.{name}") if name in _STEPS else "",
            metric["count"],
            tuple(quantities.measured(metric.get(member)) for member, _ in columns),
            metric["unit"],
            metric.get("undecided", 0),
        )
        for name, metric in document["metrics"].items()
    )


def setting(name: str, value: object) -> tuple[str, str]:
    label = t(f"load.setting.{name}") if name in _SETTINGS else name
    text = t(f"load.setting.tokens.{value}") if name == "tokens" and value in _TOKENS else quantities.setting(value)
    return label, t(f"load.setting.{name}.value", value=text) if name in _UNITS and value is not None else text


def _figures(document: Document) -> tuple[Figure, ...]:
    timeline = document["timeline"]
    rates = [point["rate"] for point in timeline if point["rate"] is not None]
    users = max((point["users"] for point in timeline), default=0)
    errors = error_count(document)
    found = [
        Figure(quantities.count(users) if timeline else quantities.NOTHING, t("load.figure.users")),
        Figure(quantities.measured(max(rates, default=None)), t("load.figure.trips")),
        Figure(quantities.count(errors), tn("load.figure.errors", errors)),
    ]
    trip = round_trip(document["metrics"])
    if trip is not None and trip["p99"] is not None:
        median = t("load.figure.p99", p50=quantities.measured(trip["p50"]))
        found.insert(2, Figure(f"{quantities.measured(trip['p99'])} ms", median))
    kept = document["delivery"]
    if kept is not None:
        wrong = sum(kept[name] for name in load_wording.WRONG)
        kind = "lost" if wrong == kept["lost"] else "wrong"
        of = t(f"load.figure.{kind}", expected=quantities.count(kept["expected"]))
        found.append(Figure(quantities.count(wrong), of, verdict_mark(False) if wrong else None))
    return tuple(found)
