"""The handshake, by way of `websockets`: what a request gets, and whose the connection is then."""

import logging

from websockets.datastructures import Headers
from websockets.http11 import Request as HttpRequest
from websockets.http11 import Response

from reference_server.assembly import Assembly
from reference_server.core.exchange import Account
from reference_server.core.handshake import Answer, Request, denial, refusal
from reference_server.network.protocol import Wire

logger = logging.getLogger("wsproof.reference_server")


class Reception:
    """Answers the requests of all connections, by the door's judgement."""

    def __init__(self, assembly: Assembly) -> None:
        self._assembly = assembly

    def receive(self, wire: Wire, request: HttpRequest) -> tuple[Response | None, Account | None]:
        """The response, and the account where it accepts the handshake; no response where there is to be none."""
        try:
            return self._receive(wire, request)
        except Exception as error:  # noqa: BLE001  # whatever it was, the client gets an answer and the server lives on
            # Its text may quote the request.
            logger.error("internal error: %s in a handshake", type(error).__name__)
            return _response(wire, refusal(500)), None

    def _receive(self, wire: Wire, request: HttpRequest) -> tuple[Response | None, Account | None]:
        asked = self._request(request)
        if not all(hook.answers(asked) for hook in self._assembly.hooks):
            return None, None
        response = wire.accept(request) if self._assembly.door.is_endpoint(asked) else wire.reject(404, "")
        account = None
        if response.status_code == 101:
            response.headers["Server"] = "wsproof"
            answer, account = self._admit(asked, response)
        else:
            # The library's own texts quote the request.
            kept = tuple((name, value) for name, value in response.headers.raw_items() if name in ("Upgrade", "Allow"))
            answer = refusal(response.status_code, headers=kept)
        for hook in self._assembly.hooks:
            answer = hook.answer(asked, answer)
        if answer.status != 101:
            logger.info("handshake refused with %d", answer.status)
        return _response(wire, answer), account

    def _admit(self, asked: Request, response: Response) -> tuple[Answer, Account | None]:
        verdict = self._assembly.door.verdict(asked)
        for hook in self._assembly.hooks:
            verdict = hook.verdict(asked, verdict)
        if not isinstance(verdict, Account):
            return denial(verdict), None
        return Answer(101, tuple(response.headers.raw_items())), verdict

    def _request(self, request: HttpRequest) -> Request:
        offered = ",".join(request.headers.get_all("Sec-WebSocket-Protocol"))
        subprotocols = tuple(name.strip() for name in offered.split(",") if name.strip())
        asked = Request(request.path, tuple(request.headers.raw_items()), subprotocols)
        for hook in self._assembly.hooks:
            asked = hook.request(asked)
        return asked


def _response(wire: Wire, answer: Answer) -> Response:
    if answer.status == 101:
        return Response(101, "Switching Protocols", Headers(answer.headers))
    response = wire.reject(answer.status, answer.body)
    for name, value in answer.headers:
        if name == "Content-Type":
            del response.headers[name]
        response.headers[name] = value
    return response
