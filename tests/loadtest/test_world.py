"""Who the virtual users are: tokens, channels, and until when they play."""

from pathlib import Path

import pytest

from conformance.scenario import Actor, Scenario
from contract.profile import Profile, load_profile
from loadtest.settings import LoadError
from loadtest.world import Clock, Crew, check_profile


def journey(*users: str) -> Scenario:
    """A journey without steps, with an actor for each user."""
    actors = tuple(Actor(f"actor{index}", user) for index, user in enumerate(users))
    return Scenario("some", "Some", "", (), (), (), actors, (), Path("some.yaml"), 1)


def with_fixtures(**fixtures: object) -> Profile:
    return load_profile(None, fixtures)


THREE_USERS = {key: {"token": f"{key}-token"} for key in ("ann", "ben", "cid")}


def tokens(crew: Crew, one: Scenario, count: int) -> list[list[str]]:
    """The tokens of the first users, sorted by the journey's users."""
    found = []
    for _ in range(count):
        users = crew.profile_of(crew.number(), one).users
        found.append([users[key].token for key in sorted(users)])
    return found


def test_every_user_has_a_token_of_its_own() -> None:
    crew = Crew(load_profile(), 1)
    assert tokens(crew, journey("alice"), 3) == [["load-1"], ["load-2"], ["load-3"]]


def test_a_journey_of_several_users_takes_a_token_for_each() -> None:
    crew = Crew(load_profile(), 1)
    assert tokens(crew, journey("alice", "bob", "alice"), 2) == [["load-1", "load-2"], ["load-3", "load-4"]]


def test_without_load_tokens_the_users_take_turns() -> None:
    crew = Crew(with_fixtures(users=THREE_USERS), 1)
    found = tokens(crew, journey("alice"), 4)
    assert found == [["ann-token"], ["ben-token"], ["cid-token"], ["ann-token"]]


def test_a_users_own_token_is_masked() -> None:
    crew = Crew(load_profile(), 1)
    assert "load-1" in crew.profile_of(crew.number(), journey("alice")).secrets()


@pytest.mark.parametrize("fixtures", [{"users": {}}, {"users": {}, "tokens": {"expired": "old"}}])
def test_a_profile_without_tokens_is_refused(fixtures: dict[str, object]) -> None:
    with pytest.raises(LoadError, match=r"neither tokens\.load nor users"):
        check_profile(with_fixtures(**fixtures))


def test_users_share_as_many_channels_as_there_are_to_be() -> None:
    crew = Crew(load_profile(), 3)
    names = [crew.channel(number, "room") for number in range(1, 10)]
    assert len(set(names)) == 3
    assert names[:3] == names[3:6] == names[6:]
    assert not {crew.channel(number, "hall") for number in range(1, 10)} & set(names)
    assert not {Crew(load_profile(), 3).channel(number, "room") for number in range(1, 10)} & set(names)


def test_a_closed_set_of_channels_is_used_as_it_is() -> None:
    crew = Crew(with_fixtures(users=THREE_USERS, channels={"open": ["one", "two"]}), 5)
    assert {crew.channel(number, "room") for number in range(1, 20)} == {"one", "two"}


def test_a_run_is_over_at_its_end_or_when_it_is_stopped() -> None:
    clock = Clock()
    assert not clock.over(1e12)
    clock.end = 5.0
    assert [clock.over(t) for t in (4.9, 5.0, 5.1)] == [False, True, True]
    clock.stopped = True
    assert clock.over(0.0)
