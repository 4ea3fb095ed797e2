"""A virtual user: plays its journey again and again over one connection, and reads from that whatever it does.

Its script is a generator that stops wherever it has to wait; what arrives, or a timer, makes it go on. No thread and no
greenlet is needed for it, and thousands of users share one loop.
"""

import math
import time
from collections.abc import Callable, Generator, Mapping
from typing import TYPE_CHECKING, Any

from conformance.actions import Refused
from conformance.handshakes import request_for
from conformance.matching import matches
from conformance.values import ScenarioError, new_nonce
from contract.json_text import dump_json
from contract.model import value_at
from contract.profile import User
from loadtest.link import Link, Watch
from loadtest.receiving import Receiver
from loadtest.script import (
    AwaitEvent,
    AwaitOwn,
    Dial,
    Join,
    Journey,
    JourneyValues,
    Leave,
    Paced,
    Parts,
    Post,
    Rest,
    Retreat,
    Say,
    Vanish,
    post_parts,
)

if TYPE_CHECKING:
    from loadtest.world import World

EARLY_SECONDS = 0.001
"""Timers are coarse by so much: what is due so soon is done at once, and its clock starts then."""

NO_LIMIT = math.inf

NOT_OPEN = "the connection is not open"
UNANSWERED = "CLOSE-01: the connection was not ended after the close frame"

_monotonic = time.monotonic

Waiting = Generator[None, bool, None]
"""A script stops with `yield`; it is told whether what it waits for came (True) or its time was over (False)."""


class StepError(Exception):
    """A step failed; the journey is begun anew."""


