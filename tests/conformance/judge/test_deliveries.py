"""Checks of what was posted and what was delivered."""

from dataclasses import replace
from typing import Any

import pytest

from conformance.play.posts import collect, nonce_of
from conformance.play.record import Conversation, Sent
from tests.conformance.histories import PROFILE, Story, nonce, stamp


@pytest.fixture
def story() -> Story:
    return Story()


def members(story: Story, *users: str) -> list[Conversation]:
    """Connections that have joined the channel."""
    found = [story.connect(user) for user in users]
    for one in found:
        story.join(one)
    return found


class TestDelivered:
    """SEND-01: a post reaches every connection whose join is in force, and that stays for the response timeout."""

    LONG = PROFILE.response_timeout + 1

    def met(self, story: Story) -> list[Conversation]:
        """Alice and Bob, whose joins are in force: a first post has reached both."""
        alice, bob = members(story, "alice", "bob")
        story.post(alice, 1)
        for one in (alice, bob):
            story.deliver(one, 1)
        return [alice, bob]

    def test_a_lost_post_is_owed(self, story: Story) -> None:
        alice, _ = self.met(story)
        story.post(alice, 2)
        story.wait(self.LONG)
        assert story.findings() == [("SEND-01", "MUST")]
        assert [(one.actor, one.absent) for one in story.failures()] == [
            ("alice-0", "undelivered"),
            ("bob-1", "undelivered"),
        ]
        assert nonce(2) in str(story.failures()[0].expected)
        assert story.chances()["delivered"] == 2

    def test_who_does_not_read_is_owed_nothing(self, story: Story) -> None:
        alice, bob = self.met(story)
        bob.unread_since = story.now
        story.post(alice, 2)
        story.deliver(alice, 2)
        story.wait(self.LONG)
        assert (story.findings(), story.chances()["delivered"]) == ([], 1)

    def test_one_that_came_is_a_chance(self, story: Story) -> None:
        alice, bob = self.met(story)
        story.post(alice, 2)
        for one in (alice, bob):
            story.deliver(one, 2)
        assert (story.findings(), story.chances()["delivered"]) == ([], 2)

    def test_the_first_post_decides_whether_a_join_is_in_force(self, story: Story) -> None:
        """It may be ahead of the join, which has no answer."""
        alice, bob = members(story, "alice", "bob")
        story.post(alice, 1)
        story.deliver(alice, 1)
        story.wait(self.LONG)
        assert story.findings() == []
        assert "delivered" not in story.chances()
        story.post(alice, 2)
        story.deliver(alice, 2)
        story.wait(self.LONG)
        assert story.findings() == [], "nothing has reached Bob yet"
        story.post(alice, 3)
        for one in (alice, bob):
            story.deliver(one, 3)
        story.post(alice, 4)
        story.deliver(alice, 4)
        story.wait(self.LONG)
        assert [(one.actor, one.charge.requirements) for one in story.failures()] == [("bob-1", ("SEND-01",))]

    def test_a_join_of_another_channel_is_none(self, story: Story) -> None:
        alice, _ = self.met(story)
        story.join(alice, "d")
        story.post(alice, 2, "d")
        story.wait(self.LONG)
        assert story.findings() == []

    def test_what_a_stranger_to_the_channel_received_puts_nothing_in_force(self, story: Story) -> None:
        alice, _ = self.met(story)
        carol = story.connect("carol")
        story.deliver(carol, 1)
        story.post(alice, 2)
        for one in story.record.conversations[:2]:
            story.deliver(one, 2)
        story.wait(self.LONG)
        assert story.findings() == [("JOIN-02", "MUST")]

    @pytest.mark.parametrize(
        "changes",
        [
            {"plain": False},
            {"sequence": 7},
            {"traceId": "t"},
            {"payload": {"color": "red"}},
            {"payload": {"text": f"{nonce(2)} " + "x" * 5_000}},
        ],
    )
    def test_one_that_is_not_plain_may_be_refused(self, story: Story, changes: dict[str, Any]) -> None:
        """Fragments, escapes, numbers, unknown members: other requirements say what becomes of these."""
        alice, _ = self.met(story)
        story.post(alice, 2, **changes)
        story.wait(self.LONG)
        assert story.findings() == []

    def test_but_where_somebody_received_it_the_others_are_owed_it(self, story: Story) -> None:
        alice, bob = self.met(story)
        story.post(alice, 2, plain=False)
        story.deliver(alice, 2)
        story.wait(self.LONG)
        (failure,) = story.failures()
        assert (failure.actor, failure.charge.requirements) == (bob.actor, ("SEND-01",))
        assert story.chances()["delivered"] == 2

    def test_an_error_after_it_may_be_its_answer(self, story: Story) -> None:
        alice, _ = self.met(story)
        story.post(alice, 2)
        story.receive(alice, "error", {"code": "INVALID_PAYLOAD", "message": "m"})
        story.wait(self.LONG)
        assert story.findings() == []

    def test_an_error_before_it_or_on_another_connection_is_none(self, story: Story) -> None:
        alice, bob = self.met(story)
        story.receive(alice, "error", {"code": "INVALID_PAYLOAD", "message": "m"})
        story.post(alice, 2)
        story.receive(bob, "error", {"code": "INVALID_PAYLOAD", "message": "m"})
        story.wait(self.LONG)
        assert story.findings() == [("SEND-01", "MUST")]

    def test_a_sender_that_has_not_joined_is_owed_nothing(self, story: Story) -> None:
        _, _ = self.met(story)
        carol = story.connect("carol")
        story.post(carol, 2)
        story.wait(self.LONG)
        assert story.findings() == []

    @pytest.mark.parametrize("how", ["leave", "close", "end"])
    @pytest.mark.parametrize(("late", "found"), [(False, []), (True, ["bob-1"])])
    def test_a_receiver_must_have_stayed(self, story: Story, how: str, late: bool, found: list[str]) -> None:
        alice, bob = self.met(story)
        story.post(alice, 2)
        story.deliver(alice, 2)
        story.wait(self.LONG if late else 0)
        if how == "leave":
            story.leave(bob)
        elif how == "close":
            story.close(bob, 1000)
        else:
            story.end(bob)
        story.wait(self.LONG)
        assert [one.actor for one in story.failures()] == found

    def test_a_sender_that_left_may_have_taken_its_post_along(self, story: Story) -> None:
        alice, _ = self.met(story)
        story.post(alice, 2)
        story.leave(alice)
        story.wait(self.LONG)
        assert story.findings() == []

    def test_nobody_is_charged_before_the_timeout(self, story: Story) -> None:
        alice, _ = self.met(story)
        story.post(alice, 2)
        story.wait(PROFILE.response_timeout - 0.1)
        assert (story.findings(), "delivered" in story.chances()) == ([], False)
        story.wait(0.2)
        assert story.findings() == [("SEND-01", "MUST")]

    def test_what_held_up_the_tester_is_added(self, story: Story) -> None:
        alice, _ = self.met(story)
        story.post(alice, 2)
        story.record.stalls.append((story.now + 1, 1.0))
        story.wait(PROFILE.response_timeout + 2.9)
        assert story.findings() == []
        story.wait(0.2)
        assert story.findings() == [("SEND-01", "MUST")]

    def test_an_endpoint_that_limits_the_rate_owes_nothing(self, story: Story) -> None:
        alice, bob = self.met(story)
        story.post(alice, 2)
        story.receive(bob, "error", {"code": "RATE_LIMITED", "message": "m"})
        story.wait(self.LONG)
        assert (story.findings(), "delivered" in story.chances()) == ([], False)

    def test_a_post_without_a_nonce_is_nobodys(self, story: Story) -> None:
        alice, _ = self.met(story)
        story.send(alice, "send_message", {"channelId": "c", "text": "hello"})
        story.wait(self.LONG)
        assert story.findings() == []


