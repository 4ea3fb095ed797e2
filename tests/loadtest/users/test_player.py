"""Virtual users against real servers, driven by a selector in this thread."""

import gc
import itertools
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loadtest.delivery.balance import Balance
from loadtest.delivery.parts import part_of
from loadtest.delivery.reconciliation import settle
from loadtest.measure.tally import Tally
from loadtest.settings.settings import LoadError, LoadSettings
from loadtest.users.connection import Connection
from loadtest.users.journey_steps import JourneySteps
from loadtest.users.link import Link
from loadtest.users.load_context import LoadContext
from loadtest.users.observer import Observer
from loadtest.users.player import Player
from loadtest.users.population import Population
from loadtest.users.task import Task
from reference_server.core.settings import ServerSettings
from reference_server.network import running
from tests.bundled import load_profile
from tests.loadtest.reactor import SelectorReactor

FAST: dict[str, Any] = {"heartbeat.interval": 0.5, "heartbeat.timeout": 5, "response_timeout": 5}


class Run:
    """Users of one process, from their beginning to their end."""

    def __init__(self, url: str, journeys: str, users: int = 4, **changes: Any) -> None:
        settings = LoadSettings(url, users, users, 600.0, "", dict.fromkeys(journeys.split(), 1.0), run="12345678")
        self.settings = replace(settings, **{"rate": 50.0, "overrides": FAST, **changes})
        self.reactor = SelectorReactor()
        self.context = LoadContext(self.settings, self.reactor)
        self.population = Population(self.context)
        self.population.begin()
        self.players = [
            self.population.player(list(self.settings.journeys)[n % len(self.settings.journeys)]) for n in range(users)
        ]
        for player in self.players:
            player.begin()

    @property
    def posts(self) -> int:
        """Posts of all users so far."""
        return self.context.ledger.posts

    def until(self, condition: Any) -> None:
        """Let them play until something is so."""

        def looked() -> bool:
            self.population.sweep()
            return bool(condition())

        self.reactor.run(looked)

    def end(self) -> Balance:
        """Let all of them leave in good order."""
        self.population.stop_posting()
        drain = self.population.drained()
        self.until(drain.over)
        self.population.stay_to_the_end()
        self.population.part()
        self.until(lambda: not self.population.players)
        return settle([part_of(self.context.ledger)], self.context.profile.response_timeout)

    def document(self) -> dict[str, Any]:
        """What was measured."""
        tally = Tally()
        tally.add("local", self.context.recorder.take(time.monotonic()))
        return tally.document()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running(ServerSettings(profile=load_profile(None, FAST), port=0)) as server:
        yield server.url


def kept() -> int:
    """Objects of users that are still in memory."""
    return sum(isinstance(one, Player | Connection | JourneySteps | Task | Link | Observer) for one in gc.get_objects())


@pytest.mark.parametrize("journey", ["lurker", "chatter", "churner", "storm"])
def test_a_user_who_has_left_is_forgotten_without_the_collector(url: str, journey: str) -> None:
    gc.collect()
    before = kept()
    gc.disable()
    try:
        run = Run(url, journey)
        run.until(lambda: run.context.recorder.connected == 4)
        run.end()
        run.context.recorder.take(time.monotonic())
        run.players.clear()
        assert kept() == before
    finally:
        gc.enable()


def faulty(name: str) -> Any:
    return running(ServerSettings(profile=load_profile(None, FAST), port=0, faults=(name,)))


def test_a_handshakes_clock_starts_when_the_user_was_to_begin_and_a_later_one_with_itself(url: str) -> None:
    run = Run(url, "churner", users=1, rate=20.0)
    late = run.population.player("churner")
    late.begin(time.monotonic() - 7.0)
    run.until(lambda: len(run.context.recorder.samples["connect"]) >= 6)
    run.end()
    (slow,) = [one for one in run.context.recorder.samples["connect"] if one > 6]
    assert slow >= 7.0
    assert [one for one in run.context.recorder.late if one > 6] == pytest.approx([7.0], abs=0.5)
    assert run.context.punctuality.stalled >= 7.0


def messages(run: Any) -> list[str]:
    """What went wrong, in English."""
    return [one["message"] for one in run.document()["errors"]]


def counts(found: Balance) -> tuple[int, int, int, int]:
    return found.lost, found.duplicated, found.reordered, found.misdelivered


@pytest.mark.parametrize("journey", ["chatter", "roundtrip"])
def test_users_who_post_receive_what_all_of_their_channel_post(url: str, journey: str) -> None:
    run = Run(url, journey, channels=2)
    run.until(lambda: run.context.ledger.delivered > 200)
    found = run.end()
    assert (counts(found), found.undecided) == ((0, 0, 0, 0), 0)
    # Two users in a channel: each post is owed to both, but for those before both were there.
    assert 2 * found.posts - 8 <= found.expected <= 2 * found.posts
    document = run.document()
    assert (document["errors"], document["closes"]) == ([], {"1000": 4})
    assert set(document["metrics"]) >= {"connect", "ack", "join", "post_to_own", "post_to_receive", "close"}
    assert document["metrics"]["join"]["count"] == 4


