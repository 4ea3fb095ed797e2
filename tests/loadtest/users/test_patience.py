"""What a user waits for: longer where the generator stood still, and in vain where the endpoint shed it."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from loadtest.judge.judge import Judged
from reference_server.core.settings import ServerSettings
from reference_server.network import running
from tests.bundled import load_profile
from tests.loadtest.users.test_player import FAST, Run


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


@pytest.mark.parametrize(
    ("liberty", "journey"),
    [
        ("posts-rate-limited", "churner"),
        ("posts-rate-limited", "roundtrip"),
        ("posts-rate-limited-tersely", "churner"),
        ("posts-rate-limited-tersely", "roundtrip"),
        ("joins-rate-limited", "churner"),
    ],
)
def test_what_was_shed_is_not_missed(liberty: str, journey: str) -> None:
    """A user who waited for a post that was refused charged SEND-01, and after a join that was, JOIN-01 and SEND-01.

    Where that was in a pace, what it posted when it began anew counted from the post that was refused, and was late.
    """
    with served(liberties=(liberty,)) as server:
        overrides = {**FAST, "response_timeout": 0.5, "reconnect.base": 0.01}
        run = Run(server.url, journey, users=4, overrides=overrides)
        run.until(lambda: run.context.judge.shed["RATE_LIMITED"] >= 5 and run.context.recorder.errors.total() >= 10)
        run.end()
        seen = judged(run)
    assert found(seen) == set()
    assert seen.shed["RATE_LIMITED"] >= 5


def test_a_post_that_waited_for_the_one_before_has_its_time_from_when_it_went_out(tmp_path: Path) -> None:
    """The endpoint answers each in time, and the user asks for more than that: posts were late before they went out."""
    journeys = tmp_path / "eager.yaml"
    journeys.write_text(
        """
format: wsproof.scenarios/1
scenarios:
  - id: eager
    title: Fifty posts a second, each after the one before has come back
    actors: {user: alice}
    steps:
      - call: enter
        with: {actor: user, channel: "${channel.room}"}
      - pace:
          actor: user
          rate: 50
          steps:
            - call: say
              with: {actor: user, channel: "${channel.room}"}
            - call: receive
              with: {actor: user, nonce: said}
""",
        encoding="utf-8",
    )
    with served(liberties=("answers-slow",)) as server:
        overrides = {**FAST, "response_timeout": 1.0}
        run = Run(server.url, "eager", users=1, journey_file=str(journeys), overrides=overrides)
        run.until(lambda: run.context.ledger.delivered >= 8 or run.context.recorder.errors)
        run.end()
        seen = judged(run)
        assert run.context.recorder.errors == {}
    assert (found(seen), seen.undecided) == (set(), {})