class TestFidelity:
    """SEND-02."""

    @pytest.mark.parametrize("words", ["hello ", " hello", "HELLO", "hell", "he\u0301llo", ""])
    def test_another_text(self, story: Story, words: str) -> None:
        (alice,) = members(story, "alice")
        story.post(alice, 1)
        story.deliver(alice, 1, text=f"{nonce(1)} {words}")
        assert story.findings() == [("SEND-02", "MUST")]

    def test_another_channel(self, story: Story) -> None:
        (alice,) = members(story, "alice")
        story.post(alice, 1)
        story.deliver(alice, 1, channel="d")
        assert story.findings() == [("SEND-02", "MUST")]


class TestMembership:
    """JOIN-02."""

    def test_one_that_joined_nothing(self, story: Story) -> None:
        (alice,), bob = members(story, "alice"), story.connect("bob")
        story.post(alice, 1)
        story.deliver(bob, 1)
        assert story.findings() == [("JOIN-02", "MUST")]

    def test_one_that_joined_another_channel(self, story: Story) -> None:
        (alice,), bob = members(story, "alice"), story.connect("bob")
        story.join(bob, "d")
        story.post(alice, 1)
        story.deliver(bob, 1)
        assert story.findings() == [("JOIN-02", "MUST")]

    def test_a_former_connections_join_does_not_count(self, story: Story) -> None:
        (alice, _) = members(story, "alice", "bob")
        again = story.connect("bob")
        story.post(alice, 1)
        story.deliver(again, 1)
        assert story.findings() == [("JOIN-02", "MUST")]

    def test_strangers_messages_count_as_well(self, story: Story) -> None:
        bob = story.connect("bob")
        story.deliver(bob, 1)
        assert story.findings() == [("JOIN-02", "MUST")]

    def test_strangers_messages_of_a_joined_channel_are_none_of_ours(self, story: Story) -> None:
        (bob,) = members(story, "bob")
        story.deliver(bob, 1)
        story.deliver(bob, 2, text="hello")
        assert story.findings() == []

    def test_what_came_before_the_join_was_sent(self, story: Story) -> None:
        (alice,), bob = members(story, "alice"), story.connect("bob")
        story.post(alice, 1)
        story.deliver(bob, 1)
        story.join(bob)
        assert story.findings() == [("JOIN-02", "MUST")]

    def test_a_refused_join_was_one(self, story: Story) -> None:
        """What follows a refusal is another requirement's matter; of a name in another case it is none."""
        (alice,), bob = members(story, "alice"), story.connect("bob")
        story.join(bob)
        story.receive(bob, "error", {"code": "PERMISSION_DENIED", "message": "no", "originalEvent": "join_channel"})
        story.post(alice, 1)
        story.deliver(bob, 1)
        assert story.findings() == []
        story.deliver(bob, 2, channel="C")
        assert story.findings() == [("JOIN-02", "MUST")]

    def test_who_sent_frames_of_its_own_may_have_joined_anything(self, story: Story) -> None:
        (alice,), bob = members(story, "alice"), story.connect("bob")
        bob.sent.append(Sent(story.now, bob, None, "[1 fin 60]"))
        story.post(alice, 1)
        story.deliver(bob, 1)
        story.deliver(bob, 2)
        assert story.findings() == []

    def test_but_not_before(self, story: Story) -> None:
        bob = story.connect("bob")
        story.deliver(bob, 2)
        story.wait(1)
        bob.sent.append(Sent(story.now, bob, None, "[1 fin 60]"))
        assert story.findings() == [("JOIN-02", "MUST")]


