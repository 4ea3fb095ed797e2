"""What would fail a right server, or could never fail a wrong one, is found where its author wrote it."""

import re
from pathlib import Path

import pytest

from contract.errors import ContractError
from contract.files import DATA_ROOT
from tests.bundled import FUZZ, JOURNEYS, THOROUGH, bundled, lint_scenarios, load_scenarios, read_scenarios, unsound
from tests.conformance.language.folder import Folder

HEAD = """\
scenarios:
  - id: it
    title: It
    verifies: [SEND-01]
    steps:
      - call: enter
        with: {actor: alice, channel: "${channel.room}"}
      - send: {actor: alice, event: send_message, payload: {channelId: "${channel.room}", text: "${nonce.hello}"}}
"""


def test_the_bundled_ones_are_sound() -> None:
    assert unsound(bundled() + bundled(THOROUGH)) == []
    assert unsound(read_scenarios(FUZZ)) == []
    assert unsound(bundled(JOURNEYS, journeys=True)) == []


TEXT = "match: {payload: {message: {text: "
STEPS = [
    # operators
    (
        f'expect: {{actor: alice, event: new_message, {TEXT}{{$contain: "${{nonce.hello}}"}}}}}}}}}}',
        "10:87: expect: unknown operator '$contain' (did you mean '$contains'?)",
    ),
    (
        "expect: {actor: alice, event: error, match: {payload: {code: {$type: text}}}}",
        "10:71: expect: $type: unknown type 'text'; known: object,",
    ),
    (
        "expect: {actor: alice, event: error, match: {payload: {code: {$in: NOT_JOINED}}}}",
        "10:71: expect: $in: expected a list; got string",
    ),
    (
        "expect: {actor: alice, event: error, match: {payload: {code: {$nonempty: true, length: 5}}}}",
        "10:88: expect: member 'length' beside an operator",
    ),
    (
        "expect: {actor: alice, event: error, match: {payload: {code: {$error_code: NOT_JOIND}}}}",
        "10:71: expect: unknown cause 'NOT_JOIND' (did you mean 'NOT_JOINED'?)",
    ),
    # members and values that no valid message has
    (
        'expect: {actor: alice, event: new_message, match: {payload: {mesage: {text: "${nonce.hello}"}}}}',
        "10:70: expect: the contract has no member 'mesage' in `payload` (did you mean 'message'?)",
    ),
    (
        "expect: {actor: alice, event: error, match: {payload: {code: 404}}}",
        "10:64: expect: `payload.code` is never 404 in a valid message",
    ),
    (
        "expect: {actor: alice, event: error, match: {payload: {code: {$type: integer}}}}",
        "10:71: expect: `payload.code` is never of the type integer in a valid message",
    ),
    (
        "expect: {actor: alice, event: error, match: {payload: error}}",
        "10:54: expect: `payload` is never 'error' in a valid message",
    ),
    (
        "expect: {actor: alice, event: error, match: {payload: [{code: x}]}}",
        "10:54: expect: `payload` is never a list in a valid message",
    ),
    (
        "expect: {actor: alice, event: error, checks: [{requirement: ERR-06, match: {payload: {original: x}}}]}",
        "10:95: expect: the contract has no member 'original' in `payload` (did you mean 'originalEvent'?)",
    ),
    (
        "expect: {actor: alice, event: connection_ack, capture: {id: payload.sesionId}}",
        "10:65: expect: the contract has no member 'sesionId' in `payload` (did you mean 'sessionId'?)",
    ),
    # events
    (
        "expect: {actor: alice, event: new_mesage}",
        "10:32: expect: the contract has no event 'new_mesage' (did you mean 'new_message'?)",
    ),
    ("expect: {actor: alice, event: join_channel}", "10:32: expect: 'join_channel' is a client event"),
    ("expect_nothing: {actors: [alice], event: eror}", "10:43: expect_nothing: the contract has no event 'eror'"),
    (
        "expect_all: {actor: alice, of: [{event: error}, {event: errors}]}",
        "10:58: expect_all: the contract has no event 'errors' (did you mean 'error'?)",
    ),
    (
        "expect_one: {actor: alice, of: [{event: error}, {enough: true}]}",
        "10:57: ",
    ),
    # what is sent
    (
        "send: {actor: alice, event: send_mesage, payload: {}}",
        "10:30: send: the contract has no event 'send_mesage' (did you mean 'send_message'?); expect the error",
    ),
    (
        "send: {actor: alice, event: new_message, payload: {}}",
        "10:30: send: 'new_message' is a server event; clients send join_channel, pong, send_message; expect",
    ),
    (
        'send: {actor: alice, event: join_channel, payload: {chanelId: "${channel.room}"}}',
        "10:51: send: not a payload of 'join_channel' (payload: expected the member 'channelId'); expect the error",
    ),
    (
        "send: {actor: alice, message: {event: pong}}",
        "10:9: send: not a message of the contract (the message: expected the member 'payload'); expect the error",
    ),
    # references
    (
        f'expect: {{actor: alice, event: new_message, {TEXT}"${{nonce.helo}}"}}}}}}}}',
        "10:80: expect: ${nonce.helo}: no step before this one sends this nonce (did you mean 'hello'?)",
    ),
    (
        f'expect_nothing: {{actors: [alice], event: new_message, {TEXT}"${{nonce.helo}}"}}}}}}}}',
        "10:91: expect_nothing: ${nonce.helo}: no step before this one sends this nonce (did you mean 'hello'?)",
    ),
    (
        f'expect: {{actor: alice, event: new_message, {TEXT}"${{nonc.hello}}"}}}}}}}}',
        "10:80: expect: ${nonc.hello}: no step before this one captures it (did you mean 'nonce.hello'?)",
    ),
    (
        f'expect: {{actor: alice, event: new_message, {TEXT}"${{seen}}"}}}}}}}}',
        "10:80: expect: ${seen}: no step before this one captures it",
    ),
    ("connect: {actor: alice, token: alcie}", "10:33: connect: unknown user 'alcie' (did you mean 'alice'?)"),
    ('connect: {actor: alice, token_text: "${token.bbo}"}', "10:33: connect: ${token.bbo}: unknown user 'bbo'"),
    # sizes, durations, codes
    (
        "send_raw: {actor: alice, text: {$fill: {with: x, length: text_lenght}}}",
        "10:58: send_raw: $fill: unknown limit 'text_lenght' (did you mean 'text_length'?)",
    ),
    (
        "send_raw: {actor: alice, text: {$fill: {with: x, lenght: 5}}}",
        "10:58: send_raw: $fill: unknown member 'lenght' (did you mean 'length'?)",
    ),
    ("send_raw: {actor: alice, text: {$pad: {bytes: 5}}}", "10:41: send_raw: $pad: expected the member 'json'"),
    (
        "expect: {actor: alice, event: error, within: respons_timeout}",
        "10:46: expect: unknown duration 'respons_timeout' (did you mean 'response_timeout'?)",
    ),
    (
        "expect_close: {actor: alice, codes: [to_large]}",
        "10:46: expect_close: unknown close code 'to_large' (did you mean 'too_large'?)",
    ),
    (
        "expect_one: {actor: alice, of: [{end: true}, {close: [1000, bad_request]}]}",
        "10:69: expect_one: unknown close code 'bad_request'; known: going_away, heartbeat_timeout, internal_error, ",
    ),
    # connections
    (
        "close: {actor: alice}\n      - ping: {actor: alice}",
        "11:16: ping: the connection of 'alice' was closed by `close` in line 10; connect it again first",
    ),
    (
        "expect_close: {actor: alice, codes: [normal]}\n      - call: barrier\n"
        '        with: {actor: alice, channel: "${channel.room}"}',
        "12:16: send: the connection of 'alice' was closed by `expect_close` in line 10; connect it again first "
        "(used in procedure 'barrier', ",
    ),
    # calls
    ("call: barier", "10:9: unknown procedure 'barier' (did you mean 'barrier'?)"),
    ("call: barrier\n        with: {actr: alice}", "11:16: procedure 'barrier' has no parameter 'actr' (did you"),
    (
        'call: barrier\n        with: {actor: alcie, channel: "${channel.room}"}',
        "11:16: unknown actor 'alcie' (did you mean 'alice'?) (used in procedure 'barrier', ",
    ),
    ("expect_nothing: {actors: [alcie]}", "10:35: unknown actor 'alcie' (did you mean 'alice'?)"),
]


