"""The places where a fault may reach into the server. The clean server has none."""

import heapq
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from contract.profile import Profile
from reference_server.core.exchange import Effect, Effects, Frame, Happening, Outgoing
from reference_server.core.handshake import Answer, Request, Verdict


class Coder(Protocol):
    """What the library keeps of permessage-deflate for one connection: `remote` is the client's half."""

    local_no_context_takeover: bool
    remote_no_context_takeover: bool
    local_max_window_bits: int
    remote_max_window_bits: int
    encoder: Any
    """A `zlib.compressobj`, used as long as there is context takeover."""
    decoder: Any
    """A `zlib.decompressobj`, likewise."""


class Hub(Protocol):
    """What a server does, without any I/O. Times are seconds of a monotonic clock."""

    def handle(self, happening: Happening, now: float) -> Effects:
        """Take one happening; the effects are to be done in this order."""
        ...

    def tick(self, now: float) -> Effects:
        """Everything that the clock asks for."""
        ...

    def next_deadline(self) -> float | None:
        """When `tick` must be called, at the latest."""
        ...


class Hook:
    """Passes everything on as it is; a fault overrides the one method where it lies.

    A message takes this way: `bytes_in`, (the library), `frame_in`, (reassembly), `text_in`, `happening`, (the hub),
    `effect`, (numbering and JSON), `outgoing`, (the library), `control_out`. A handshake: `request`, `answers`,
    (the door), `verdict`, (the library), `answer`, `compression`.
    """

    hub: Hub
    profile: Profile
    """What the endpoint promises, whatever `changed_profile` says."""
    path: str
    """The endpoint's path."""
    waiting: Callable[[int], int] = staticmethod(lambda session: 0)
    """Bytes that a connection's socket has not taken yet; the network says so."""

    def __init__(self) -> None:
        self._later: list[tuple[float, int, Happening | Effect]] = []
        self._scheduled = 0

    def attach(self, hub: Hub, profile: Profile, path: str) -> None:
        """Called once, before anything else happens."""
        self.hub = hub
        self.profile = profile
        self.path = path

    def changed_profile(self, profile: Profile) -> Profile:
        """The values that the server obeys in truth."""
        return profile

    # The handshake

    def request(self, request: Request) -> Request:
        """A handshake request, before it is judged."""
        return request

    def verdict(self, request: Request, verdict: Verdict) -> Verdict:
        """Whether the token of a request is good, before that is acted on."""
        return verdict

    def answers(self, request: Request) -> bool:
        """Whether a handshake request gets any answer."""
        return True

    def answer(self, request: Request, answer: Answer) -> Answer:
        """The HTTP response, before it is written."""
        return answer

    def compression(self, session: int, coder: Coder) -> None:
        """permessage-deflate was negotiated for a connection; its coder has not been used yet."""

    # Messages

    def bytes_in(self, session: int, data: bytes) -> bytes:
        """What came from a client after the handshake, before the library sees any of it."""
        return data

    def frame_in(self, frame: Frame) -> Iterable[Frame]:
        """A frame from a client, before it is acted on and before messages are put together."""
        return (frame,)

    def text_in(self, session: int, message: bytes) -> bytes:
        """A whole text message, inflated, before it is decoded."""
        return message

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        """What the network tells, before the hub hears it; effects among the result are done in their place."""
        return (happening,)

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        """What the hub wants done, before it is numbered and written."""
        return (effect,)

    def outgoing(self, outgoing: Outgoing, now: float) -> Iterable[Outgoing]:
        """A data frame of the server, or a wish to close, before the library gets it."""
        return (outgoing,)

    def control_out(self, frame: Frame) -> Iterable[Frame]:
        """A ping, pong or close frame of the server, just before it is written; nothing checks it any more."""
        return (frame,)

    def ends_tcp(self, session: int) -> bool:
        """Whether the server ends a TCP connection when the closing handshake is done."""
        return True

    # Delays, kept by the same clock as everything else

    def later(self, when: float, item: Happening | Effect) -> None:
        """Put a happening (to the hub) or an effect (to the encoder) off until `when`."""
        self._scheduled += 1
        heapq.heappush(self._later, (when, self._scheduled, item))

    def next_deadline(self) -> float | None:
        """When the next of these is due."""
        return self._later[0][0] if self._later else None

    def due(self, now: float) -> Iterator[Happening | Effect]:
        """Take out what is due."""
        while self._later and self._later[0][0] <= now:
            yield heapq.heappop(self._later)[2]