class TestHistory:
    """What was said before, and is replayed: JOIN-02, SEND-03, SEND-05."""

    def away(self, story: Story, channel: str = "c") -> Conversation:
        """Bob had joined a channel, and connects again after something was posted there."""
        alice, bob = members(story, "alice", "bob")
        story.leave(bob)
        story.post(alice, 1, channel)
        return story.connect("bob")

    @pytest.mark.parametrize(
        ("history", "channel", "found"),
        [
            ("none", "c", [("JOIN-02", "MUST")]),
            ("join", "c", [("JOIN-02", "MUST")]),
            ("connect", "c", []),
            ("connect", "d", [("JOIN-02", "MUST")]),
        ],
    )
    def test_what_was_posted_while_a_user_was_away(self, history: Any, channel: str, found: list[Any]) -> None:
        story = Story(replace(PROFILE, history=history))
        again = self.away(story, channel)
        story.deliver(again, 1, channel=channel)
        assert story.findings() == found

    def test_connecting_replays_nothing_that_is_said_later(self) -> None:
        story = Story(replace(PROFILE, history="connect"))
        alice, bob = members(story, "alice", "bob")
        story.leave(bob)
        again = story.connect("bob")
        story.post(alice, 1)
        story.deliver(again, 1)
        assert story.findings() == [("JOIN-02", "MUST")]

    def test_shared_channels_may_have_been_joined_in_any_scenario(self) -> None:
        shared = replace(PROFILE, history="connect", channels=replace(PROFILE.channels, open=("c", "d")))
        story = Story(shared)
        again = self.away(story, "d")
        story.deliver(again, 1, channel="d")
        story.deliver(again, 2, channel="e")
        assert story.findings() == []

    @pytest.mark.parametrize(("history", "found"), [("none", ["SEND-03", "SEND-05"]), ("join", [])])
    def test_joining_again_may_replay(self, history: Any, found: list[str]) -> None:
        story = Story(replace(PROFILE, history=history))
        (alice,) = members(story, "alice")
        then = stamp(story.now)
        for number in (1, 2):
            story.post(alice, number)
            story.deliver(alice, number)
        story.join(alice)
        story.deliver(alice, 1, timestamp=then)
        assert [requirement for requirement, _ in story.findings()] == found

    def test_each_join_replays_once(self) -> None:
        story = Story(replace(PROFILE, history="join"))
        alice, bob = members(story, "alice", "bob")
        story.post(alice, 1)
        late = story.connect("bob")
        story.join(late)
        story.deliver(late, 1)
        story.deliver(bob, 1)
        assert story.findings() == []
        story.deliver(late, 1)
        story.deliver(bob, 1)
        assert [(one.charge.requirements, one.actor) for one in story.failures()] == [
            (("SEND-03",), "bob-1"),
            (("SEND-03",), "bob-2"),
        ]


