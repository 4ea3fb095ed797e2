"""From effects to frames: numbers the messages of each connection and writes them as JSON (ENV-01, ENV-04, ENV-05)."""

from collections.abc import Mapping
from typing import Any

from contract.json_text import dump_json
from reference_server.exchange import PING, TEXT, Effect, Frame, Outgoing, SendPing, SendText


class Encoder:
    """Counts `sequence` from 1 on every connection.

    A broadcast is written once; only the number differs from receiver to receiver and is put behind the rest.
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

    def encode(self, effect: Effect) -> Outgoing | None:
        """The frame of a message; a close or an abort as it is. None: the connection is gone."""
        sent = self._sent.get(effect.session)
        if sent is None:
            return None
        if isinstance(effect, SendPing):
            return Frame(effect.session, PING, effect.data)
        if not isinstance(effect, SendText):
            return effect
        # The payload is kept, so its identity cannot be another's; it is never changed after it was handed over.
        if effect.payload is not self._payload or effect.event != self._event:
            self._payload, self._event = effect.payload, effect.event
            self._head = (
                f'{{"event":{dump_json(effect.event)},"payload":{dump_json(effect.payload)},"sequence":'.encode()
            )
        self._sent[effect.session] = sent + 1
        return Frame(effect.session, TEXT, b"%s%d}" % (self._head, sent + 1))
