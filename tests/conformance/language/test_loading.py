"""Reading scenario files: expansion, and errors that say where."""

from typing import Any

from conformance.language.awaited import ExpectNothing
from conformance.language.deeds import Connect, SendMessage, SendPing, SendRaw
from conformance.language.matching import ANYTHING
from conformance.language.scenario import Scenario
from contract.findings import phrase
from tests.bundled import read_scenarios
from tests.conformance.language.folder import PROCEDURES, Folder


def sent(one: Scenario) -> list[Any]:
    return [step.deed.message["payload"] for step in one.steps if isinstance(step.deed, SendMessage)]


class TestScenarios:
    def test_the_least(self, folder: Folder) -> None:
        (one,) = folder.load("""\
            scenarios:
              - id: least
                title: The least
                steps:
                  - ping: {actor: alice}
        """)
        assert (one.id, one.title, one.group, one.verifies, one.line) == (
            "least",
            "The least",
            "OTHER",
            (),
            3,
        )
        assert [(actor.name, actor.user, actor.heartbeat) for actor in one.actors] == [("alice", "alice", "answer")]
        assert one.steps[0].deed == SendPing("alice")
        assert (one.steps[0].label, one.steps[0].charge.requirements) == (
            phrase("step", parts=["1", "alice", phrase("verb-ping")]),
            (),
        )
        assert str(one.steps[0].label) == "1 alice ping"

    def test_the_group_is_that_of_the_first_requirement(self, folder: Folder) -> None:
        steps = "steps: [{ping: {actor: alice}}]"
        (one,) = folder.load(f"""\
            scenarios:
              - {{id: a, title: A, verifies: [SEND-01, ERR-02], {steps}}}
        """)
        (other,) = folder.load(f"""\
            group: OWN
            scenarios:
              - {{id: a, title: A, verifies: SEND-01, {steps}}}
        """)
        (variant,) = folder.load(f"""\
            scenarios:
              - {{id: a, title: A, verifies: "${{one}}", variants: {{x: {{one: HB-01}}}}, {steps}}}
        """)
        assert (variant.group, variant.verifies) == ("HB", ("HB-01",))
        assert (one.group, one.verifies) == ("SEND", ("SEND-01", "ERR-02"))
        assert (other.group, other.verifies) == ("OWN", ("SEND-01",))

    def test_variants(self, folder: Folder) -> None:
        first, second = folder.load("""\
            scenarios:
              - id: v
                title: With ${size}
                verifies: [ERR-03]
                variants:
                  small: {size: 1, value: [x]}
                  large: {size: 2, value: null, verifies: [ERR-02]}
                steps:
                  - send:
                      actor: alice
                      event: e
                      payload: {n: "${size}", v: "${value}", w: "${variant}"}
        """)
        assert (first.id, first.title, first.verifies) == ("v/small", "With 1 (small)", ("ERR-03",))
        assert (second.id, second.title, second.verifies) == (
            "v/large",
            "With 2 (large)",
            ("ERR-02",),
        )
        assert sent(first) == [{"n": 1, "v": ["x"], "w": "small"}]
        assert sent(second) == [{"n": 2, "v": None, "w": "large"}]

    def test_variants_of_several_tables(self, folder: Folder) -> None:
        found = folder.load("""\
            scenarios:
              - id: v
                title: V
                variants:
                  - {small: {size: 1}, large: {size: 2}}
                  - {plain: {value: "${size}"}, listed: {value: ["${size}"]}}
                steps:
                  - send: {actor: alice, event: e, payload: "${value}"}
        """)
        assert [one.id for one in found] == ["v/small-plain", "v/small-listed", "v/large-plain", "v/large-listed"]
        assert [sent(one) for one in found] == [[1], [[1]], [2], [[2]]]

    def test_repeat(self, folder: Folder) -> None:
        (one,) = folder.load("""\
            scenarios:
              - id: r
                title: R
                steps:
                  - repeat:
                      times: 2
                      as: outer
                      steps:
                        - repeat:
                            times: 2
                            steps:
                              - send: {actor: alice, event: e, payload: "${outer}-${round}"}
        """)
        assert sent(one) == ["1-1", "1-2", "2-1", "2-2"]
        assert [str(step.label).split()[0] for step in one.steps] == ["1", "2", "3", "4"]

    def test_yaml_means_what_it_says(self, folder: Folder) -> None:
        """`no` and a date are strings, as in YAML 1.2."""
        (one,) = folder.load("""\
            scenarios:
              - id: y
                title: Y
                steps:
                  - send: {actor: alice, event: e, payload: [no, on, 2025-07-28, 0x10, 1.0, ~, "1"]}
        """)
        assert sent(one) == [["no", "on", "2025-07-28", "0x10", 1.0, None, "1"]]


class TestProcedures:
    def test_parameters_calls_and_charges(self, folder: Folder) -> None:
        (one,) = folder.load(
            PROCEDURES
            + """\
scenarios:
  - id: p
    title: P
    steps:
      - call: twice
        with: {words: hey}
      - call: twice
        with: {words: ho}
        requirement: ERR-07
"""
        )
        assert sent(one) == ["hey! 2", "hey? 3", "ho! 5", "ho? 6"]
        charges = [(step.charge.requirements, step.charge.level) for step in one.steps]
        assert charges == [
            (("SEND-01",), None),
            (("SEND-02",), "SHOULD"),
            (("ERR-07",), None),
            (("ERR-07",), None),
        ]

    def test_a_folders_procedures_are_known_to_its_files(self, folder: Folder) -> None:
        folder.write(PROCEDURES, "procedures.yaml")
        text = "scenarios: [{id: p, title: P, steps: [{call: say, with: {words: hey}}]}]"
        (one,) = folder.load(text)
        assert sent(one) == ["hey 1"]
        assert [scenario.id for scenario in read_scenarios(folder.path)] == ["p"]

    def test_the_bundled_ones_are_known_everywhere(self, folder: Folder) -> None:
        (one,) = folder.load("scenarios: [{id: p, title: P, steps: [{call: open, with: {actor: alice}}]}]")
        assert isinstance(one.steps[0].deed, Connect)


def test_verbs(folder: Folder) -> None:
    (one,) = folder.load("""\
        scenarios:
          - id: v
            title: V
            actors: {alice: alice, b: {user: bob, heartbeat: late}}
            steps:
              - connect: {actor: b, deflate: {server_max_window_bits: 9}, subprotocols: [x]}
              - send_raw: {actor: b, frames: [{opcode: close, hex: "03 e8", masked: false}]}
              - expect_nothing: {actors: [alice, b]}
    """)
    connect, raw, nothing = (step.deed for step in one.steps)
    assert connect == Connect("b", deflate={"server_max_window_bits": 9}, subprotocols=("x",))
    assert isinstance(raw, SendRaw)
    assert (raw.frames[0].opcode, raw.frames[0].hex, raw.frames[0].masked) == (8, "03 e8", False)
    assert nothing == ExpectNothing(("alice", "b"), None, ANYTHING, "quiet_period")
    assert [(actor.user, actor.heartbeat) for actor in one.actors] == [
        ("alice", "answer"),
        ("bob", "late"),
    ]
