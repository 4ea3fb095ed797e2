"""The commands that repeat a part of a run."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.shared.commands import repeating, repeating_load, short_repeating, variables
from tests.reports.builder import HOSTILE, load, results, scenario


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


def test_several_scenarios_as_the_run_played_them() -> None:
    document = results(strict=True, settings={"embedded": True, "time_scale": 2.5, "rounds": 3})
    command = repeating(document, scenario("a"), scenario("b"))
    assert command == "wsproof check --time-scale 2.5 --thorough --strict --select a --select b"


def test_the_profile_and_all_that_was_set() -> None:
    given = {
        "profile": "my profile.yaml",
        "set": ["response_timeout=10s", "users.alice.token=${ALICE}"],
        "scenarios": "mine",
    }
    command = repeating(results(settings={"embedded": True, **given}), scenario("a"))
    assert command == (
        "wsproof check --reference --profile 'my profile.yaml' --set response_timeout=10s "
        "--set 'users.alice.token=${ALICE}' --only-scenarios mine --select a"
    )
    assert variables(command) == "First set the environment variables ALICE: reports do not contain tokens."
    assert variables("wsproof check --select a") == ""
    load_test = repeating_load(load(settings={"users": 3, "journeys": {"chatter": 1}, "time_s": 5, **given}))
    assert (
        "--profile 'my profile.yaml' --set response_timeout=10s --set 'users.alice.token=${ALICE}' --users" in load_test
    )


@pytest.mark.parametrize("changes", [None, "a=1", 3, {"a": 1}])
def test_settings_of_another_time_do_no_harm(changes: object) -> None:
    assert repeating(results(settings={"embedded": True, "set": changes}), scenario("a")) == "wsproof check --select a"


def test_whatever_an_id_holds_is_one_word_of_the_shell() -> None:
    name = "$(reboot); `reboot` 'x' \"y\"" + HOSTILE
    assert shlex.split(repeating(results(), scenario(name)))[-1] == name


def test_a_command_is_never_cut() -> None:
    assert short_repeating(results(), scenario("x" * 1000)) == ""
    assert short_repeating(results(), scenario("x")) == repeating(results(), scenario("x"))


def test_a_load_test_again() -> None:
    settings = {
        "embedded": True,
        "users": 20,
        "spawn_rate": 20.0,
        "time_s": 30.0,
        "stages": [],
        "channels": 2,
        "rate": 0.5,
        "size": None,
        "journeys": {"chatter": 4.0, "churner": 1.0},
        "processes": 1,
        "tokens": "profile",
        "seed": 7,
    }
    command = repeating_load(load(settings=settings, thresholds=[]))
    assert command == (
        "wsproof load --users 20 --time 30s --journey chatter:4 --journey churner "
        "--spawn-rate 20 --channels 2 --rate 0.5 --processes 1 --seed 7"
    )


def test_stages_thresholds_and_files_of_a_load_test() -> None:
    settings = {
        "users": 20,
        "time_s": 90.0,
        "stages": ["100:30s", "100:1m@2"],
        "journeys": {"chatter": 1.0},
        "tokens": "file",
        "abort_on_breach": True,
    }
    limit = {"metric": "p99(post_to_own)", "limit": "< 200ms", "value": 3.0, "passed": True}
    command = repeating_load(load(settings=settings, thresholds=[limit]))
    assert command == (
        "wsproof load ws://127.0.0.1:8765/v1/socket --stages 100:30s,100:1m@2 --journey chatter --tokens-file FILE "
        "--threshold 'p99(post_to_own) < 200ms' --abort-on-breach"
    )


def test_no_command_where_the_settings_do_not_say_enough() -> None:
    assert repeating_load(load(settings={})) == ""


@given(st.dictionaries(st.sampled_from(["users", "journeys", "stages", "time_s", "tokens"]), st.text() | st.integers()))
def test_settings_of_any_kind_do_no_harm(settings: dict[str, object]) -> None:
    shlex.split(repeating_load(load(settings=settings)))
