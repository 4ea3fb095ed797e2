"""permessage-deflate as a tester needs it: every legal offer, and messages compressed in unusual ways (RFC 7692)."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from websockets.extensions import Extension
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory, PerMessageDeflate
from websockets.typing import ExtensionParameter

Way = Literal["plain", "stored", "blocks", "last", "none"]
"""How a raw message is compressed; `none`: not at all, although that was agreed on."""

TAIL = b"\x00\x00\xff\xff"
"""What a sync flush ends with, and what is left out of a message (§7.2.1)."""

SMALLEST = 8
"""The smallest window, in bits. zlib compresses with 9 at least, but never refers back by more than 250 bytes then."""


@dataclass(frozen=True, slots=True)
class Deflate:
    """An offer of permessage-deflate (RFC 7692 §7.1)."""

    server_no_context_takeover: bool = False
    client_no_context_takeover: bool = False
    server_max_window_bits: int | None = None
    client_max_window_bits: int | bool = True


class Offer(ClientPerMessageDeflateFactory):
    """The library's offer, which can ask for a client's window of 8 bits, and take one, too."""

    def __init__(self, offer: Deflate) -> None:
        self._smallest = offer.client_max_window_bits == SMALLEST and offer.client_max_window_bits is not True
        super().__init__(
            server_no_context_takeover=offer.server_no_context_takeover,
            client_no_context_takeover=offer.client_no_context_takeover,
            server_max_window_bits=offer.server_max_window_bits,
            client_max_window_bits=SMALLEST + 1 if self._smallest else offer.client_max_window_bits,
        )

    def get_request_params(self) -> Sequence[ExtensionParameter]:
        """The offer's parameters."""
        return [_shrunk(one, self._smallest) for one in super().get_request_params()]

    def process_response_params(
        self, params: Sequence[ExtensionParameter], accepted_extensions: Sequence[Extension]
    ) -> PerMessageDeflate:
        """Take the answer. Raises `NegotiationError` where it does not fit the offer."""
        widened = [("client_max_window_bits", "9") if one == ("client_max_window_bits", "8") else one for one in params]
        return super().process_response_params(widened, accepted_extensions)


def _shrunk(parameter: ExtensionParameter, smallest: bool) -> ExtensionParameter:
    return (
        ("client_max_window_bits", str(SMALLEST))
        if smallest and parameter[0] == "client_max_window_bits"
        else parameter
    )


def compressed(payload: bytes, way: Way) -> bytes:
    """A message's payload, deflated without context (§7.2.3), for any window: it refers back by 250 bytes at most."""
    if way == "none":
        return payload
    deflater = zlib.compressobj(level=0 if way == "stored" else 6, wbits=-9)
    if way == "last":
        # A block with BFINAL set, and an empty one behind it, of which the header's byte remains (§7.2.3.4).
        return deflater.compress(payload) + deflater.flush(zlib.Z_FINISH) + b"\x00"
    if way == "blocks":
        whole = b""
        for start in range(0, len(payload), 16):
            whole += deflater.compress(payload[start : start + 16]) + deflater.flush(zlib.Z_SYNC_FLUSH)
            whole += b"\x00" + TAIL  # a stored block with nothing in it
    else:
        whole = deflater.compress(payload) + deflater.flush(zlib.Z_SYNC_FLUSH)
    return whole.removesuffix(TAIL)
