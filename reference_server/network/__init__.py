"""Sockets: the only package here that touches asyncio and `websockets`. It decides nothing but how bytes travel.

`running` serves from a background thread, `serve_forever` until a signal comes.
"""

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass

from reference_server.assembly import assemble
from reference_server.core.settings import ServerSettings
from reference_server.network.server import OnReady, Server


async def _main(settings: ServerSettings, on_ready: OnReady) -> None:
    await Server(settings, assemble(settings)).run(on_ready)


def serve_forever(settings: ServerSettings, on_ready: Callable[[str], None] = lambda url: None) -> None:
    """Serve until SIGTERM or SIGINT; then every connection is closed with `going_away`.

    `on_ready` gets the URL, without a token, as soon as connections are accepted. Raises `OSError` where the address
    cannot be had, `ssl.SSLError` for a broken certificate, and what `assemble` raises.
    """
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def ready(url: str, stop: Callable[[], None]) -> None:
        for number in before:
            signal.signal(number, lambda *_: stop())
        on_ready(url)

    try:
        asyncio.run(_main(settings, ready))
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server in a thread of this process. `url` holds no token."""

    url: str


@contextlib.contextmanager
def running(settings: ServerSettings) -> Iterator[RunningServer]:
    """Serve from a background thread while the block runs. Raises as `serve_forever` does."""
    started: Future[tuple[str, Callable[[], None]]] = Future()

    def work() -> None:
        try:
            asyncio.run(_main(settings, lambda url, stop: started.set_result((url, stop))))
        except Exception as error:
            if started.done():
                raise
            started.set_exception(error)

    thread = threading.Thread(target=work, name="wsproof-reference-server", daemon=True)
    thread.start()
    url, stop = started.result()
    try:
        yield RunningServer(url)
    finally:
        with contextlib.suppress(RuntimeError):  # the loop is closed: the server is down already
            stop()
        thread.join()
