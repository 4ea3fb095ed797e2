"""A virtual user: plays its journey again and again over one connection, and reads from that whatever it does.

Its script is a generator that stops wherever it has to wait; what arrives, or a timer, makes it go on. No thread and no
greenlet is needed for it, and thousands of users share one loop.
"""

import json
import math
import time
from collections import deque
from collections.abc import Callable, Generator, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import UNSET, DecodeError

from conformance.actions import Received, Refused
from conformance.masking import cut_and_masked
from conformance.matching import matches
from conformance.steps import request_for
from conformance.values import ScenarioError, new_nonce
from contract.json_text import JsonTextError, dump_json, parse_json
from contract.model import value_at
from contract.profile import User
from loadtest.ledger import Seat, Stream
from loadtest.link import Link, Watch
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

MAX_TOLD = 120
"""Characters of what an endpoint said that stand in an error."""

MAX_KEPT = 16
"""Messages that wait to be expected; the oldest are forgotten first."""

NO_LIMIT = math.inf

NOT_OPEN = "the connection is not open"
NOT_INCREASING = "ENV-04: `sequence` does not increase"
UNANSWERED = "CLOSE-01: the connection was not ended after the close frame"

_monotonic = time.monotonic

Waiting = Generator[None, bool, None]
"""A script stops with `yield`; it is told whether what it waits for came (True) or its time was over (False)."""


class StepError(Exception):
    """A step failed; the journey is begun anew."""


class Player:
    """One virtual user. `done` says that it has left; nothing more happens then."""

    __slots__ = (
        *(
            "_acked",
            "_awaited_event",
            "_awaited_number",
            "_awaits_end",
            "_awaits_opening",
            "_clock",
            "_closing",
            "_dialled",
        ),
        *("_failures", "_joining", "_kept", "_last_ping", "_link", "_opened", "_place", "_said", "_script", "_seats"),
        *(
            "_final",
            "_sequence",
            "_streams",
            "_timer",
            "_values",
            "deadline",
            "done",
            "on_leaving",
            "journey",
            "leaving",
            "name",
            "token",
            "world",
        ),
    )

    def __init__(self, world: "World", journey: Journey, number: int, user: User) -> None:
        self.world = world
        self.journey = journey
        self.name = f"user {number}"
        self.token = user.token
        self.done = False
        self.on_leaving: Callable[[], None] | None = None
        self.leaving = False
        self.deadline = NO_LIMIT
        self._final = False
        self._place = number % world.settings.channels
        self._values = JourneyValues(world.profile, world.rooms(self._place), mint=self._nonce, size=world.text_size)
        self._link: Link | None = None
        self._script: Waiting | None = None
        self._timer: Watch | None = None
        self._failures = 0
        self._clock = 0.0
        self._said: dict[str, Any] = {}
        self._awaited_number = 0
        self._awaited_event: AwaitEvent | None = None
        self._awaits_opening = self._awaits_end = False
        self._forget_connection()

    def _forget_connection(self) -> None:
        self._seats: dict[str, Seat] = {}
        self._streams: dict[str, Stream] = {}
        self._joining: dict[str, float] = {}
        self._kept: deque[dict[str, Any]] | None = None
        self._sequence: float = -math.inf
        self._last_ping = self._opened = self._dialled = 0.0
        self._closing: float | None = None
        self._acked = False

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
        if happening.opcode != 1:
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

    def _fail(self, message: str) -> None:
        self.world.recorder.failed(message)

    def _masked(self, told: str) -> str:
        """What an endpoint said, short and without a token in any spelling."""
        return cut_and_masked(told, (self.token, *self.world.secrets), MAX_TOLD)

    def _nonce(self, name: str) -> str:
        """A nonce outside of posted texts."""
        return str(self._said.setdefault(name, new_nonce()))


def _encodable(text: str) -> str:
    """A text without lone surrogates, which JSON can write and UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode()


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
