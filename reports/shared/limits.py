"""The limits that thresholds set to latencies, as far as they can be drawn into a chart."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from reports.shared import plots
from reports.shared.documents import Document

MAX_DRAWN: Final = 4
"""So many limits are drawn into one panel; all stand in the table of thresholds."""

_METRIC: Final = re.compile(r"(p[0-9]{1,4}(?:\.[0-9]{1,4})?|max|mean)\(([^(){}\s]{1,80})\)")
_LIMIT: Final = re.compile(r"([<>]=?) ?([0-9]{1,9}(?:\.[0-9]{1,6})?) ?(us|ms|s)?")
_MILLISECONDS: Final[Mapping[str | None, float]] = {"us": 0.001, "ms": 1, None: 1, "s": 1000}
_NEAR: Final = 3
"""A limit so many times the highest value is far away: it would press the values flat."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What a figure (such as `p99`) of a metric must keep to, in milliseconds; not `kept`: it surely did not."""

    metric: str
    value: float
    label: str
    kept: bool
    """Whether nothing breached it, as far as that is decided."""


def read(document: Document) -> tuple[Limit, ...]:
    """The limits of a document's thresholds; those of another form are left out."""
    found = (_limit(threshold) for threshold in document["thresholds"])
    return tuple(limit for limit in found if limit is not None)


def _limit(threshold: Mapping[str, Any]) -> Limit | None:
    metric, limit = _METRIC.fullmatch(threshold["metric"].strip()), _LIMIT.fullmatch(threshold["limit"].strip())
    if metric is None or limit is None:
        return None
    sign, number, unit = limit.groups()
    label = f"{metric[1]} {sign} {number} {unit or 'ms'}"
    return Limit(metric[2], float(number) * _MILLISECONDS[unit], label, threshold["passed"] is not False)


def near(limits: Sequence[Limit], highest: float) -> tuple[Limit, ...]:
    """Those of `limits` that have room in a plot whose highest value is `highest`, breached ones first."""
    found = [limit for limit in limits if 0 < limit.value <= _NEAR * highest]
    return tuple(sorted(found, key=lambda limit: limit.kept)[:MAX_DRAWN])


def lines(limits: Sequence[Limit], axis: plots.Axis) -> tuple[plots.Line, ...]:
    """The limits as lines across a plot."""
    return tuple(plots.Line(axis.down(limit.value), limit.label, limit.kept) for limit in limits)
