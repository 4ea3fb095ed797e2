"""Load documents with every member that one may have, as real runs of different fortunes would write them.

All figures come of a seeded generator and a few formulas: the same document on every call.
"""

import math
import random
from functools import partial
from typing import Any

from contract.findings import phrase
from tests.bundled import load_requirements
from tests.reports import builder
from tests.reports.builder import Json

QUANTILES = (0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999)
NAMES = ("p50", "p75", "p90", "p95", "p99", "p999", "p9999")
STEPS = {
    "connect": (2.4, 0.35, 400),
    "ack": (0.9, 0.4, 400),
    "join": (1.1, 0.4, 600),
    "post_to_own": (1.3, 0.5, 23_800),
    "post_to_receive": (1.9, 0.6, 476_000),
    "ping_period": (20_000.0, 0.001, 1_200),
    "close": (0.7, 0.3, 400),
}
"""Median (ms), spread and number of measurements of each metric."""


def histogram(median: float, spread: float, count: int, points: int = 120, stall: float = 0.0) -> list[list[float]]:
    """A cumulative log-normal distribution; with `stall` (ms), 3 % of it waited up to so long."""
    shares = sorted({1 - 10 ** (-math.log10(count) * n / (points - 1)) for n in range(points)} | {1.0})
    found: list[list[float]] = []
    for share in shares:
        value = round(_value(median, spread, min(share, 1 - 0.5 / count), stall), 3)
        number = max(round(share * count), 1)
        if found and number <= found[-1][1]:
            continue
        found.append([max(value, found[-1][0] if found else 0.0), number])
    return found


def _value(median: float, spread: float, share: float, stall: float) -> float:
    z = math.sqrt(2) * _inverse_error(2 * share - 1)
    plain = median * math.exp(spread * z)
    return plain + stall * max(0.0, (share - 0.97) / 0.03) if stall else plain


def _inverse_error(x: float) -> float:
    """Winitzki's approximation of the inverse error function."""
    x = max(min(x, 1 - 1e-12), -1 + 1e-12)
    part = 2 / (math.pi * 0.147) + math.log(1 - x * x) / 2
    return math.copysign(math.sqrt(math.sqrt(part**2 - math.log(1 - x * x) / 0.147) - part), x)


def metric(median: float, spread: float, count: int, stall: float = 0.0) -> Json:
    """A metric with all its figures, read from its histogram."""
    points = histogram(median, spread, count, stall=stall)
    figures = {
        name: next(value for value, number in points if number >= math.ceil(quantile * count))
        for name, quantile in zip(NAMES, QUANTILES, strict=True)
    }
    mean = round(median * math.exp(spread**2 / 2) + stall * 0.015, 3)
    return {"count": count, "mean": mean, **figures, "max": points[-1][0], "unit": "ms", "histogram": points}


def timeline(seconds: int, users: int, seed: int = 1, stalled: tuple[int, int] = (-1, -1)) -> list[Json]:
    """A ramp over the first sixth, then a plateau; nothing is received in the seconds from `stalled`."""
    chance = random.Random(seed)
    found = []
    for t in range(seconds):
        there = min(users, max(1, round(users * (t + 1) / max(seconds / 6, 1))))
        rate = there * chance.uniform(0.96, 1.0)
        p50 = chance.uniform(1.2, 1.5)
        stall = stalled[0] <= t < stalled[1]
        after = t == stalled[1]
        late = (stalled[1] - stalled[0]) * 1000.0 if after else 0.0
        figures = {
            "p50": p50 + late / 2,
            "p95": p50 * 2.2 + late * 0.95,
            "p99": p50 * 4 * chance.uniform(0.9, 1.6) + late * 0.99,
            "max": p50 * 9 * chance.uniform(0.8, 2.5) + late,
        }
        point: Json = {"t": t, "users": there, "rate": 0.0 if stall else round(rate, 1)}
        point |= {name: None if stall else round(value, 3) for name, value in figures.items()}
        point |= {"errors": 0, "posts": round(rate, 1), "received": 0.0 if stall else round(rate * 20, 1)}
        found.append(point | {"closes": chance.choice((0, 0, 0, 1, 2)), "connected": there})
    return found