def test_send_03_twice(story: Story) -> None:
    alice, bob = members(story, "alice", "bob")
    story.post(alice, 1)
    for one in (alice, bob, bob):
        story.deliver(one, 1)
    assert story.findings() == [("SEND-03", "SHOULD")]


def test_a_text_posted_twice_may_arrive_twice(story: Story) -> None:
    (alice,) = members(story, "alice")
    for number in (1, 1):
        story.post(alice, number)
        story.deliver(alice, number, id=f"m-{story.now}")
    assert story.findings() == []


class TestIds:
    """SEND-04."""

    def test_two_ids_of_one_message(self, story: Story) -> None:
        alice, bob = members(story, "alice", "bob")
        story.post(alice, 1)
        story.deliver(alice, 1, id="a")
        story.deliver(bob, 1, id="b")
        assert story.findings() == [("SEND-04", "SHOULD")]

    def test_two_messages_of_one_id(self, story: Story) -> None:
        (alice,) = members(story, "alice")
        for number in (1, 2):
            story.post(alice, number)
            story.deliver(alice, number, id="same")
        assert story.findings() == [("SEND-04", "SHOULD")]


class TestTimestamps:
    """SEND-05."""

    @pytest.mark.parametrize(("offset", "found"), [(0, False), (290, False), (-290, False), (310, True), (-310, True)])
    def test_near_our_clock(self, story: Story, offset: float, found: bool) -> None:
        (alice,) = members(story, "alice")
        story.post(alice, 1)
        story.deliver(alice, 1, timestamp=stamp(story.now + offset))
        assert story.findings() == ([("SEND-05", "SHOULD")] if found else [])

    @pytest.mark.parametrize(
        "text",
        [
            "2026-01-01T00:00:04Z",
            "2026-01-01t00:00:04z",
            "2026-01-01T09:00:04+09:00",
            "2025-12-31T16:00:04.5-08:00",
            "2025-12-31T23:59:60Z",
            "2025-12-31t23:59:60.25z",
            "2026-01-01T00:00:04.123456789Z",
            "2026-01-01T00:00:04.1Z",
        ],
    )
    def test_every_form_is_read(self, story: Story, text: str) -> None:
        """A form that is legal and cannot be read would hide a wrong clock."""
        (alice,) = members(story, "alice")
        story.post(alice, 1)
        story.deliver(alice, 1, timestamp=text)
        assert story.findings() == []
        story.post(alice, 2)
        story.deliver(alice, 2, timestamp=text.replace("2026", "2036").replace("2025", "2035"))
        assert story.findings() == [("SEND-05", "SHOULD")]

    def test_decreasing_in_a_channel(self, story: Story) -> None:
        (alice,) = members(story, "alice")
        for number in (1, 2):
            story.post(alice, number)
            story.deliver(alice, number, timestamp=stamp(-number))
        assert story.findings() == [("SEND-05", "SHOULD")]

    def test_not_over_two_channels(self, story: Story) -> None:
        (alice,) = members(story, "alice")
        story.join(alice, "d")
        for number, channel in ((1, "c"), (2, "d")):
            story.post(alice, number, channel)
            story.deliver(alice, number, channel=channel, timestamp=stamp(-number))
        assert story.findings() == []


