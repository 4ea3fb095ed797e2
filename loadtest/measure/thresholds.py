"""Thresholds such as `p99(post_to_own) < 200ms`, `lost == 0`, `rate(post_to_own) > 100` or `errors < 1%`.

`p99(post_to_own{phase:hold}) < 200ms` and `lost{phase:hold} == 0` are about one phase of the run, as k6 writes it.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from operator import eq, ge, gt, le, lt
from typing import Any

from contract.metrics import METRICS, RECEIVE, REPLY
from loadtest.settings.settings import LoadError

FIGURES = ("p50", "p75", "p90", "p95", "p99", "p999", "p9999", "max", "mean", "count", "rate")
COUNTS = ("errors", "expected", "delivered", "lost", "duplicated", "reordered", "misdelivered")

_EXPRESSION = re.compile(
    r"\s*(?:([a-z0-9.]+)\s*\(\s*([^\s(){}]+)\s*(?:\{\s*phase\s*:\s*([a-z0-9 ]+?)\s*\})?\s*\)"
    r"|([a-z]+)\s*(?:\{\s*phase\s*:\s*([a-z0-9 ]+?)\s*\})?)"
    r"\s*(<=|>=|==|<|>)\s*([0-9]+(?:\.[0-9]+)?)\s*(ms|s|%)?\s*",
    re.ASCII,
)
_OPERATORS = {"<": lt, "<=": le, ">": gt, ">=": ge, "==": eq}


@dataclass(frozen=True, slots=True)
class Threshold:
    """`unit` is ms for latencies, % or nothing for errors and counts; `limit` is in that unit."""

    metric: str
    figure: str
    name: str | None
    operator: str
    limit: float
    unit: str
    phase: str | None = None
    """The phase that it is about; None: the whole run."""

    def judge_run(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """The entry of the load document, with what was measured in the phase that is meant."""
        if self.phase is None:
            return self.judge(document)
        for phase in document["phases"]:
            if phase["name"] == self.phase:
                return self.judge({**phase, "duration_s": phase["to_s"] - phase["from_s"]})
        # The run ended before it.
        return self.judge({"metrics": {}, "errors": [], "delivery": None})

    def judge(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """The entry of the load document. What was not measured has no value, and does not pass.

        Of a latency, what was measured while the generator was punctual decides: a limit that this breaches is
        breached, and one that only the rest breaches is undecided (None).
        """
        value = self._value(document)
        passed: bool | None = value is not None and self._keeps(value)
        if value is not None and self.unit in ("ms", "s") and document["metrics"][self.name].get("undecided"):
            punctual = document["metrics"][self.name]["punctual"]
            decided = float(punctual[self.figure]) if punctual is not None else None
            if decided is not None and not self._keeps(decided):
                value, passed = decided, False
            elif not passed:
                passed = None
        return {
            "metric": self.metric,
            "limit": f"{self.operator} {number(self.limit)}{self.unit}",
            "value": value,
            "passed": passed,
        }

    def _keeps(self, value: float) -> bool:
        return bool(_OPERATORS[self.operator](value, self.limit))

    def may_still_pass(self, value: float) -> bool:
        """Whether more of what is counted could make a breach good."""
        return self.operator == "==" and self.figure == "count" and value < self.limit

    def _value(self, document: Mapping[str, Any]) -> float | None:
        if self.name is not None:
            metric = document["metrics"].get(self.name)
            if not metric or not metric["count"]:
                return None
            if self.figure == "rate":
                return round(metric["count"] / document["duration_s"], 3) if document.get("duration_s") else None
            return float(metric[self.figure])
        counted = self.metric.partition("{")[0]
        if counted == "errors":
            return self._errors(document)
        delivery = document.get("delivery")
        if delivery is None or not delivery["expected"]:
            return None
        count = float(delivery[counted])
        return round(100.0 * count / delivery["expected"], 6) if self.unit == "%" else count

    def _errors(self, document: Mapping[str, Any]) -> float | None:
        """Errors, or their share of everything that was measured or went wrong."""
        told = document["errors"]
        errors = told if isinstance(told, int) else sum(one["count"] for one in told)
        done = errors + sum(metric["count"] for metric in document["metrics"].values())
        if not done:
            return None
        return round(100.0 * errors / done, 6) if self.unit == "%" else float(errors)


def breaches(thresholds: Iterable[Threshold], document: Mapping[str, Any]) -> list[str]:
    """The thresholds that a document so far breaches for good; what has no value yet may still keep its limit."""
    found = []
    for one in thresholds:
        # What has to be reached by the end need not be reached yet.
        if one.operator in ("<", "<=", "==") and one.phase is None:
            judged = one.judge(document)
            if judged["value"] is not None and judged["passed"] is False and not one.may_still_pass(judged["value"]):
                found.append(f"{judged['metric']} {judged['limit']}")
    return found


def number(value: float) -> str:
    """A number as people write it: 200, 0.5, 1500000."""
    return str(int(value)) if value.is_integer() else repr(value)


def parse_threshold(text: str) -> Threshold:
    """Raises `LoadError` with what was expected."""
    found = _EXPRESSION.fullmatch(text)
    if found is None:
        raise _wrong(text, "an expression such as 'p99(post_to_own) < 200ms', 'lost == 0' or 'errors < 1%'")
    figure, name, of_metric, counted, of_count, operator, limit_text, unit = found.groups()
    limit, phase = float(limit_text), of_metric or of_count
    told = f"{{phase:{phase}}}" if phase else ""
    if counted:
        if counted not in COUNTS:
            raise _wrong(text, f"one of {', '.join(COUNTS)}, or a figure of a metric; got {counted!r}")
        if unit not in (None, "%"):
            raise _wrong(text, f"a number, or a share such as 1%; got the unit {unit}")
        return Threshold(f"{counted}{told}", "count", None, operator, limit, unit or "", phase)
    figure = figure.replace(".", "")
    if figure not in FIGURES:
        raise _wrong(text, f"one of the figures {', '.join(FIGURES)}; got {figure!r}")
    if name not in METRICS and not any(name.endswith(f".{kind}") for kind in (REPLY, RECEIVE)):
        raise _wrong(text, f"one of the metrics {', '.join(METRICS)}, NAME.reply, NAME.receive; got {name!r}")
    if figure in ("count", "rate"):
        if unit is not None:
            raise _wrong(text, f"a number without a unit; got {unit}")
        return Threshold(f"{figure}({name}{told})", figure, name, operator, limit, "", phase)
    if unit not in ("ms", "s"):
        raise _wrong(text, "a time with its unit, ms or s")
    limit *= 1000 if unit == "s" else 1
    return Threshold(f"{figure}({name}{told})", figure, name, operator, limit, "ms", phase)


def _wrong(text: str, expected: str) -> LoadError:
    return LoadError(f"--threshold {text!r}: expected {expected}")
