"""The contracts of two public protocols: the right servers are acquitted, and wrong ones found out, each for its fault.

A wrong server is the right one behind a proxy that changes one thing.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contracts import tables
from tests.contracts.examples import DEVIATIONS, EXAMPLES, charged, check, failed, lacking, server, undecided
from tests.contracts.proxy import NONE, Fault
from tests.slow import slow_but
from tests.wsproof.command import wsproof

NAMES = sorted(DEVIATIONS)

CASES = [(name, fault) for name in NAMES for fault in (NONE, *tables.FAULTS[name], *tables.LIBERTIES[name])]
QUICK = [("json-rpc", NONE)]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The URLs of the real servers."""
    missing = lacking()
    if missing is not None:
        pytest.skip(missing)
    logs = tmp_path_factory.mktemp("servers")
    with server("graphql-transport-ws", logs / "graphql.txt") as graphql, server("json-rpc", logs / "rpc.txt") as rpc:
        yield {"graphql-transport-ws": graphql, "json-rpc": rpc}


def test_every_example_is_tested() -> None:
    assert sorted(one.parent.name for one in EXAMPLES.glob("*/contract.yaml")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_ten_faults_at_least(name: str) -> None:
    assert len(tables.FAULTS[name]) >= 10
    assert len({one.name for one in tables.FAULTS[name]}) == len(tables.FAULTS[name])


@pytest.mark.parametrize("name", NAMES)
def test_the_table_is_that_of_the_faults(name: str) -> None:
    assert tables.readme(name).read_text(encoding="utf-8") == tables.with_table(name)


@pytest.mark.parametrize("name", NAMES)
def test_the_contract_has_no_mistake(name: str) -> None:
    done = wsproof("lint", "--contract", EXAMPLES / name, folder=EXAMPLES)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_right_server_breaks_what_is_known(name: str, servers: dict[str, str], tmp_path: Path) -> None:
    """Every deviation is found, nothing else is, and the baseline beside the contract has them all."""
    results = check(name, servers[name], tmp_path, "--baseline", "baseline.yaml")
    found = {one["id"].partition("/")[0] for one in results["scenarios"] if one["verdict"] == "failed"}
    assert found == set(DEVIATIONS[name])
    assert results["outcome"]["passed"], results["outcome"]
    # Neither protocol says what a server does with binary messages, or how large one may be.
    assert undecided(results) == {"WIRE-07", "WIRE-08"}


@pytest.mark.parametrize(("name", "fault"), slow_but(QUICK, CASES), ids=[f"{name}-{one.name}" for name, one in CASES])
def test_each_fault_is_charged_exactly(name: str, fault: Fault, servers: dict[str, str], tmp_path: Path) -> None:
    assert charged(name, fault, servers[name], tmp_path) == fault.breaks


def test_deviations_are_requirements(servers: dict[str, str], tmp_path: Path) -> None:
    """One of the public servers breaks a MUST of its protocol, and is told so."""
    results = check("json-rpc", servers["json-rpc"], tmp_path, "--select", "rpc-falsy-id")
    assert failed(results) == {"RPC-01"}
