"""Expecting the server's heartbeat, with the lag of the moment measured beside it."""

from collections.abc import Callable

from conformance.actions import Opcode, OutFrame, Send
from conformance.blame import ended_as
from conformance.record import Conversation
from conformance.scenario import ExpectHeartbeat
from conformance.stage import ActorState, Script, Stage
from conformance.values import InconclusiveError


class _Lag:
    """How late things are at the moment, measured by pings of our own: a stalled peer or a busy tester.

    What the measured lag explains is not held against the heartbeat.
    """

    def __init__(self, stage: Stage, state: ActorState, period: float) -> None:
        self.stage, self.state, self.period = stage, state, period
        self.sent: list[float] = []
        self.overslept: list[tuple[float, float]] = []

    def until(self, condition: Callable[[], bool], deadline: float, waiting_for: str) -> Script[bool]:
        """`Stage.until` with a ping every period."""
        while not condition():
            now = self.stage.now
            if now >= deadline:
                return False
            self.sent.append(now)
            frame = OutFrame(Opcode.PING, f"lag-{len(self.sent)}".encode())
            yield from self.stage.act(Send(self.state.actor.name, (frame,)))
            due = min(now + self.period, deadline)
            yield from self.stage.until(condition, due, waiting_for)
            self.overslept.append((self.stage.now, max(self.stage.now - due, 0.0)))
        return True

    def settle(self) -> Script[None]:
        """Wait for the answers that are still out: only they tell how long a stall was."""
        deadline = self.stage.now + self.stage.seconds("response_timeout")
        conversation = self.stage.conversation(self.state)
        yield from self.stage.until(
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

        Twice what was measured, since the ping's way and the probe's are late independently of each other. A
        server that answers no ping frame at all tells nothing.
        """
        answers = self._answers()
        worst = 0.0
        for number, sent in enumerate(self.sent, 1):
            answered = answers.get(f"lag-{number}".encode(), self.stage.now if answers else sent)
            if answered >= since:
                worst = max(worst, answered - sent)
        overslept = max((late for at, late in self.overslept if at >= since), default=0.0)
        return 2 * (worst + overslept) + self.period


def expect_heartbeat(stage: Stage, deed: ExpectHeartbeat) -> Script[None]:
    state = stage.actors[deed.actor]
    conversation = stage.conversation(state)
    beat = stage.profile.heartbeat
    slack = beat.interval * beat.tolerance
    lag = _Lag(stage, state, max(beat.interval / 20, 0.05))
    last = _acknowledged_at(stage, conversation)
    for number in range(deed.intervals + 1):

        def arrived(count: int = number) -> bool:
            return len(state.heartbeats) > count or not conversation.is_open

        # A stall around the ping before moves this period as well.
        since = last - beat.interval / 4
        yield from _await_ping(stage, lag, arrived, last + beat.interval + slack, since)
        if len(state.heartbeats) <= number:
            over = ended_as(conversation) if not conversation.is_open else "no ping"
            raise stage.fail(
                f"ping {number + 1} did not come in time",
                deed.actor,
                expected=f"a ping within {beat.interval + slack:g} s",
                received=f"{over} (measured lag: {lag.allowance(since):.3f} s)",
            )
        at = state.heartbeats[number]
        period = at - last
        if abs(period - beat.interval) > slack:
            yield from lag.settle()
        early = number > 0 and period < beat.interval - slack - lag.allowance(since)
        if early or period > beat.interval + slack + lag.allowance(since):
            raise stage.fail(
                f"ping {number + 1} is {'early' if early else 'late'}",
                deed.actor,
                expected=f"a period of {beat.interval:g} s ± {slack:g} s",
                received=f"{period:.3f} s (measured lag: {lag.allowance(since):.3f} s)",
            )
        if lag.allowance(since) > beat.interval:
            text = f"a lag of {lag.allowance(since):.1f} s is too large to judge a period of {beat.interval:g} s"
            raise InconclusiveError(text)
        last = at


def _await_ping(stage: Stage, lag: _Lag, arrived: Callable[[], bool], limit: float, since: float) -> Script[None]:
    """Wait for a ping until its limit, and as much longer as the measured lag explains."""
    yield from lag.until(arrived, limit, "the next ping")
    patience = limit + stage.seconds("response_timeout")
    while not arrived() and stage.now < min(limit + lag.allowance(since), patience):
        yield from lag.until(arrived, min(stage.now + lag.period, patience), "a late ping")


def _acknowledged_at(stage: Stage, conversation: Conversation) -> float:
    for message in conversation.received:
        if message.event == stage.contract.ack_event:
            return message.t
    assert conversation.opened is not None
    return conversation.opened.t
