"""Awaiting replies and signs of life, and looking at what a contract leaves open."""

from collections.abc import Callable, Mapping
from typing import Any

from conformance.language.observing import ExpectAlive, ExpectReplies, Observe
from conformance.play.attribution import cause_of_end, ended_as, excuse_if_stalled, is_over, what_came
from conformance.play.context import ActorState, Context, Observation, Script
from conformance.play.deadlines import owed
from conformance.play.history import History
from conformance.play.record import Message
from conformance.play.replies import Asked, due, replies_of
from conformance.transport.exchange import OutFrame, Send
from contract.findings import Phrase, phrase
from wire.frames import Opcode

PING = b"alive"


def _observe(context: Context, deed: Observe) -> Script[None]:
    state = context.actors[deed.actor]
    context.conversation(state)
    deadline = context.now + context.seconds(deed.duration)
    yield from context.until(lambda: bool(_answers(context, state)) or is_over(state), deadline, "what comes next")
    context.observations.append(Observation(deed.what, _seen(context, state, deed)))


def _answers(context: Context, state: ActorState) -> list[Message]:
    """What came after our last message, and is neither a heartbeat nor the acknowledgement."""
    contract, sent = context.contract, context.conversation(state).sent
    since = sent[-1].t if sent else 0.0
    return [
        one
        for one in state.inbox
        if one.t >= since and not contract.pings(one.event) and not contract.acknowledges(one.event)
    ]


def _seen(context: Context, state: ActorState, deed: Observe) -> Phrase:
    answers = _answers(context, state)
    if answers:
        return phrase("seen-answer", text=context.record.shown(answers[0].text[:300]))
    if is_over(state):
        return ended_as(context.conversation(state)).changed(context.record.mask)
    return phrase("seen-nothing", seconds=context.seconds(deed.duration))


def _expect_alive(context: Context, deed: ExpectAlive) -> Script[None]:
    state = context.actors[deed.actor]
    conversation = context.conversation(state)
    deadline = context.now + context.seconds(deed.duration)
    if conversation.is_open:
        context.note(deed.actor, "out", "ping", PING.decode())
        yield from context.act(Send(deed.actor, (OutFrame(Opcode.PING, PING),)))

    def settled() -> bool:
        return is_over(state) or any(pong.data == PING for pong in state.controls)

    yield from context.until(settled, deadline, "a sign of life")
    if is_over(state):
        excuse_if_stalled(context)
        raise context.fail(
            phrase("not-kept-open"),
            deed.actor,
            charge=cause_of_end(context, state),
            expected=phrase("an-open-connection"),
            received=ended_as(conversation),
            absent="ended",
        )
    state.controls = [pong for pong in state.controls if pong.data != PING]


def _expect_replies(context: Context, deed: ExpectReplies) -> Script[None]:
    state = context.actors[deed.actor]
    conversation = context.conversation(state)
    history = History(context.record, context.contract, context.profile, 0.0, context.setting.time_scale)

    def open_ones() -> list[Asked]:
        return replies_of(history, conversation).open

    deadline = max((due(history, one.sent) for one in open_ones()), default=context.now)
    yield from owed(context, lambda: is_over(state) or not open_ones(), deadline, "replies", state)
    for one in open_ones()[:1]:
        names = [f"`{reply.name}`" for reply in one.request.replies]
        within = history.profile.response_timeout * history.scale
        raise context.fail(
            phrase("reply-missing", event=one.request.name),
            deed.actor,
            charge=cause_of_end(context, state),
            expected=phrase("reply-within", names=names, id=one.key, seconds=within),
            received=what_came(context, state),
            absent="ended" if is_over(state) else "timeout",
        )


OBSERVING: Mapping[type, Callable[[Context, Any], Script[None]]] = {
    Observe: _observe,
    ExpectAlive: _expect_alive,
    ExpectReplies: _expect_replies,
}
