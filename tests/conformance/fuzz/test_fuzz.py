"""Generated messages against real servers: right ones pass, wrong ones are convicted by a small message."""

import contextlib
import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from conformance.fuzz.driver import Fuzz, FuzzOptions, fuzz_scenarios
from conformance.judge.verdicts import ScenarioVerdict
from conformance.play.plan import Plan
from conformance.transport.target import resolve
from contract.profile import Profile
from reference_server.core.settings import ServerSettings
from reference_server.network import running
from tests.bundled import load_contract, load_profile, load_requirements
from tests.conformance.servers import drain, raw_server, upgrade
from tests.slow import slow_but

PATIENCE = 120.0
"""Seconds after which a test that hangs fails; nothing is measured by it."""


def profile(response_timeout: float = 1.0) -> Profile:
    times = {"heartbeat.interval": 1, "heartbeat.timeout": 5, "response_timeout": response_timeout}
    return load_profile(None, {**times, "ack_timeout": response_timeout})


@contextlib.contextmanager
def plan(known: Profile | None = None, **settings: Any) -> Iterator[Plan]:
    """A plan against a reference server of these settings."""
    known = known or profile()
    with running(ServerSettings(profile=known, port=0, **settings)) as server:
        yield plan_for(server.url, known)


def plan_for(url: str, known: Profile) -> Plan:
    return Plan(resolve(url), load_contract(None, known.limits), known, load_requirements())


def fuzzed(against: Plan, count: int, seed: int, *kinds: str) -> Fuzz:
    chosen = [one for one in fuzz_scenarios(load_contract()) if not kinds or one.id in kinds]
    fuzz = Fuzz(against, chosen, FuzzOptions(count, seed))
    fuzz.run()
    return fuzz


def charges(verdicts: list[ScenarioVerdict]) -> set[tuple[str, str]]:
    return {(one.requirement, one.level) for verdict in verdicts for one in verdict.charged}


def messages(verdicts: list[ScenarioVerdict]) -> list[str]:
    """The smallest messages, without what is new in each run."""
    found = [one.failure.message for verdict in verdicts for one in verdict.charged]
    assert {one.code for one in found} <= {"smallest-message", "smallest-after-others"}
    return [re.sub(r"\d{16}", "N", str(one.params["message"])) for one in found]


@pytest.mark.parametrize("seed", slow_but([0], [0, 1, 2]))
def test_a_right_server_passes(seed: int) -> None:
    with plan() as against:
        fuzz = fuzzed(against, 170, seed)
    assert {one.outcome.scenario.id: one.outcome.reason for one in fuzz.verdicts if one.verdict != "passed"} == {}
    assert fuzz.complete
    assert fuzz.sent == 170
    assert len(fuzz.verdicts) == len(fuzz_scenarios(load_contract()))
    assert all(f", seed {seed})" in one.outcome.scenario.title for one in fuzz.verdicts)


@pytest.mark.parametrize(
    "name", slow_but(["no-sequence"], ["json-escaped", "receivers-apart", "invalid-bursts-limited", "no-sequence"])
)
def test_a_liberty_is_not_held_against_a_server(name: str) -> None:
    with plan(liberties=(name,)) as against:
        fuzz = fuzzed(against, 60, 3)
    assert charges(fuzz.verdicts) == set()
    assert fuzz.sent == 60


FAULTS = [
    ("text-converted", "fuzz-invalid-payload", ("ERR-03", "MUST"), r'"text":-?[0-9.]+}'),
    ("payload-defaulted", "fuzz-invalid-member", ("ERR-02", "MUST"), r'\{"event":"\w+"\}$'),
    ("invalid-json-ignored", "fuzz-invalid-json", ("ERR-01", "MUST"), r"\(empty\)$|."),
    ("json-with-nan-accepted", "fuzz-invalid-json", ("ERR-01", "MUST"), r'"x":(NaN|-?Infinity)\}$'),
    ("json-tail-ignored", "fuzz-invalid-json", ("ERR-01", "MUST"), r"\}.+$"),
    ("text-astral-replaced", "fuzz-valid-text", ("SEND-02", "MUST"), '"text":"N[\U00010000-\U0010ffff]"}}$'),
    ("text-trimmed", "fuzz-valid-text", ("SEND-02", "MUST"), r'"text":"(\s|\\[nrt])?N(\s|\\[nrt])?"'),
    ("client-sequence-unchecked", "fuzz-invalid-member", ("ERR-02", "MUST"), r'"sequence":(null|""|.{1,8})\}$'),
    ("client-sequence-beyond-32-bit-refused", "fuzz-sequence-post", ("ENV-06", "MUST"), r'"sequence":2147483648\}$'),
    ("unknown-event-ignored", "fuzz-unknown-event", ("ERR-04", "MUST"), r'^\{"event":".{1,24}","payload":'),
    (
        "unknown-payload-member-refused",
        "fuzz-members-post",
        ("ENV-07", "SHOULD"),
        r'"text":"N message",".{1,12}":null',
    ),
    ("unknown-pong-member-refused", "fuzz-members-pong", ("ENV-07", "SHOULD"), r'"payload":\{".{1,12}":null'),
    ("pong-unsolicited-error", "fuzz-valid-pong", ("HB-05", "SHOULD"), r'\{"event":"pong","payload":\{\}\}$'),
    ("null-crashes", "fuzz-invalid-envelope", ("ERR-02", "MUST"), r"^null$"),
    ("empty-text-ignored", "fuzz-invalid-length", ("ERR-03", "SHOULD"), r'"text":""'),
    ("server-event-ignored", "fuzz-server-event", ("ERR-05", "SHOULD"), r'\{"event":"\w+"'),
    ("invalid-json-code", "fuzz-invalid-json", ("ERR-01", "SHOULD"), r"^\(empty\)$"),
]


