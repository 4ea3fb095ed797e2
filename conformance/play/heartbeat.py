"""Expecting the server's heartbeat, with the lag of the moment measured beside it."""

from collections.abc import Callable
from typing import Any

from conformance.language.awaited import ExpectHeartbeat
from conformance.language.values import DisturbedError
from conformance.play.attribution import ended_as
from conformance.play.context import ActorState, Context, Script
from conformance.play.deadlines import excuse_if_held_up
from conformance.play.record import Conversation
from conformance.transport.exchange import OutFrame, Send
from contract.findings import phrase
from wire.frames import Opcode

PATIENCE = 6
"""Periods that are watched on top, where lag leaves it open whether a period was right."""


class _Lag:
    """How late things are at the moment, measured by pings of our own: a stalled peer or a busy tester.

    `meanwhile` is a message that goes along with every fourth of them.
    """

    def __init__(self, context: Context, state: ActorState, period: float, meanwhile: Any) -> None:
        self.context, self.state, self.period = context, state, period
        self.meanwhile = context.values.render(meanwhile)
        self.sent: list[float] = []

    def until(self, condition: Callable[[], bool], deadline: float, waiting_for: str) -> Script[bool]:
        """`Context.until` with a ping every period."""
        while not condition():
            now = self.context.now
            if now >= deadline:
                return False
            self.sent.append(now)
            frame = OutFrame(Opcode.PING, f"lag-{len(self.sent)}".encode())
            yield from self.context.act(Send(self.state.actor.name, (frame,)))
            if self.meanwhile is not None and len(self.sent) % 4 == 1:
                yield from self.context.act(self.context.message_action(self.state, self.meanwhile))
            yield from self.context.until(condition, min(now + self.period, deadline), waiting_for, deadline)
        return True

    def settle(self) -> Script[None]:
        """Wait for the answers that are still out: only they tell how long a stall was."""
        deadline = self.context.now + self.context.seconds("response_timeout")
        conversation = self.context.conversation(self.state)
        yield from self.context.until(
            lambda: not self._answers() or not self._unanswered() or not conversation.is_open,
            deadline,
            "the pong frames that measure the lag",
        )

    def _answers(self) -> dict[bytes, float]:
        return {pong.data: pong.t for pong in self.state.echoes}

    def _unanswered(self) -> bool:
        return f"lag-{len(self.sent)}".encode() not in self._answers()

    def allowance(self, since: float) -> float:
        """Seconds by which an arrival may be off for no fault of the heartbeat, by what was measured after `since`.

        Four times what was measured: two pings bound a period, the probes see only a part of what delays them, and
        both are late independently of each other. A server that answers no ping frame at all tells nothing.
        """
        answers = self._answers()
        worst = 0.0
        # A pong may answer for the pings before it (RFC 6455 section 5.5.3).
        answered = self.context.now
        for number, sent in reversed([*enumerate(self.sent, 1)] if answers else []):
            answered = answers.get(f"lag-{number}".encode(), answered)
            if answered >= since:
                worst = max(worst, answered - sent)
        return 4 * (worst + self.context.stalled(since)) + self.period


class _Rhythm:
    """Judges one period after the other."""

    def __init__(self, context: Context, deed: ExpectHeartbeat) -> None:
        beat = context.profile.heartbeat
        self.context, self.actor = context, deed.actor
        self.state = context.actors[deed.actor]
        self.conversation = context.conversation(self.state)
        self.interval = beat.interval
        self.slack = beat.interval * beat.tolerance
        self.lag = _Lag(context, self.state, max(beat.interval / 20, 0.05), deed.meanwhile)
        self.last = _acknowledged_at(context, self.conversation)
        self.pings = 0

    def next(self) -> Script[bool]:
        """Wait for the next ping. Whether its period was right by itself; one that only the lag excuses is not.

        Raises the step's failure where no lag explains it.
        """
        # A stall around the ping before moves this period as well.
        since = self.last - self.interval / 4
        first = self.pings == 0
        yield from self._await(since)
        at = self.state.heartbeats[self.pings]
        period = at - self.last
        early = not first and period < self.interval - self.slack
        late = period > self.interval + self.slack
        if early or late:
            yield from self.lag.settle()
            allowance = self.lag.allowance(since)
            if abs(period - self.interval) > self.slack + allowance:
                raise self.context.fail(
                    phrase("ping-early" if early else "ping-late", ping=self.pings + 1),
                    self.actor,
                    expected=phrase("period", interval=self.interval, slack=self.slack),
                    received=phrase("period-seen", seconds=period, lag=allowance),
                )
        self.last = at
        self.pings += 1
        return not (early or late)

    def _await(self, since: float) -> Script[None]:
        """Wait for a ping until its limit, and as much longer as the measured lag explains."""
        number = self.pings

        def arrived() -> bool:
            return len(self.state.heartbeats) > number or not self.conversation.is_open

        limit = self.last + self.interval + self.slack
        yield from self.lag.until(arrived, limit, "the next ping")
        patience = limit + self.context.seconds("response_timeout")
        while not arrived() and self.context.now < min(limit + self.lag.allowance(since), patience):
            yield from self.lag.until(arrived, min(self.context.now + self.lag.period, patience), "a late ping")
        if len(self.state.heartbeats) <= number:
            if self.conversation.is_open:
                excuse_if_held_up(self.context, since, self.interval)
            came = ended_as(self.conversation) if not self.conversation.is_open else phrase("nothing-came")
            raise self.context.fail(
                phrase("ping-missing", ping=number + 1),
                self.actor,
                expected=phrase("ping-within", seconds=self.interval + self.slack),
                received=phrase("with-lag", what=came, lag=self.lag.allowance(since)),
                absent="timeout" if self.conversation.is_open else "ended",
            )


def expect_heartbeat(context: Context, deed: ExpectHeartbeat) -> Script[None]:
    """Watch the first ping and so many periods; more of them where a busy machine or network blurs some (HB-01).

    A period that is off by no more than the lag explains neither convicts nor acquits.
    """
    rhythm = _Rhythm(context, deed)
    yield from rhythm.next()
    right = blurred = 0
    while right < deed.intervals + 2 * blurred and right + blurred < deed.intervals + PATIENCE:
        if (yield from rhythm.next()):
            right += 1
        else:
            blurred += 1
    if right < max(deed.intervals, 2 * blurred):
        periods = {"blurred": blurred, "count": right + blurred, "seconds": rhythm.interval}
        raise DisturbedError(phrase("blurred", **periods))


def _acknowledged_at(context: Context, conversation: Conversation) -> float:
    for message in conversation.received:
        if context.contract.acknowledges(message.event):
            return message.t
    assert conversation.opened is not None
    return conversation.opened.t