class Player(Receiver):
    """One virtual user. `done` says that it has left; nothing more happens then."""

    __slots__ = (
        *("_awaits_end", "_awaits_opening", "_clock", "_closing", "_dialled", "_failures", "_final"),
        *("_place", "_said", "_script", "_timer", "_values", "deadline", "done", "journey", "leaving", "on_leaving"),
    )

    def __init__(self, world: "World", journey: Journey, number: int, user: User) -> None:
        super().__init__(world, f"user {number}", user.token)
        self.journey = journey
        self.done = False
        self.on_leaving: Callable[[], None] | None = None
        self.leaving = False
        self.deadline = NO_LIMIT
        self._final = False
        self._place = number % world.settings.channels
        self._values = JourneyValues(world.profile, world.rooms(self._place), mint=self._nonce, size=world.text_size)
        self._script: Waiting | None = None
        self._timer: Watch | None = None
        self._failures = 0
        self._clock = 0.0
        self._said: dict[str, Any] = {}
        self._awaits_opening = self._awaits_end = False
        self._closing: float | None = None
        self._dialled = 0.0

    # The life of a user

    def begin(self) -> None:
        """Start to play."""
        self._script = self._life()
        next(self._script)

    def _go_on(self, came: bool) -> None:
        """Let the script run on to where it waits next; it ends only when the user leaves."""
        if self._script is not None:
            self._script.send(came)

    def _life(self) -> Waiting:
        world = self.world
        while True:
            began = _monotonic()
            try:
                for op in self.journey.ops:
                    waiting = PLAYS[type(op)](self, op)
                    if waiting is not None:
                        yield from waiting
                yield from self._part_from(1000)
                self._failures = 0
            except (StepError, ScenarioError, OSError) as error:
                self._fail(str(error))
                self._failures += 1
                self._give_up()
            if self._failures:
                yield from self._sleep(self._backoff())
            elif _monotonic() - began < EARLY_SECONDS:
                # A journey that waits for nothing must not keep all others waiting.
                yield from self._sleep(world.period)

    # Waiting

    def _sleep(self, seconds: float) -> Waiting:
        """Wait for so many seconds, and lose the connection in the meantime or not."""
        until = _monotonic() + seconds
        while (left := until - _monotonic()) > 0:
            self._timer = self.world.reactor.later(left, self._ring)
            yield

    def _ring(self) -> None:
        self._timer = None
        self._go_on(True)

    def _await(self, within: float) -> Generator[None, bool, bool]:
        """Wait for what was noted in `_awaited…`; whether it came in time."""
        self.deadline = _monotonic() + within
        came = yield
        self.deadline = NO_LIMIT
        return came

    def expire(self) -> None:
        """What is waited for did not come until `deadline`."""
        self.deadline = NO_LIMIT
        if self.leaving:
            self.part()
        else:
            self._go_on(False)

    # Steps

    def _connected(self) -> Link:
        if self._link is None or self._link.over:
            raise StepError(NOT_OPEN)
        return self._link

    def _dial(self, op: Dial) -> Waiting:
        self._give_up()
        world = self.world
        values = self._values
        request = request_for(op.deed, world.profile, world.target.path, self.token, values.render)
        self._forget_connection()
        self._closing = None
        self._dialled = _monotonic()
        self._link = Link(self, world.reactor, world.target, request)
        self._awaits_opening = True
        accepted = yield from self._await(world.profile.response_timeout)
        self._awaits_opening = False
        if not accepted:
            raise StepError(f"{op.charge}the handshake got no answer in time")

    def _join(self, op: Join) -> None:
        names = self.world.contract.delivery
        assert names is not None
        message = self._values.render(op.message)
        channel = str(value_at(message, names.join["channel"]))
        link = self._connected()
        if channel not in self._seats:
            self._seats[channel] = self.world.ledger.seat(channel, self.name)
            self._joining[channel] = _monotonic()
        link.send_text(dump_json(message).encode())

    def _parts(self, op: Post) -> Parts:
        """A post as it reads in this user's channel; users of the same channel share what was worked out for it."""
        parts = op.parts.get(self._place) if op.fixed else None
        if parts is None:
            parts = post_parts(op, self.world.contract, self._values)
            self.world.ledger.texts.add(parts.text)
            if op.fixed:
                op.parts[self._place] = parts
        return parts

    def _post(self, op: Post) -> None:
        link, world = self._link, self.world
        if link is None:
            raise StepError(NOT_OPEN)
        parts = self._parts(op)
        stream = self._streams.get(parts.channel)
        if stream is None:
            stream = self._streams[parts.channel] = world.ledger.stream(parts.channel, self.name)
        posted = stream.posted
        posted.append(self._clock or _monotonic())
        self._said[op.nonce] = (stream, len(posted))
        link.send_text(b"%b%b%08d%b" % (parts.head, stream.prefix, len(posted), parts.tail))
        world.recorder.posts += 1

    def _await_own(self, op: AwaitOwn) -> Waiting | None:
        stream, number = self._said[op.nonce]
        seat = self._seats.get(stream.channel)
        if seat is not None and seat.following.get(stream.prefix, 0) > number:
            return None
        return self._await_number(number, op)

    def _await_number(self, number: int, op: AwaitOwn) -> Waiting:
        self._awaited_number = number
        self.deadline = (self._clock or _monotonic()) + op.within
        came = yield
        self._awaited_number = 0
        self.deadline = NO_LIMIT
        if not came:
            raise StepError(f"{op.charge}`{self.world.delivery_event}` did not arrive in time")

    def _await_event(self, op: AwaitEvent) -> Waiting:
        for message in self._kept or ():
            if self._fits(op, message):
                assert self._kept is not None
                self._kept.remove(message)
                return
        self._awaited_event = op
        came = yield from self._await(op.within)
        self._awaited_event = None
        if not came:
            raise StepError(f"{op.charge}`{op.event}` did not arrive in time")

    def _fits(self, op: AwaitEvent, message: dict[str, Any]) -> bool:
        if message.get("event") != op.event:
            return False
        if not matches(self._values.render(op.match), message, self.world.profile.error_codes):
            return False
        for name, path in op.capture.items():
            self._values.captured[name] = value_at(message, path)
        return True

    def _rest(self, op: Rest) -> Waiting:
        self._connected()
        seconds = op.seconds
        if op.to_next and seconds:
            since = _monotonic() - self.world.clock.begin
            return self._sleep(seconds - since % seconds)
        return self._sleep(self.world.period if seconds is None else seconds)

    def _pace(self, op: Paced) -> Waiting:
        """Passes at their own times: the clock of what a pass posts starts then, late or not."""
        world, recorder = self.world, self.world.recorder
        even = op.own or op.rate is not None
        due = _monotonic()
        if even:
            # Users that began together do not post together.
            due += world.random.random() * self._step_of(op)
        passes = 0
        while op.times is None or passes < op.times:
            passes += 1
            now = _monotonic()
            if even:
                while due - now > EARLY_SECONDS:
                    self._timer = world.reactor.later(due - now - EARLY_SECONDS, self._ring)
                    yield
                    now = _monotonic()
                recorder.late.append(max(now - due, 0.0))
            while now >= world.clock.end:
                yield  # there is no more posting; it leaves soon
            self._clock = min(due, now) if even else now
            for one in op.ops:
                waiting = PLAYS[type(one)](self, one)
                if waiting is not None:
                    yield from waiting
            self._clock = 0.0
            due += self._step_of(op)

    def _step_of(self, op: Paced) -> float:
        return 1 / op.rate if op.rate is not None else self.world.period

    def _retreat(self, op: Retreat) -> Waiting:
        return self._sleep(self._backoff())

    def _close(self, op: Leave) -> Waiting:
        return self._part_from(op.code)

    def _backoff(self) -> float:
        """Seconds until the next attempt (CLIENT-05); bounded before it is raised: a float would overflow."""
        reconnect = self.world.profile.reconnect
        delay = min(reconnect.base * reconnect.factor ** min(max(self._failures - 1, 0), 32), reconnect.cap)
        return self.world.random.uniform(0, delay) if reconnect.jitter == "full" else delay

    # What the connection tells

    def opened(self, t: float) -> None:
        """The handshake was accepted."""
        self._opened = t
        self.world.recorder.opened()
        self.world.recorder.measured("connect", t - self._dialled)
        if self._awaits_opening:
            self._go_on(True)

    def refused(self, refused: Refused) -> None:
        """It was not."""
        status = f" ({refused.status})" if refused.status is not None else f": {self._masked(refused.detail)}"
        self._break(f"CONN-01: the handshake was not accepted{status}")

    def ended(self, code: int | None, how: str, t: float) -> None:
        """The connection is over."""
        recorder = self.world.recorder
        recorder.closed(code)
        orderly = self._closing is not None and code is not None
        if orderly and self._closing is not None:
            recorder.measured("close", t - self._closing)
        self._close_accounts(t, orderly=orderly)
        self._link = None
        if self._awaits_end:
            self._go_on(True)
        elif self.leaving:
            self._finish()
        else:
            told = f"close code {code}" if code is not None else f"no close frame, {self._masked(how)}"
            self._break(f"the connection ended ({told})")

    def _close_accounts(self, t: float, *, orderly: bool) -> None:
        if not self._final:
            for stream in self._streams.values():
                stream.end = "orderly" if orderly else "broken"
            for seat in self._seats.values():
                seat.until = min(seat.until, t)

    def _break(self, reason: str) -> None:
        """The journey cannot go on."""
        self._link = None
        if self.leaving:
            self._fail(reason)
            self._finish()
            return
        self._cancel()
        script = self._script
        if script is not None:
            script.throw(StepError(reason))

    # Leaving

    def _part_from(self, code: int | None) -> Waiting:
        """Close in good order, and wait for the end."""
        link = self._link
        if link is None or link.over:
            return
        self._begin_closing(link, code)
        self._awaits_end = True
        ended = yield from self._await(self.world.closing_seconds)
        self._awaits_end = False
        if not ended:
            raise StepError(UNANSWERED)

    def _begin_closing(self, link: Link, code: int | None) -> None:
        self._closing = _monotonic()
        if not self._final:
            for seat in self._seats.values():
                seat.until = self._closing
        link.close(code)

    def _say(self, op: Say) -> None:
        self._connected().send_text(dump_json(self._values.render(op.message)).encode())

    def _vanish(self, op: Vanish) -> None:
        """End the TCP connection without a farewell; it counts as an end without a close frame."""
        self._give_up()

    def _give_up(self) -> None:
        link = self._link
        self._link = None
        if link is None or link.over:
            return
        counted = link.accepted
        link.drop()
        if counted:
            self.world.recorder.closed(None)
        self._close_accounts(_monotonic(), orderly=False)

    def _cancel(self) -> None:
        """Wait for nothing any more."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self.deadline = NO_LIMIT
        self._awaited_number = 0
        self._awaited_event = None

    def leave(self) -> None:
        """Post nothing more, and leave once own posts are back. Idempotent."""
        if self.done or self.leaving:
            return
        self.leaving = True
        self._cancel()
        script, self._script = self._script, None
        if script is not None:
            script.close()
        link = self._link
        if link is None or link.over or not link.accepted:
            self._give_up()
            self._finish()
        elif self._closing is not None:
            self.deadline = _monotonic() + self.world.closing_seconds
        else:
            # Own posts that are on their way are waited for; `World.sweep` looks.
            if not self.world.ending:
                self.deadline = _monotonic() + self.world.profile.response_timeout

    def part(self) -> None:
        """Close the connection; a second call gives it up."""
        link = self._link
        if link is None or link.over or self._closing is not None:
            if link is not None and not link.over:
                self._fail(UNANSWERED)
            self._give_up()
            self._finish()
            return
        self._begin_closing(link, 1000)
        self.deadline = _monotonic() + self.world.closing_seconds

    @property
    def can_go(self) -> bool:
        """Whether the connection is open, and every own post has come back."""
        return self._closing is None and all(
            self._seats[channel].following.get(stream.prefix, 1) > len(stream.posted)
            for channel, stream in self._streams.items()
            if channel in self._seats
        )

    def stay_to_the_end(self) -> None:
        """The run is over and everything was waited for: what is missing on an open connection is missing for good."""
        if self._link is not None and not self._link.over and self._closing is None:
            self._final = True
            for stream in self._streams.values():
                stream.end = "orderly"

    def _finish(self) -> None:
        self._cancel()
        self.done = True
        self.world.left(self)
        if self.on_leaving is not None:
            self.on_leaving()

    def abandon(self) -> None:
        """Leave at once, without a farewell. Idempotent."""
        if not self.done:
            self.leave()
            self._give_up()
            if not self.done:
                self._finish()

    def _nonce(self, name: str) -> str:
        """A nonce outside of posted texts."""
        return str(self._said.setdefault(name, new_nonce()))


PLAYS: Mapping[type, Callable[[Player, Any], Waiting | None]] = {
    Post: Player._post,
    AwaitOwn: Player._await_own,
    Paced: Player._pace,
    Rest: Player._rest,
    Dial: Player._dial,
    AwaitEvent: Player._await_event,
    Join: Player._join,
    Say: Player._say,
    Leave: Player._close,
    Vanish: Player._vanish,
    Retreat: Player._retreat,
}
"""What a user does at each kind of step; where it has to wait, it is given a generator that does."""
