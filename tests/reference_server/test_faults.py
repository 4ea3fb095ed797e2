"""The catalogue: complete, well described, and every fault and liberty makes a difference."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from contract.profile import Profile
from reference_server.core.exchange import Frame
from reference_server.core.handshake import Answer, Request, refusal
from reference_server.core.settings import ServerSettings
from reference_server.faults import UnknownFaultError, catalogue, find
from reference_server.faults.fault import Fault
from reference_server.variants import LIBERTIES
from tests.bundled import load_profile, load_requirements
from tests.reference_server.bench import Bench, Client
from tests.reference_server.stream import OFFERS, stream
from wire.frames import Opcode

FAULTS = catalogue()
REQUIREMENTS = load_requirements()
SHOWN_BY_SOCKETS = ("compression-declined", "violations-end-tcp")
"""Liberties that make no difference but to a client with a socket."""
GROUPS = ("CONN", "AUTH", "HB", "ENV", "JOIN", "SEND", "ERR", "CLOSE", "WIRE")


def test_every_requirement_of_a_server_is_broken_by_some_fault() -> None:
    required = {name for name in REQUIREMENTS if name.partition("-")[0] in GROUPS}
    assert required == {name for fault in FAULTS for name in fault.breaks}


def test_faults_are_described() -> None:
    for fault in FAULTS:
        assert fault.name == fault.name.lower(), fault
        assert " " not in fault.name, fault
        assert fault.summary.endswith("."), fault
        assert fault.breaks, fault
        assert set(fault.breaks) | set(fault.entails) <= REQUIREMENTS.keys(), fault
        assert not set(fault.breaks) & set(fault.entails), fault
        assert list(fault.entails) == sorted(fault.entails), fault


def test_unknown_names_get_a_hint() -> None:
    assert find("ack-missing").breaks == ("CONN-02",)
    with pytest.raises(UnknownFaultError, match="did you mean ack-missing"):
        find("ack-mising")
    with pytest.raises(UnknownFaultError, match=r"no fault 'zzzz'$"):
        find("zzzz")


# A tour through everything a server does. Whatever a fault changes must show in it.


def tour(bench: Bench) -> dict[str, Any]:
    """What a server does on the way, as far as it can be seen from outside."""
    parts = talk(bench)
    clients = {
        key: (
            [(round(time, 3), frame) for time, frame in zip(client.times, client.frames, strict=True)],
            client.closed,
            client.aborted,
        )
        for key, client in bench.clients.items()
    }
    streamed = list(stream(bench.assembly.hooks))
    return {
        "clients": clients,
        "door": list(door(bench)),
        "wire": list(wire(bench)),
        "stream": streamed,
        "parts": parts,
    }


def talk(bench: Bench) -> list[Frame]:
    """Four users post, err, leave and wait; what became of their fragments."""
    alice, bob, carol = bench.connect(), bench.connect("bob-token"), bench.connect("carol-token")
    silent, wordy = bench.connect("load-1"), (bench.connect("load-9"), bench.connect("load-9"))
    for token in ("alice-token", "carol-token", "expiring-token"):
        bench.connect(token)
    # Some faults speak up at the next tick.
    bench.advance(0.01)
    for client in (alice, bob, carol):
        client.join("room")
        client.join("other")
    alice.join("room")
    bench.advance(0.01)
    for number in range(10):
        for poster in (alice, bob):
            poster.post("room", f" {number} \U0001f600<e\u0301>\r\n\u202b ")
    pause(bench, silent, *wordy)
    alice.post("other", "elsewhere")
    strange(bench, alice, bob, carol)
    binary = bench.connect("load-2")
    binary.binary(json.dumps({"event": "pong", "payload": {}}).encode())
    bench.connect("load-5").binary(b"")
    for _ in range(8):
        pause(bench, silent, *wordy)
    similar(bench, carol)
    again(bench)
    return leave(bench, bob, carol)


def pause(bench: Bench, silent: Client, *wordy: Client) -> None:
    """Five seconds, after which everybody but one is heard of, twice; the wordy ones say more than they need."""
    bench.advance(5)
    for client in bench.clients.values():
        if client is silent or client in wordy:
            continue
        client.send("pong", {})
        client.send("pong", {})
    numbered, adorned = wordy
    numbered.send("pong", {}, sequence=1)
    adorned.send("pong", {"extra": 1})


def strange(bench: Bench, alice: Client, bob: Client, carol: Client) -> None:
    """Everything that a server refuses, and what it must not."""
    bob.post("nowhere", "x")
    carol.join("nowhere")
    bob.post("nowhere", "y")
    bob.join("channel-private")
    carol.join("channel-private")
    carol.post("channel-private", "private")
    bob.join("missing-1")
    bench.advance(0.1)
    payload = {"channelId": "room", "text": "x"}
    alice.send("send_message", payload, sequence=0)
    alice.send("send_message", payload, sequence=2**40)
    alice.send("send_message", payload, sequence=5)
    alice.send("send_message", payload, extra=1)
    alice.send("send_message", {**payload, "extra": 1})
    delivered = {"id": "m", "text": "t", "author": {"id": "a", "name": "b"}}
    message = {**delivered, "timestamp": "2026-01-01T00:00:00Z"}
    texts = ["?", "null", "[]", "{}", '{"event":"pong"}', '{"event":"x","payload":{}}']
    texts += ['{"event":"pong","payload":{},"sequence":"1"}', '{"event":"pong","payload":{}} tail']
    texts += ['{"event":"pong","payload":{"n":NaN}}', '{"event":"ping","payload":{}}']
    texts += [json.dumps({"event": "send_message", "payload": {**payload, "text": text}}) for text in ("", 5)]
    texts += [json.dumps({"event": "send_message", "payload": {**payload, "text": "x" * 5000}})]
    texts += [json.dumps({"event": "new_message", "payload": {"channelId": "room", "message": message}})]
    for text in texts:
        carol.raw(text)
        bench.advance(0.1)
    for text in texts:
        bob.raw(text)
    bench.advance(0.1)


PAIRS = (
    ("Name", "name"),
    ("name\u00e9", "namee\u0301"),
    ("name", "ｎａｍｅ"),
    ("name", "name "),
    ("name" * 32, "name" * 31 + "nam1"),
    ("\U0001f600" * 128, "\U0001f600" * 127 + "\U0001f601"),
    ("name\0a", "name\0b"),
    ("1", "01"),
    ("a/b", "a//b"),
    ("a*", "a1"),
    ("a%", "a1"),
    ("a.*", "a.1"),
    ("a/+", "a/1"),
    ("constructor", "__proto__"),
    ("channel-private", "CHANNEL-PRIVATE"),
)
"""Names of channels that are not the same."""


def similar(bench: Bench, carol: Client) -> None:
    """Two users are in two channels whose names differ in little."""
    carol.join("channel-private")
    for one, other in PAIRS:
        here, there = bench.connect("load-6"), bench.connect("load-7")
        for client, name in ((here, one), (there, other)):
            client.join(name)
            client.post(name, "here")
            client.post(name, "there")
    carol.post("channel-private", "private")


def again(bench: Bench) -> None:
    """Connections of one user follow each other, while another user stays."""
    keeper = bench.connect("load-8")
    for _ in range(2):
        client = bench.connect("load-9")
        client.join("channel-private")
        for number in range(10):
            client.join(f"kept-{number}")
        client.post("kept-0", "x")
        keeper.join("kept-8")
        keeper.join("kept-9")
        for number in (7, 5):
            client.send("send_message", {"channelId": "kept-9", "text": "x"}, sequence=number)
        client.leave()
        for channel in ("kept-8", "kept-9"):
            keeper.post(channel, "missed")
        bench.connect("load-9").join("elsewhere")


def leave(bench: Bench, bob: Client, carol: Client) -> list[Frame]:
    """Connections end and begin; what became of their fragments."""
    dave, erin, frank = bench.connect("load-3"), bench.connect("load-4"), bench.connect("bob-token")
    for client in (dave, erin, frank):
        client.join("last")
    bench.advance(0.01)
    bob.leave()
    dave.leave()
    bench.advance(0.01)
    erin.post("last", "one")
    erin.post("last", "two")
    again = bench.connect("load-3")
    erin.post("last", "unheard")
    again.join("last")
    erin.post("last", "three")
    again.leave(clean=False)
    carol.leave(clean=False)
    bench.advance(0.2)
    erin.post("last", "four")
    bench.advance(50)
    unread(bench)
    parts = amid(bench)
    crowd(bench)
    bench.shut_down()
    return parts


def unread(bench: Bench) -> None:
    """A member does not read what is posted, long and short, whole and in fragments; then it leaves."""
    alice, bob, slow = bench.connect(), bench.connect("bob-token"), bench.connect()
    for client in (slow, alice, bob):
        client.join("unread")
    alice.post("unread", "x" * 4000)
    alice.post("unread", "short")
    for hook in bench.assembly.hooks:
        list(hook.frame_in(Frame(alice.session, Opcode.CONT, b"")))
    alice.post("unread", "put together")
    bench.waiting[slow.session] = 500_000
    for number in range(3):
        bob.post("unread", f"unread {number}")
    bench.advance(0.2)
    slow.leave()
    bob.post("unread", "after")
    bench.advance(0.2)
    bench.waiting = {1: 500_000}


def amid(bench: Bench) -> list[Frame]:
    """Two members are half-way through messages, and vanish; one of them comes back. What became of their fragments."""
    alice, bob, carol = bench.connect(), bench.connect("bob-token"), bench.connect("carol-token")
    for client in (alice, bob, carol):
        client.join("amid")
    frames = [Frame(one.session, Opcode.TEXT, b"{", final=False) for one in (alice, bob)]
    frames.append(Frame(alice.session, Opcode.CONT, b"}"))
    parts = [out for frame in frames for hook in bench.assembly.hooks for out in hook.frame_in(frame)]
    carol.post("amid", "meanwhile")
    bob.leave(clean=False)
    alice.leave()
    back = bench.connect()
    back.join("amid")
    carol.post("amid", "after")
    bench.advance(0.2)
    carol.post("amid", "later")
    carol.send("unknown", {"text": "x" * 20_000})
    carol.send("unknown", {})
    bench.advance(0.2)
    return parts if bench.assembly.hooks else frames


def crowd(bench: Bench) -> None:
    """A hundred connect, and twelve of them are in a channel; two leave it."""
    members = [bench.connect(f"load-{number}") for number in range(100)][:12]
    for client in members:
        client.join("crowded")
    for number in range(5):
        members[0].post("crowded", f"{number}")
    members[1].leave()
    members[2].leave()
    members[0].post("crowded", "after")


def door(bench: Bench) -> Iterator[object]:
    """What handshakes get."""
    accepted = Answer(101, (("Sec-WebSocket-Accept", "right"),))
    answers = (accepted, refusal(401), refusal(404), refusal(426))
    paths = ("/v1/socket", "/other", "/v1", "/v1/socket/a", "/v1/socketa", "/a/v1/socket")
    tokens = (
        "nobody",
        "expired-token",
        "ALICE-TOKEN",
        "ａｌｉｃｅ-token",
        "alice-token%20",
        "alice-toke",
        "xalice-token",
    )
    for target in (*paths, *(f"/v1/socket?access_token={token}" for token in tokens)):
        request = Request(target)
        for hook in bench.assembly.hooks:
            request = hook.request(request)
        verdict = bench.assembly.door.verdict(request)
        for hook in bench.assembly.hooks:
            verdict = hook.verdict(request, verdict)
        yield bench.assembly.door.is_endpoint(request), verdict
        for answer in answers:
            for hook in bench.assembly.hooks:
                answer = hook.answer(request, answer)
            yield answer
    for offer in OFFERS:
        answer = accepted
        for hook in bench.assembly.hooks:
            answer = hook.answer(Request("/v1/socket", (("Sec-WebSocket-Extensions", offer),)), answer)
        yield answer


def wire(bench: Bench) -> Iterator[object]:
    """What happens to frames."""
    yield bench.assembly.profile
    frames_in = [Frame(1, Opcode.TEXT, b"a", final=False), Frame(1, Opcode.PING, b"p" * 100)]
    frames_in += [Frame(1, Opcode.CONT, b"b"), Frame(1, Opcode.TEXT, b"c"), Frame(1, Opcode.CLOSE, b"\x03\xe8")]
    codes = (1000, *bench.assembly.profile.close_codes.values())
    frames_out = [Frame(1, Opcode.PONG, b"p" * 100)]
    frames_out += [Frame(1, Opcode.CLOSE, code.to_bytes(2, "big")) for code in codes]
    for hook in bench.assembly.hooks:
        yield [list(hook.frame_in(frame)) for frame in frames_in]
        yield [list(hook.control_out(frame)) for frame in frames_out]
        yield hook.ends_tcp(1)
    if not bench.assembly.hooks:
        yield [[frame] for frame in frames_in]
        yield [[frame] for frame in frames_out]
        yield True


@pytest.fixture(scope="module")
def profile() -> Profile:
    """A profile whose timeouts lie within the tour."""
    return load_profile(None, {"ack_timeout": 1, "response_timeout": 1, "heartbeat.interval": 10})


@pytest.fixture(scope="module", autouse=True)
def same_ids() -> Iterator[None]:
    """Ids of two servers differ, and a comparison of two servers needs them not to."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("secrets.token_hex", lambda size: "0" * size)
        yield


