"""The context: what every actor of a scenario has received so far, and the waits that all steps share."""

import heapq
import itertools
import json
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from conformance.language.deed import Charge, Duration
from conformance.language.matching import Meanings
from conformance.language.scenario import Actor, Decided, Scenario
from conformance.language.values import ScenarioError, Values
from conformance.play.admission import Admission
from conformance.play.charges import charge_of
from conformance.play.circuit_breaker import CircuitBreaker
from conformance.play.client_heartbeat import AGAIN, answered, client_heartbeat, template_of
from conformance.play.outage import Watch
from conformance.play.record import (
    Conversation,
    Message,
    Record,
    Sent,
    close_frame,
    kind_of,
    read_message,
    tcp_end,
)
from conformance.transport.exchange import (
    Action,
    Close,
    CloseReceived,
    Control,
    Ended,
    Happening,
    Opened,
    OutFrame,
    Received,
    Refused,
    Send,
    Tick,
    Wait,
)
from contract.durations import seconds as parse_seconds
from contract.findings import Phrase, Text, changed, phrase
from contract.model import Contract
from contract.probes import probe_of
from contract.profile import Profile
from contract.requirements import Requirement
from contract.templates import owned
from wire.frames import Opcode

Absence = Literal["undelivered", "unacknowledged", "timeout", "ended", "refused"]
"""What did not come: a delivery, or the acknowledgement, on a connection that stayed open; anything else in time;
anything more, since the connection ended; a handshake's acceptance. Each may be the work of another scenario, or of an
endpoint that dies."""

Result = TypeVar("Result")
Script = Generator[Action, Happening, Result]

STALL_WATCH = 0.25
"""A wait looks up this often, in seconds, so that it is seen when the machine holds the tester up."""

STALL_NOTED = 0.02
"""Seconds by which a wait may oversleep before that is worth a note."""

ALLOWANCE = 0.5
"""Seconds that scheduling and the network may add to a promise that is measured to the second."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a scenario is played with. `time_scale` stretches every deadline for slow networks."""

    contract: Contract
    requirements: Mapping[str, Requirement]
    profile: Profile
    channel: Callable[[str], str]
    time_scale: float = 1.0
    target: str = "/"
    breaker: CircuitBreaker = field(default_factory=CircuitBreaker)
    admission: Admission = field(default_factory=Admission)
    watch: Watch = field(default_factory=Watch)

    def values(self) -> Values:
        """The values of one play."""
        probe, codec = probe_of(self.contract), self.contract.codec
        return Values(self.profile, self.channel, target=self.target, probe=probe, codec=codec)


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that is not as it must be, and what it is charged to."""

    charge: Charge
    step: Text
    actor: str | None
    message: Phrase
    expected: Text | None = None
    received: Text | None = None
    absent: Absence | None = None
    """What did not come; None: what came was wrong, which is evidence by itself."""
    check: str | None = None
    """The transcript check that found it; None: the step did."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What the endpoint did where the contract leaves it open: what was done, and what was seen."""

    what: Text
    seen: Text


class StepFailedError(Exception):
    """The scenario cannot go on."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(str(failure.message))
        self.failure = failure


@dataclass(slots=True)
class ActorState:
    """An actor's present connection, and what it has received and not consumed yet."""

    actor: Actor
    conversation: Conversation | None = None
    inbox: list[Message] = field(default_factory=list)
    arrived: int = 0
    """Messages that ever came into the inbox."""
    controls: list[Control] = field(default_factory=list)
    heartbeats: list[float] = field(default_factory=list)
    echoes: list[Control] = field(default_factory=list)
    amid_message: bool = False
    """Whether it has sent a part of a message: no other one may come before the rest (RFC 6455 §5.4)."""
    pongs_due: list[Any] = field(default_factory=list)
    """Pings that are answered behind that message."""
    beats: list[Any] | None = None
    """Pings of its own that were not answered yet; None: it has not begun to send any."""


