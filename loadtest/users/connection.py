"""A virtual user's connection: decodes messages, enters them into the ledger, and resumes the waiting user."""

import time
from collections import deque
from collections.abc import Callable
from math import inf
from typing import Any

from msgspec import UNSET, DecodeError

from conformance.language.matching import matches
from conformance.play.record import is_cut
from conformance.transport.exchange import Received, Refused
from conformance.transport.troubles import is_own
from contract.findings import Phrase, phrase
from contract.paths import value_at
from loadtest.delivery.account import Account
from loadtest.delivery.copies import Copy, Fields
from loadtest.delivery.entries import Seat, Stream
from loadtest.delivery.numbers import Counts
from loadtest.delivery.requests import Answering, Requests
from loadtest.users.decoder import MessageError
from loadtest.users.link import Link
from loadtest.users.load_context import LoadContext
from loadtest.users.manners import OwnBeat
from loadtest.users.observer import SECRET_CHARACTERS, Observer
from loadtest.users.opening import Opening
from loadtest.users.task import StepError, Task
from wire.frames import Opcode

MAX_KEPT = 16
"""Unexpected messages that are kept for later steps; the oldest are dropped first."""

NOT_OPEN = phrase("not-open")
ENDED = phrase("ended")

Fits = Callable[[Any], bool]
"""Whether a message is the awaited one."""


