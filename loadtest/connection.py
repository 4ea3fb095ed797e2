"""A virtual user's connection: decodes messages, enters them into the ledger, and resumes the waiting user."""

import json
import time
from collections import deque
from collections.abc import Callable, Mapping
from math import inf
from typing import Any

from msgspec import UNSET, DecodeError

from conformance.actions import Received, Refused, Request
from contract.findings import Phrase, Text, charged, phrase
from contract.model import value_at
from contract.redaction import Redactor
from loadtest.account import Account
from loadtest.decoder import MessageError
from loadtest.link import Link
from loadtest.load_context import LoadContext
from loadtest.task import StepError, Task
from wire.frames import Opcode

MAX_TOLD = 120
"""Characters of an endpoint's text that an error quotes."""

MAX_KEPT = 16
"""Unexpected messages that are kept for later steps; the oldest are dropped first."""

NOT_OPEN = phrase("not-open")
NOT_INCREASING = charged("ENV-04", phrase("number-falls", name="sequence"))

Fits = Callable[[dict[str, Any]], bool]
"""Whether a message is the awaited one."""


class Connection:
    """The current connection of a user; `dial` replaces it. Resumes `task` when what it awaits has come.

    `lost` is called with the reason if the connection ends unexpectedly. `awaited_number` is the number of the own post
    that the task waits for, or 0.
    """

    __slots__ = (
        *(
            "_acked",
            "_awaited",
            "_context",
            "_dialled",
            "_kept",
            "_last_ping",
            "_lost",
            "_opened",
            "_sequence",
            "_task",
        ),
        *("account", "awaited_number", "awaits_end", "closing", "link", "name", "reads", "token"),
    )

    def __init__(self, context: LoadContext, name: str, token: str, task: Task, lost: Callable[[Phrase], None]) -> None:
        self._context = context
        self.name = name
        self.token = token
        self._task = task
        self._lost = lost
        self._reset()

    def _reset(self) -> None:
        self.link: Link | None = None
        self.account = Account(self._context.ledger, self.name)
        self.closing: float | None = None
        self.reads = True
        self.awaits_end = False
        self.awaited_number = 0
        self._awaited: Fits | None = None
        self._kept: deque[dict[str, Any]] | None = None
        self._sequence: float = -inf
        self._last_ping = self._opened = self._dialled = 0.0
        self._acked = False

    # What the user does

    def dial(self, request: Request, due: float | None = None) -> None:
        """Open a new connection; `due`: when that was meant to be, if not now. Raises OSError."""
        self._reset()
        self._dialled = time.monotonic() if due is None else due
        self.link = Link(self, self._context.reactor, self._context.target, request)

    @property
    def up(self) -> Link | None:
        """The link, unless it is over."""
        link = self.link
        return None if link is None or link.over else link

    def connected(self) -> Link:
        """The link. Raises `StepError` if there is none or it is over."""
        link = self.up
        if link is None:
            raise StepError(NOT_OPEN)
        return link

    def expect(self, fits: Fits) -> bool:
        """Whether a kept message fits; if not, the next one that does resumes the task."""
        for message in self._kept or ():
            if fits(message):
                assert self._kept is not None
                self._kept.remove(message)
                return True
        self._awaited = fits
        return False

    def expect_nothing(self) -> None:
        """Resume the task neither for a message nor for the end of the connection."""
        self.awaits_end = False
        self.awaited_number = 0
        self._awaited = None

    def close(self, link: Link, code: int | None) -> None:
        """Send a close frame."""
        self.closing = time.monotonic()
        self.account.close(self.closing)
        if not self.reads:
            link.read_on()
        link.close(code)

    def stop_reading(self) -> None:
        """Read nothing more until the connection is closed, and count nothing that comes then."""
        link = self.connected()
        self.reads = False
        self.account.close(time.monotonic())
        link.stop_reading()

    def drop(self) -> None:
        """End the TCP connection without a close frame. Idempotent."""
        link, self.link = self.up, None
        if link is None:
            return
        counted = link.accepted
        link.drop()
        if counted:
            self._context.recorder.closed(None)
        self.account.end(time.monotonic(), orderly=False)

    # What the link tells

    def opened(self, t: float) -> None:
        """The handshake was accepted."""
        self._opened = t
        self._context.recorder.opened()
        self._context.recorder.measured("connect", t - self._dialled)
        self._task.go_on(True)

    def refused(self, refused: Refused) -> None:
        """The handshake was not accepted."""
        self.link = None
        problem = phrase("with-detail", what=phrase("handshake-refused"), detail=refused.detail.changed(self._masked))
        # What our proxy did is no fault of the endpoint.
        self._lost(problem if refused.problem == "proxy" else charged("CONN-01", problem))

    def ended(self, code: int | None, how: Phrase, t: float) -> None:
        """The connection is over."""
        recorder = self._context.recorder
        recorder.closed(code)
        if self.closing is not None and code is not None:
            recorder.measured("close", t - self.closing)
            self.account.end(t, orderly=True)
        else:
            self.account.end(t, orderly=False)
        self.link = None
        if self.awaits_end:
            self._task.go_on(True)
        else:
            end = phrase("closed", code=str(code)) if code is not None else phrase("no-close-frame", end=how)
            self._lost(phrase("with-detail", what=phrase("ended"), detail=end.changed(self._masked)))

    def message(self, data: bytes, t: float) -> None:
        """A whole text message."""
        if not self.reads:
            return
        decoder = self._context.decoder
        try:
            value = decoder.decode(data)
        except (DecodeError, RecursionError):
            self._judge(data, t)
            return
        if type(value) is not decoder.delivery_kind:
            self._take(json.loads(data), t)
            return
        if decoder.times is not None:
            moments = decoder.times(value)
            if moments not in decoder.moments and not decoder.are_times(moments):
                self._judge(data, t)
                return
        sequence, channel, text, author = decoder.delivered(value)
        if sequence is not UNSET:
            last, self._sequence = self._sequence, sequence
            if sequence <= last:
                self._fail(NOT_INCREASING)
        self._delivered(channel, text, author, t)

    def strange(self, happening: Received, t: float) -> None:
        """A message in fragments, or a binary one."""
        if happening.opcode != Opcode.TEXT:
            self._fail(charged("ENV-01", phrase("binary-message")))
            return
        self.message(happening.data, t)

    def _judge(self, data: bytes, t: float) -> None:
        """Validate what was not decoded directly."""
        try:
            value = self._context.decoder.judge(data)
        except MessageError as error:
            self._fail(error.problem.changed(self._masked))
            return
        self._take(value, t)

    def _take(self, value: dict[str, Any], t: float) -> None:
        """A valid message, of whatever event."""
        contract, recorder = self._context.contract, self._context.recorder
        names, event = contract.delivery, value["event"]
        sequence = value.get("sequence")
        if isinstance(sequence, int):
            last, self._sequence = self._sequence, sequence
            if sequence <= last:
                self._fail(NOT_INCREASING)
        if names is not None and event == names.delivery["event"]:
            channel, text, author = (value_at(value, names.delivery[name]) for name in ("channel", "text", "author"))
            self._delivered(str(channel), _encodable(str(text)), str(author), t)
            return
        if event == contract.ping_event:
            self._answer_ping(t)
            return
        if event == contract.ack_event and not self._acked:
            self._acked = True
            recorder.measured("ack", t - self._opened)
        elif names is not None and event == names.error["event"]:
            self._told_error(value, names.error, names.post["event"])
        if self._awaited is not None and self._awaited(value):
            self._awaited = None
            self._task.go_on(True)
            return
        if self._kept is None:
            self._kept = deque(maxlen=MAX_KEPT)
        self._kept.append(value)

    def _answer_ping(self, t: float) -> None:
        if self.link is not None:
            self.link.send_text(self._context.pong)
        if self._last_ping:
            self._context.recorder.measured("ping_period", t - self._last_ping)
        self._last_ping = t

    def _told_error(self, value: dict[str, Any], paths: Mapping[str, str], post_event: str) -> None:
        code = value_at(value, paths["code"])
        told: Text = self._masked(code) if isinstance(code, str) else phrase("no-code")
        self._fail(phrase("error-came", error=told))
        original = value_at(value, paths.get("original_event", "payload.originalEvent"))
        if original in (None, post_event):
            self.account.refused()

    def _delivered(self, channel: str, text: str, author: str, t: float) -> None:
        context, account = self._context, self.account
        found = context.ledger.receive(account.seats, self.name, channel, text, author, t)
        if found is None:
            return
        stream, number = found
        if account.streams.get(channel) is not stream:
            context.recorder.others.append(t - stream.posted[number])
            return
        seat = account.seats[channel]
        if seat.since == inf:
            # The first own message after a join proves that the join is in force.
            context.recorder.measured("join", t - seat.asked)
            context.ledger.enforce(seat, t)
        else:
            context.recorder.own.append(t - stream.posted[number])
        if number == self.awaited_number:
            self._task.go_on(True)

    def _fail(self, problem: Phrase) -> None:
        self._context.recorder.failed(problem)

    def _masked(self, told: str) -> str:
        """What an endpoint said, short and without a token in any spelling."""
        return Redactor((self.token, *self._context.secrets)).shorten(told, MAX_TOLD)


def _encodable(text: str) -> str:
    """A text without lone surrogates, which JSON can write and UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode()
