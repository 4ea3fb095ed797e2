"""Contracts of other shapes under load: arrays, plain texts, no acknowledgement, no flow, nothing to send at all."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from contract.errors import ContractError
from contract.folder import find_contract
from contract.model import load_contract
from loadtest.processes.supervisor import run_load
from loadtest.settings.settings import LoadSettings, load_journeys, parse_journeys
from tests.contracts import meters
from tests.loadtest.foreign.test_foreign import failed, passed
from tests.loadtest.running import read, served

SMALL = Path(meters.__file__).parent / "small"

ECHO = """
format: wsproof.contract/1
messages: {codec: text}
probe: {send_text: "${text}", expect_text: "${text}"}
"""

SILENT = "format: wsproof.contract/1\nmessages: {codec: text}\n"


@contextmanager
def echo() -> Iterator[str]:
    """A server that says what it is told, on a free port; yields its URL."""
    loop = asyncio.new_event_loop()
    started, stop = threading.Event(), asyncio.Event()
    urls: list[str] = []

    async def handler(connection: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            async for text in connection:
                await connection.send(text)

    async def main() -> None:
        async with serve(handler, "127.0.0.1", 0, close_timeout=1) as server:
            urls.append(f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/")
            started.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(main(),), daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield urls[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()


def contract_at(folder: Path, text: str) -> Path:
    """A contract without a document."""
    (folder / "contract.yaml").write_text(text, encoding="utf-8")
    return folder


def settings_for(url: str, folder: Path, contract: Path, journeys: dict[str, float]) -> LoadSettings:
    return replace(
        LoadSettings(url, 4, 40, 2.0, str(folder / "load.json"), journeys=journeys, contract=str(contract)),
        rate=20.0,
        run="12345678",
        overrides={"response_timeout": 1.5},
    )


def measured(settings: LoadSettings) -> dict[str, Any]:
    assert run_load(settings)
    found = read(settings)
    assert (found["errors"], failed(found)) == ([], set())
    return found


@served
def test_messages_that_are_arrays_are_asked_and_answered(tmp_path: Path) -> None:
    journeys = dict.fromkeys(("probe", "roundtrip"), 1.0)
    with meters.centre() as url:
        found = measured(settings_for(url, tmp_path, SMALL, journeys))
    assert found["metrics"]["Beat.reply"]["count"] > 50
    assert {"METER-02", "METER-03"} <= passed(found)


@served
def test_an_echo_of_texts_needs_nothing_but_its_probe(tmp_path: Path) -> None:
    contract = contract_at(tmp_path, ECHO)
    with echo() as url:
        found = measured(settings_for(url, tmp_path, contract, dict.fromkeys(("probe", "roundtrip"), 1.0)))
    assert found["metrics"]["probe.reply"]["count"] > 50


def test_without_journeys_they_are_made_of_the_roles() -> None:
    contract = load_contract(find_contract(str(Path(__file__).parent / "contract")))
    assert [one.id for one in load_journeys(contract)] == ["probe", "roundtrip", "notes", "prices"]
    assert parse_journeys(contract, ()) == {"probe": 1.0}


def test_a_contract_without_probe_and_flow_asks_for_journeys(tmp_path: Path) -> None:
    contract = load_contract(find_contract(str(contract_at(tmp_path, SILENT))))
    with pytest.raises(ContractError, match="give --journeys FILE"):
        load_journeys(contract)
