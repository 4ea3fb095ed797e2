"""Runs that end at a failure: what did not come is confirmed first."""

from dataclasses import replace
from typing import Any

import pytest

from conformance.judge.verdicts import ScenarioVerdict
from conformance.play.engine import is_cut_off
from conformance.run.limits import FailureLimit
from conformance.run.run import Run
from tests.conformance.chat import Chat
from tests.conformance.run.test_run import MEET, PROFILE, named, plan

BRIEF = replace(PROFILE, response_timeout=0.5)


class Losing(Chat):
    """Loses its first posts."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.left = number

    def post(self, payload: Any, author: Any) -> None:
        self.left -= 1
        if self.left < 0:
            super().post(payload, author)


def ran(losses: int, most: int) -> tuple[Run, list[ScenarioVerdict]]:
    """Four scenarios, one after the other."""
    with Losing(losses).serve() as url:
        limit = FailureLimit(most, lambda one: bool(one.charged))
        run = Run(plan(url, BRIEF, jobs=1), [named(name, MEET) for name in "abcd"], limit)
        run.start()
        try:
            return run, run.verdicts()
        finally:
            run.stop()


def test_what_is_missed_again_ends_the_run() -> None:
    run, found = ran(1000, 1)
    assert [one.verdict for one in found] == ["failed", "untested", "untested", "untested"]
    assert all(is_cut_off(one.outcome.reason) for one in found[1:])
    assert (run.complete, str(run.ended)) == (False, "the run stopped at the first failure (--maxfail 1)")


def test_what_is_missed_once_does_not() -> None:
    run, found = ran(1, 1)
    assert [one.verdict for one in found] == ["inconclusive", "passed", "passed", "passed"]
    assert (run.complete, run.ended) == (True, None)


@pytest.mark.parametrize("most", [2, 3])
def test_so_many_that_are_missed_again(most: int) -> None:
    run, found = ran(1000, most)
    assert [one.verdict for one in found] == ["failed"] * most + ["untested"] * (4 - most)
    assert not run.complete
