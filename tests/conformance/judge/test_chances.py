"""A clause holds only where there was a chance to break it: every check counts its own."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from conformance.judge.checks import TRANSCRIPT_CHECKS, judge
from conformance.judge.deliveries import DELIVERY_CHECKS
from conformance.judge.findings import UNITS
from conformance.play.posts import collect
from conformance.play.record import Conversation
from conformance.transport.exchange import Opened
from contract.files import DATA_ROOT
from contract.findings import phrase
from contract.requirements import load_requirements
from tests.conformance.histories import REQUIREMENTS, Story, nonce
from tests.conformance.judge.test_replies import NAMES as ELSEWHERE

Tell = Callable[[Story], object]


def members(story: Story, *users: str) -> list[Conversation]:
    found = [story.connect(user) for user in users]
    for one in found:
        story.join(one)
    return found


def posted(story: Story, *numbers: int, by: Conversation, to: list[Conversation]) -> None:
    for number in numbers:
        story.post(by, number)
        for one in to:
            story.deliver(one, number, by.user)


def nothing(story: Story) -> None:
    story.connect(ack=False)


def unopened(story: Story) -> None:
    story.connect(ack=False).opened = None


def acknowledged(story: Story) -> None:
    story.connect()


def two_connections(story: Story) -> None:
    story.connect()
    story.connect("bob")


def compressed(story: Story, *, heard: bool = True) -> None:
    one = story.connect(ack=False)
    one.opened = Opened(0.0, one.actor, (), None, compressed=True)
    if heard:
        story.receive(one, "connection_ack", {"sessionId": "s"})


def early(story: Story) -> None:
    one = story.connect(ack=False)
    story.send(one, "x", {})
    story.receive(one, "connection_ack", {"sessionId": "s"})


def numbers(story: Story) -> None:
    one = story.connect()
    for sequence in (1, 2, 3):
        story.receive(one, "ping", {}, sequence=sequence)


def unparsed(story: Story) -> None:
    story.raw(story.connect(), "{")


def gap(story: Story) -> None:
    """What cannot be read may have had the number that seems to be missing."""
    one = story.connect()
    story.receive(one, "ping", {}, sequence=1)
    story.raw(one, "{")
    story.receive(one, "ping", {}, sequence=3)


def undeclared(story: Story) -> None:
    story.receive(story.connect(), "typing", {})


def closed(story: Story) -> None:
    story.close(story.connect(), 1000)


def refused(story: Story) -> None:
    story.refuse("alice", b"no")


def own_token(story: Story) -> None:
    one = story.connect("alice", ("Server", "x"))
    story.send(one, "alice-token", {})


def errors(story: Story) -> None:
    one = story.connect()
    for code in ("INVALID_JSON", "", 1):
        story.receive(one, "error", {"code": code, "message": "m"})


def alone(story: Story) -> None:
    (alice,) = members(story, "alice")
    posted(story, 1, by=alice, to=[alice])


def twice(story: Story) -> None:
    (alice,) = members(story, "alice")
    posted(story, 1, 2, by=alice, to=[alice])


def two_receivers(story: Story) -> None:
    both = members(story, "alice", "bob")
    posted(story, 1, by=both[0], to=both)


def two_of_each(story: Story) -> None:
    both = members(story, "alice", "bob")
    posted(story, 1, 2, by=both[0], to=both)


def two_posters(story: Story) -> None:
    both = members(story, "alice", "bob")
    posted(story, 1, by=both[0], to=both)
    posted(story, 2, by=both[1], to=both)


def two_channels(story: Story) -> None:
    (alice,) = members(story, "alice")
    story.join(alice, "d")
    for number, channel in ((1, "c"), (2, "d")):
        story.post(alice, number, channel)
        story.deliver(alice, number, channel=channel)


def outsider(story: Story) -> None:
    bob = story.connect("bob")
    alone(story)
    story.receive(bob, "ping", {})


def outsider_left(story: Story) -> None:
    story.leave(story.connect("bob"))
    alone(story)


def outsider_came_later(story: Story) -> None:
    alone(story)
    story.connect("bob")


def outsider_of_a_lost_post(story: Story) -> None:
    """Nobody received it: that somebody did not, shows nothing."""
    (alice,) = members(story, "alice")
    story.connect("bob")
    story.post(alice, 1)
    story.wait(1)


def strangers(story: Story) -> None:
    story.deliver(story.connect(), 1)


def nameless(story: Story) -> None:
    (alice,) = members(story, "alice")
    for number in (1, 2):
        story.post(alice, number)
        story.deliver(alice, number, id=number, author=None, timestamp="today")


CHANCES: list[tuple[str, Tell, int]] = [
    ("text", nothing, 0),
    ("text", acknowledged, 1),
    ("text", unparsed, 2),
    ("unfragmented", nothing, 0),
    ("unfragmented", acknowledged, 1),
    ("frames", unopened, 0),
    ("frames", nothing, 1),
    ("frames", two_connections, 2),
    ("compression", acknowledged, 0),
    ("compression", lambda story: compressed(story, heard=False), 0),
    ("compression", compressed, 1),
    ("envelope", nothing, 0),
    ("envelope", unparsed, 1),
    ("envelope", numbers, 4),
    ("envelope:ping", acknowledged, 0),
    ("envelope:ping", numbers, 3),
    ("payload", undeclared, 1),
    ("payload", numbers, 4),
    ("payload:ping", numbers, 3),
    ("payload:connection_ack", numbers, 1),
    ("payload:new_message", acknowledged, 0),
    ("payload:new_message", two_receivers, 2),
    ("payload:error", errors, 3),
    ("undeclared", nothing, 0),
    ("undeclared", unparsed, 1),
    ("undeclared", undeclared, 2),
    ("number", nothing, 0),
    ("number", numbers, 4),
    ("number-step", acknowledged, 0),
    ("number-step", numbers, 2),
    ("number-step", gap, 0),
    ("acknowledged-first", nothing, 0),
    ("acknowledged-first", two_connections, 2),
    ("acknowledged-first", early, 0),
    ("acknowledged-once", nothing, 0),
    ("acknowledged-once", early, 1),
    ("session-unique", acknowledged, 0),
    ("session-unique", two_connections, 1),
    ("secret-echo", unopened, 0),
    ("secret-echo", acknowledged, 1),
    ("secret-echo", refused, 1),
    ("secret-echo", own_token, 0),
    ("error-code", acknowledged, 0),
    ("error-code", errors, 1),
    ("close-code", acknowledged, 0),
    ("close-code", closed, 1),
    ("delivered", two_receivers, 0),
    ("delivered", two_of_each, 2),
    ("delivered-once", acknowledged, 0),
    ("delivered-once", strangers, 0),
    ("delivered-once", two_receivers, 2),
    ("intact", strangers, 0),
    ("intact", two_of_each, 4),
    ("membership", alone, 0),
    ("membership", two_receivers, 0),
    ("membership", outsider, 1),
    ("membership", outsider_left, 0),
    ("membership", outsider_came_later, 0),
    ("membership", outsider_of_a_lost_post, 0),
    ("order", alone, 0),
    ("order", two_receivers, 0),
    ("order", two_posters, 0),
    ("order", two_channels, 0),
    ("order", twice, 1),
    ("order", two_of_each, 2),
    ("one-order", twice, 0),
    ("one-order", two_receivers, 0),
    ("one-order", two_of_each, 1),
    ("author", alone, 0),
    ("author", twice, 1),
    ("author", two_receivers, 1),
    ("author", nameless, 0),
    ("author-name", alone, 0),
    ("author-name", twice, 1),
    ("author-distinct", twice, 0),
    ("author-distinct", two_posters, 1),
    ("delivery-id", alone, 0),
    ("delivery-id", twice, 1),
    ("delivery-id", two_of_each, 3),
    ("delivery-id", nameless, 0),
    ("delivery-time", alone, 1),
    ("delivery-time", nameless, 0),
]


@pytest.mark.parametrize(("check", "tell", "count"), CHANCES)
def test_a_check_counts_its_chances(check: str, tell: Tell, count: int) -> None:
    story = Story()
    tell(story)
    assert story.chances().get(check, 0) == count


def test_every_check_stands_in_the_table_with_a_chance_and_without_one() -> None:
    for name in set(UNITS) - ELSEWHERE:
        counts = {bool(count) for check, _, count in CHANCES if check.partition(":")[0] == name}
        assert counts == {True, False}, name


def test_a_run_without_a_post_decides_nothing_of_posts() -> None:
    """`--select CONN-02` once reported these as passed."""
    story = Story()
    two_connections(story)
    units = {UNITS[name.partition(":")[0]] for name in story.chances()}
    assert units == {"message", "connection"}


class TestNames:
    """Code knows checks, data knows ids: all of them speak of the same names."""

    SCHEMA: Any = json.loads((DATA_ROOT / "schemas" / "requirements.schema.json").read_text(encoding="utf-8"))
    DATA: Any = yaml.safe_load((DATA_ROOT / "spec" / "chat" / "requirements.yaml").read_text(encoding="utf-8"))

    def test_the_schema_lists_every_check_once(self) -> None:
        listed = self.SCHEMA["$defs"]["check"]["enum"]
        assert sorted(listed) == sorted(UNITS)

    def test_only_checks_of_messages_are_narrowed(self) -> None:
        narrowed = self.SCHEMA["$defs"]["checks"]["items"]["oneOf"][1]["properties"]
        assert {UNITS[name] for name in narrowed} == {"message"}

    def test_every_name_in_the_requirements_is_a_check_and_every_check_decides_something(self) -> None:
        known = [
            *REQUIREMENTS.values(),
            *load_requirements(DATA_ROOT / "spec" / "messages" / "requirements.yaml").values(),
        ]
        used = {use.check for one in known for clause in one.clauses for use in clause.checks}
        assert used == set(UNITS)

    def test_what_is_narrowed_is_counted_so(self) -> None:
        """A subject that nothing counts would leave its clause untested for ever."""
        counted = {name for _, tell, _ in CHANCES for name in told(tell).chances()}
        used = {use.subject for one in REQUIREMENTS.values() for clause in one.clauses for use in clause.checks}
        assert used <= counted

    def test_every_name_that_checks_yield_is_known(self) -> None:
        yielded = {name for tell in WRONG for name in found_by(tell)}
        assert yielded | ELSEWHERE == set(UNITS)


def told(tell: Tell) -> Story:
    story = Story()
    tell(story)
    return story


def found_by(tell: Tell) -> set[str]:
    """The names of the checks that find something in a story."""
    history = told(tell).history()
    deliveries = collect(history)
    found = [one for check in TRANSCRIPT_CHECKS for one in check(history)]
    found += [one for check in DELIVERY_CHECKS for one in check(history, deliveries)]
    assert {name.partition(":")[0] for name in history.chances} <= set(UNITS)
    assert bool(judge(history, REQUIREMENTS)[0]) == bool(found)
    return {one.check for one in found} | {one.otherwise for one in found if one.otherwise is not None}


def wrong_messages(story: Story) -> None:
    one = story.connect("alice", ("X", "alice-token"))
    story.raw(one, "{")
    story.raw(one, "[]")
    story.raw(one, '{"event": "ping", "payload": {}}', fragments=(10, 22))
    story.receive(one, "connection_ack", {})
    story.receive(one, "error", {"code": "OOPS", "message": "m"}, sequence=3)
    story.receive(one, "typing", {}, sequence=2)
    story.close(one, 999)


def wrong_connections(story: Story) -> None:
    late = story.connect(ack=False)
    story.receive(late, "ping", {})
    story.receive(late, "connection_ack", {"sessionId": "same"})
    story.receive(story.connect("bob", ack=False), "connection_ack", {"sessionId": "same"})
    story.end(late, "violation")
    packed = story.connect(ack=False)
    packed.opened = Opened(0.0, packed.actor, (), None, compressed=True)
    story.receive(packed, "connection_ack", {"sessionId": "third"})
    story.end(packed, "violation", phrase("frame-inflate"))


def wrong_deliveries(story: Story) -> None:
    alice, bob = members(story, "alice", "bob")
    carol = story.connect("carol")
    for number in (1, 2, 3):
        story.post(alice, number)
    story.post(bob, 4)
    for number in (1, 3, 2, 3):
        story.deliver(alice, number)
    for number in (1, 2, 3):
        story.deliver(bob, number, author={"id": "user-001", "name": f"Taro {number}"}, text=f"{nonce(number)} x")
    story.deliver(alice, 4, author={"id": "user-001", "name": "Taro"}, timestamp="2000-01-01T00:00:00Z")
    story.deliver(carol, 4, "bob", id="another")
    story.post(alice, 5)
    story.wait(10)


WRONG: tuple[Tell, ...] = (wrong_messages, wrong_connections, wrong_deliveries)