class TestAuthors:
    """SEND-06."""

    def test_two_ids_of_one_token(self, story: Story) -> None:
        (alice,) = members(story, "alice")
        for number in (1, 2):
            story.post(alice, number)
            story.deliver(alice, number, author={"id": f"u-{number}", "name": "Taro"})
        assert story.findings() == [("SEND-06", "MUST")]

    def test_two_names_of_one_token(self, story: Story) -> None:
        (alice,) = members(story, "alice")
        for number in (1, 2):
            story.post(alice, number)
            story.deliver(alice, number, author={"id": "u", "name": f"Taro {number}"})
        assert story.findings() == [("SEND-06", "SHOULD")]

    def test_one_id_of_two_users(self, story: Story) -> None:
        for number, one in enumerate(members(story, "alice", "bob")):
            story.post(one, number)
            story.deliver(one, number, author={"id": "u", "name": "Taro"})
        assert story.findings() == [("SEND-06", "SHOULD")]


class TestOrder:
    def test_send_07_one_posters(self, story: Story) -> None:
        (alice,) = members(story, "alice")
        for number in (1, 2, 3):
            story.post(alice, number)
        for number in (1, 3, 2):
            story.deliver(alice, number)
        assert story.findings() == [("SEND-07", "SHOULD")]

    def test_send_07_two_posters_have_no_order(self, story: Story) -> None:
        alice, bob = members(story, "alice", "bob")
        story.post(alice, 1)
        story.post(bob, 2)
        for one in (alice, bob):
            story.deliver(one, 2, "bob")
            story.deliver(one, 1)
        assert story.findings() == []

    def test_send_08_one_order_for_all(self, story: Story) -> None:
        alice, bob = members(story, "alice", "bob")
        story.post(alice, 1)
        story.post(bob, 2)
        for one, order in ((alice, (1, 2)), (bob, (2, 1))):
            for number in order:
                story.deliver(one, number, "alice" if number == 1 else "bob", timestamp=stamp(9))
        assert story.findings() == [("SEND-08", "SHOULD")]

    def test_a_gap_is_no_other_order(self, story: Story) -> None:
        alice, bob = members(story, "alice", "bob")
        for number in range(5):
            story.post(alice, number)
        for one, order in ((alice, (0, 1, 2, 3, 4)), (bob, (1, 3, 4))):
            for number in order:
                story.deliver(one, number, timestamp=stamp(9))
        assert story.findings() == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"a {nonce(1)} b", nonce(1)),
        (f"{nonce(1)}{nonce(2)}", nonce(1)),
        (f"12 {nonce(1)}", nonce(1)),
        ("1" * 15, ""),
        ("１" * 16, ""),
        ("", ""),
        (None, ""),
        (17, ""),
    ],
)
def test_nonces(text: object, found: str) -> None:
    assert nonce_of(text) == found


def test_a_post_needs_a_nonce_and_a_channel(story: Story) -> None:
    (alice,) = members(story, "alice")
    for payload in (
        None,
        {},
        {"text": nonce(1)},
        {"channelId": "c", "text": "hi"},
        {"channelId": 1},
    ):
        story.send(alice, "send_message", payload)
    found = collect(story.history())
    assert (found.posts, found.arrivals, set(found.joins)) == ((), (), {(id(alice), "c"), ("alice", "c")})
