"""Generated messages are what they claim to be: valid, or invalid in one thing."""

import json
from random import Random
from typing import Any

import pytest
from hypothesis import Phase, Verbosity, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from conformance.fuzz.driver import fuzz_scenarios, shares
from conformance.fuzz.example import CHANNEL, NONCE, OTHER_CHANNEL, Claim, Example, holds, is_json, is_portable, written
from conformance.fuzz.grammar import PLAIN_TEXT, grammar
from conformance.fuzz.messages import examples_of, kinds, notations
from conformance.fuzz.session import sending_step
from contract.json_text import JsonTextError, parse_json
from contract.schemas import violations
from tests.bundled import FUZZ, lint_scenarios, load_contract

CONTRACT = load_contract()
LIMIT = 65_536
GRAMMAR = grammar(CONTRACT, LIMIT)
KINDS = [one.id for one in fuzz_scenarios(CONTRACT)]

PLAIN = {
    "join_channel": {"channelId": OTHER_CHANNEL},
    "send_message": {"channelId": CHANNEL, "text": PLAIN_TEXT},
    "pong": {},
}


def examples(kind: str, seed: int = 1, count: int = 80) -> list[Example]:
    """Examples of a kind, as a run makes them."""
    found: list[Example] = []

    def look(one: Example) -> bool:
        found.append(one)
        return False

    bounds = settings(
        max_examples=count, database=None, deadline=None, phases=[Phase.generate], verbosity=Verbosity.quiet
    )
    with pytest.raises(NoSuchExample):
        find(examples_of(kind, GRAMMAR), look, settings=bounds, random=Random(seed))
    return found


def differences(left: Any, right: Any) -> int:
    """In how many members two values differ."""
    if isinstance(left, dict) and isinstance(right, dict):
        names = left.keys() | right.keys()
        return sum(differences(left.get(name, names), right.get(name, names)) for name in names)
    return int(json.dumps(left, default=str, sort_keys=True) != json.dumps(right, default=str, sort_keys=True))


def plain(event: str) -> dict[str, Any]:
    return {"event": event, "payload": PLAIN[event]}


def test_every_kind_has_a_scenario_and_a_strategy() -> None:
    assert set(KINDS) == kinds(GRAMMAR).keys()
    for scenario in fuzz_scenarios(CONTRACT):
        assert sending_step(scenario) > 0


def test_the_scenarios_name_known_requirements() -> None:
    assert lint_scenarios(FUZZ).problems == ()


@pytest.mark.parametrize("kind", KINDS)
def test_examples_are_what_they_claim(kind: str) -> None:
    found = examples(kind)
    assert len(found) >= 60
    assert len({one.template for one in found}) > 5
    for one in found:
        text = one.text("wsproof-1", "wsproof-2", "1234567890123456")
        assert holds(one.claim, text, CONTRACT, LIMIT)
        assert not text.startswith("\ufeff")
        assert len(text.encode()) <= LIMIT
        if one.claim == "valid":
            event = CONTRACT.events[parse_json(text)["event"]]
            assert event.from_client
            assert violations(event.message, parse_json(text)) == ()


@pytest.mark.parametrize("kind", [one for one in KINDS if "json" not in one and "server" not in one])
def test_an_example_differs_from_a_plain_message_in_one_thing(kind: str) -> None:
    for one in examples(kind):
        if not is_json(one.template):
            continue
        value = parse_json(one.template)
        if one.change == "not an object" or (one.claim == "valid" and one.change in ("payload", "notation")):
            continue
        if one.event in PLAIN:
            assert differences(value, plain(one.event)) == (1 if value != plain(one.event) else 0)
        else:
            assert min(differences(value, plain(event)) for event in PLAIN) == 1


def test_text_that_is_no_json_is_none_for_a_strict_parser() -> None:
    for one in examples("fuzz-invalid-json"):
        with pytest.raises(JsonTextError):
            parse_json(one.template)


def test_generated_texts_hold_what_is_known_for_trouble() -> None:
    texts = [one.value["payload"]["text"] for one in examples("fuzz-valid-text", count=300)]
    assert all(NONCE in text[:256] for text in texts)
    assert any(ord(character) > 0xFFFF for text in texts for character in text)
    assert any(text != text.strip() for text in texts)
    assert any(character in text for text in texts for character in "\u202e\u05e9\u2067")
    assert any(ord(character) < 0x20 for text in texts for character in text)
    assert any(len(text) == 4096 for text in texts)


def test_a_seed_repeats_its_messages_and_another_does_not() -> None:
    once, again, other = ([one.template for one in examples("fuzz-invalid-payload", seed, 40)] for seed in (11, 11, 12))
    assert once == again
    assert once != other


@pytest.mark.parametrize(
    ("claim", "text"),
    [
        ("valid", '{"event":"pong","payload":{}}'),
        ("valid", ' {"event":"join_channel","payload":{"channelId":"x"},"sequence":9007199254740992}'),
        ("json", ""),
        ("json", "{'event':'pong'}"),
        ("json", '{"x":NaN}'),
        ("envelope", "null"),
        ("envelope", '{"event":"pong"}'),
        ("envelope", '{"event":"pong","payload":{},"sequence":1.5}'),
        ("payload", '{"event":"join_channel","payload":{}}'),
        ("length", '{"event":"join_channel","payload":{"channelId":""}}'),
        ("unknown", '{"event":"wave","payload":{}}'),
        ("server", '{"event":"ping","payload":{}}'),
    ],
)
def test_a_message_is_only_what_it_is(claim: Claim, text: str) -> None:
    claims: tuple[Claim, ...] = ("valid", "json", "envelope", "payload", "length", "unknown", "server")
    assert [one for one in claims if holds(one, text, CONTRACT, LIMIT)] == [claim]


@pytest.mark.parametrize(
    "text",
    [
        '\ufeff{"event":"pong","payload":{}}',  # a byte order mark
        '{"event":"pong","payload":{},"sequence":1.0}',
        '{"event":"pong","payload":{},"sequence":9007199254740993}',
        '{"event":"pong","payload":{"x":"\\ud800"}}',  # a lone surrogate
        '{"event":"pong"} \u00a0',  # some libraries trim more than JSON's white space
        '{"event":"send_message","payload":{"channelId":1,"text":1}}',  # wrong in two things
    ],
)
def test_what_is_not_tested_is_sent_under_no_claim(text: str) -> None:
    claims: tuple[Claim, ...] = ("valid", "json", "payload", "length", "unknown", "server")
    assert [one for one in claims if holds(one, text, CONTRACT, LIMIT)] == []


def test_what_is_too_large_is_not_sent() -> None:
    assert holds("json", "x" * 100, CONTRACT, 100)
    assert not holds("json", "x" * 101, CONTRACT, 100)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES, notations())
def test_every_notation_means_the_same(value: Any, notation: Any) -> None:
    assert parse_json(written(value, notation)) == value


def test_portable_values() -> None:
    assert is_portable({"a": [None, True, 1, 2**53, 0.5, "😀"]})
    assert not any(map(is_portable, (1.0, -0.0, 2**53 + 1, 1e300, "\ud800", {"\udfff": 1}, [[2.0]])))


@pytest.mark.parametrize("count", [1, 5, 17, 100, 301])
def test_the_kinds_share_all_examples(count: int) -> None:
    assert sum(shares(CONTRACT, count).values()) == count
    assert min(shares(CONTRACT, count).values()) >= 0