def worker(name: str, state: str = "finished", **members: Any) -> Json:
    usual = {"users": 133, "cpu_percent": 41.5, "late_ms_max": 3.1, "last_report_s": 60.0}
    return {"name": name, "state": state} | usual | members


def example(kind: str, **members: Any) -> Json:
    return {
        "kind": kind,
        "t_s": 31.25,
        "channel": "load-55512345-3",
        "poster": "user 17",
        "number": 28,
        "receiver": "user 203",
        "detail": "number 27 and number 29 arrived",
    } | members


def trial(users: int, slow: float, passed: bool = True, **members: Any) -> Json:
    """One load of a capacity curve."""
    broken = [] if passed else [f"p99(post_to_receive) {slow:.0f} ms (limit < 200ms)"]
    usual = {"rate": 1.0, "p50": slow / 6, "p95": slow / 2, "p99": slow, "throughput": users * 0.99}
    return {"users": users} | usual | {"errors": 0, "lost": 0, "passed": passed, "breached": broken} | members


SETTINGS: Json = {
    "users": 400,
    "spawn_rate": 40,
    "time_s": 60,
    "stages": ["400:10s", "400:50s"],
    "channels": 20,
    "rate": 1.0,
    "size": 250,
    "journeys": {"chatter": 4, "listener": 1},
    "processes": 3,
    "tokens": "pattern",
    "seed": 4711,
}
LEDGER: Json = {
    "expected": 476_000,
    "delivered": 475_880,
    "lost": 0,
    "duplicated": 0,
    "reordered": 0,
    "misdelivered": 0,
    "posts": 23_800,
    "strangers": 0,
    "undecided": 120,
    "examples": [],
}
HEALTH: Json = {
    "cpu_percent": 41.5,
    "late_ms_max": 8.4,
    "lag_ms_p99": 0.9,
    "late_sends_p99_ms": 0.4,
    "cores": 4,
    "limited": False,
    "reason": None,
    "workers": [worker("worker 1"), worker("worker 2"), worker("worker 3", users=134)],
}


def stated(name: str) -> Json:
    """What the bundled contract says of a requirement."""
    one = load_requirements()[name]
    titles = {"section_title": one.section.title, "section_title_ja": one.section.title_ja}
    return titles | {"statement": one.statement, "statement_ja": one.statement_ja}


def judged(name: str, verdict: str = "passed", level: str = "MUST", **members: Any) -> Json:
    """A requirement of the bundled contract."""
    make = builder.broken if verdict == "failed" else partial(builder.judged, verdict=verdict)
    return make(name, level=level, **(stated(name) | members))


HOLDING: list[Json] = [
    judged("CONN-01", applied=400, of="connection"),
    judged("HB-02", applied=1200, of="ping"),
    judged("SEND-01", applied=475_880, undecided=120),
    judged("SEND-03", level="SHOULD", applied=475_880),
]
MIXED: Json = judged("SEND-01")
"""A requirement with a MUST that holds and a SHOULD that was broken."""
MIXED |= {"clauses": [*MIXED["clauses"], *builder.broken("SEND-01", "SHOULD")["clauses"]]}
BREAKING: list[Json] = [
    HOLDING[0],
    judged(
        "HB-02",
        "inconclusive",
        applied=1200,
        undecided=900,
        of="ping",
        reason=phrase("load-undecided", left=900, chances=1200),
    ),
    judged(
        "SEND-01",
        "failed",
        failed=43,
        applied=476_000,
        findings=[
            builder.found(phrase("undelivered"), 41),
            builder.found(phrase("not-joined"), 2, "membership", last_s=12.3),
        ],
    ),
    judged(
        "SEND-03", "failed", "SHOULD", failed=3, applied=475_839, findings=[builder.found(phrase("delivered-twice"), 3)]
    ),
    judged("ERR-09", "untested", reason=phrase("load-untested")),
]
"""A run in which something broke, and in which not everything could be judged."""


