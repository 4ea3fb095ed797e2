"""Many connections: channels, order, ids, timestamps, heartbeat, expiry; all with a clock of the test's own."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest

from contract.choices import Heartbeat
from contract.profile import Profile
from contract.schemas import is_date_time
from reference_server.chat.channels import MAX_JOINED
from reference_server.chat.hub import DUE_AT_ONCE, Hub
from tests.bundled import load_profile
from tests.reference_server.bench import EPOCH, Bench

MakeBench = Callable[..., Bench]


def beating(profile: Profile, **rules: object) -> Profile:
    return replace(profile, heartbeat=replace(Heartbeat(), **rules))  # type: ignore[arg-type]


# Connecting


def test_acknowledgement_comes_first_and_once(bench: Bench) -> None:
    one, two, other = bench.connect(), bench.connect(), bench.connect("bob-token")
    ids = {client.events("connection_ack")[0]["sessionId"] for client in (one, two, other)}
    assert len(ids) == 3
    assert [message["event"] for message in one.inbox] == ["connection_ack"]


def test_ids_differ_from_server_to_server(make_bench: MakeBench) -> None:
    first, second = (make_bench().connect().events("connection_ack")[0] for _ in range(2))
    assert first != second


def test_token_expires(bench: Bench) -> None:
    client = bench.connect("expiring-token")
    bench.advance(1.9)
    assert client.closed is None
    bench.advance(0.2)
    assert client.closed is not None
    assert client.closed.code == 4401


def test_shut_down_closes_everybody(bench: Bench) -> None:
    clients = [bench.connect() for _ in range(3)]
    bench.shut_down()
    assert [client.closed.code for client in clients if client.closed] == [1001] * 3


# Heartbeat


def test_pings_come_every_interval(bench: Bench) -> None:
    client = bench.connect()
    pings = []
    for _ in range(800):
        bench.advance(0.125)
        if any(message["event"] == "ping" for message in client.take()):
            pings.append(bench.now - 1000)
            client.send("pong", {"any": "member"})
    assert pings == [30.0, 60.0, 90.0]
    assert client.closed is None


def test_silent_client_is_closed_in_time(bench: Bench) -> None:
    client = bench.connect()
    bench.advance(39.9)
    assert client.closed is None
    bench.advance(0.2)
    assert client.closed is not None
    assert client.closed.code == 4408


def test_any_pong_answers_all_pings_before_it(make_bench: MakeBench, profile: Profile) -> None:
    bench = make_bench(profile=beating(profile, interval=1, timeout=5))
    client = bench.connect()
    for _ in range(4):
        bench.advance(4.5)
        client.send("pong", {})
    assert client.closed is None
    assert len(client.events("ping")) == 18
    bench.advance(7)
    assert client.closed is not None


def test_timeout_counts_from_the_oldest_unanswered_ping(make_bench: MakeBench, profile: Profile) -> None:
    bench = make_bench(profile=beating(profile, interval=1, timeout=5))
    client = bench.connect()
    bench.advance(5.9)
    assert client.closed is None
    bench.advance(0.2)
    assert client.closed is not None


def test_late_wake_up_neither_shifts_nor_bunches_pings(bench: Bench) -> None:
    client = bench.connect()
    bench.now += 95
    bench.advance(0)
    assert len(client.events("ping")) == 1
    client.send("pong", {})
    bench.advance(24)
    assert len(client.events("ping")) == 1
    bench.advance(1)
    assert len(client.events("ping")) == 2


def test_unsolicited_pongs_are_silent(bench: Bench) -> None:
    client = bench.connect()
    client.take()
    for _ in range(3):
        client.send("pong", {})
    client.pong_frame()
    assert not client.inbox
    bench.advance(39)
    assert [message["event"] for message in client.inbox] == ["ping"]


def test_control_heartbeat(make_bench: MakeBench, profile: Profile) -> None:
    bench = make_bench(profile=beating(profile, interval=10, timeout=5, form="control"))
    client = bench.connect()
    bench.advance(10)
    assert [frame.opcode for frame in client.frames] == [1, 9]
    client.send("pong", {})
    bench.advance(4)
    client.pong_frame()
    bench.advance(10)
    assert client.closed is None
    bench.advance(2)
    assert client.closed is not None


def test_no_heartbeat(make_bench: MakeBench, profile: Profile) -> None:
    bench = make_bench(profile=beating(profile, form="none"))
    client = bench.connect()
    bench.advance(100_000)
    assert client.closed is None
    assert len(client.frames) == 1
    assert bench.assembly.core.next_deadline() is None


# Channels


def test_posts_reach_all_members_and_nobody_else(bench: Bench) -> None:
    alice, bob, carol = (bench.connect(f"{name}-token") for name in ("alice", "bob", "carol"))
    alice.join("one")
    bob.join("one")
    bob.join("two")
    carol.join("two")
    alice.post("one", "to one")
    bob.post("two", "to two")
    assert alice.texts() == ["to one"]
    assert bob.texts() == ["to one", "to two"]
    assert carol.texts() == ["to two"]
    assert [post["channelId"] for post in bob.events("new_message")] == ["one", "two"]
    assert bob.events("new_message")[0] == alice.events("new_message")[0]
    assert bob.events("new_message")[0]["message"]["author"] == {
        "id": "user-001",
        "name": "Taro Yamada",
    }


def test_joining_twice_is_harmless(bench: Bench) -> None:
    alice = bench.connect()
    alice.join("room")
    alice.join("room")
    alice.post("room", "once")
    assert alice.texts() == ["once"]
    assert not alice.codes()


def test_one_order_for_all(bench: Bench) -> None:
    clients = [bench.connect(f"load-{number}") for number in range(5)]
    for client in clients:
        client.join("room")
    for number in range(50):
        clients[number * 7 % 5].post("room", str(number))
    assert all(client.texts() == [str(number) for number in range(50)] for client in clients)
    ids = [post["message"]["id"] for post in clients[0].events("new_message")]
    assert len(set(ids)) == 50


def test_sequence_counts_on_each_connection(bench: Bench) -> None:
    alice, bob = bench.connect(), bench.connect("bob-token")
    alice.join("room")
    for text in "abc":
        alice.post("room", text)
        bob.raw("?")
    bob.join("room")
    alice.post("room", "d")
    assert [message["sequence"] for message in alice.inbox] == [1, 2, 3, 4, 5]
    assert [message["sequence"] for message in bob.inbox] == [1, 2, 3, 4, 5]


def test_posting_needs_membership(bench: Bench) -> None:
    alice, bob = bench.connect(), bench.connect("bob-token")
    alice.join("room")
    bob.post("room", "no")
    bob.post("missing-room", "no")
    bob.post("channel-private", "no")
    assert bob.codes() == ["NOT_JOINED", "NOT_JOINED", "PERMISSION_DENIED"]
    assert not alice.texts()


def test_private_channel(bench: Bench) -> None:
    alice, carol = bench.connect(), bench.connect("carol-token")
    carol.join("channel-private")
    alice.join("channel-private")
    carol.post("channel-private", "secret")
    assert alice.codes() == ["PERMISSION_DENIED"]
    assert alice.events("error")[0]["originalEvent"] == "join_channel"
    assert not alice.texts()
    assert carol.texts() == ["secret"]


def test_missing_channels(bench: Bench) -> None:
    alice = bench.connect()
    alice.join("missing-123")
    alice.join("missing-")
    alice.join("missing")
    assert alice.codes() == ["CHANNEL_NOT_FOUND", "CHANNEL_NOT_FOUND"]


def test_closed_list_of_channels(make_bench: MakeBench, profile: Profile) -> None:
    channels = replace(profile.channels, open=("one", "two"))
    bench = make_bench(profile=replace(profile, channels=channels))
    carol = bench.connect("carol-token")
    for channel in ("one", "two", "channel-private", "three"):
        carol.join(channel)
    assert carol.codes() == ["CHANNEL_NOT_FOUND"]


def test_one_missing_channel_without_a_pattern(make_bench: MakeBench, profile: Profile) -> None:
    channels = replace(profile.channels, missing="nowhere")
    alice = make_bench(profile=replace(profile, channels=channels)).connect()
    alice.join("nowhere")
    alice.join("nowhere-else")
    assert alice.codes() == ["CHANNEL_NOT_FOUND"]


def test_own_codes(make_bench: MakeBench) -> None:
    own = load_profile(None, {"error_codes": {"NOT_JOINED": "E_STRANGER"}, "close_codes": {"unsupported_data": 4003}})
    alice = make_bench(profile=own).connect()
    alice.post("room", "x")
    assert alice.codes() == ["E_STRANGER"]
    alice.binary(b"")
    assert alice.closed is not None
    assert alice.closed.code == 4003


@pytest.mark.parametrize("clean", [True, False])
def test_membership_ends_with_the_connection(bench: Bench, *, clean: bool) -> None:
    alice, bob = bench.connect(), bench.connect("bob-token")
    alice.join("room")
    bob.join("room")
    alice.leave(clean=clean)
    bob.post("room", "one")
    again = bench.connect()
    bob.post("room", "two")
    again.post("room", "three")
    assert bob.texts() == ["one", "two"]
    assert not alice.texts()
    assert not again.texts()
    assert again.codes() == ["NOT_JOINED"]


def test_pings_that_are_due_together_leave_room_for_posts(make_bench: MakeBench, profile: Profile) -> None:
    bench = make_bench(profile=beating(profile, interval=1.0, timeout=10.0))
    clients = [bench.connect(f"load-{number}") for number in range(2 * DUE_AT_ONCE + 10)]
    core, due = bench.assembly.core, bench.now + 1.0
    counts = [len(core.tick(due)) for _ in range(4)]
    assert counts == [DUE_AT_ONCE, DUE_AT_ONCE, 10, 0]
    bench.advance(3.0)
    assert {tuple(client.times[1:]) for client in clients} == {(due + 1.0, due + 2.0)}


def test_nothing_is_kept_of_the_gone(bench: Bench) -> None:
    hub = bench.assembly.core._hub
    assert isinstance(hub, Hub)
    for number in range(500):
        client = bench.connect(f"load-{number}")
        client.join(f"room-{number}")
        client.leave()
    assert not hub.sessions
    assert not hub.channels._members
    assert not hub.channels._joined
    assert len(hub._deadlines) < 100


def test_a_connection_is_in_so_many_channels_at_most(bench: Bench) -> None:
    alice = bench.connect()
    for number in range(MAX_JOINED + 1):
        alice.join(f"room-{number}")
    alice.join("room-0")
    assert alice.codes() == ["RATE_LIMITED"]


# Timestamps


def test_timestamps_are_utc_with_milliseconds(bench: Bench) -> None:
    alice = bench.connect()
    alice.join("room")
    bench.wall_clock = lambda: EPOCH + 0.0625
    alice.post("room", "x")
    stamp = alice.events("new_message")[0]["message"]["timestamp"]
    assert is_date_time(stamp)
    assert stamp.endswith(".062Z")
    assert datetime.fromisoformat(stamp).timestamp() == pytest.approx(EPOCH + 0.062)


def test_timestamps_do_not_decrease_when_the_clock_is_set_back(bench: Bench) -> None:
    alice = bench.connect()
    alice.join("room")
    for offset in (0.0, -3600.0, -1.0, 0.5):
        bench.wall_clock = lambda offset=offset: EPOCH + offset  # type: ignore[misc]
        alice.post("room", "x")
    stamps = [post["message"]["timestamp"] for post in alice.events("new_message")]
    assert stamps == sorted(stamps)
    assert stamps[0] == stamps[1] == stamps[2] < stamps[3]
