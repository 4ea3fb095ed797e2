"""Start and stop of a server."""

import asyncio
import logging
import ssl
from collections.abc import Callable

from reference_server.assembly import Assembly
from reference_server.core.exchange import ShuttingDown
from reference_server.core.settings import ServerSettings
from reference_server.network.connection import Link
from reference_server.network.connections import Hall
from reference_server.network.upgrade import Reception

logger = logging.getLogger("wsproof.reference_server")

OnReady = Callable[[str, Callable[[], None]], None]
"""Gets the URL, and what stops the server, from whatever thread."""


class Server:
    """One server on one address. Must be made inside a running event loop."""

    def __init__(self, settings: ServerSettings, assembly: Assembly) -> None:
        self.settings = settings
        self._loop = asyncio.get_running_loop()
        self._hall = Hall(settings, assembly)
        self._reception = Reception(assembly)

    async def run(self, on_ready: OnReady) -> None:
        """Serve until the function that `on_ready` gets beside the URL is called, from whatever thread."""
        stop = asyncio.Event()
        server = await self._loop.create_server(
            lambda: Link(self._hall, self._reception),
            self.settings.host,
            self.settings.port,
            ssl=_tls(self.settings),
            backlog=1024,
        )
        url = self.settings.url(self.settings.host, server.sockets[0].getsockname()[1])
        logger.info("listening on %s", url)

        def stop_soon() -> None:
            self._loop.call_soon_threadsafe(stop.set)

        on_ready(url, stop_soon)
        await stop.wait()
        server.close()
        self._hall.handle(ShuttingDown())
        self._hall.cut(handshaking=True)
        self._loop.call_later(self.settings.close_timeout, self._hall.cut)
        await self._hall.emptied()
        logger.info("stopped")


def _tls(settings: ServerSettings) -> ssl.SSLContext | None:
    if settings.certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(settings.certificate, settings.key)
    return context
