"""Servers that replay what was said before are judged by what the profile says of it."""

from dataclasses import replace

import pytest

from conformance.play.plan import Plan
from conformance.run.run import Run
from conformance.transport.target import resolve
from contract.choices import History
from reference_server.core.settings import ServerSettings
from reference_server.network import running
from tests.bundled import bundled, load_contract, load_profile, load_requirements

ABOUT = ("join-away", "join-ends", "join-twice", "join-again-later", "send-after-a-reconnect")
SCENARIOS = tuple(one for one in bundled() if one.id.startswith(ABOUT))


def charged(history: History, *, faults: tuple[str, ...] = (), liberties: tuple[str, ...] = ()) -> set[str]:
    """The requirements that a server fails by a profile with this `history`."""
    profile = replace(load_profile(None, {"quiet_period": 0.1}), history=history)
    with running(ServerSettings(profile=profile, port=0, faults=faults, liberties=liberties)) as server:
        contract = load_contract(None, profile.limits)
        run = Run(Plan(resolve(server.url), contract, profile, load_requirements()), SCENARIOS)
        run.start()
        verdicts = [run.result(one) for one in SCENARIOS]
        run.stop()
    assert not [one for one in verdicts if one.verdict == "error"]
    return {failed.requirement for one in verdicts for failed in one.charged}


@pytest.mark.parametrize(("history", "found"), [("none", {"JOIN-02"}), ("join", {"JOIN-02"}), ("connect", set())])
def test_what_a_user_missed_reaches_its_next_connection(history: History, found: set[str]) -> None:
    assert charged(history, faults=("missed-posts-on-connecting",)) == found


@pytest.mark.parametrize("history", ["none", "join"])
def test_what_was_said_before_reaches_who_joins(history: History) -> None:
    assert charged(history, liberties=("history-on-join",)) == set()
