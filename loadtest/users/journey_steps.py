"""Performs the steps of a journey, one method for each kind."""

import time
from collections.abc import Callable, Generator, Mapping
from functools import partial
from typing import Any

from conformance.language.matching import ANYTHING, matches
from conformance.language.values import new_nonce
from contract.findings import Phrase, missing, phrase
from contract.paths import value_at
from loadtest.delivery.entries import Stream
from loadtest.delivery.requests import PROBE, key_at
from loadtest.judge.judge import STEP, UNPROVOKED, Wait, wait
from loadtest.settings.schedule import backoff
from loadtest.users.connection import NOT_OPEN, Connection
from loadtest.users.journey_compiler import (
    Ask,
    AwaitEvent,
    AwaitOwn,
    AwaitReply,
    Dial,
    Ignore,
    Join,
    Leave,
    Op,
    Paced,
    Parts,
    Post,
    Rest,
    Retreat,
    Say,
    Vanish,
    post_parts,
    request_pieces,
)
from loadtest.users.load_context import LoadContext
from loadtest.users.observer import UNANSWERED
from loadtest.users.task import StepError, Task, Waiting

HANDSHAKE_LATE = phrase("handshake-late")

EARLY_SECONDS = 0.001
"""Timers are coarse by so much: what is due so soon is done at once, and its clock starts then."""

_monotonic = time.monotonic