def full(**members: Any) -> Json:
    """A run with every member, in which all was well."""
    usual: Json = {
        "requirements": HOLDING,
        "duration_s": 61.2,
        "settings": SETTINGS,
        "thresholds": [
            {"metric": "p99(post_to_receive)", "limit": "< 200ms", "value": 7.7, "passed": True},
            {"metric": "lost", "limit": "== 0", "value": 0, "passed": True},
            {"metric": "errors", "limit": "< 0.1%", "value": 0.0, "passed": True},
        ],
        "aborted": None,
        "metrics": {name: metric(*figures) for name, figures in STEPS.items()},
        "delivery": LEDGER,
        "timeline": timeline(60, 400),
        "closes": {"1000": 398, "1001": 2},
        "generator": HEALTH,
        "phases": [PHASES[0], phase("hold", 10.0, 60.0, (400, 400))],
        "capacity": None,
    }
    return builder.load(**(usual | members))


def faulty(**members: Any) -> Json:
    """A run in which a server stalled and lost messages, a worker vanished, and the generator was short of time."""
    wrong = {"lost": 41, "duplicated": 3, "reordered": 17, "misdelivered": 2, "strangers": 5, "delivered": 475_839}
    examples = [
        *(example("lost", t_s=31.25 + n / 7, number=28 + n, receiver=f"user {203 + n}") for n in range(4)),
        example("duplicated", detail="arrived 3 times", poster="user 4"),
        example("reordered", detail="number 29 arrived before it"),
        example("misdelivered", receiver="user 12", detail="user 12 had not joined the channel"),
        example("misdelivered", t_s=None, number=None, detail='another text: "bye" instead of "hello"'),
    ]
    health = HEALTH | {
        "cpu_percent": 99.2,
        "late_ms_max": 212.0,
        "lag_ms_p99": 61.5,
        "late_sends_p99_ms": 88.0,
        "limited": True,
        "reason": "worker 1 used 99 % of its core, and its messages left up to 212 ms late",
        "workers": [
            worker("worker 1", cpu_percent=99.2, late_ms_max=212.0),
            worker("worker 2", "lost", last_report_s=29.0),
            worker("worker 3"),
        ],
    }
    slow = {name: metric(*figures, stall=2000.0) for name, figures in STEPS.items() if name.startswith("post")}
    late = slow["post_to_receive"]["p99"]
    breached = [
        {"metric": "p99(post_to_receive)", "limit": "< 200ms", "value": late, "passed": False},
        {"metric": "lost", "limit": "== 0", "value": 41, "passed": False},
        {"metric": "p50(post_to_own)", "limit": "< 10ms", "value": 1.4, "passed": True},
        {"metric": "p99(close)", "limit": "< 10ms", "value": None, "passed": False},
    ]
    usual: Json = {
        "requirements": BREAKING,
        "shed": {"HTTP 429": 12, "RATE_LIMITED": 3, "4429": 1},
        "thresholds": breached,
        "metrics": {name: metric(*figures) for name, figures in STEPS.items()} | slow,
        "delivery": LEDGER | wrong | {"examples": examples},
        "timeline": [
            point | {"errors": 12 if point["t"] == 33 else 1 if point["t"] == 40 else 0}
            for point in timeline(60, 400, stalled=(31, 33))
        ],
        "closes": {"1000": 371, "1006": 12, "1011": 4, "4001": 3, "4400": 1, "1000000": 1},
        "errors": builder.errors({"no answer within 5 s": 12, "closed with 1011 (internal error)": 1}),
        "generator": health,
        "phases": PHASES,
    }
    return full(**(usual | members))


