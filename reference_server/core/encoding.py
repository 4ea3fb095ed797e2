"""From effects to frames: numbers the messages of each connection and writes them as JSON (ENV-01, ENV-04, ENV-05)."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from reference_server.core.exchange import Broadcast, Copies, Effect, Frame, Outgoing, SendPing, SendText
from wire.frames import Opcode


class Encoder:
    """Counts `sequence` from 1 on every connection.

    What several receive is written once; only the number differs from receiver to receiver and is put behind the rest.
    """

    def __init__(self) -> None:
        self._sent: dict[int, int] = {}
        self._payload: Mapping[str, Any] | None = None
        self._event = ""
        self._head = b""

    def open(self, session: int) -> None:
        """Begin a connection."""
        self._sent[session] = 0

    def forget(self, session: int) -> None:
        """The connection is over; what is sent to it from now on is dropped."""
        self._sent.pop(session, None)

    def copies(self, broadcast: Broadcast) -> Copies:
        """The message for each connection that is not gone."""
        return Copies(self._written(broadcast), tuple(self._numbers(broadcast.sessions)))

    def _numbers(self, sessions: tuple[int, ...]) -> Iterator[tuple[int, int]]:
        sent = self._sent
        for session in sessions:
            if session in sent:
                sent[session] += 1
                yield session, sent[session]

    def encode(self, effect: Effect) -> Outgoing | None:
        """The frame of a message; a close or an abort as it is. None: the connection is gone."""
        sent = self._sent.get(effect.session)
        if sent is None:
            return None
        if isinstance(effect, SendPing):
            return Frame(effect.session, Opcode.PING, effect.data)
        if not isinstance(effect, SendText):
            return effect
        self._sent[effect.session] = sent + 1
        return Frame(effect.session, Opcode.TEXT, self._written(effect) + Copies.tail(sent + 1))

    def _written(self, message: SendText | Broadcast) -> bytes:
        # The payload is kept, so its identity cannot be another's; it is never changed after it was handed over.
        if message.payload is not self._payload or message.event != self._event:
            self._payload, self._event = message.payload, message.event
            whole = msgspec.json.encode({"event": message.event, "payload": message.payload})
            self._head = whole[:-1] + b',"sequence":'
        return self._head
