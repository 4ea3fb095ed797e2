"""Thresholds such as `p99(post_to_own) < 200ms`, `errors == 0` or `errors < 1%`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from operator import eq, ge, gt, le, lt
from typing import Any

from loadtest.recorder import METRICS
from loadtest.settings import LoadError

FIGURES = ("p50", "p90", "p95", "p99", "p999", "max", "mean", "count")

_EXPRESSION = re.compile(
    r"\s*(?:([a-z0-9]+)\s*\(\s*([a-z_]+)\s*\)|(errors))"
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

    def judge(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """The entry of the load document. What was not measured has no value, and does not pass."""
        value = self._value(document)
        passed = value is not None and bool(_OPERATORS[self.operator](value, self.limit))
        return {
            "metric": self.metric,
            "limit": f"{self.operator} {number(self.limit)}{self.unit}",
            "value": value,
            "passed": passed,
        }

    def _value(self, document: Mapping[str, Any]) -> float | None:
        if self.name is None:
            return self._errors(document)
        metric = document["metrics"].get(self.name)
        return float(metric[self.figure]) if metric and metric["count"] else None

    def _errors(self, document: Mapping[str, Any]) -> float | None:
        """Errors, or their share of everything that was measured or went wrong."""
        errors = sum(document["errors"].values())
        done = errors + sum(metric["count"] for metric in document["metrics"].values())
        if not done:
            return None
        return round(100.0 * errors / done, 6) if self.unit == "%" else float(errors)


def number(value: float) -> str:
    """A number as people write it: 200, 0.5, 1500000."""
    return str(int(value)) if value.is_integer() else repr(value)


def parse_threshold(text: str) -> Threshold:
    """Raises `LoadError` with what was expected."""
    found = _EXPRESSION.fullmatch(text)
    if found is None:
        raise _wrong(text, "something like 'p99(post_to_own) < 200ms', 'errors == 0' or 'errors < 1%'")
    figure, name, errors, operator, limit_text, unit = found.groups()
    limit = float(limit_text)
    if errors:
        if unit not in (None, "%"):
            raise _wrong(text, f"a number of errors, or a share such as 1%; got the unit {unit}")
        return Threshold("errors", "count", None, operator, limit, unit or "")
    if figure not in FIGURES:
        raise _wrong(text, f"one of the figures {', '.join(FIGURES)}; got {figure!r}")
    if name not in METRICS:
        raise _wrong(text, f"one of the metrics {', '.join(METRICS)}; got {name!r}")
    if figure == "count":
        if unit is not None:
            raise _wrong(text, f"a count without a unit; got {unit}")
        return Threshold(f"count({name})", "count", name, operator, limit, "")
    if unit not in ("ms", "s"):
        raise _wrong(text, "a time with its unit, ms or s")
    return Threshold(f"{figure}({name})", figure, name, operator, limit * (1000 if unit == "s" else 1), "ms")


def _wrong(text: str, expected: str) -> LoadError:
    return LoadError(f"--threshold {text!r}: expected {expected}")
