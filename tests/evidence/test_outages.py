"""A server that dies, or drops everybody: what did it is named, and nobody else is blamed for it."""

from pathlib import Path
from typing import Any

import pytest

from tests.evidence.edge import edge_before
from tests.evidence.servers import check, mortal, reference
from tests.evidence.situations import FATAL
from tests.hostile.checking import Checked

CONSTRUCTOR = "err-unknown-event/constructor"


def verdicts(run: Checked) -> dict[str, str]:
    """Of every requirement."""
    return {one["id"]: one["verdict"] for one in run.document["requirements"]}


def outages(run: Checked) -> list[dict[str, Any]]:
    """What the document says of the endpoint's ends."""
    found: list[dict[str, Any]] = run.document["outages"]
    return found


def assert_only(requirement: str, run: Checked) -> None:
    """This one failed, and all others are decided as they are for the clean server: they passed."""
    assert {name: one for name, one in verdicts(run).items() if one != "passed"} == {requirement: "failed"}
    assert run.code == 1, run.terminal


@pytest.mark.slow
def test_an_edge_by_itself_is_no_fault(tmp_path: Path) -> None:
    with reference() as url, edge_before(url) as outside:
        run = check(outside, tmp_path)
    assert {*verdicts(run).values()} == {"passed"}
    assert run.document.get("outages", []) == []
    assert run.code == 0, run.terminal


@pytest.mark.slow
@pytest.mark.parametrize("back_after", ["0.3", "3"])
def test_a_death_is_charged_to_what_it_died_of(back_after: str, tmp_path: Path) -> None:
    with mortal("constructor", back_after) as url:
        run = check(url, tmp_path)
    assert_only("ERR-04", run)
    assert CONSTRUCTOR in {one["culprit"] for one in outages(run)}
    assert all(one["kind"] == "stopped" and one["back_after_s"] is not None for one in outages(run))


@pytest.mark.slow
def test_a_server_that_stays_away_is_charged_with_nothing(tmp_path: Path) -> None:
    with mortal("constructor", "never") as url:
        run = check(url, tmp_path)
    assert run.failed() == set()
    assert "untested" in verdicts(run).values()
    assert run.code == 1, run.terminal
    (outage,) = outages(run)
    assert (outage["kind"], outage["back_after_s"], outage["culprit"]) == ("stopped", None, None)
    assert CONSTRUCTOR in outage["suspected"]
    assert "and did not come back" in outage["message"]
    assert "did not come back" in " ".join(run.document["outcome"]["reasons"])


@pytest.mark.slow
def test_a_death_of_an_illegal_frame_is_charged_to_it(tmp_path: Path) -> None:
    with mortal("unmasked", "0.3") as url:
        run = check(url, tmp_path)
    assert_only("WIRE-01", run)
    culprits = [one["culprit"] for one in outages(run)]
    assert any(culprits)
    assert all(one is None or one.startswith("wire-unmasked") for one in culprits)


@pytest.mark.slow
@pytest.mark.parametrize(("cause", "requirement"), [("constructor", "ERR-04"), ("unmasked", "WIRE-01")])
def test_ending_everybody_is_charged_to_what_ended_them(cause: str, requirement: str, tmp_path: Path) -> None:
    with reference() as url, edge_before(url, watch=FATAL[cause]) as outside:
        run = check(outside, tmp_path)
    assert_only(requirement, run)
    assert {one["kind"] for one in outages(run)} == {"dropped"}
    assert all(one["culprit"] is not None for one in outages(run))


@pytest.mark.slow
def test_deaths_without_a_culprit_are_charged_to_nobody(tmp_path: Path) -> None:
    """After the third one the rest is untested."""
    with mortal("200", "0.3") as url:
        run = check(url, tmp_path)
    assert run.failed() == set()
    assert "untested" in verdicts(run).values()
    assert run.code == 1, run.terminal
    assert [(one["kind"], one["culprit"]) for one in outages(run)] == [("stopped", None)] * 3
