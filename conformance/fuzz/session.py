"""Plays generated messages one after the other, on a connection that is kept for as long as it is of use."""

import math
from dataclasses import dataclass

from conformance.fuzz.example import Example, holds
from conformance.judge.outcomes import judged
from conformance.judge.verdicts import ScenarioVerdict
from conformance.language.deeds import SendRaw
from conformance.language.scenario import Scenario, Step
from conformance.language.values import InconclusiveError, Values
from conformance.play.attribution import is_rate_limited
from conformance.play.charges import charge_of
from conformance.play.circuit_breaker import CircuitBreaker
from conformance.play.context import Context, Script, Setting
from conformance.play.engine import Outcome, play_steps
from conformance.play.plan import Channels, Plan
from conformance.play.record import Conversation
from conformance.transport.exchange import Wait
from conformance.transport.sockets import Transport
from contract.findings import Text, phrase

MESSAGE = "${message}"

EXAMPLES_PER_CONNECTION = 100
"""After so many a fresh connection is made, so that no transcript and no bound of the transport is exceeded."""

KEPT_MESSAGES = 1
"""Messages of earlier examples that a judgement looks at again, for what speaks of two messages in a row."""

FIRST_PAUSE, MAX_PAUSE = 0.05, 2.0
"""Seconds before each message that an endpoint which limits the rate of messages is left alone."""

ATTEMPTS = 8
"""So often a message is sent that was not judged: the rate was limited, or our pongs were late."""


class SetupFailedError(Exception):
    """No connection got so far that a generated message could be sent."""

    def __init__(self, verdict: ScenarioVerdict) -> None:
        super().__init__(verdict.outcome.reason)
        self.verdict = verdict


class UnjudgedError(Exception):
    """The endpoint or this machine leaves no message to be judged."""

    def __init__(self, reason: Text) -> None:
        super().__init__(str(reason))
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Played:
    """The verdict on one message, and the message as it was sent."""

    verdict: ScenarioVerdict
    text: str


def sending_step(scenario: Scenario) -> int:
    """The index of the step that sends the generated message. Raises ValueError where none does."""
    for index, step in enumerate(scenario.steps):
        if isinstance(step.deed, SendRaw) and step.deed.text == MESSAGE:
            return index
    raise ValueError(f"scenario {scenario.id} sends no {MESSAGE}")


class Session:
    """Plays the examples of one kind.

    `before` are those that went well on the present connection, `history` those on the one before it.
    """

    def __init__(self, plan: Plan, scenario: Scenario, transport: Transport, channels: Channels, reuse: bool) -> None:
        self.before: list[Example] = []
        self.history: list[Example] = []
        self._plan = plan
        self._scenario = scenario
        self._transport = transport
        # A message is only made smaller where each is waited for to the end; the hunt has a budget of its own.
        breaker = CircuitBreaker(math.inf)
        self._setting = Setting(
            plan.contract, plan.requirements, plan.profile, channels, plan.time_scale, plan.target.path, breaker
        )
        alive = charge_of(plan.requirements, "alive-while-answering")
        self._heartbeat = alive.requirements if alive is not None else ()
        at = sending_step(scenario)
        self._setup: tuple[Step, ...] = scenario.steps[:at]
        self._steps: tuple[Step, ...] = scenario.steps[at:]
        self._reuse = EXAMPLES_PER_CONNECTION if reuse else 1
        self._pause = 0.0
        self._context: Context | None = None

    def play(self, example: Example, *, fresh: bool = False) -> Played | None:
        """Send one message and judge what comes; None: it is not what it claims to be, and was not sent.

        `fresh` takes a connection on which nothing was sent before. Raises `SetupFailedError` and `UnjudgedError`.
        """
        reason: Text = ""
        for attempt in range(ATTEMPTS):
            try:
                return self._transport.advance(self._script(example, fresh=fresh or attempt > 0))
            except UnjudgedError as error:
                reason = error.reason
        raise UnjudgedError(reason)

    def leave(self) -> None:
        """Close the connection politely."""
        self._transport.advance(self._leave())

    def _script(self, example: Example, *, fresh: bool) -> Script[Played | None]:
        if self._context is not None:
            # Meanwhile a message was made: that is no stall, and pings wait for their answers.
            yield from self._context.absorb((yield Wait(0.0)))
            yield from self._context.until(lambda: False, self._context.now + self._pause, "the rate limit's pause")
        if fresh or self._context is None or len(self.before) >= self._reuse or not _is_open(self._context):
            yield from self._enter()
        context = self._context
        assert context is not None
        values = self._renew(context)
        text = example.text(self._channel("room"), self._channel("other"), values.nonce("text"))
        if not holds(example.claim, text, self._plan.contract, self._plan.profile.limits.message_bytes):
            return None
        values.captured.update(message=text, event=example.event)
        outcome = yield from play_steps(context, self._steps, stay=True)
        played = Played((yield from self._judged(context, outcome)), text)
        if played.verdict.verdict == "passed":
            self.before.append(example)
            for conversation in context.record.conversations:
                self._forget(conversation)
        else:
            yield from self._leave()
        return played

    def _enter(self) -> Script[None]:
        yield from self._leave()
        context = Context(self._scenario, self._setting, (yield Wait(0.0)).t)
        self._context = context
        outcome = yield from play_steps(context, self._setup, stay=True)
        if outcome.ending != "finished":
            self._context = None
            raise SetupFailedError((yield from self._judged(context, outcome)))

    def _leave(self) -> Script[None]:
        context, self._context = self._context, None
        if context is not None:
            self.history, self.before = self.before, []
            yield from context.close_all()

    def _renew(self, context: Context) -> Values:
        """What an earlier example left behind says nothing about the next one."""
        context.values = self._setting.values()
        context.failures, context.record.stalls = [], []
        for state in context.actors.values():
            state.inbox, state.controls, state.heartbeats, state.echoes = [], [], [], []
        return context.values

    def _judged(self, context: Context, outcome: Outcome) -> Script[ScenarioVerdict]:
        """The verdict. Raises `UnjudgedError` where something else than the message decided how it went."""
        if is_rate_limited(context.record, self._plan.contract, self._plan.profile):
            self._pause = min(max(2 * self._pause, FIRST_PAUSE), MAX_PAUSE)
            yield from context.until(lambda: False, context.now + self._pause, "the rate limit's pause")
            yield from self._leave()
            raise UnjudgedError(phrase("rate-limits"))
        verdict = judged(outcome, self._plan)
        # Pongs may be late while messages are generated; heartbeats have scenarios of their own.
        if outcome.ending == "inconclusive" or any(one.requirement in self._heartbeat for one in verdict.charged):
            yield from self._leave()
            raise UnjudgedError(outcome.reason or phrase("closed-for-heartbeat"))
        return verdict

    def _channel(self, name: str) -> str:
        """A channel; what is invalid anyway may name the first one, where the profile lists no other."""
        try:
            return self._setting.channel(name)
        except InconclusiveError:
            return self._setting.channel("room")

    def _forget(self, conversation: Conversation) -> None:
        """Keep what the judgement of the next example needs: which channels were joined, and the last messages."""
        flow = self._plan.contract.flow
        name = flow.subscribe.name if flow is not None and flow.subscribe is not None else None
        joins = [one for one in conversation.sent if name is not None and one.event == name]
        last = [one for one in conversation.sent[-KEPT_MESSAGES:] if one not in joins]
        conversation.sent[:] = [*joins, *last]
        del conversation.received[:-KEPT_MESSAGES]


def _is_open(context: Context) -> bool:
    return all(state.conversation is not None and state.conversation.is_open for state in context.actors.values())
