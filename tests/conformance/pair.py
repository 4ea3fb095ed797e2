"""A wire and a server protocol that talk without a socket."""

from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.http11 import Request as HttpRequest
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from conformance.transport.exchange import Happening, Request
from conformance.transport.protocol import Wire
from wire.frames import RawFrame

URI = parse_uri("ws://example.test/v1/socket")
LIMIT = 70_000
PLAIN = Request("/v1/socket?a=b")


class Pair:
    """A wire and a server that talk without a socket."""

    def __init__(self, request: Request = PLAIN, *, deflate: bool = False) -> None:
        self.wire = Wire("alice", URI, request, LIMIT)
        extensions = [ServerPerMessageDeflateFactory()] if deflate else None
        self.server = ServerProtocol(extensions=extensions, max_size=None)
        self.seen: list[Happening] = []
        self.at_server: list[object] = []

    def to_server(self) -> list[object]:
        data, _ = self.wire.out()
        self.server.receive_data(data)
        found: list[object] = [*self.server.events_received()]
        self.at_server += found
        return found

    def to_client(self, t: float = 1.0) -> list[Happening]:
        found = list(self.wire.feed(b"".join(self.server.data_to_send()), t))
        self.seen += found
        return found

    def open(self) -> list[Happening]:
        (request,) = self.to_server()
        assert isinstance(request, HttpRequest)
        self.server.send_response(self.server.accept(request))
        return self.to_client()


def server_frame(opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0) -> bytes:
    """An unmasked frame, legal or not."""
    return RawFrame(opcode, payload, fin, rsv, masked=False).encode()