@pytest.fixture(scope="module")
def clean(profile: Profile) -> dict[str, Any]:
    """What the clean server does."""
    return tour(Bench(ServerSettings(profile=profile)))


def test_the_tour_is_repeatable(profile: Profile, clean: dict[str, Any]) -> None:
    assert tour(Bench(ServerSettings(profile=profile))) == clean


@pytest.mark.parametrize("fault", [one for one in catalogue() if not one.thorough], ids=lambda one: one.name)
def test_fault_shows(fault: Fault, profile: Profile, clean: dict[str, Any]) -> None:
    """In a tour that is too short for what shows only after a while."""
    assert tour(Bench(ServerSettings(profile=profile, faults=(fault.name,)))) != clean


@pytest.mark.parametrize("name", [name for name in LIBERTIES if name not in SHOWN_BY_SOCKETS])
def test_liberty_shows(name: str, profile: Profile, clean: dict[str, Any]) -> None:
    assert tour(Bench(ServerSettings(profile=profile, liberties=(name,)))) != clean


def test_faults_combine(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(faults=("ack-twice", "session-id-shared", "sequence-leaps"))
    client = bench.connect()
    assert client.events("connection_ack") == [{"sessionId": "session-1"}] * 2


def test_two_servers_share_no_state(make_bench: Callable[..., Bench]) -> None:
    first, second = (make_bench(faults=("third-post-lost",)) for _ in range(2))
    for bench in (first, second):
        alice = bench.connect()
        alice.join("room")
        for text in ("one", "two", "three", "four"):
            alice.post("room", text)
        assert alice.texts() == ["one", "two", "four"]


# What shows only now and then, or in company


def test_some_connections_are_not_acknowledged(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(faults=("ack-missing-now-and-then",))
    clients = [bench.connect() for _ in range(205)]
    silent = [number for number, client in enumerate(clients, 1) if not client.events("connection_ack")]
    assert silent == [97, 101, 194, 202]


@pytest.mark.parametrize(("others", "received"), [(19, 40), (20, 36)])
def test_a_crowd_costs_deliveries(make_bench: Callable[..., Bench], others: int, received: int) -> None:
    bench = make_bench(faults=("deliveries-lost-in-a-crowd",))
    alice = bench.connect()
    alice.join("room")
    for _ in range(others):
        bench.connect()
    for number in range(40):
        alice.post("room", f"{number}")
    assert len(alice.texts()) == received


@pytest.mark.parametrize(
    ("name", "clean"), [("post-lost-when-a-member-leaves", True), ("post-lost-when-a-member-vanishes", False)]
)
def test_an_end_costs_another_member_one_post(make_bench: Callable[..., Bench], name: str, clean: bool) -> None:
    bench = make_bench(faults=(name,))
    alice, bob, carol, dave, erin = (bench.connect() for _ in range(5))
    for client in (alice, bob, carol, dave, erin):
        client.join("room")
    dave.leave(clean=not clean)
    alice.post("room", "one")
    erin.leave(clean=clean)
    alice.post("room", "two")
    alice.post("room", "three")
    assert [client.texts() for client in (alice, bob, carol)] == [
        ["one", "two", "three"],
        ["one", "three"],
        ["one", "two", "three"],
    ]
