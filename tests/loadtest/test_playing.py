"""A virtual user's play: what is measured, how it ends when the run is over, and what counts as an error."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from conformance.actions import Action, Close, Ended, Open, Send
from conformance.engine import Outcome, play
from conformance.loading import load_scenarios
from conformance.scenario import Charge, Scenario
from conformance.stage import Failure, Setting
from contract.model import load_contract
from contract.profile import load_profile
from loadtest.leaving import UNANSWERED, Leaving
from loadtest.observer import Observer, Posts, describe
from loadtest.recorder import Recorder
from loadtest.settings import load_journeys
from loadtest.world import Clock, expects_own_only
from tests.loadtest.script import Endpoint, polite

CONTRACT = load_contract()
JOURNEYS = {one.id: one for one in load_journeys()}
PATIENCE = 4.0
THINK_TIME = 1.0


@dataclass
class Play:
    """A journey, the endpoint it is played against, and what is measured."""

    endpoint: Endpoint = field(default_factory=Endpoint)
    journey: str = "chatter"
    clock: Clock = field(default_factory=Clock)
    posts: Posts = field(default_factory=Posts)
    recorder: Recorder = field(default_factory=lambda: Recorder(1000.0))
    own_only: bool = False

    def __post_init__(self) -> None:
        profile = load_profile()
        self.observer = Observer(CONTRACT, self.recorder, self.posts, profile.secrets())
        self.setting = Setting(
            CONTRACT, profile, lambda name: f"channel-{name}", observer=self.observer, think_time=THINK_TIME
        )

    def run(self) -> Outcome | None:
        leaving = Leaving(self.observer, self.clock, PATIENCE, own_only=self.own_only)
        return self.endpoint.run(leaving.escort(play(JOURNEYS[self.journey], self.setting)))

    @property
    def measured(self) -> dict[str, Any]:
        return self.recorder.document(self.endpoint.now)

    def counts(self) -> dict[str, int]:
        return {name: metric["count"] for name, metric in self.measured["metrics"].items()}


def closes(endpoint: Endpoint) -> list[int | None]:
    return [one.code for one in endpoint.actions if isinstance(one, Close)]


def test_each_step_of_a_chat_is_measured() -> None:
    one = Play()
    outcome = one.run()
    assert outcome is not None
    assert outcome.ending == "finished"
    assert one.counts() == {"connect": 1, "ack": 1, "join": 1, "post_to_own": 200, "close": 1}
    for metric in one.measured["metrics"].values():
        assert metric["p50"] == pytest.approx(250, rel=0.002)
    assert (one.measured["closes"], one.measured["errors"]) == ({"1000": 1}, {})


@pytest.mark.parametrize("journey", sorted(JOURNEYS))
def test_every_journey_ends_politely_when_the_time_is_up(journey: str) -> None:
    one = Play(journey=journey)
    one.clock.end = 1000.0 + 30.1
    while one.endpoint.now < one.clock.end:
        one.run()
    assert one.endpoint.now <= one.clock.end + PATIENCE
    assert set(closes(one.endpoint)) == {1000}
    opened = len([action for action in one.endpoint.actions if isinstance(action, Open)])
    assert one.measured["closes"] == {"1000": opened}
    assert one.counts()["close"] == opened
    assert one.measured["errors"] == {}
    assert one.recorder.connected == 0


def test_a_run_that_is_stopped_early_ends_within_a_second() -> None:
    one = Play(journey="lurker")

    def stop() -> None:
        one.clock.stopped = True

    one.endpoint.alarm = (1007.0, stop)
    assert one.run() is None
    assert one.endpoint.now <= 1007.0 + 1.0 + one.endpoint.delay
    assert one.measured["closes"] == {"1000": 1}


def test_who_is_still_connecting_when_the_run_is_over_leaves_no_trace() -> None:
    one = Play(Endpoint(delay=10.0))
    one.clock.end = 1003.0
    assert one.run() is None
    assert one.endpoint.now == 1003.0
    assert (one.counts(), one.measured["closes"], one.measured["errors"]) == ({}, {}, {})


def test_a_close_frame_that_is_not_answered_is_an_error_once() -> None:
    def silent(endpoint: Endpoint, action: Action) -> None:
        if not isinstance(action, Close):
            polite(endpoint, action)

    one = Play(Endpoint(silent))
    one.clock.end = 1005.0
    assert one.run() is None
    assert one.endpoint.now == pytest.approx(1005.0 + PATIENCE)
    assert one.measured["errors"] == {UNANSWERED: 1}
    assert one.measured["closes"] == {"1006": 1}
    assert "close" not in one.counts()


def test_a_journeys_own_close_step_has_told_of_it_already() -> None:
    def silent(endpoint: Endpoint, action: Action) -> None:
        if not isinstance(action, Close):
            polite(endpoint, action)

    one = Play(Endpoint(silent), "churner")
    outcome = one.run()
    assert outcome is not None
    assert [failure.message for failure in outcome.failures] == ["the close frame was not answered"]
    assert one.measured["errors"] == {}
    assert one.measured["closes"] == {"1006": 1}


def test_a_connection_that_just_ends_was_not_closed() -> None:
    def hang_up(endpoint: Endpoint, action: Action) -> None:
        if isinstance(action, Close):
            endpoint.happens(Ended(endpoint.due, action.actor, "eof"))
        else:
            polite(endpoint, action)

    one = Play(Endpoint(hang_up))
    one.clock.end = 1005.0
    assert one.run() is None
    assert one.measured["closes"] == {"1006": 1}
    assert "close" not in one.counts()


def test_a_user_that_connects_anew_closes_again(tmp_path: Path) -> None:
    again = ["{call: open, with: {actor: alice}},", "{close: {actor: alice}},", "{call: open, with: {actor: alice}},"]
    one = Play(journey="lurker")
    one.clock.end = 1010.0
    leaving = Leaving(one.observer, one.clock, PATIENCE)
    journey = scenario(tmp_path, *again, "{pause: {actor: alice, for: 1m}}")
    assert one.endpoint.run(leaving.escort(play(journey, one.setting))) is None
    assert closes(one.endpoint) == [1000, 1000]
    assert one.measured["closes"] == {"1000": 2}
    assert one.endpoint.now == 1010.0 + one.endpoint.delay


def breaking(code: int | None, *, frame: bool = True) -> Callable[[Endpoint, Action], None]:
    """An endpoint that ends the connection at the third message of the client."""
    sent: list[Action] = []

    def answer(endpoint: Endpoint, action: Action) -> None:
        if isinstance(action, Send):
            sent.append(action)
            if len(sent) == 3:
                if frame:
                    endpoint.close(action.actor, code)
                else:
                    endpoint.happens(Ended(endpoint.due, action.actor, "reset"))
                return
        polite(endpoint, action)

    return answer


@pytest.mark.parametrize(
    ("answer", "counted"),
    [(breaking(1011), "1011"), (breaking(4408), "4408"), (breaking(None), "1005"), (breaking(0, frame=False), "1006")],
)
def test_an_unexpected_end_is_counted_by_its_code(answer: Any, counted: str) -> None:
    one = Play(Endpoint(answer))
    outcome = one.run()
    assert outcome is not None
    assert outcome.ending == "stopped"
    assert one.measured["closes"] == {counted: 1}
    assert "close" not in one.counts()
    assert one.recorder.connected == 0


def test_a_refused_user_was_never_connected() -> None:
    def refuse(endpoint: Endpoint, action: Action) -> None:
        if isinstance(action, Open):
            endpoint.refuse(action.actor, 503)

    one = Play(Endpoint(refuse))
    outcome = one.run()
    assert outcome is not None
    assert [failure.received for failure in outcome.failures] == ["503"]
    assert (one.counts(), one.measured["closes"], closes(one.endpoint)) == ({}, {}, [])


def test_an_error_of_the_server_is_counted_by_its_code_without_any_token() -> None:
    def limited(endpoint: Endpoint, action: Action) -> None:
        polite(endpoint, action)
        if isinstance(action, Send):
            endpoint.message("user", "error", {"code": "NO alice-token", "message": "m"})
            endpoint.message("user", "error", {"message": "m"})

    one = Play(Endpoint(limited), "churner")
    assert one.run() is not None
    assert one.measured["errors"] == {
        "the server sent the error NO •••": 3,
        "the server sent the error without a code": 3,
    }


@pytest.mark.parametrize("own_only", [False, True])
def test_what_others_post_is_measured_from_their_post(own_only: bool) -> None:
    poster = Play(journey="churner")
    poster.run()
    sent = [json.loads(one.frames[0].payload) for one in poster.endpoint.actions if isinstance(one, Send)]
    text = sent[-1]["payload"]["text"]
    assert sent[-1]["event"] == "send_message"

    def crowded(endpoint: Endpoint, action: Action) -> None:
        if isinstance(action, Send):
            endpoint.deliver("user", "channel-room", text)
            endpoint.deliver("user", "channel-room", "of a stranger, 1234567890123456")
        polite(endpoint, action)

    one = Play(Endpoint(crowded), "churner", posts=poster.posts, own_only=own_only)
    one.endpoint.now = poster.endpoint.now + 1
    outcome = one.run()
    assert outcome is not None
    assert outcome.ending == "finished"
    # It sends a join, a barrier and a post.
    assert one.counts() == {"connect": 1, "ack": 1, "join": 1, "post_to_own": 1, "post_to_receive": 3, "close": 1}
    assert one.measured["errors"] == {}


def test_an_own_post_is_never_kept_from_the_journey() -> None:
    one = Play(own_only=True)
    outcome = one.run()
    assert outcome is not None
    assert outcome.ending == "finished"
    assert one.counts()["post_to_own"] == 200


def scenario(tmp_path: Path, *steps: str) -> Scenario:
    lines = ["format: wsproof.scenarios/1", "scenarios:", "  - {id: some, title: Some, steps: [", *steps, "]}"]
    path = tmp_path / "some.yaml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return load_scenarios(path)[0]


NONCE = "match: {payload: {message: {text: '${nonce.a}'}}}"


@pytest.mark.parametrize(
    ("step", "own_only"),
    [
        (f"expect: {{actor: alice, event: new_message, {NONCE}}}", True),
        ("expect: {actor: alice, event: new_message}", False),
        ("expect: {actor: alice, event: new_message, match: {payload: {channelId: '${channel.a}'}}}", False),
        ("expect: {actor: alice, event: error}", True),
        (f"expect_all: {{actor: alice, of: [{{event: new_message, {NONCE}}}, {{event: new_message}}]}}", False),
        ("expect_one: {actor: alice, of: [{event: error}, {close: [policy]}]}", True),
        ("expect_one: {actor: alice, of: [{event: new_message}, {close: [policy]}]}", False),
        ("expect_nothing: {actors: [alice], event: new_message}", False),
        (f"expect_nothing: {{actors: [alice], {NONCE}}}", True),
        ("pause: {actor: alice, for: 1}", True),
    ],
)
def test_a_journey_that_waits_for_others_posts_is_told_them(tmp_path: Path, step: str, own_only: bool) -> None:
    assert expects_own_only(scenario(tmp_path, f"{{{step}}}"), CONTRACT) == own_only


@pytest.mark.parametrize("journey", sorted(JOURNEYS))
def test_the_bundled_journeys_wait_for_their_own_posts_only(journey: str) -> None:
    assert expects_own_only(JOURNEYS[journey], CONTRACT)


@pytest.mark.parametrize(
    ("received", "shown"),
    [
        (None, "HB-03: it failed"),
        ("nothing", "HB-03: it failed"),
        ("closed with 4408", "HB-03: it failed (closed with 4408)"),
        ('{"event": "new_message"}', "HB-03: it failed"),
        ("x" * 500, "HB-03: it failed"),
    ],
)
def test_failures_of_one_kind_are_counted_together(received: str | None, shown: str) -> None:
    assert describe(Failure(Charge(("HB-03",)), "3 expect", "user", "it failed", None, received)) == shown
    assert describe(Failure(Charge(), "3 expect", "user", "it failed")) == "it failed"


def test_posts_are_forgotten_at_their_limit() -> None:
    posts = Posts(limit=3)
    observer = Observer(CONTRACT, Recorder(0.0), posts)
    for number in range(5):
        posts.add(str(number), float(number), (observer, "user"))
    assert [posts.get(str(number)) is not None for number in range(5)] == [False, False, True, True, True]
