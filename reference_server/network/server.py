"""The handshake, start and stop of a server, by way of `websockets`."""

import asyncio
import logging
import ssl
from collections.abc import Callable

from websockets.asyncio.server import Server as LibraryServer
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request as HttpRequest
from websockets.http11 import Response

from reference_server.assembly import Assembly
from reference_server.exchange import Account, ShuttingDown
from reference_server.handshake import Answer, Request, denial, refusal
from reference_server.network.hall import Hall
from reference_server.network.link import Link
from reference_server.network.wire import library_logger
from reference_server.settings import ServerSettings

logger = logging.getLogger("wsproof.reference_server")

OnReady = Callable[[str, Callable[[], None]], None]
"""Gets the URL, and what stops the server, from whatever thread."""


class Server:
    """One server on one address. Must be made inside a running event loop."""

    def __init__(self, settings: ServerSettings, assembly: Assembly) -> None:
        self.settings = settings
        self.assembly = assembly
        self._loop = asyncio.get_running_loop()
        self._hall = Hall(settings, assembly)

    # The handshake

    def _process_request(self, connection: ServerConnection, request: HttpRequest) -> Response | None:
        if self.assembly.door.is_endpoint(self._request(request)):
            return None
        return connection.respond(404, "")

    def _process_response(self, connection: ServerConnection, request: HttpRequest, response: Response) -> Response:
        asked = self._request(request)
        kept = tuple((name, value) for name, value in response.headers.raw_items() if name in ("Upgrade", "Allow"))
        if response.status_code == 101:
            answer = self._admit(connection, asked, response)
        else:
            # The library's own texts quote the request.
            answer = refusal(response.status_code, headers=kept)
        for seam in self.assembly.seams:
            answer = seam.answer(asked, answer)
        if answer.status != 101:
            logger.info("handshake refused with %d", answer.status)
        return _response(connection, answer)

    def _admit(self, connection: ServerConnection, asked: Request, response: Response) -> Answer:
        verdict = self.assembly.door.verdict(asked)
        for seam in self.assembly.seams:
            verdict = seam.verdict(asked, verdict)
        if not isinstance(verdict, Account):
            return denial(verdict)
        assert isinstance(connection, Link)
        connection.account = verdict
        return Answer(101, tuple(response.headers.raw_items()))

    def _request(self, request: HttpRequest) -> Request:
        offered = ",".join(request.headers.get_all("Sec-WebSocket-Protocol"))
        subprotocols = tuple(name.strip() for name in offered.split(",") if name.strip())
        asked = Request(request.path, tuple(request.headers.raw_items()), subprotocols)
        for seam in self.assembly.seams:
            asked = seam.request(asked)
        return asked

    async def _connected(self, connection: ServerConnection) -> None:
        assert isinstance(connection, Link)
        if connection.account is not None:
            connection.opened(connection.account)
        await connection.wait_closed()

    # Start and stop

    async def run(self, on_ready: OnReady) -> None:
        """Serve until the function that `on_ready` gets beside the URL is called, from whatever thread."""
        stop = asyncio.Event()
        server = await serve(
            self._connected,
            self.settings.host,
            self.settings.port,
            process_request=self._process_request,
            process_response=self._process_response,
            server_header="wsproof",
            ping_interval=None,
            write_limit=self.settings.write_buffer,
            close_timeout=self.settings.close_timeout,
            logger=library_logger,
            create_connection=type("Link", (Link,), {"hall": self._hall}),
            ssl=_tls(self.settings),
            backlog=1024,
        )
        url = self.settings.url(self.settings.host, server.sockets[0].getsockname()[1])
        logger.info("listening on %s", url)

        def stop_soon() -> None:
            self._loop.call_soon_threadsafe(stop.set)

        on_ready(url, stop_soon)
        await stop.wait()
        await self._stop(server)

    async def _stop(self, server: LibraryServer) -> None:
        self._hall.handle(ShuttingDown())
        server.close(close_connections=False)
        self._hall.cut(handshaking=True)
        self._loop.call_later(self.settings.close_timeout, self._hall.cut)
        await server.wait_closed()
        logger.info("stopped")


def _response(connection: ServerConnection, answer: Answer) -> Response:
    if answer.status == 101:
        return Response(101, "Switching Protocols", Headers(answer.headers))
    response = connection.respond(answer.status, answer.body)
    for name, value in answer.headers:
        if name == "Content-Type":
            del response.headers[name]
        response.headers[name] = value
    return response


def _tls(settings: ServerSettings) -> ssl.SSLContext | None:
    if settings.certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(settings.certificate, settings.key)
    return context
