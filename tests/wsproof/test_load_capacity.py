"""`wsproof load --find-capacity`: one figure in one unit, judged by what held."""

from pathlib import Path

import pytest

from tests.loadtest.running import read_document, served
from tests.wsproof.command import wsproof

pytestmark = [served, pytest.mark.slow]


def search(reference: str, folder: Path, *options: str) -> tuple[int, str]:
    """A search that this machine was not too busy for: then it would end early, and say so."""
    usual = ("--find-capacity", "users", "--users", "2", "--step-time", "3s", "--rate", "4", "--output", "out")
    for _ in range(5):
        done = wsproof("load", reference, *usual, *options, folder=folder)
        if read_document(folder / "out" / "load.json")["capacity"]["texts"]["reason"]["code"] != "capacity-limited":
            break
    return done.returncode, done.stdout


def test_the_knee_is_judged_and_what_broke_beyond_it_is_not(reference: str, tmp_path: Path) -> None:
    code, shown = search(reference, tmp_path, "--max", "8", "--threshold", "count(connect) <= 3", "--lang", "en")
    found = read_document(tmp_path / "out" / "load.json")
    capacity = found["capacity"]
    assert [(one["users"], one["passed"], one["breached"]) for one in capacity["curve"]] == [
        (2, True, []),
        (3, True, []),
        (4, False, ["count(connect) <= 3"]),
    ]
    assert (capacity["knee"], capacity["broke"]) == (3, 4)
    assert (found["settings"]["users"], found["outcome"]["passed"], code) == (3, True, 0)
    assert "Capacity: 3 users met every threshold; 4 users did not." in shown
    # Four posts a second of each user: round trips, and not deliveries to all of them.
    assert all(one["throughput"] <= 1.5 * 4 * one["users"] for one in capacity["curve"])


def test_where_nothing_breaks_there_is_no_knee(reference: str, tmp_path: Path) -> None:
    code, shown = search(reference, tmp_path, "--max", "4", "--threshold", "count(connect) < 100")
    assert code == 0
    assert "It handled all 4 users tried; the limit was not found." in shown
    assert "knee" not in shown
    page = (tmp_path / "out" / "load.html").read_text(encoding="utf-8")
    assert ">knee" not in page


def test_where_everything_breaks_the_lowest_load_is_judged(reference: str, tmp_path: Path) -> None:
    code, shown = search(reference, tmp_path, "--threshold", "count(connect) < 1")
    found = read_document(tmp_path / "out" / "load.json")
    assert (found["capacity"]["knee"], found["settings"]["users"], code) == (None, 1, 1)
    assert "Even the lowest load tried, 1 user, breached a threshold." in shown