class JourneySteps:
    """Performs the steps of one user. `failures`: journeys that failed since the last complete one."""

    __slots__ = ("_clock", "_connection", "_context", "_dialled", "_place", "_said", "_task", "_values", "failures")

    def __init__(self, context: LoadContext, number: int, task: Task, connection: Connection) -> None:
        self._context = context
        self._task = task
        self._connection = connection
        self._place = number % context.settings.channels
        self._said: dict[str, Any] = {}
        self._values = context.values(self._place, partial(_nonce, self._said), connection.token, number)
        self._clock = 0.0
        self._dialled: float | None = None
        self.failures = 0

    def arrive(self, due: float) -> None:
        """The user begins now, and should have begun when it was due: its first handshake counts from then."""
        now = _monotonic()
        self._context.recorder.late.append(max(now - due, 0.0))
        self._context.punctuality.woke(due, now)
        self._dialled = min(due, now)

    def play(self, op: Op) -> Waiting | None:
        """Perform a step; returns a generator if it has to wait."""
        return PLAYS[type(op)](self, op)

    # Connecting

    def _dial(self, op: Dial) -> Waiting:
        connection, profile = self._connection, self._context.profile
        connection.drop()
        due, self._dialled = self._dialled, None
        opening = self._context.handshakes.opening(op.deed, connection.token, self._values.render)
        connection.dial(opening, due)
        began = _monotonic()
        accepted = yield from self._patiently(profile.response_timeout, began)
        if not accepted:
            self._missed(op.charge, "handshake", HANDSHAKE_LATE, wait(began, _monotonic(), profile.response_timeout))
            raise StepError(HANDSHAKE_LATE)
        self._context.judge.held(op.charge)

    def _join(self, op: Join) -> None:
        message, send = self._ready(op.say)
        channel = f"{value_at(message, op.group)}" if op.group is not None else ""
        self._connection.account.join(channel, _monotonic())
        self._context.judge.chances[f"{UNPROVOKED}:{self._context.join_event}"] += 1
        send()

    def _ready(self, op: Say | Ask) -> tuple[Any, Callable[[], None]]:
        """A message, rendered, and what sends it. Raises `StepError` where there is no connection."""
        connection, said = self._connection, self._said
        for name in op.fresh:
            said.pop(name, None)
        message = self._values.render(op.message)
        link = connection.connected()
        if isinstance(op, Say):
            return message, lambda: _ignored(connection.say(message))

        def send() -> None:
            now = _monotonic()
            connection.requests.ask(op.request, key_at(message, op.request.id), self._clock or now, now)
            link.send_text(self._context.manners.encoded(message))
            self._context.recorder.posts += 1

        return message, send

    def _leave(self, op: Leave) -> Waiting:
        return self.close(op.code)

    def close(self, code: int | None) -> Waiting:
        """Close with a close frame, and wait for the end of the connection."""
        connection = self._connection
        link = connection.up
        if link is None:
            return
        connection.close(link, code)
        connection.awaits_end = True
        ended = yield from self._task.wait(self._context.closing_seconds)
        connection.awaits_end = False
        if not ended:
            connection.never_ended()
            raise StepError(UNANSWERED)

    def _vanish(self, op: Vanish) -> None:
        """Reset the connection; it counts as an end without a close frame."""
        self._connection.drop()

    def _ignore(self, op: Ignore) -> None:
        self._connection.stop_reading()

    # Sending

    def _say(self, op: Say) -> None:
        self._ready(op)[1]()

    def _ask(self, op: Ask) -> None:
        if op.stamp is None:
            self._ready(op)[1]()
            return
        link, connection = self._connection.link, self._connection
        if link is None:
            raise StepError(NOT_OPEN)
        pieces = op.pieces.get(self._place)
        if pieces is None:
            pieces = op.pieces[self._place] = request_pieces(op, self._values)
        stamp = self._context.stamp()
        key = self._said[op.stamp] = f"{pieces.before}{stamp}{pieces.after}"
        now = _monotonic()
        connection.requests.ask(op.request, key, self._clock or now, now)
        link.send_text(stamp.encode().join(pieces.texts))
        self._context.recorder.posts += 1

    def _post(self, op: Post) -> None:
        link, account = self._connection.link, self._connection.account
        if link is None:
            raise StepError(NOT_OPEN)
        parts = op.parts.get(self._place) or self._parts(op)
        channel = parts.channel + account.own
        stream = account.streams.get(channel)
        if stream is None:
            if self._context.open_to_all:
                account.join(parts.channel, _monotonic())
            stream = account.stream(channel, self._connection.token)
        now = _monotonic()
        number = stream.post(self._clock or now, now)
        self._said[op.nonce] = (stream, number, now, stream.refused)
        link.send_text(b"%b%b%08d%b" % (parts.head, stream.prefix, number, parts.tail))
        self._context.recorder.posts += 1

    def _parts(self, op: Post) -> Parts:
        """A post rendered for this user's channel; users of the same channel share it where it is fixed."""
        parts = post_parts(op, self._context.contract, self._values)
        self._context.ledger.foresee(parts.text)
        if op.fixed:
            op.parts[self._place] = parts
        return parts

    # Awaiting

    def _await_own(self, op: AwaitOwn) -> Waiting:
        if self._expects_own(op):
            came = yield
            if not came or op.charge:
                yield from self._decide_own(op, came)

    def _expects_own(self, op: AwaitOwn) -> bool:
        """Whether an own post is yet to come back; it resumes the task then."""
        connection = self._connection
        stream, number, sent, _ = self._said[op.nonce]
        seat = connection.account.seats.get(stream.channel)
        if seat is not None and seat.following.get(stream.prefix, 0) > number:
            return False
        connection.awaited_number = number
        # The endpoint cannot answer before it went out, however long ago it was meant for.
        self._task.deadline = sent + op.within
        return True

    def _decide_own(self, op: AwaitOwn, came: bool) -> Waiting:
        """An own post came back, or its time is over."""
        connection = self._connection
        stream, number, began, refused = self._said[op.nonce]
        came = came or (yield from self._more_patiently(op.within, began))
        connection.awaited_number = 0
        if not came:
            problem = missing(self._context.decoder.delivery_event)
            # What was answered with an error was not taken; whether the error was deserved has been judged.
            if stream.refused == refused and not connection.account.turned_away:
                joined = self._has_joined(stream, number)
                waited = wait(began, _monotonic(), op.within)
                self._missed(op.charge, "delivered" if joined else "joined", problem, waited)
            raise StepError(problem)
        if op.charge:
            self._context.judge.held(op.charge)

    def _has_joined(self, stream: Stream, number: int) -> bool:
        """Whether an own post that did not come back was lost, and the join is in force for all we know.

        Where anything has come, it is. Where nothing has, a post that others got was owed to whoever had joined; one
        that nobody got was lost.
        """
        seats, prefix = self._context.ledger.seats.get(stream.channel, {}), stream.prefix
        own = self._connection.account.seats.get(stream.channel)
        if own is not None and own.following:
            return True
        others = [seat for seat in seats if seat is not own and seat.following]
        return bool(others) and not any(seat.has(prefix, number) for seat in others)

    def _await_reply(self, op: AwaitReply) -> Waiting:
        if self._expects_reply(op):
            came = yield
            if not came or op.charge:
                yield from self._decide_reply(op, came)

    def _expects_reply(self, op: AwaitReply) -> bool:
        """Whether the last reply to an own request is yet to come; it resumes the task then."""
        connection, key = self._connection, self._said[op.nonce]
        if not connection.requests.is_open(key):
            return False
        connection.awaited_key = key
        self._task.deadline = _monotonic() + op.within
        return True

    def _decide_reply(self, op: AwaitReply, came: bool) -> Waiting:
        """It came, or its time is over: whether it was due is the ledger's matter."""
        came = came or (yield from self._more_patiently(op.within, _monotonic() - op.within))
        self._connection.awaited_key = None
        if not came:
            raise StepError(missing(op.event or PROBE))
        self._context.judge.held(op.charge)

    def _await_event(self, op: AwaitEvent) -> Waiting:
        acknowledgement = op.event is not None and op.event == self._context.ack_event
        if not self._connection.expect(lambda message: self._fits(op, message)):
            began = _monotonic()
            came = yield from self._patiently(op.within, began)
            self._connection.expect_nothing()
            if not came:
                waited = wait(began, _monotonic(), op.within)
                self._missed(op.charge, "acknowledged" if acknowledgement else STEP, missing(op.event or PROBE), waited)
                raise StepError(missing(op.event or PROBE))
        if acknowledgement:
            self._context.judge.chance("acknowledged")
        self._context.judge.held(op.charge)

    def _patiently(self, within: float, began: float) -> Generator[None, bool, bool]:
        """Wait until so many seconds have passed since it began, without those that this process stood still.

        At most twice as long. What is overdue already still has a turn of the loop to come. Returns whether it came.
        """
        self._task.deadline = began + within
        return (yield) or (yield from self._more_patiently(within, began))

    def _more_patiently(self, within: float, began: float) -> Generator[None, bool, bool]:
        """Wait as much longer as this process stood still."""
        came, stalled_since = False, self._context.punctuality.stalled_since
        while not came:
            left = began + within + min(stalled_since(began), within) - _monotonic()
            if left <= 0:
                break
            came = yield from self._task.wait(left)
        return came

    def _missed(self, requirements: tuple[str, ...], check: str, problem: Phrase, waited: Wait) -> None:
        """What was waited for has not come."""
        self._context.judge.step_failed(requirements, check, problem, waited, self._connection.name)

    def _fits(self, op: AwaitEvent, message: Any) -> bool:
        if op.event is not None and self._context.contract.name_of(message) != op.event:
            return False
        if op.match is not ANYTHING and not matches(self._values.render(op.match), message, self._context.meanings):
            return False
        for name, path in op.capture.items():
            self._values.captured[name] = value_at(message, path)
        return True

    # Pacing

    def _rest(self, op: Rest) -> Waiting:
        self._connection.connected()
        schedule, seconds = self._context.schedule, op.seconds
        if op.to_next and seconds:
            since = _monotonic() - schedule.begin
            return self._task.sleep(seconds - since % seconds)
        return self._task.sleep(schedule.period if seconds is None else seconds)

    def _pace(self, op: Paced) -> Waiting:
        """Repeat at even times. Latencies are measured from when a post was due, even if it is sent late."""
        schedule, recorder, punctuality = self._context.schedule, self._context.recorder, self._context.punctuality
        even = op.own or op.rate is not None
        due = _monotonic()
        if even:
            # Users who started together must not post together.
            due += self._context.random.random() * self._step_of(op)
        plays = [(PLAYS[type(one)], one) for one in op.ops]
        passes, ready = 0, 0.0
        while op.times is None or passes < op.times:
            passes += 1
            now = _monotonic()
            if even:
                while due - now > EARLY_SECONDS:
                    self._task.wake_in(due - now - EARLY_SECONDS)
                    yield
                    now = _monotonic()
                # Who waited for the endpoint until after the time is late himself, and the generator is not.
                since = max(due, ready)
                recorder.late.append(max(now - since, 0.0))
                punctuality.woke(since, now)
            while now >= schedule.end:
                yield  # posting has ended; the user leaves soon
            self._clock = min(due, now) if even else now
            try:
                for play, one in plays:
                    if type(one) is AwaitOwn:  # what `_await_own` does, without a generator for each post
                        if waits := self._expects_own(one):
                            came = yield
                            if not came or one.charge:
                                yield from self._decide_own(one, came)
                    elif type(one) is AwaitReply:
                        if waits := self._expects_reply(one):
                            came = yield
                            if not came or one.charge:
                                yield from self._decide_reply(one, came)
                    else:
                        waiting = play(self, one)
                        if waits := waiting is not None:
                            yield from waiting
                    if waits and even:
                        ready = _monotonic()
            finally:
                self._clock = 0.0  # a journey that begins anew posts before it is paced
            if even:
                due += self._step_of(op)

    def _step_of(self, op: Paced) -> float:
        return 1 / op.rate if op.rate is not None else self._context.schedule.period

    def _retreat(self, op: Retreat) -> Waiting:
        return self.back_off()

    def back_off(self) -> Waiting:
        """Wait as long as a client does before it reconnects."""
        return self._task.sleep(backoff(self._context.profile.reconnect, self.failures, self._context.random))


def _ignored(_: object) -> None:
    """When a message went out is nobody's matter."""


def _nonce(said: dict[str, Any], name: str) -> str:
    """A nonce outside of posted texts."""
    return str(said.setdefault(name, new_nonce()))


PLAYS: Mapping[type, Callable[[JourneySteps, Any], Waiting | None]] = {
    Post: JourneySteps._post,
    AwaitOwn: JourneySteps._await_own,
    Paced: JourneySteps._pace,
    Rest: JourneySteps._rest,
    Dial: JourneySteps._dial,
    AwaitEvent: JourneySteps._await_event,
    Join: JourneySteps._join,
    Say: JourneySteps._say,
    Ask: JourneySteps._ask,
    AwaitReply: JourneySteps._await_reply,
    Leave: JourneySteps._leave,
    Vanish: JourneySteps._vanish,
    Ignore: JourneySteps._ignore,
    Retreat: JourneySteps._retreat,
}
