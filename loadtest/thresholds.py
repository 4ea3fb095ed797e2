"""Thresholds such as `p99(post_to_own) < 200ms`, `errors == 0` or `errors < 1%`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from operator import eq, ge, gt, le, lt
from typing import Any

from loadtest.settings import LoadError

_EXPRESSION = re.compile(
    r"\s*(?:(p50|p90|p95|p99|p999|max|mean|count)\(([a-z_]+)\)|(errors))\s*(<=|>=|==|<|>)\s*([0-9.]+)\s*(ms|s|%)?\s*"
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

    def judge(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """The entry of the load document. What was not measured has no value, and does not pass."""
        value = self._value(document)
        passed = value is not None and bool(_OPERATORS[self.operator](value, self.limit))
        return {
            "metric": self.metric,
            "limit": f"{self.operator} {self.limit:g}{self.unit}",
            "value": value,
            "passed": passed,
        }

    def _value(self, document: Mapping[str, Any]) -> float | None:
        if self.name is None:
            errors = sum(document["errors"].values())
            if self.unit != "%":
                return float(errors)
            done = sum(metric["count"] for metric in document["metrics"].values())
            return 100.0 * errors / (errors + done) if errors + done else None
        metric = document["metrics"].get(self.name)
        return float(metric[self.figure]) if metric and metric["count"] else None


def parse_threshold(text: str) -> Threshold:
    """Raises `LoadError` with what was expected."""
    found = _EXPRESSION.fullmatch(text)
    if found is None:
        raise LoadError(
            f"--threshold {text!r}: expected something like 'p99(post_to_own) < 200ms', 'errors == 0' or 'errors < 1%'"
        )
    figure, name, errors, operator, number, unit = found.groups()
    limit = float(number)
    if errors:
        if unit not in (None, "%"):
            raise LoadError(f"--threshold {text!r}: errors are counted, or given in %")
        return Threshold("errors", "count", None, operator, limit, unit or "")
    if figure == "count":
        if unit is not None:
            raise LoadError(f"--threshold {text!r}: a count has no unit")
        return Threshold(f"count({name})", "count", name, operator, limit, "")
    if unit not in ("ms", "s"):
        raise LoadError(f"--threshold {text!r}: a latency needs a unit, ms or s")
    return Threshold(f"{figure}({name})", figure, name, operator, limit * (1000 if unit == "s" else 1), "ms")
