"""Handshakes as bytes: what is sent is what the wire would send, and what is accepted is what the wire would accept."""

import socket
from dataclasses import replace
from functools import partial
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from websockets.uri import parse_uri
from websockets.utils import accept_key

from conformance.language.deeds import Connect
from conformance.play.handshakes import request_for
from conformance.transport.exchange import Opened, Request
from conformance.transport.protocol import Wire
from conformance.transport.target import Target
from contract.profile import Profile
from loadtest.users.opening import MAX_HEAD_BYTES, MAX_KNOWN, MAX_MESSAGE_BYTES, Handshakes, Known, Opening, opening_of
from tests.bundled import load_profile

URI = parse_uri("ws://127.0.0.1:8765/v1/socket")
KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
TOKENS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=40)


TARGET = Target(URI, socket.AF_INET, ("127.0.0.1", 8765), None)


def values(value: Any) -> Any:
    """A user's values: no reference stands for anything."""
    return value


def sent(opening: Opening) -> bytes:
    """What is sent, with the same key for everybody."""
    return opening.data.replace(opening._key, KEY)


def rendered(target: Target, profile: Profile, deed: Connect, token: str) -> bytes:
    request = request_for(deed, profile, target.path, token, values)
    return Wire("user", target.uri, request, MAX_MESSAGE_BYTES, KEY.decode()).out()[0]


@given(token=TOKENS, where=st.sampled_from(["query", "header", "basic", "cookie", "subprotocol"]))
def test_what_is_sent_is_what_the_wire_would_send(token: str, where: str) -> None:
    if where == "subprotocol":
        token = "".join(one for one in token if one.isalnum()) or "x"
    elif where in ("basic", "cookie", "header"):
        token = "a:" + "".join(one for one in token if one.isalnum() or one in "._~-+")
    profile = load_profile(None, {"auth": {"in": where}, "headers": {"X-Tenant": "acme"}})
    deed = Connect("alice")
    handshakes = Handshakes(TARGET, profile)
    for each in ("other-token", token, f"{token}2"):
        assert sent(handshakes.opening(deed, each, values)) == rendered(TARGET, profile, deed, each)


def test_a_path_or_headers_of_a_step_are_each_users_own() -> None:
    handshakes = Handshakes(TARGET, load_profile(None))
    for deed in (Connect("alice", path="/v1/socket/${nonce.a}"), Connect("alice", headers={"X-Id": "${nonce.a}"})):
        sent_by = [handshakes.opening(deed, "load-1", partial(_with_nonce, nonce)).data for nonce in ("one", "two")]
        assert b"one" in sent_by[0]
        assert b"two" in sent_by[1]


def test_the_contracts_path_is_each_users_own() -> None:
    handshakes = Handshakes(TARGET, replace(load_profile(None), path="/${nonce.a}"))
    for nonce in (b"one", b"two"):
        opening = handshakes.opening(Connect("alice"), "load-1", partial(_with_nonce, nonce.decode()))
        assert opening.data.startswith(b"GET /v1/socket/" + nonce)


def _with_nonce(nonce: str, value: str) -> str:
    return value.replace("${nonce.a}", nonce)


def test_no_two_handshakes_have_one_key() -> None:
    handshakes, deed = Handshakes(TARGET, load_profile(None)), Connect("alice")
    assert len({handshakes.opening(deed, "load-1", values).data for _ in range(100)}) == 100


HEAD = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %b\r\n\r\n"
)


def answer(opening: Opening) -> bytes:
    return HEAD % accept_key(opening._key.decode()).encode()


@given(at=st.integers(0, 200), byte=st.integers(0, 255))
def test_what_was_accepted_once_is_known_and_nothing_else_is(at: int, byte: int) -> None:
    known = Known()
    one, other = opening_of(TARGET, Request("/x"), known), opening_of(TARGET, Request("/x"), known)
    assert not other.is_known(answer(other))
    one.accepted(answer(one))
    assert other.is_known(answer(other))
    assert not other.is_known(answer(one))
    right = answer(other)
    wrong = right[: at % len(right)] + bytes([byte]) + right[at % len(right) + 1 :]
    assert other.is_known(wrong) is (wrong == right)


def test_its_wire_reads_the_answer_to_what_was_sent() -> None:
    opening = opening_of(TARGET, Request("/x"))
    (happening,) = opening.wire().feed(answer(opening), 1.0)
    assert isinstance(happening, Opened)


def test_few_answers_are_remembered() -> None:
    known = Known()
    for number in range(10 * MAX_KNOWN):
        opening = opening_of(TARGET, Request("/x"), known)
        opening.accepted(answer(opening).replace(b"Upgrade: ", b"X-Number: %d\r\nUpgrade: " % number))
    assert 0 < len(known._shapes) <= MAX_KNOWN
    opening.accepted(answer(opening).replace(b"Upgrade: ", b"X: %b\r\nUpgrade: " % (b"x" * MAX_HEAD_BYTES)))
    assert max(map(len, known._shapes)) <= MAX_HEAD_BYTES