class Context:
    """Everything a step needs: actors, values, the record, and `until`."""

    def __init__(self, scenario: Scenario, setting: Setting, now: float) -> None:
        self.scenario = scenario
        self.setting = setting
        self.contract = setting.contract
        self.profile = setting.profile
        self.meanings = Meanings(setting.profile.error_codes, setting.contract.keeps)
        self.now = now
        self.values = setting.values()
        self.record = Record(now, setting.profile.secrets(), setting.profile.tokens.minted)
        self.actors = {actor.name: ActorState(actor) for actor in scenario.actors}
        self.failures: list[Failure] = []
        self.observations: list[Observation] = []
        self.reached: Counter[Decided] = Counter()
        """What was decided so far, and how often."""
        self.step_label: Text = ""
        self.step_charge = Charge()
        self.step_wait: tuple[Any, ...] = ()
        """What the present step waits for, as the circuit breaker counts it."""
        self.controlled = ""
        """The user whose token the controls beside a refusal carry."""
        self.control_problem: Phrase | None = None
        """How the control before it ended; None: it was acknowledged."""
        codes = tuple(code for one in setting.contract.roles.ends_of_one for code in one.close)
        self._ends_of_one = frozenset(self.close_codes(codes))
        self._scheduled: list[tuple[float, int, Callable[[], Action | None]]] = []
        """What is due at a time: the action, unless there is no more need for it."""
        self._numbers = itertools.count()

    # Durations and codes

    def seconds(self, duration: Duration) -> float:
        """A step's duration in seconds; names are durations of the profile."""
        profile, scale = self.profile, self.setting.time_scale
        beat = profile.heartbeat
        named: Mapping[str, float] = {
            "ack_timeout": profile.ack_timeout * scale,
            "response_timeout": profile.response_timeout * scale,
            "quiet_period": profile.quiet_period * scale,
            "heartbeat_limit": beat.interval * (1 + beat.tolerance) + beat.timeout + ALLOWANCE * scale,
            "heartbeat_watch": max(2 * beat.interval, beat.interval + beat.timeout) + beat.interval * 0.5,
            "expiry_limit": profile.tokens.expiring_after + profile.response_timeout * scale,
        }
        if isinstance(duration, str):
            if duration in named:
                return named[duration]
            try:
                return parse_seconds(duration) * scale
            except ValueError:
                raise ScenarioError(f"unknown duration {duration!r}; known: {', '.join(sorted(named))}") from None
        return duration * scale

    def close_codes(self, codes: tuple[str | int, ...]) -> tuple[int, ...]:
        """Close codes by number; names are the profile's."""
        return tuple(self.profile.close_codes[code] if isinstance(code, str) else code for code in codes)

    # Judging

    def charge(self, check: str) -> Charge | None:
        """The clause that a check decides; None: the contract has none for it."""
        return charge_of(self.setting.requirements, check)

    def decide(self, charge: Charge) -> None:
        """A graded part of a step was judged."""
        self.reached.update((name, charge.level) for name in charge.requirements)

    def failure(
        self,
        message: Phrase,
        actor: str | None = None,
        *,
        charge: Charge | None = None,
        expected: Text | None = None,
        received: Text | None = None,
        absent: Absence | None = None,
    ) -> Failure:
        """A failure of the present step. Without a charge anywhere it is the scenario's own requirements'."""
        charge = charge or self.step_charge
        if not charge.requirements:
            charge = Charge(self.scenario.verifies, charge.level)
        return Failure(
            charge,
            self.step_label,
            actor,
            message.changed(self.record.mask),
            None if expected is None else changed(expected, self.record.shown),
            None if received is None else changed(received, self.record.shown),
            absent,
        )

    def fail(self, message: Phrase, actor: str | None = None, **details: Any) -> StepFailedError:
        """The exception that ends the scenario with this failure."""
        return StepFailedError(self.failure(message, actor, **details))

    # Time passes

    def until(
        self, condition: Callable[[], bool], deadline: float, waiting_for: str, ends: float | None = None
    ) -> Generator[Action, Happening, bool]:
        """Wait until a condition holds, at most until `deadline`; whether it came to hold.

        `ends` is the deadline of the whole, where this wait is one of several.
        """
        while not condition():
            due = min(deadline, self._scheduled[0][0]) if self._scheduled else deadline
            due = min(due, self.now + STALL_WATCH)
            happening = yield Wait(due, waiting_for, deadline if ends is None else ends)
            if happening.t - due > STALL_NOTED:
                self.record.stalls.append((happening.t, happening.t - due))
            yield from self.absorb(happening)
            if isinstance(happening, Tick) and happening.t >= deadline:
                return condition()
        return True

    def stalled(self, since: float) -> float:
        """Seconds that this tester itself was held up at the longest after `since`, by a busy machine."""
        return max((seconds for at, seconds in self.record.stalls if at >= since), default=0.0)

    def absorb(self, happening: Happening) -> Script[None]:
        """Take a happening in: into the actor's state, the record, and the heartbeat's answer."""
        self.now = happening.t
        while self._scheduled and self._scheduled[0][0] <= self.now:
            action = heapq.heappop(self._scheduled)[2]()
            if action is not None:
                yield action
        if isinstance(happening, Tick):
            return
        self.setting.watch.alive(happening.t)
        state = self.actors[happening.actor]
        conversation = state.conversation
        if conversation is None:
            return
        match happening:
            case Received():
                yield from self._received(happening, state, conversation)
            case Control():
                yield from self._control(happening, state)
            case Opened():
                conversation.opened = happening
                if self.contract.acknowledgement is None:
                    self._begin_heartbeat(state, conversation)
                self.note(happening.actor, "in", "handshake", "101 Switching Protocols")
                self._note_leniency(happening)
            case Refused():
                conversation.refused = happening
                if happening.problem in ("not-listening", "unreachable"):
                    self.setting.watch.refused(happening.t)
                elif happening.problem == "lost":
                    self.setting.watch.ended(self.scenario.id, id(conversation), happening.t)
                self.unusual(conversation)
                self.note(happening.actor, "in", "handshake", happening.shown)
                self._note_leniency(happening)
            case CloseReceived():
                conversation.close_received = happening
                if happening.code in self._ends_of_one:
                    self.unusual(conversation)
                self.setting.watch.ended(self.scenario.id, id(conversation), happening.t)
                self.note(happening.actor, "in", "close", close_frame(happening.code, happening.reason))
            case Ended():
                conversation.ended = happening
                self.setting.watch.ended(self.scenario.id, id(conversation), happening.t)
                self.note(happening.actor, "in", "end", tcp_end(happening))

    def _note_leniency(self, answer: Opened | Refused) -> None:
        if answer.note is not None:
            self.note(answer.actor, "none", "note", answer.note)

    def _received(self, happening: Received, state: ActorState, conversation: Conversation) -> Script[None]:
        message = read_message(happening, conversation, self.contract)
        if self.contract.acknowledges(message.event):
            self._begin_heartbeat(state, conversation)
        if not self._answers_heartbeat(state, message):
            state.inbox.append(message)
            state.arrived += 1
        conversation.received.append(message)
        conversation.heard = True
        self.note(happening.actor, "in", kind_of(happening.opcode), message.text, message.event)
        if self.contract.pings(message.event) and self.profile.heartbeat.form == "message":
            state.heartbeats.append(happening.t)
            if not conversation.closing:
                yield from self._answer(state, message.value)

    def _answer(self, state: ActorState, ping: Any) -> Script[None]:
        answer = None if state.actor.heartbeat == "ignore" else self._own_answer(state, ping)
        if answer is None:
            return
        if state.amid_message:
            state.pongs_due.append(ping)
            return
        pong = self.message_action(state, answer)
        if state.actor.heartbeat == "late":
            due = self.now + self.profile.heartbeat.timeout / 2
            self._schedule(due, lambda: pong)
            self.note(state.actor.name, "none", "note", phrase("pong-held-back"))
            return
        yield pong

    def _schedule(self, due: float, action: Callable[[], Action | None]) -> None:
        heapq.heappush(self._scheduled, (due, next(self._numbers), action))

    def _begin_heartbeat(self, state: ActorState, conversation: Conversation) -> None:
        beat = client_heartbeat(self.contract)
        if beat is None or beat.every is None or state.actor.heartbeat == "ignore" or state.beats is not None:
            return
        state.beats, every = [], beat.every

        def ping() -> Action | None:
            if state.conversation is not conversation or not conversation.is_open or conversation.closing:
                return None
            if state.amid_message:
                self._schedule(self.now + AGAIN, ping)
                return None
            self._schedule(self.now + every, ping)
            template = template_of(self.contract, beat)
            if template is None:
                return None
            message = self.own(state, template)
            state.beats = [*(state.beats or ()), message]
            return self.message_action(state, message)

        self._schedule(self.now + every, ping)

    def _answers_heartbeat(self, state: ActorState, message: Message) -> bool:
        """Whether a message answers a ping that the actor sent by itself: no step awaits it, then."""
        beat = client_heartbeat(self.contract) if state.beats else None
        ping = answered(self.contract, beat, state.beats or [], message) if beat is not None else None
        if ping is None:
            return False
        state.beats = [one for one in state.beats or () if one is not ping]
        return True

    def own(self, state: ActorState, template: Any) -> Any:
        """A message of an actor: `${token}` and `${user.MEMBER}` are those of its user."""
        return self.values.render(owned(template, state.actor.user, self.profile.users))

    def _own_answer(self, state: ActorState, ping: Any) -> Any:
        """The contract's answer, with what the actor says on top of it."""
        answer, own = self.contract.pong(ping), state.actor.answer
        if own is None or answer is None:
            return answer
        own = self.values.filled(own, ping)
        return {**answer, **own} if isinstance(answer, dict) and isinstance(own, dict) else own

    def part_sent(self, state: ActorState, opcode: int, *, final: bool) -> Script[None]:
        """A data frame was sent. Behind the last one of a message, pings are answered that came amid it."""
        if opcode >= Opcode.CLOSE:
            return
        state.amid_message = not final
        while state.pongs_due and not state.amid_message:
            yield from self._answer(state, state.pongs_due.pop(0))

    def _control(self, happening: Control, state: ActorState) -> Script[None]:
        if happening.opcode == Opcode.PONG:
            (state.echoes if happening.data.startswith(b"lag-") else state.controls).append(happening)
            if happening.data.startswith(b"lag-"):
                return
        elif self.profile.heartbeat.form == "control":
            state.heartbeats.append(happening.t)
            if state.actor.heartbeat == "late":
                frame = OutFrame(Opcode.PONG, happening.data)
                due = self.now + self.profile.heartbeat.timeout / 2
                action = Send(happening.actor, (frame,))
                self._schedule(due, lambda: action)
        self.note(happening.actor, "in", kind_of(happening.opcode), happening.data.decode("utf-8", "backslashreplace"))
        yield from ()

    # Sending

    def note(self, actor: str | None, direction: Any, kind: str, data: Text, event: str | None = None) -> None:
        """Add a line to the transcript at the present time."""
        self.record.note(self.now, actor, direction, kind, data, event)

    def message_action(self, state: ActorState, value: Any, *, escape: bool = False, plain: bool = True) -> Send:
        """A message as an action, noted as sent; `plain`: in one frame."""
        codec = self.contract.codec
        text = json.dumps(value) if escape and codec.is_json else codec.encode(value)
        self.sent(state, value, text, self.contract.name_of(value, "client"), plain=plain and not escape)
        return Send(state.actor.name, (OutFrame(Opcode.TEXT, text.encode("utf-8", "surrogatepass")),))

    def sent(
        self,
        state: ActorState,
        value: Any,
        text: str,
        event: str | None,
        kind: str = "message",
        *,
        plain: bool = False,
        raw: bool = False,
    ) -> None:
        """Note a message of ours; `plain` where it is sent in the usual form, `raw` where its text was written out."""
        conversation = self.conversation(state)
        if not conversation.is_open:
            self.note(state.actor.name, "none", "note", phrase("not-sent"))
            return
        if not (plain and self._is_usual(value, event)):
            self.unusual(conversation)
        plain = plain and conversation.opened is not None and not conversation.opened.compressed
        conversation.sent.append(Sent(self.now, conversation, value, text, plain, event))
        self.setting.watch.sent(self.scenario.id, self.now)
        self.note(state.actor.name, "out", kind, text, None if raw else event)

    def _is_usual(self, value: Any, name: str | None) -> bool:
        """Whether a message of ours is one for which no server may end the connection."""
        if not self.contract.events:
            return True  # nothing says what a message is
        event = self.contract.events.get(name) if name is not None else None
        if event is None or not event.from_client or self.contract.check_envelope(value):
            return False
        return not self.contract.check_payload(event.name, value)

    def unusual(self, conversation: Conversation) -> None:
        """Its server may end this connection for what we do, or we end it."""
        conversation.usual = False
        self.setting.watch.unusual(self.scenario.id, id(conversation))

    def leave(self, conversation: Conversation) -> None:
        """We close a connection, or vanish from it."""
        conversation.leave(self.now)
        self.unusual(conversation)
        self.setting.watch.sent(self.scenario.id, self.now)

    def stop_reading(self, conversation: Conversation) -> None:
        """We read no more from a connection, for a while: what its server does with it is free."""
        conversation.unread_since = conversation.unread_since or self.now
        self.unusual(conversation)

    def conversation(self, state: ActorState) -> Conversation:
        """The actor's connection. Raises `ScenarioError` where it never connected."""
        if state.conversation is None:
            raise ScenarioError(f"{state.actor.name} has not connected before this step")
        return state.conversation

    def act(self, action: Action) -> Script[None]:
        """Perform an action that is no wait."""
        yield from self.absorb((yield action))

    def close_all(self) -> Script[None]:
        """End the scenario politely: what has arrived is taken in, and every open connection is closed."""
        yield from self.until(lambda: False, self.now, "")
        for state in self.actors.values():
            conversation = state.conversation
            if conversation is not None and conversation.is_open and not conversation.closing:
                self.leave(conversation)
                yield from self.act(Close(state.actor.name, 1000))