class Connection:
    """The current connection of a user; `dial` replaces it. Resumes `task` when what it awaits has come.

    `lost` is called with the reason if the connection ends unexpectedly. `awaited_number` is the number of the own post
    that the task waits for, or 0; `awaited_key` the id of the request whose last reply it waits for, or None.
    """

    __slots__ = (
        *(
            "_awaited",
            "_beats",
            "_context",
            "_counts",
            "_dialled",
            "_kept",
            "_last_ping",
            "_lost",
            "_observer",
            "_opened",
            "_secret",
            "_task",
        ),
        *(
            "account",
            "awaited_key",
            "awaited_number",
            "awaits_end",
            "closing",
            "link",
            "name",
            "reads",
            "requests",
            "token",
        ),
    )

    def __init__(self, context: LoadContext, name: str, token: str, task: Task, lost: Callable[[Phrase], None]) -> None:
        self._context = context
        self.name = name
        self.token = token
        context.tokens[name] = token
        self._secret = token.encode() if len(token) >= SECRET_CHARACTERS else None
        self._task = task
        self._lost = lost
        self._reset()

    def _reset(self) -> None:
        self.link: Link | None = None
        self.account = Account(self._context.ledger, self.name, alone=self._context.alone)
        self.closing: float | None = None
        self.reads = True
        self.awaits_end = False
        self.awaited_number = 0
        self.awaited_key: Any = None
        self._awaited: Fits | None = None
        self._kept: deque[Any] | None = None
        context = self._context
        self.requests = Requests(context.asking, self.name)
        self._counts = Counts(context.numbers, self.name) if context.numbers.are_any else None
        beats = context.manners.beat is not None
        self._beats = (
            OwnBeat(context.manners, context.reactor, context.judge, self.name, self._say_beat) if beats else None
        )
        self._observer = Observer(context, self.name, self.token)
        self._last_ping = self._opened = self._dialled = 0.0

    # What the user does

    def dial(self, opening: Opening, due: float | None = None) -> None:
        """Open a new connection; `due`: when that was meant to be, if not now. Raises OSError."""
        if self._dialled:
            self._reset()
        self._dialled = time.monotonic() if due is None else due
        self.link = Link(self, self._context.reactor, self._context.target, opening, self._context.sources.next())

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
        self.awaited_key = None
        self._awaited = None

    def close(self, link: Link, code: int | None) -> None:
        """Send a close frame."""
        self.closing = time.monotonic()
        self.account.close(self.closing)
        self._over(self.closing)
        if not self.reads:
            link.read_on()
        link.close(code)

    def stop_reading(self) -> None:
        """Read nothing more until the connection is closed, and count nothing that comes then."""
        link = self.connected()
        self.reads = False
        t = time.monotonic()
        self.account.close(t)
        self._over(t)
        link.stop_reading()

    def drop(self) -> None:
        """End the TCP connection without a close frame. Idempotent."""
        link, self.link = self.up, None
        if link is None:
            return
        counted, t = link.accepted, time.monotonic()
        link.drop()
        if counted:
            self._context.recorder.closed(None)
            self._observer.over(self.closing or t, reading=self.reads)
        self._over(t)
        self.account.end(t, orderly=False)

    def retire(self) -> None:
        """The user has left: nobody hears of the connection any more."""
        self._lost = _unheard

    # What the link tells

    def opened(self, t: float) -> None:
        """The handshake was accepted."""
        self._opened = t
        self._observer.opened(t)
        self._context.recorder.opened()
        self._context.recorder.measured("connect", t - self._dialled)
        if self._context.ack_event is None and self._beats is not None:
            self._beats.begin()
        self._task.go_on(True)

    def refused(self, refused: Refused) -> None:
        """The handshake was not accepted."""
        self.link = None
        # What our proxy did, and what this machine lacks, is no fault of the endpoint.
        if refused.problem != "proxy" and not is_own(refused.detail.code):
            self._observer.refused(refused, self._dialled)
        detail = refused.detail if is_own(refused.detail.code) else refused.detail.changed(self._observer.masked)
        self._lost(phrase("with-detail", what=phrase("handshake-refused"), detail=detail))

    def never_ended(self) -> None:
        """The connection did not end in time after our close frame."""
        if self.closing is not None:
            self._observer.never_answered(self.closing, time.monotonic())

    def ended(self, code: int | None, how: Phrase, t: float) -> None:
        """The connection is over."""
        recorder, observer, link = self._context.recorder, self._observer, self.link
        recorder.closed(code)
        self._over(t)
        observer.over(self.closing or t, reading=self.reads)
        observer.closed(code, legal=link is None or link.legal, t=t)
        if self.closing is not None:
            observer.answered(code, self.closing, t, reset=link is not None and link.reset)
        elif self.reads:
            observer.ended(code, how.changed(self._observer.masked), t, link.violation if link is not None else None)
        if self.closing is not None and code is not None:
            recorder.measured("close", t - self.closing)
            self.account.end(t, orderly=True)
        else:
            self.account.end(t, orderly=False)
        self.link = None
        if self.awaits_end:
            self._task.go_on(True)
        elif self.closing is not None:
            self._lost(ENDED)  # as it should have
        elif code is not None:
            self._lost(phrase("with-detail", what=ENDED, detail=phrase("closed", code=str(code))))
        else:
            end = phrase("no-close-frame", end=how.changed(observer.masked))
            self._lost(phrase("with-detail", what=ENDED, detail=end))

    def message(self, data: bytes, t: float) -> None:
        """A whole text message."""
        if not self.reads:
            return
        context, observer = self._context, self._observer
        decoder = context.decoder
        secret = self._secret
        if secret is not None and secret in data:
            observer.repeated(t)
        copies = context.copies
        if copies.kept:
            copy = copies.find(data)
            if copy is not None:
                self._copied(copy, copies.sequence, t)
                return
        try:
            value = decoder.decode(data)
        except (DecodeError, RecursionError):
            self._judge(data, t)
            return
        kind = type(value)
        if kind is not decoder.delivery_kind:
            plain = context.plain_replies.get(kind)
            if plain is None or not self._replied(plain[0], plain[1](value), t):
                self._take(decoder.plain(data), t)
            return
        fields = decoder.delivered(value)
        moments = fields[6] if decoder.times is None else decoder.times(value)
        if moments not in decoder.moments and not decoder.are_times(moments):
            self._judge(data, t)
            return
        sequence = fields[0]
        if sequence == observer.number + 1:
            observer.number = sequence
        else:
            observer.heard = True
            if type(sequence) is int:
                observer.numbered(sequence, t)
        self._delivered(fields, t, data)

    def _replied(self, answering: Answering, key: Any, t: float) -> bool:
        """A valid last reply came that means nothing else; False where it is not in order."""
        if not self.requests.closed(answering, key, t):
            return False
        self._observer.heard = True
        self._context.judge.replies[answering.name] += 1
        if key == self.awaited_key:
            self.awaited_key = None
            self._task.go_on(True)
        return True

    def _copied(self, copy: Copy, sequence: int | None, t: float) -> None:
        """A delivery that somebody here has got already."""
        context, account, observer = self._context, self.account, self._observer
        if sequence == observer.number + 1:
            observer.number = sequence
        else:
            observer.heard = True
            if sequence is not None:
                observer.numbered(sequence, t)
        seat, prefix, number = account.seats.get(copy.fields[1]), copy.prefix, copy.number
        meant = copy.stream.meant_for(number)
        view = seat.view if seat is not None else None
        if seat is None or view is None or meant is None or seat.following.get(prefix) != number:
            self._delivered(copy.fields, t)
            return
        seat.following[prefix] = number + 1
        context.ledger.delivered += 1
        context.deliveries.again(view, copy.known, copy.fields[6], t)
        self._timed(copy.stream, number, seat, t - meant, t)

    def strange(self, happening: Received, t: float) -> None:
        """A message in fragments, or a binary one."""
        if happening.opcode != Opcode.TEXT:
            self._found("text", phrase("binary-message"), t)
        elif is_cut(happening.fragments):
            self._found("text", phrase("load-fragmented"), t, phrase("fragmented", number=len(happening.fragments)))
        self.message(happening.data, t)

    def pinged(self, t: float) -> None:
        """A ping frame."""
        if self._context.profile.heartbeat.form == "control" and self.reads:
            self._beat(t)

    def _judge(self, data: bytes, t: float) -> None:
        """Validate what was not decoded directly."""
        decoder = self._context.decoder
        try:
            value, event = decoder.judge(data)
        except MessageError as error:
            detail = error.detail.changed(self._observer.masked)
            problem = error.problem.changed(self._observer.masked)
            self._found(error.check, problem, t, detail, message=error.message, places=error.places)
            self._observer.unreadable()
            if self._counts is not None:
                self._counts.unreadable()
            if error.message is not None:
                # It is a wrong one, and not one that is missing.
                self._take(error.value, t)
            return
        for problem in decoder.undeclared(value, event):
            self._found("undeclared", problem.changed(self._observer.masked), t)
        self._take(value, t, event)

    def _account_for(self, value: Any, t: float) -> None:
        """A delivery that was not decoded directly; what is no string in it stands empty."""
        parts = [value_at(value, path) if path is not None else "" for path in self._context.decoder.paths]
        paths, numeric = self._context.decoder.paths, self._context.decoder.numeric
        parts = [
            f"{part}" if type(part) is int and path in numeric else part
            for path, part in zip(paths, parts, strict=True)
        ]
        if all(isinstance(part, str) for part in parts[:2]):
            fields = tuple(_encodable(part) if isinstance(part, str) else "" for part in parts)
            self._delivered((UNSET, *fields), t)

    def _take(self, value: Any, t: float, event: str | None = None) -> None:
        """A message, of whatever name; valid, or judged already."""
        context, contract, observer = self._context, self._context.contract, self._observer
        if event is None:
            event = contract.name_of(value)
        sequence = value_at(value, context.decoder.number) if context.decoder.number is not None else None
        if type(sequence) is int and not observer.expects(sequence):
            observer.numbered(sequence, t)
        if self._counts is not None:
            self._counts.came(event, value, t)
        if contract.delivers(event):
            observer.heard = True
            self._account_for(value, t)
            return
        if event is not None and event in contract.events:  # no others are counted by name: a peer may invent a million
            context.judge.message(event)
        if contract.pings(event):
            observer.heard = True
            self._answer_ping(value, t)
            return
        if contract.acknowledges(event) and self._is_acknowledgement(event, value) and observer.acknowledged(value, t):
            context.recorder.measured("ack", t - self._opened)
            if self._beats is not None:
                self._beats.begin()
        observer.heard = True
        answering = self._answers(event or "", value, t)
        awaited = self._awaited is not None and self._awaited(value)
        if self.awaited_key is not None and not self.requests.is_open(self.awaited_key):
            self.awaited_key, awaited = None, True
        if contract.reports_error(event):
            self._told_error(value, t, provoked=awaited, answers=answering is not None)
        if awaited:
            self._awaited = None
            self._task.go_on(True)
            return
        if self._kept is None:
            self._kept = deque(maxlen=MAX_KEPT)
        self._kept.append(value)

    def _is_acknowledgement(self, event: str | None, value: Any) -> bool:
        """Whether a message that has an acknowledgement's name is one: replies to requests may have the same."""
        role = self._context.contract.acknowledgement
        if role is not None and role.expect.match is not None:
            return matches(role.expect.match, value, self._context.meanings)
        return event not in self._context.asking.replies or not self._observer.is_acknowledged

    def _answers(self, event: str, value: Any, t: float) -> Answering | None:
        """What a message of this name answers, and what is to be answered to it."""
        context = self._context
        for answer in context.manners.answers(event, value):
            if self.link is not None:
                self.link.send_text(answer)
        if self._beats is not None and self._beats.answered(event, value, t):
            return None
        answering = self.requests.came(event, value, t) if context.asking.requests else None
        join = context.join_event
        if join and (
            event == context.in_force
            or (
                context.in_force == "reply"
                and answering is not None
                and answering.request == join
                and not answering.failure
            )
        ):
            self._joined(t)
        return answering

    def _joined(self, t: float) -> None:
        """What was subscribed to is in force now."""
        context = self._context
        for seat in self.account.seats.values():
            if seat.since == inf:
                context.recorder.measured("join", t - seat.asked)
                context.judge.chance("joined")
                context.ledger.enforce(seat, t)

    def say(self, message: Any) -> float:
        """Send a message that is no post and no request; when it went out. Raises `StepError` where it cannot."""
        link = self.connected()
        if self._context.asking.requests:
            self.requests.say(message)
        link.send_text(self._context.manners.encoded(message))
        return time.monotonic()

    def _say_beat(self, message: Any) -> float | None:
        """Send a heartbeat; None: the connection is over, or read no more."""
        return self.say(message) if self.up is not None and self.closing is None and self.reads else None

    def _over(self, t: float) -> None:
        """Nothing is owed any more to this connection alone."""
        self.requests.end(t)
        if self._beats is not None:
            self._beats.end(t)

    def _answer_ping(self, ping: Any, t: float) -> None:
        answer = self._context.manners.pong(ping)
        if self.link is not None and answer is not None:
            self.link.send_text(answer)
        if self._context.profile.heartbeat.form == "message":
            self._beat(t)

    def _beat(self, t: float) -> None:
        self._observer.beat(t)
        if self._last_ping:
            self._context.recorder.measured("ping_period", t - self._last_ping)
        self._last_ping = t

    def _told_error(self, value: Any, t: float, *, provoked: bool, answers: bool) -> None:
        """An error came. One that `answers` a request is an answer, however little it pleases."""
        code = self._context.contract.error_code(value)
        if provoked or answers:
            self._observer.coded(str(code), t)
        else:
            self.requests.doubt()
            about = self._observer.errored(value, t, turned_away=self.account.turned_away)
            if about in (None, self._context.join_event):
                self.account.turn_away()
            if about in (None, self._context.post_event):
                self.account.refused()
        if not provoked:
            told = self._observer.masked(f"{code}") if isinstance(code, str | int) else phrase("no-code")
            self._context.recorder.failed(phrase("error-came", error=told))

    def _delivered(self, fields: Fields, t: float, data: bytes | None = None) -> None:
        """`fields` as the decoder reads them. A valid one's `data` may be recognised when it comes to others."""
        _, channel, text, author, name, identity, stamp = fields
        context, account = self._context, self.account
        if account.own:
            channel += account.own
        ledger, deliveries = context.ledger, context.deliveries
        wrong = ledger.wrong
        found = ledger.receive(account.seats, self.name, channel, text, author, t)
        if found is None:
            return
        stream, number, meant = found
        seat = account.seats[channel]
        view = seat.view
        if view is None:
            view = seat.view = deliveries.view(channel, self.name)
        post = stream.base + number
        if len(ledger.seats[channel]) == 1:
            deliveries.alone(view, post, identity, stamp, t)
        else:
            known = deliveries.receive(view, post, identity, stamp, t)
            if known.first is view and data is not None and ledger.wrong == wrong:
                context.copies.keep(data, fields, stream, number, known)
        if name != stream.by:
            stream.by = name
            deliveries.author(stream.token, stream.user, author, name, t)
            deliveries.latest = (view, stamp, t)
        self._timed(stream, number, seat, t - meant, t)

    def _timed(self, stream: Stream, number: int, seat: Seat, latency: float, t: float) -> None:
        """A delivery came for the first time, so long after its post."""
        context = self._context
        # Nobody can answer a post before it goes out, which may be later than it was meant to.
        timeout = context.profile.response_timeout
        if latency > timeout and (took := t - stream.sent_at(number)) > timeout:
            self._observer.late(took, t)
        if seat is not stream.home and self.account.streams.get(seat.channel) is not stream:
            context.recorder.others.append(latency)
            return
        if seat.since == inf:
            # The first own message after a join proves that the join is in force.
            context.recorder.measured("join", t - seat.asked)
            context.judge.chance("joined")
            context.ledger.enforce(seat, t)
        else:
            context.recorder.own.append(latency)
        if number == self.awaited_number:
            self.awaited_number = 0
            self._task.go_on(True)

    def _found(
        self,
        check: str,
        problem: Phrase,
        t: float,
        detail: Phrase | None = None,
        *,
        message: str | None = None,
        places: tuple[str, ...] = (),
    ) -> None:
        """What the endpoint sent is wrong."""
        self._context.judge.found(check, problem, t, self.name, detail, message=message, places=places)
        self._context.recorder.failed(problem if detail is None else phrase("with-detail", what=problem, detail=detail))


def _unheard(_: Phrase) -> None:
    """Nobody asks any more."""


def _encodable(text: str) -> str:
    """A text without lone surrogates, which JSON can write and UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode()
