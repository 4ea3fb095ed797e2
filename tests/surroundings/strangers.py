"""Strangers on the channels of a check: they post, join, leave, and send nonsense, until they are told to stop.

`python -m tests.surroundings.strangers URL CHANNEL…` prints `at work` once every stranger has joined, and stops
when its standard input ends, or after two minutes.
"""

import asyncio
import json
import random
import sys
from collections.abc import Sequence
from contextlib import suppress

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

USERS = ("alice-token", "bob-token", "load-7", "load-8")
PAUSE_SECONDS = 0.2
LIMIT_SECONDS = 120.0


def _message(event: str, **payload: str) -> str:
    return json.dumps({"event": event, "payload": payload})


async def _read(connection: object) -> None:
    async for message in connection:  # type: ignore[attr-defined]
        if json.loads(message)["event"] == "ping":
            await connection.send(_message("pong"))  # type: ignore[attr-defined]


async def _stranger(url: str, channels: Sequence[str], number: int, joined: asyncio.Semaphore) -> None:
    choose = random.Random(number)
    known = False
    while True:
        with suppress(WebSocketException, OSError):
            async with connect(f"{url}?access_token={USERS[number % len(USERS)]}", ping_interval=None) as connection:
                reading = asyncio.create_task(_read(connection))
                for channel in channels:
                    await connection.send(_message("join_channel", channelId=channel))
                if not known:
                    joined.release()
                    known = True
                for turn in range(choose.randint(20, 200)):
                    text = f"stranger {number} says {turn}"
                    await connection.send(_message("send_message", channelId=choose.choice(channels), text=text))
                    if choose.random() < 0.1:
                        await connection.send(choose.choice(["{", "[]", _message("dance"), _message("send_message")]))
                    await asyncio.sleep(choose.uniform(0, 2 * PAUSE_SECONDS))
                if choose.random() < 0.5:
                    connection.transport.abort()
                reading.cancel()


async def _work(url: str, channels: Sequence[str], count: int) -> None:
    joined = asyncio.Semaphore(0)
    tasks = [asyncio.create_task(_stranger(url, channels, number, joined)) for number in range(count)]
    for _ in tasks:
        await joined.acquire()
    print("at work", flush=True)
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.to_thread(sys.stdin.read), LIMIT_SECONDS)
    for task in tasks:
        task.cancel()


if __name__ == "__main__":
    asyncio.run(_work(sys.argv[1], sys.argv[2:], 4))
