"""What a user waits for: longer where the generator stood still, and in vain where the endpoint shed it."""

import json
import time
from typing import Any

import pytest

from contract.profile import load_profile
from loadtest.judging import Judged
from reference_server.network import running
from reference_server.settings import ServerSettings
from tests.loadtest.test_player import FAST, Run


def served(**settings: Any) -> Any:
    return running(ServerSettings(profile=load_profile(None, FAST), port=0, **settings))


def judged(run: Run) -> Judged:
    return run.context.judge.take(run.context.schedule.begin)


def found(judged: Judged) -> set[str]:
    return {json.loads(key)["requirement"] for key in judged.findings}


def test_a_wait_is_as_much_longer_as_the_generator_stood_still() -> None:
    """It was undecided: of the half second that an acknowledgement has, the generator slept through most."""
    with served(faults=("ack-missing",)) as server:
        run = Run(server.url, "lurker", users=1, overrides={**FAST, "ack_timeout": 0.5})
        run.until(lambda: run.context.recorder.samples["connect"])
        began = time.monotonic()
        run.until(lambda: time.monotonic() > began + 0.4)
        run.context.punctuality.woke(began, time.monotonic())
        run.until(lambda: run.context.recorder.errors)
        assert time.monotonic() - began >= 0.85
        seen = judged(run)
        run.end()
    assert (found(seen), seen.undecided) == ({"CONN-02"}, {})


@pytest.mark.parametrize("liberty", ["posts-rate-limited", "posts-rate-limited-tersely", "joins-rate-limited"])
def test_what_was_shed_is_not_missed(liberty: str) -> None:
    """A user who waited for a post that was refused charged SEND-01, and after a join that was, JOIN-01 and SEND-01."""
    with served(liberties=(liberty,)) as server:
        overrides = {**FAST, "response_timeout": 0.5, "reconnect.base": 0.01}
        run = Run(server.url, "churner", users=4, overrides=overrides)
        run.until(lambda: run.context.judge.shed["RATE_LIMITED"] >= 5 and run.context.recorder.errors.total() >= 10)
        run.end()
        seen = judged(run)
    assert found(seen) == set()
    assert seen.shed["RATE_LIMITED"] >= 5
