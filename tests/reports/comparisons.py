"""Comparisons for the tests: pairs of documents that differ in what a test is about, and generated ones."""

import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from reports.compare.comparison import compare
from reports.compare.parts import Run
from tests.reports import builder, loads
from tests.reports.builder import Json

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"
VALIDATOR = Draft202012Validator(json.loads((SCHEMAS / "comparison.schema.json").read_text(encoding="utf-8")))
TOOL = {"name": "wsproof", "version": "0.1.0"}

IDS = ("ERR-01", "ERR-02", "ERR-03", "SEND-01", "SEND-02")
VERDICTS = ("passed", "failed", "inconclusive", "untested", "error")


def compared(*documents: Json, tolerance: float = 0.1, pages: bool = False) -> Json:
    """The comparison of documents, which are called a, b, c; its schema accepts it."""
    runs = [
        Run(chr(ord("a") + index), document, f"{index}/page.html" if pages else None)
        for index, document in enumerate(documents)
    ]
    found = dict(compare(runs, TOOL, tolerance))
    VALIDATOR.validate(found)
    return found


def changed(comparison: Json) -> dict[str, list[str]]:
    """The names of what changed, by list; those that do not weigh in brackets."""
    return {
        name: [change["name"] if change["weighs"] else f"({change['name']})" for change in listed]
        for name, listed in comparison["changes"].items()
        if listed
    }


def verdicts(strict: bool = False, level: str = "MUST", **given: str) -> Json:
    """A results document with these verdicts, such as ``ERR_01="failed"``."""
    names = {name.replace("_", "-"): verdict for name, verdict in given.items()}
    scenarios = [
        builder.scenario(f"case-{name.lower()}", verdict, verifies=[name], failures=_failures(name, level, verdict))
        for name, verdict in names.items()
    ]
    requirements = [
        builder.requirement(name, verdict, level, scenarios=[f"case-{name.lower()}"]) for name, verdict in names.items()
    ]
    return builder.results(requirements, scenarios, strict=strict)


def _failures(name: str, level: str, verdict: str) -> list[Json]:
    return [builder.failure(name, level)] if verdict == "failed" else []


def slower(factor: float, **members: Any) -> Json:
    """A full load test whose round trips took `factor` times as long."""
    median, spread, count = loads.STEPS["post_to_own"]
    metrics = {name: loads.metric(*figures) for name, figures in loads.STEPS.items()}
    return loads.full(metrics=metrics | {"post_to_own": loads.metric(median * factor, spread, count)}, **members)


@st.composite
def results(draw: st.DrawFn) -> Json:
    """A results document with any verdicts."""
    names = draw(st.lists(st.sampled_from(IDS), unique=True))
    requirements = []
    for name in names:
        levels = draw(st.lists(st.sampled_from(("MUST", "SHOULD", "MAY")), min_size=1, max_size=3))
        found = [draw(st.sampled_from(VERDICTS)) for _ in levels]
        pairs = zip(levels, found, strict=True)
        clauses = [{"level": level, "verdict": verdict, "reason": None} for level, verdict in pairs]
        requirements.append(builder.requirement(name, found[0], levels[0], clauses=clauses))
    return builder.results(requirements, strict=draw(st.booleans()))


_COUNTS = st.integers(0, 5)
_METRICS = st.dictionaries(
    st.sampled_from(("connect", "post_to_own", "ping_period")),
    st.builds(builder.metric, st.none() | st.floats(0.01, 1000), st.integers(0, 5000)),
)
_LIMITS = st.tuples(
    st.sampled_from(("p99(connect)", "lost")), st.sampled_from(("< 5ms", "== 0")), st.sampled_from((True, False, None))
)


_REQUIREMENTS = st.dictionaries(st.sampled_from(IDS), st.sampled_from(VERDICTS[:4])).map(
    lambda verdicts: [
        builder.broken(name) if verdict == "failed" else builder.judged(name, verdict)
        for name, verdict in verdicts.items()
    ]
)


@st.composite
def load_tests(draw: st.DrawFn) -> Json:
    """A load document with any figures."""
    limits = draw(st.lists(_LIMITS, max_size=3))
    kept = {name: draw(_COUNTS) for name in ("expected", "delivered", "lost", "duplicated", "reordered")}
    knee = draw(st.none() | st.floats(1, 500))
    return loads.full(
        metrics=draw(_METRICS),
        requirements=draw(_REQUIREMENTS),
        outcome={"passed": draw(st.booleans()), "reasons": []},
        thresholds=[{"metric": one, "limit": two, "value": None, "passed": held} for one, two, held in limits],
        delivery=draw(st.none() | st.just(kept | {"misdelivered": 0})),
        errors=builder.errors(draw(st.dictionaries(st.sampled_from(("no answer", "closed")), st.integers(1, 5)))),
        capacity=draw(st.none() | st.just(loads.capacity()["capacity"] | {"knee": knee})),
    )
