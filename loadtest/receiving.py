"""What a virtual user hears: each message is decoded or judged, entered into the ledger, and awaited or not."""

import json
import math
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec import UNSET, DecodeError

from conformance.actions import Received
from contract.json_text import JsonTextError, parse_json
from contract.model import value_at
from contract.redaction import Redactor
from loadtest.ledger import Seat, Stream
from loadtest.link import Link
from loadtest.script import AwaitEvent
from wire.frames import Opcode

if TYPE_CHECKING:
    from loadtest.world import World

MAX_TOLD = 120
"""Characters of what an endpoint said that stand in an error."""

MAX_KEPT = 16
"""Messages that wait to be expected; the oldest are forgotten first."""

NOT_INCREASING = "ENV-04: `sequence` does not increase"


class Receiver:
    """The receiving half of a virtual user; the other half says what it waits for."""

    __slots__ = (
        *("_acked", "_awaited_event", "_awaited_number", "_joining", "_kept", "_last_ping", "_link", "_opened"),
        *("_seats", "_sequence", "_streams", "name", "token", "world"),
    )

    def __init__(self, world: "World", name: str, token: str) -> None:
        self.world = world
        self.name = name
        self.token = token
        self._link: Link | None = None
        self._awaited_number = 0
        self._awaited_event: AwaitEvent | None = None
        self._forget_connection()

    def _forget_connection(self) -> None:
        self._seats: dict[str, Seat] = {}
        self._streams: dict[str, Stream] = {}
        self._joining: dict[str, float] = {}
        self._kept: deque[dict[str, Any]] | None = None
        self._sequence: float = -math.inf
        self._last_ping = self._opened = 0.0
        self._acked = False

    def _go_on(self, came: bool) -> None:
        """What is awaited has come."""
        raise NotImplementedError

    def _fits(self, op: AwaitEvent, message: dict[str, Any]) -> bool:
        """Whether a message is what a step awaits."""
        raise NotImplementedError

    def message(self, data: bytes, t: float) -> None:
        """A whole text message: decoded at once where it is certainly valid, and judged in full otherwise."""
        world = self.world
        try:
            value = world.decode(data)
        except (DecodeError, RecursionError):
            self._judge(data, t)
            return
        if type(value) is not world.delivery_kind:
            self._take(json.loads(data), t)
            return
        if world.times is not None:
            moments = world.times(value)
            if moments not in world.moments and not world.are_times(moments):
                self._judge(data, t)
                return
        sequence, channel, text, author = world.delivered(value)
        if sequence is not UNSET:
            last, self._sequence = self._sequence, sequence
            if sequence <= last:
                self._fail(NOT_INCREASING)
        self._delivered(channel, text, author, t)

    def strange(self, happening: Received, t: float) -> None:
        """A message in fragments, or a binary one."""
        if happening.opcode != Opcode.TEXT:
            self._fail("ENV-01: a binary message")
            return
        self.message(happening.data, t)

    def _judge(self, data: bytes, t: float) -> None:
        """What the fast way did not take: `jsonschema` says what is wrong with it, if anything is."""
        contract = self.world.contract
        try:
            value = parse_json(data.decode())
        except UnicodeDecodeError:
            self._fail("ENV-01: a message is not UTF-8")
            return
        except JsonTextError as error:
            self._fail(f"ENV-01: a message is not JSON: {self._masked(str(error))}")
            return
        problems = contract.check_envelope(value)
        if problems:
            self._fail(f"ENV-02: {self._masked(str(problems[0]))}")
            return
        if value["event"] in contract.events:
            problems = contract.check_payload(value["event"], value["payload"])
            if problems:
                self._fail(f"ENV-03: {value['event']}: {self._masked(str(problems[0]))}")
                return
        self._take(value, t)

    def _take(self, value: dict[str, Any], t: float) -> None:
        """A valid message, of whatever event."""
        world, names = self.world, self.world.contract.delivery
        event = value["event"]
        sequence = value.get("sequence")
        if isinstance(sequence, int):
            last, self._sequence = self._sequence, sequence
            if sequence <= last:
                self._fail(NOT_INCREASING)
        if names is not None and event == names.delivery["event"]:
            channel, text, author = (value_at(value, names.delivery[name]) for name in ("channel", "text", "author"))
            self._delivered(str(channel), _encodable(str(text)), str(author), t)
            return
        if event == world.contract.ping_event:
            self._answer_ping(t)
            return
        if event == world.contract.ack_event and not self._acked:
            self._acked = True
            world.recorder.measured("ack", t - self._opened)
        elif names is not None and event == names.error["event"]:
            self._told_error(value, names.error, names.post["event"])
        awaited = self._awaited_event
        if awaited is not None and self._fits(awaited, value):
            self._awaited_event = None
            self._go_on(True)
            return
        if self._kept is None:
            self._kept = deque(maxlen=MAX_KEPT)
        self._kept.append(value)

    def _answer_ping(self, t: float) -> None:
        if self._link is not None:
            self._link.send_text(self.world.pong)
        if self._last_ping:
            self.world.recorder.measured("ping_period", t - self._last_ping)
        self._last_ping = t

    def _told_error(self, value: dict[str, Any], paths: Mapping[str, str], post_event: str) -> None:
        code = value_at(value, paths["code"])
        self._fail(f"the server sent the error {self._masked(code) if isinstance(code, str) else 'without a code'}")
        original = value_at(value, paths.get("original_event", "payload.originalEvent"))
        if original in (None, post_event):
            for stream in self._streams.values():
                stream.refused += 1

    def _delivered(self, channel: str, text: str, author: str, t: float) -> None:
        world = self.world
        found = world.ledger.receive(self._seats, self.name, channel, text, author, t)
        if found is None:
            return
        stream, number = found
        if self._streams.get(channel) is not stream:
            world.recorder.others.append(t - stream.posted[number - 1])
            return
        if channel in self._joining:
            # The first own message after a join proves that the join is in force.
            world.recorder.measured("join", t - self._joining.pop(channel))
            self._seats[channel].since = t
        else:
            world.recorder.own.append(t - stream.posted[number - 1])
        if number == self._awaited_number:
            self._go_on(True)

    def _fail(self, message: str) -> None:
        self.world.recorder.failed(message)

    def _masked(self, told: str) -> str:
        """What an endpoint said, short and without a token in any spelling."""
        return Redactor((self.token, *self.world.secrets)).shorten(told, MAX_TOLD)


def _encodable(text: str) -> str:
    """A text without lone surrogates, which JSON can write and UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode()
