"""The lines of a run's stream: what older and newer ones may hold."""

from typing import Any

import pytest

from contract.schemas import format_validator
from tests.reports.builder import Json, failure, outage

LINE: Json = {
    "kind": "scenario",
    "id": "err-silent",
    "ending": "finished",
    "reason": None,
    "started_s": 0.1,
    "duration_s": 0.2,
    "reached": ["ERR-01"],
    "unreached": [],
    "heard": True,
    "failures": [],
    "transcript": [],
}
FOOTER: Json = {"kind": "footer", "complete": True, "duration_s": 3.2}


@pytest.mark.parametrize(
    "line",
    [
        LINE,
        LINE | {"reached": ["ERR-01", ["ERR-02", "SHOULD", 1], ["ERR-03", None, 12]]},
        LINE | {"unconfirmed": [failure("ERR-01")], "applied": {"ERR-01 MUST": 12, "ERR-02": 0}},
        FOOTER,
        FOOTER | {"outages": [outage(), outage("dropped", culprit="err-silent")]},
    ],
)
def test_a_line_is_accepted(line: Json) -> None:
    assert [str(error) for error in format_validator("stream").iter_errors(line)] == []


@pytest.mark.parametrize(
    ("line", "change"),
    [
        (LINE, {"reached": [["ERR-02"]]}),
        (LINE, {"reached": [["ERR-02", "must", 1]]}),
        (LINE, {"reached": [["ERR-02", None, 0]]}),
        (LINE, {"applied": {"ERR-01": -1}}),
        (LINE, {"unconfirmed": [{"requirement": "ERR-01"}]}),
        (FOOTER, {"outages": [outage("slow")]}),
        (FOOTER, {"outages": [{"at_s": 1}]}),
    ],
)
def test_a_broken_line_is_not(line: Json, change: dict[str, Any]) -> None:
    assert list(format_validator("stream").iter_errors(line | change))
