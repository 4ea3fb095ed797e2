"""Ids of posts: which two have the same, and how long that is remembered."""

import pytest

from loadtest.delivery import identities
from loadtest.delivery.identities import Identities


class Ids:
    """All that came in some seconds, one after the other."""

    def __init__(self) -> None:
        self.identities = Identities(10.0)
        self.t = 0.0

    def second(self, *came: tuple[str, int], user: str = "user 1") -> list[tuple[str, float]]:
        """Ids and their posts that came in a second; who got one of another post, and when."""
        for identity, post in came:
            latest = self.identities.latest
            latest.ids.append(hash(identity))
            latest.posts.append(post)
            latest.users.append(user)
            latest.times.append(self.t)
        self.t += 1.0
        return list(self.identities.shared(self.t))


def test_two_posts_of_one_id_in_one_second() -> None:
    assert Ids().second(("a", 1), ("b", 2), ("a", 3), ("a", 3)) == [("user 1", 0.0)]


def test_two_posts_of_one_id_in_two_seconds() -> None:
    ids = Ids()
    assert ids.second(("a", 1), ("b", 2)) == []
    assert ids.second(("c", 3)) == []
    assert ids.second(("d", 4), ("b", 5), user="user 2") == [("user 2", 2.0)]


def test_one_post_that_comes_to_two_receivers_one_after_the_other_has_one_id() -> None:
    ids = Ids()
    assert ids.second(("a", 1), ("a", 1)) == []
    assert ids.second(("a", 1), user="user 2") == []


def test_what_came_long_ago_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = Ids()
    ids.second(("a", 1))
    for post in range(2, 12):
        ids.second((str(post), post))
    assert ids.second(("a", 12)) == []
    monkeypatch.setattr(identities, "MAX_IDS", 3)
    assert ids.second(("11", 13), ("9", 14)) == [("user 1", 12.0)]
