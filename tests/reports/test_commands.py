"""The commands that repeat a part of a run."""

import shlex

from reports.commands import repeating, short_repeating
from tests.reports.builder import HOSTILE, results, scenario


def test_a_scenario_alone() -> None:
    command = repeating(results(), scenario("err-not-json"))
    assert command == "wsproof check ws://127.0.0.1:8765/v1/socket --select err-not-json"


def test_the_port_of_the_embedded_server_is_nobodys() -> None:
    assert repeating(results(settings={"embedded": True}), scenario("a/b")) == "wsproof check --select a/b"


def test_generated_messages_come_of_their_seed() -> None:
    document = results(settings={"embedded": True, "fuzz": {"examples": 3000, "seed": 17}})
    generated = scenario("fuzz-x", tags=["generated"])
    assert repeating(document, generated) == "wsproof check --fuzz 3000 --seed 17 --select fuzz-x"
    assert "--fuzz" not in repeating(document, scenario("send"))


def test_whatever_an_id_holds_is_one_word_of_the_shell() -> None:
    name = "$(reboot); `reboot` 'x' \"y\"" + HOSTILE
    assert shlex.split(repeating(results(), scenario(name)))[-1] == name


def test_a_command_is_never_cut() -> None:
    assert short_repeating(results(), scenario("x" * 1000)) == ""
    assert short_repeating(results(), scenario("x")) == repeating(results(), scenario("x"))