@pytest.mark.parametrize(("step", "said"), STEPS, ids=[said.partition(": ")[2][:50] or step for step, said in STEPS])
def test_of_a_step(folder: Folder, step: str, said: str) -> None:
    assert folder.error(f"{HEAD}      - {step}\n").startswith(said)


REQUIREMENTS = [
    ("expect: {actor: alice, event: error}\n        requirement: ERR-99", "11:9: no requirements.yaml declares ERR-99"),
    (
        "expect: {actor: alice, event: error, checks: [{requirement: ERR-77, match: {}}]}",
        "10:56: no requirements.yaml declares ERR-77",
    ),
    (
        'call: barrier\n        with: {actor: alice, channel: "${channel.room}"}\n        requirement: SEND-99',
        "12:9: no requirements.yaml declares SEND-99 (did you mean 'SEND-",
    ),
]


@pytest.mark.parametrize(("step", "said"), REQUIREMENTS)
def test_a_requirement_is_told_where_it_is_named(folder: Folder, step: str, said: str) -> None:
    path = folder.write(f"{HEAD}      - {step}\n")
    (problem,) = lint_scenarios(path).problems
    assert problem.startswith(f"{path}:{said}")


SCENARIOS = [
    (
        """\
        actors: {alice: alice, bob: bob}
        steps: [{ping: {actor: alice}}]
        """,
        ["5:28: actor 'bob' has no steps", "6:21: ping: 'alice' has no connection yet; connect it first"],
    ),
    (
        """\
        actors: {alice: alcie}
        steps: [{connect: {actor: alice}}]
        """,
        ["5:14: unknown user 'alcie' (did you mean 'alice'?)"],
    ),
    (
        """\
        variants: {one: {what: error}, two: {what: eror}}
        steps: [{call: open, with: {actor: alice}}, {expect: {actor: alice, event: "${what}"}}]
        """,
        ["5:42: expect: the contract has no event 'eror' (did you mean 'error'?)"],
    ),
    (
        """\
        variants: [{one: {how: reset}}, {two: {again: resett}}]
        steps: [{call: open, with: {actor: alice}}, {drop: {actor: alice, how: "${again}"}}]
        """,
        ["5:44: drop: "],
    ),
    (
        """\
        variants: {one: {txt: a}}
        steps: [{call: open, with: {actor: alice}}, {send_raw: {actor: alice, text: "${text}"}}]
        """,
        ["6:75: send_raw: ${text}: no step before this one captures it (did you mean 'txt'?)"],
    ),
]


