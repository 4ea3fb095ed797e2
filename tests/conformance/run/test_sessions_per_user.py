"""No more scenarios play at once than the connections that a user may have by the contract."""

import socket
from dataclasses import replace
from pathlib import Path

import pytest
from websockets.uri import parse_uri

from conformance.play.plan import Plan
from conformance.run.descriptors import fitted
from conformance.transport.target import Target
from contract.folder import find_contract
from contract.model import load_contract
from tests.bundled import load_profile
from tests.conformance.driver import CONNECT, scenario

ONE = scenario(CONNECT, verifies=["CONN-01"])
TWO = replace(ONE, actors=(ONE.actors[0], replace(ONE.actors[0], name="second")))
"""One with two connections of a user."""


@pytest.mark.parametrize(
    ("sessions", "two", "jobs"),
    [
        ("{}", False, 16),
        ("{per_user: 1}", False, 1),
        ("{per_user: 1}", True, 1),
        ("{per_user: 5}", True, 2),
        ("{per_user: 99}", False, 16),
    ],
)
def test_jobs(tmp_path: Path, sessions: str, two: bool, jobs: int) -> None:
    (tmp_path / "contract.yaml").write_text(f"format: wsproof.contract/1\nsessions: {sessions}\n")
    target = Target(parse_uri("ws://127.0.0.1:1"), socket.AF_INET, ("127.0.0.1", 1), None)
    plan = Plan(target, load_contract(find_contract(str(tmp_path))), load_profile(None), {})
    found = fitted(plan, [ONE, TWO] if two else [ONE])
    assert found.jobs == jobs
    assert (found.at_once == jobs) == (jobs < 16)