def aborted(**members: Any) -> Json:
    """A run that a breach ended early."""
    usual: Json = {"aborted": "lost == 0", "duration_s": 34.0, "timeline": timeline(34, 400, stalled=(31, 33))}
    return faulty(**(usual | members))


def late(**members: Any) -> Json:
    """A run in which the generator was late for a while: what it measured then is undecided."""
    points = [point | ({"generator_late": True} if 20 <= point["t"] < 26 else {}) for point in timeline(60, 400)]
    slow = metric(*STEPS["post_to_receive"]) | {"undecided": 12_400}
    limits = [{"metric": "p99(post_to_receive)", "limit": "< 200ms", "value": 310.0, "passed": None}]
    late_ones = [judged("SEND-01", applied=463_600, undecided=12_400), *HOLDING[3:]]
    usual: Json = {
        "timeline": points,
        "metrics": full()["metrics"] | {"post_to_receive": slow},
        "thresholds": limits,
        "requirements": late_ones,
        "generator": HEALTH | {"late": [[20.0, 26.0]]},
    }
    return full(**(usual | members))


def phase(name: str, start: float, stop: float, users: tuple[int, int], *, broken: bool = False) -> Json:
    """A phase of a run."""
    count = int((stop - start) * 400)
    nothing = dict.fromkeys(("lost", "duplicated", "reordered", "misdelivered", "undecided"), 0)
    kept = nothing | {"expected": count * 20, "delivered": count * 20, "lost": 41 if broken else 0}
    limit = {"metric": "p99(post_to_own)", "limit": "< 200ms", "value": 900.0 if broken else 4.2, "passed": not broken}
    trip = metric(1.3, 0.5, count, stall=2000.0 if broken else 0.0)
    del trip["histogram"]
    times = {"from_s": start, "to_s": stop, "users_before": users[0], "users": users[1]}
    brief: Json = {"id": "SEND-01", "level": "MUST", "verdict": "failed" if broken else "passed", "applied": count * 20}
    brief |= {"of": "delivery", "failed": 41 if broken else 0, "undecided": 0}
    brief |= {"first_s": start + 1.5 if broken else None, "last_s": stop - 1.0 if broken else None}
    verdict = {"verdict": "non-conformant" if broken else "conformant", "requirements": [brief]}
    judged_there = verdict | {"errors": 13 if broken else 0, "delivery": kept, "thresholds": [limit]}
    return {"name": name, **times, "metrics": {"post_to_own": trip}, **judged_there}


PHASES: list[Json] = [phase("ramp", 0.0, 10.0, (0, 400)), phase("hold", 10.0, 60.0, (400, 400), broken=True)]


def measured(**members: Any) -> Json:
    """A run that was to judge nothing."""
    settings = SETTINGS | {"measure_only": True}
    return full(
        **(
            {
                "verdict": "measured",
                "requirements": [],
                "settings": settings,
                "thresholds": [],
                "phases": [PHASES[0] | {"thresholds": [], "verdict": "measured", "requirements": []}],
            }
            | members
        )
    )


def capacity(**members: Any) -> Json:
    """A search for the number of users that the server bears."""
    curve = [
        trial(100, 6.0),
        trial(200, 7.5),
        trial(400, 11.0),
        trial(800, 38.0),
        trial(1600, 2900.0, passed=False, throughput=1130.0, errors=7),
        trial(1200, 410.0, passed=False, throughput=1105.0),
        trial(1000, 96.0),
        trial(1100, 171.0, throughput=1080.0),
        trial(1150, 248.0, passed=False, throughput=1092.0, lost=3),
    ]
    found = {"unit": "users", "knee": 1100, "broke": 1150, "curve": curve}
    reason = "the bounds lie within 5 % of each other"
    return full(**({"capacity": found | {"reason": reason}} | members))


def long(**members: Any) -> Json:
    """An hour with an entry for each second."""
    return full(**({"duration_s": 3600.0, "timeline": timeline(3600, 400, stalled=(1700, 1702))} | members))