@pytest.mark.parametrize(("scenario", "said"), SCENARIOS)
def test_of_a_scenario(folder: Folder, scenario: str, said: list[str]) -> None:
    indented = "".join(f"    {line.strip()}\n" for line in scenario.splitlines())
    lines = folder.error(f"scenarios:\n  - id: it\n    title: It\n{indented}").splitlines()
    found = [line.removeprefix(f"{folder.path / 'own.yaml'}:") for line in lines]
    assert len(found) == len(said)
    for line, beginning in zip(found, said, strict=True):
        assert line.startswith(beginning)


def test_in_a_procedure_both_places_are_named(folder: Folder) -> None:
    path = folder.write(
        """\
        procedures:
          greet:
            parameters: {actor: null}
            steps:
              - expect: {actor: "${actor}", event: eror}
        scenarios:
          - id: it
            title: It
            steps:
              - call: open
                with: {actor: alice}
              - call: greet
                with: {actor: alice}
        """
    )
    with pytest.raises(ContractError) as caught:
        load_scenarios(path)
    assert str(caught.value) == (
        f"{path}:6:37: expect: the contract has no event 'eror' (did you mean 'error'?) "
        f"(in procedure 'greet', called at {path}:13:9)"
    )


RIGHT = [
    # An error is expected: whatever is sent before it is meant.
    "send: {actor: alice, event: leave, payload: {}}\n      - expect: {actor: alice, event: error}",
    "send: {actor: alice, event: send_message, payload: {}}\n      - expect: {actor: alice, event: error}",
    'send_raw: {actor: alice, text: \'{"event":"leave"}\'}',
    # A member that must not be there need not be known, and a client's event may be one that must not come back.
    "expect: {actor: alice, event: new_message, match: {payload: {secret: {$absent: true}}}}",
    "expect_nothing: {actors: [alice], event: send_message}",
    # What was captured may be of any type.
    "expect: {actor: alice, event: new_message, capture: {id: payload.message.id}}\n"
    '      - expect: {actor: alice, event: new_message, match: {payload: {message: {id: "${id}"}}}}',
    # What has arrived before the end is in the inbox.
    "expect_close: {actor: alice, codes: [normal]}\n      - expect: {actor: alice, event: error}",
    "close: {actor: alice}\n      - connect: {actor: alice}\n      - ping: {actor: alice}",
    "send_raw: {actor: alice, text: {$fill: {with: x, length: 9000, at_most: text_length}}}",
]


@pytest.mark.parametrize("steps", RIGHT)
def test_what_is_right_is_let_be(folder: Folder, steps: str) -> None:
    assert folder.load(f"{HEAD}      - {steps}\n")


def test_a_nonce_that_only_another_variant_sends_may_be_expected_not_to_come(folder: Folder) -> None:
    folder.load(
        """\
        scenarios:
          - id: it
            title: It
            variants: {post: {text: "${nonce.a}"}, none: {text: ""}}
            steps:
              - call: open
                with: {actor: alice}
              - send_raw: {actor: alice, text: "${text}"}
              - expect_nothing: {actors: [alice], match: {payload: {message: {text: "${nonce.a}"}}}}
        """
    )


def test_the_examples_of_the_documentation_are_sound(tmp_path: Path) -> None:
    page = (DATA_ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8")
    examples = re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    fragments = [one for one in examples if one.startswith("  - id:")]
    files = [one for one in examples if one.startswith("format: wsproof.scenarios/")]
    files.append("format: wsproof.scenarios/1\nscenarios:\n" + "".join(fragments))
    for number, text in enumerate(files):
        path = tmp_path / f"{number}.yaml"
        path.write_text(text, encoding="utf-8")
        assert lint_scenarios(path).problems == ()
    assert len(fragments) >= 5
