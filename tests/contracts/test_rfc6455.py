"""`--contract rfc6455` with nothing but a URL: right echo servers are acquitted, and wrong ones found out."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from conformance.judge.verdicts import requirement_verdicts
from conformance.language.scenario import Scenario
from conformance.play.plan import Plan
from conformance.run.run import Run
from conformance.run.suite import load_suite
from conformance.transport.target import resolve
from contract.folder import find_contract
from contract.model import load_contract
from contract.profile import load_profile
from reports.formats.render import FORMATS
from tests.contracts.echo import FAULTS, echoing, in_a_thread
from tests.slow import slow_but
from tests.wsproof.command import wsproof

FOLDER = find_contract("rfc6455")
CONTRACT = load_contract(FOLDER)
SUITE = load_suite(CONTRACT)
LIMIT = 1 << 16
UNDECIDED = {"WIRE-07"}
"""What a server does with binary messages is not declared."""

FEW = 3
"""Of the scenarios with many variants, those that are played against each fault; some faults show in few of them."""


@contextmanager
def library() -> Iterator[str]:
    """An echo server as the documentation of `websockets` has it."""

    async def echo(connection: ServerConnection) -> None:
        async for message in connection:
            await connection.send(message)

    @asynccontextmanager
    async def listening() -> AsyncIterator[int]:
        async with serve(echo, "127.0.0.1", 0, max_size=LIMIT) as server:
            yield next(iter(server.sockets)).getsockname()[1]

    with in_a_thread(listening) as url:
        yield url


def sample() -> list[Scenario]:
    """The first variants of each scenario, and a few of the others."""
    found, families = [], dict[str, int]()
    for one in SUITE.scenarios:
        family = one.id.partition("/")[0]
        families[family] = families.get(family, 0) + 1
        if families[family] <= FEW or families[family] % 12 == 0:
            found.append(one)
    return found


def verdicts(url: str, scenarios: Sequence[Scenario]) -> Mapping[str, str]:
    """The requirements' verdicts."""
    profile = load_profile(None, {"limits.message_bytes": LIMIT, "response_timeout": 2.0}, contract=FOLDER)
    run = Run(Plan(resolve(url), CONTRACT, profile, SUITE.requirements), scenarios)
    run.start()
    played = [run.result(one) for one in scenarios]
    run.stop()
    return {one.requirement.id: one.deciding.verdict for one in requirement_verdicts(SUITE.requirements, played)}


@pytest.mark.parametrize("server", [echoing, library], ids=["by hand", "websockets"])
def test_a_right_server_is_acquitted(server: Any) -> None:
    with server() as url:
        found = verdicts(url, SUITE.scenarios)
    assert {name for name, verdict in found.items() if verdict != "passed"} == UNDECIDED


@pytest.mark.parametrize("fault", slow_but(["unmasked-accepted", "interleaved-fragments-lost"], FAULTS))
def test_a_wrong_server_is_found_out(fault: str) -> None:
    with echoing({fault}) as url:
        found = verdicts(url, sample())
    assert {name for name, verdict in found.items() if verdict == "failed"} == FAULTS[fault]


def test_a_url_is_enough(tmp_path: Path) -> None:
    """In every report, without a document, users or an acknowledgement."""
    with echoing() as url:
        formats = [part for one in FORMATS for part in ("--format", one)]
        few = ("--select", "wire-ping", "--select", "wire-handshake", "--select", "wire-plain-get")
        done = wsproof("check", url, "--contract", "rfc6455", *few, *formats, "--output", tmp_path, folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WebSocket transport, " in done.stdout
    assert "✓ Conformant (selection only)" in done.stdout
    assert {"report.html", "junit.xml", "results.json"} <= {one.name for one in tmp_path.iterdir()}
