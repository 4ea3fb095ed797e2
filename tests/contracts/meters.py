"""The centre of some meters, of the contract in `small/`; `wrong` names what it does otherwise."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

LIMIT = 1000

FORMS: dict[str, dict[str, Any]] = {"Register": {"serial": str}, "Reading": {"watts": (int, float)}, "Beat": {}}

WRONG = {
    "other-id": {"METER-01", "METER-05"},
    "mute": {"METER-05"},
    "twice": {"METER-08"},
    "no-details": {"METER-02", "METER-06"},
    "no-code": {"METER-02", "METER-06"},
    "unheard": {"METER-06"},
    "no-adjust": {"METER-07"},
    "traces": {"METER-03"},
    "chatty": {"METER-04"},
    "stays": {"METER-09"},
}
"""By what it does wrong, the requirements that fail."""


class RefusedError(Exception):
    """A request that cannot be done."""


class Meter:
    """One connection."""

    def __init__(self, connection: ServerConnection, wrong: str) -> None:
        self.connection, self.wrong = connection, wrong
        self.serial: str | None = None
        self.asked = 0

    async def serve(self) -> None:
        if self.wrong == "chatty":
            await self.send([2, "w", "Welcome", {}])
        async for text in self.connection:
            try:
                message = json.loads(text)
            except ValueError:
                if self.wrong != "stays":
                    await self.connection.close(1007)
                continue
            if not isinstance(message, list) or len(message) < 3 or message[0] not in (2, 3):
                await self.connection.close(1008)
            elif message[0] == 2:
                await self._asked(message)

    async def send(self, message: Any) -> None:
        await self.connection.send(json.dumps(message))

    async def _asked(self, message: list[Any]) -> None:
        number, action, details = f"{message[1]}", message[2], [*message, None][3]
        try:
            answer = self._done(action, details)
        except RefusedError as refused:
            if self.wrong == "unheard":
                return
            code = 7 if self.wrong == "no-code" else f"{refused}"
            await self.send([4, number, code] if self.wrong == "no-details" else [4, number, code, "cannot be done"])
            return
        if action == "Beat" and self.wrong == "mute" and self.serial is None:
            return
        if self.wrong == "other-id":
            number = f"{number}x"
        await self.send([3, number, answer])
        if action == "Reading":
            await self._read(number, details)

    async def _read(self, number: str, details: Any) -> None:
        if self.wrong == "twice":
            await self.send([3, number, {}])
        if self.wrong == "traces":
            await self.connection.send("read " + number)
        if details["watts"] > LIMIT and self.wrong != "no-adjust":
            self.asked += 1
            await self.send([2, f"a{self.asked}", "Adjust", {"limit": LIMIT}])

    def _done(self, action: str, details: Any) -> Any:
        if action not in FORMS:
            raise RefusedError("UnknownAction")
        if not isinstance(details, dict) or not all(
            isinstance(details.get(name), kind) for name, kind in FORMS[action].items()
        ):
            raise RefusedError("BadForm")
        if action == "Register":
            self.serial = details["serial"]
            return {"every": 2}
        if action == "Reading":
            if self.serial is None:
                raise RefusedError("NotRegistered")
            return {}
        return {}


@contextmanager
def centre(wrong: str = "") -> Iterator[str]:
    """One on a free port; yields its URL."""
    started, stop = threading.Event(), asyncio.Event()
    urls: list[str] = []
    loops: list[asyncio.AbstractEventLoop] = []

    async def handler(connection: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            await Meter(connection, wrong).serve()

    async def main() -> None:
        loops.append(asyncio.get_running_loop())
        async with serve(handler, "127.0.0.1", 0, close_timeout=1) as server:
            urls.append(f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/meters")
            started.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
    thread.start()
    started.wait()
    try:
        yield urls[0]
    finally:
        loops[0].call_soon_threadsafe(stop.set)
        thread.join()