def test_a_churning_crowd_is_owed_nothing_that_it_cannot_get(url: str) -> None:
    run = Run(url, "churner chatter listener storm", users=12, channels=2)
    run.until(lambda: run.context.recorder.closes["1000"] > 30)
    found = run.end()
    assert counts(found) == (0, 0, 0, 0)
    assert run.document()["errors"] == []


def test_all_of_a_storm_drop_at_once_and_come_back(url: str, tmp_path: Path) -> None:
    journeys = tmp_path / "storm.yaml"
    journeys.write_text(
        """
format: wsproof.scenarios/1
scenarios:
  - id: gust
    title: A storm of every half second
    actors: {user: alice}
    steps:
      - call: enter
        with: {actor: user, channel: "${channel.room}"}
      - pause: {actor: user, to_next: 0.5s}
      - drop: {actor: user}
      - backoff: {actor: user}
""",
        encoding="utf-8",
    )
    overrides = {**FAST, "reconnect.base": 0.1, "reconnect.cap": 0.2}
    run = Run(url, "gust", journey_file=str(journeys), overrides=overrides)
    run.until(lambda: run.context.recorder.closes["1006"] >= 8)
    found = run.end()
    assert counts(found) == (0, 0, 0, 0)
    assert run.document()["errors"] == []


def test_who_does_not_read_is_owed_nothing_and_leaves_in_good_order(url: str, tmp_path: Path) -> None:
    journeys = tmp_path / "nap.yaml"
    journeys.write_text(
        """
format: wsproof.scenarios/1
scenarios:
  - id: nap
    title: Half a second without reading
    actors: {user: alice}
    steps:
      - call: enter_narrow
        with: {actor: user, channel: "${channel.room}"}
      - stop_reading: {actor: user}
      - pause: {actor: user, for: 0.5s}
      - drop: {actor: user}
""",
        encoding="utf-8",
    )
    run = Run(url, "nap sleeper chatter", users=6, channels=1, size=4000, journey_file=str(journeys))
    run.until(lambda: run.context.recorder.closes["1006"] >= 4 and run.posts > 200)
    found = run.end()
    assert counts(found) == (0, 0, 0, 0)
    assert run.document()["errors"] == []


def test_lurkers_answer_heartbeats_and_measure_their_period(url: str) -> None:
    run = Run(url, "lurker", users=2)
    run.until(lambda: len(run.context.recorder.samples["ping_period"]) >= 4)
    run.end()
    document = run.document()
    assert document["errors"] == []
    assert 400 < document["metrics"]["ping_period"]["p50"] < 5000


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("post-lost-now-and-then", "lost"),
        ("message-twice-now-and-then", "duplicated"),
        ("posts-swapped-now-and-then", "reordered"),
        ("leak-now-and-then", "misdelivered"),
    ],
)
def test_one_wrong_message_in_hundreds_is_noticed_and_named(fault: str, kind: str) -> None:
    with faulty(fault) as server:
        run = Run(server.url, "chatter", users=4, channels=2, rate=200.0)
        run.until(lambda: run.posts >= 1500)
        found = run.end()
    names = ("lost", "duplicated", "reordered", "misdelivered")
    wrong = {name for name, count in zip(names, counts(found), strict=True) if count}
    assert wrong == {kind}
    assert {one.kind for one in found.examples} == {kind}
    assert {one.receiver for one in found.examples} <= set("1234")


def test_what_breaks_the_contract_is_said_by_the_judge() -> None:
    with faulty("message-id-number") as server:
        run = Run(server.url, "roundtrip", users=1, overrides={**FAST, "response_timeout": 0.3, "reconnect.base": 0.1})
        run.until(lambda: run.context.recorder.errors)
        run.end()
    assert any("payload/message/id: expected string, got integer" in one for one in messages(run))


def test_who_is_refused_tries_again_with_backoff_and_its_token_is_not_shown(url: str) -> None:
    overrides = {**FAST, "users": {"alice": {"token": "nobody-knows-me"}}, "reconnect.base": 0.02}
    run = Run(url, "chatter", users=1, overrides=overrides)
    run.until(lambda: run.context.recorder.errors.total() >= 3)
    run.end()
    assert messages(run) == ["the handshake was not accepted: 401 Unauthorized"]
    assert run.document()["closes"] == {}


def test_a_server_that_falls_silent_costs_each_user_its_patience_and_no_more() -> None:
    overrides = {**FAST, "response_timeout": 0.3, "reconnect.base": 0.05}
    with faulty("own-post-missing") as server:
        run = Run(server.url, "roundtrip", users=2, overrides=overrides)
        run.until(lambda: run.context.recorder.errors.total() >= 2)
        run.end()
    assert any("new_message" in one for one in messages(run))


