"""The names of the latencies that a load test measures: the steps that any contract has, its requests and its flows."""

from collections.abc import Collection, Iterable, Mapping
from typing import TypeVar

METRICS = ("connect", "ack", "join", "post_to_own", "post_to_receive", "ping_period", "close")
"""Latencies by step of a journey; `ping_period` is the time between two heartbeats of the server."""

ROUND_TRIP, TO_OTHERS = "post_to_own", "post_to_receive"
"""From a post to its return to the poster, and to others; a flow of a contract may have names of its own for them."""

REPLY, RECEIVE = "reply", "receive"
"""Stand behind the name of a request, or of a flow, and a dot."""

Figures = TypeVar("Figures")


def metric_of(name: str, kind: str) -> str:
    """The metric of a request or a flow."""
    return f"{name}.{kind}"


def is_round_trip(metric: str) -> bool:
    """Whether it is the time until something of the user's own is answered, or comes back."""
    return metric == ROUND_TRIP or metric.endswith(f".{REPLY}")


def round_trip(metrics: Mapping[str, Figures]) -> Figures | None:
    """The figures of the first round trip among a run's metrics; None: it has none."""
    return next((figures for name, figures in metrics.items() if is_round_trip(name)), None)


def in_order(names: Collection[str], but: Iterable[str] = ()) -> list[str]:
    """Metrics in the order in which reports show them: the steps, and then requests and flows by name."""
    others = {*names} - {*METRICS} - {*but}
    return [*(one for one in METRICS if one in names), *sorted(others)]
