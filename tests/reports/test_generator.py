"""The load generator's own health."""

from typing import Any

import pytest

from reports.load import generator
from tests.reports import builder, loads


def _doubts(**members: Any) -> list[str]:
    return [doubt.title + doubt.text for doubt in generator.doubts(loads.full(**members))]


def test_one_that_was_not_watched_or_was_fine_raises_no_doubt() -> None:
    assert _doubts() == []
    assert _doubts(generator=None) == []
    assert generator.readings(loads.full(generator=None)) == ()


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ({"limited": True}, "The load generator, not the endpoint, was the bottleneck. The latencies include"),
        ({"limited": True, "reason": "no file descriptors"}, "was the bottleneck: no file descriptors. The latencies"),
    ],
)
def test_the_limit_is_told_with_its_reason(members: dict[str, Any], sentence: str) -> None:
    (doubt,) = _doubts(generator=loads.HEALTH | members)
    assert sentence in doubt


def test_late_seconds_are_told_once() -> None:
    late = [[number, number + 1] for number in range(0, 12, 2)]
    (doubt,) = _doubts(generator=loads.HEALTH | {"late": late})
    assert doubt.startswith(
        "The load generator was late at 0–1 s, 2–3 s, 4–5 s, 6–7 s and 2 more. Latencies of that time"
    )
    stalled = {"code": "generator-stalled", "params": {"when": "0-1", "ms": 300}}
    limited = {"limited": True, "reason": "its timers were late", "texts": {"reason": stalled}}
    (doubt,) = _doubts(generator=loads.HEALTH | limited | {"late": late})
    assert "was the bottleneck: its timers were late" in doubt


def test_an_old_document_is_judged_by_its_readings() -> None:
    (doubt,) = _doubts(generator={"cpu_percent": 90.0, "late_ms_max": 49.0})
    assert doubt == "The load generator was near its limits: peak CPU usage 90.0 %."


def test_one_bad_moment_of_a_generator_that_was_watched_is_only_in_the_table() -> None:
    health = loads.HEALTH | {"late_ms_max": 80.0}
    assert _doubts(generator=health) == []
    tones = [reading.mark.tone for reading in generator.readings(loads.full(generator=health))]
    assert tones == ["passed", "inconclusive", "passed", "passed"]


def test_workers_lost_at_one_moment_are_one_mark() -> None:
    times = (12.0, 7.5, 12.0, None)
    workers = [loads.worker(f"w{n}", "lost", last_report_s=t) for n, t in enumerate(times)]
    found = generator.losses(loads.full(generator=loads.HEALTH | {"workers": workers}))
    assert found == [(7.5, "1 worker lost"), (12.0, "2 workers lost")]


def test_a_reading_that_was_not_taken_is_not_fine() -> None:
    document = builder.load(generator={"cpu_percent": None, "late_ms_max": 1.0})
    assert [reading.mark.tone for reading in generator.readings(document)] == ["untested", "passed"]


def test_lost_workers_come_first_and_are_named() -> None:
    names = [f"w{number}" for number in range(1, 7)]
    workers = [loads.worker("w0"), *(loads.worker(name, "lost", last_report_s=None) for name in names)]
    health = loads.HEALTH | {"workers": workers}
    (doubt,) = _doubts(generator=health)
    assert doubt.startswith("6 of 7 workers were lost: w1 (no report), w2 (no report)")
    assert "w4 (no report) and 2 more. No figure includes what was measured after the last report" in doubt
    listed = generator.workers(loads.full(generator=health))
    assert [worker.source["name"] for worker in listed] == [*names, "w0"]


def test_a_run_that_a_breach_ended() -> None:
    assert _doubts(aborted="errors < 1%") == ["The run ended early: errors < 1% was breached."]