ALWAYS = [one for one in FAULTS if one[0] in ("text-trimmed", "null-crashes", "pong-unsolicited-error")]


@pytest.mark.parametrize(
    ("fault", "kind", "charged", "smallest"), slow_but(ALWAYS, FAULTS), ids=[one[0] for one in FAULTS]
)
def test_a_wrong_server_is_convicted_by_a_small_message(
    fault: str, kind: str, charged: tuple[str, str], smallest: str
) -> None:
    # A kind's share has many changes, and a fault sees one or two of them: so many that chance does not leave them out.
    with plan(faults=(fault,)) as against:
        (verdict,) = fuzzed(against, 1_500, 1, kind).verdicts
    assert verdict.outcome.scenario.id == kind
    assert verdict.verdict == "failed"
    assert charged in charges([verdict])
    assert {name for name, _ in charges([verdict])} == {charged[0]}
    assert re.search(smallest, messages([verdict])[0]), messages([verdict])
    assert any(entry.direction == "out" for entry in verdict.outcome.record.entries)


def test_a_pong_in_any_notation_has_no_unknown_member() -> None:
    with plan(faults=("unknown-pong-member-refused",)) as against:
        assert charges(fuzzed(against, 300, 1, "fuzz-valid-pong").verdicts) == set()


def test_a_seed_finds_the_same_message_again() -> None:
    found = []
    for _ in range(2):
        with plan(faults=("text-astral-replaced",)) as against:
            found.append(messages(fuzzed(against, 300, 21, "fuzz-valid-text").verdicts))
    assert found[0] == found[1] != []


def test_what_fails_only_after_others_is_found_and_says_so() -> None:
    with plan(faults=("third-error-closes",)) as against:
        (verdict,) = fuzzed(against, 300, 1, "fuzz-unknown-event").verdicts
    assert charges([verdict]) == {("ERR-07", "SHOULD")}
    message = verdict.charged[0].failure.message
    assert (message.code, message.params["number"]) == ("smallest-after-others", 2)
    assert "; smallest failing message, after 2 other messages: " in str(message)


@pytest.mark.slow
def test_what_is_lost_only_after_others_is_not_charged_to_the_last_one() -> None:
    with plan(faults=("third-post-lost",)) as against:
        fuzz = fuzzed(against, 200, 1, "fuzz-valid-text", "fuzz-valid-pong")
    assert charges(fuzz.verdicts) == {("SEND-01", "MUST")}
    with plan(faults=("burst-loses-posts",)) as against:
        fuzz = fuzzed(against, 300, 1, "fuzz-invalid-member")
    assert charges(fuzz.verdicts) <= {("ERR-10", "SHOULD"), ("SEND-01", "MUST")}


def test_a_limited_rate_accuses_nobody() -> None:
    with plan(rate_limit=40) as against:
        fuzz = fuzzed(against, 60, 1, "fuzz-unknown-event", "fuzz-valid-text")
    assert charges(fuzz.verdicts) == set()


@pytest.mark.slow
def test_a_server_that_says_nothing_is_given_up_soon() -> None:
    with raw_server(lambda connection: drain(connection) if upgrade(connection) else None) as url:
        fuzz = fuzzed(plan_for(url, profile(0.3)), 300, 1)
    assert fuzz.sent == 0
    assert charges(fuzz.verdicts) == {("CONN-02", "MUST")}
    assert [one.verdict for one in fuzz.verdicts] == [
        *["failed"] * 2,
        *["inconclusive"] * (len(fuzz_scenarios(load_contract())) - 2),
    ]


def test_what_a_plain_message_breaks_is_not_charged_to_what_it_is_tested_with() -> None:
    with plan(faults=("pong-unsolicited-error",)) as against:
        fuzz = fuzzed(against, 170, 1)
    assert charges(fuzz.verdicts) == {("HB-05", "SHOULD")}


def test_an_interrupted_run_keeps_what_it_has() -> None:
    with plan() as against:
        fuzz = Fuzz(against, fuzz_scenarios(load_contract()), FuzzOptions(100_000, 1))
        thread = threading.Thread(target=fuzz.run)
        thread.start()
        while fuzz.sent < 20:
            threading.Event().wait(0.01)
        fuzz.interrupt()
        thread.join(PATIENCE)
    assert not thread.is_alive()
    assert not fuzz.complete
    assert {one.outcome.ending for one in fuzz.verdicts} == {"unfinished"}
    assert charges(fuzz.verdicts) == set()