def test_a_user_who_leaves_before_the_end_waits_for_its_own_posts(url: str) -> None:
    run = Run(url, "chatter", users=2)
    run.until(lambda: run.context.ledger.delivered > 20)
    first = run.players[0]
    first.leave()
    run.until(lambda: first.done)
    found = run.end()
    assert counts(found) == (0, 0, 0, 0)
    assert run.document()["closes"] == {"1000": 2}


def test_a_user_who_is_told_to_leave_while_it_closes_is_gone_with_its_connection(url: str, tmp_path: Path) -> None:
    journeys = tmp_path / "brief.yaml"
    journeys.write_text(
        "format: wsproof.scenarios/1\nscenarios:\n  - id: brief\n    title: Brief\n    actors: {user: alice}\n"
        "    steps:\n      - connect: {actor: user}\n      - close: {actor: user}\n",
        encoding="utf-8",
    )
    run = Run(url, "brief", users=1, journey_file=str(journeys))
    (player,) = run.players
    run.until(lambda: player._connection.closing is not None)
    player.leave()
    started = time.monotonic()
    run.until(lambda: player.done)
    assert time.monotonic() - started < run.context.closing_seconds / 2
    assert run.document()["closes"] == {"1000": 1}


def test_what_is_abandoned_is_over_at_once(url: str) -> None:
    run = Run(url, "chatter", users=1)
    run.until(lambda: run.context.ledger.delivered > 5)
    run.players[0].abandon()
    assert run.players[0].done
    assert not run.population.players
    assert run.document()["closes"] == {"1006": 1}


def test_posts_have_their_own_time_and_users_do_not_post_in_phase(url: str) -> None:
    run = Run(url, "chatter", users=6, rate=5.0)
    run.until(lambda: run.posts >= 40)
    run.end()
    streams = list(run.context.ledger.streams.values())
    phases = []
    for stream in streams:
        posted = list(stream.meant)[1:]
        steps = [after - before for before, after in itertools.pairwise(posted)]
        assert all(abs(step - 0.2) < 0.0015 for step in steps)
        phases.append(posted[0] % 0.2)
    assert max(phases) - min(phases) > 0.02


def test_a_size_is_the_size_of_the_posted_text(url: str) -> None:
    run = Run(url, "roundtrip", users=1, size=300)
    run.until(lambda: run.context.ledger.delivered > 3)
    run.end()
    (post,) = [one for one in run.context.journeys["roundtrip"].posts if one.nonce == "said"]
    (parts,) = post.parts.values()
    assert len(parts.text[0] + parts.text[1]) + 31 == 300


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ("- expect_close: {actor: user, codes: [normal]}", "a journey cannot do this"),
        ("- send: {actor: user, event: send_message, payload: {channelId: c, text: hello}}", "exactly one nonce"),
        ("- expect: {actor: user, event: new_message}", "expect new_message only for its own posts"),
        ("- expect: {actor: user, match: {event: error}}", "a journey can expect a message only by its name"),
        (
            "- expect: {actor: user, event: error, optional: true}",
            "a journey can expect a message only if it must come",
        ),
        ("- send: {actor: user, message: {event: pong, payload: {a: '${uuid.a}'}}}", "no names for them, only ..uuid"),
        ("- send: {actor: user, message: {event: pong, payload: {a: '${value.a}'}}}", "the profile has no .values.a"),
        (
            "- send: {actor: user, event: send_message, payload: {channelId: c, text: '${nonce.a} ${counter}'}}",
            "a post is made ready once",
        ),
    ],
)
def test_a_journey_that_no_user_can_play_is_told(url: str, tmp_path: Path, steps: str, expected: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "format: wsproof.scenarios/1\nscenarios:\n  - id: mine\n    title: Mine\n    actors: {user: alice}\n"
        f"    steps:\n      - connect: {{actor: user}}\n      {steps}\n",
        encoding="utf-8",
    )
    with pytest.raises(LoadError, match=expected):
        Run(url, "mine", journey_file=str(path))


def test_the_connection_is_lost_in_mid_journey_and_the_journey_begins_anew() -> None:
    profile = load_profile(None, {**FAST})
    overrides = {**FAST, "reconnect.base": 0.05, "reconnect.cap": 0.1}
    with running(ServerSettings(profile=profile, port=0)) as server:
        run = Run(server.url, "chatter", users=3, overrides=overrides)
        run.until(lambda: run.context.ledger.delivered > 10)
    # The server is gone: everybody hears of it, and tries again in vain.
    run.until(lambda: run.context.recorder.errors.total() > 6)
    started = time.monotonic()
    found = run.end()
    assert counts(found) == (0, 0, 0, 0)
    assert time.monotonic() - started < 60
    assert sum(run.document()["closes"].values()) == 3
