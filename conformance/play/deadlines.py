"""Waiting for what an endpoint owes: where a deadline passes, what held up the tester or the peer is added to it.

A server that answers too late is convicted. One that stood still, as did all around it, is not.
"""

from collections.abc import Callable

from conformance.language.values import DisturbedError, NotWaitedForError
from conformance.play.circuit_breaker import not_waited_for
from conformance.play.context import ActorState, Context, Script
from conformance.transport.exchange import OutFrame, Send
from contract.findings import phrase
from wire.frames import Opcode

STALLS_COUNT = 3.0
"""How much of what the tester was held up is added: server and network have shared the same machine."""

MOST = 3.0
"""A wait never lasts longer than so many times what was promised. A tester that was held up for as long as was promised
has not looked on for long enough to say that nothing came."""

SLUGGISH = 0.5
"""Seconds after which the answer to a ping frame shows a peer that stood still."""

PROBE_LIMIT = 2.0
"""Seconds that the answer to such a ping frame is waited for."""


def owed(
    context: Context, condition: Callable[[], bool], deadline: float, waiting_for: str, state: ActorState | None = None
) -> Script[bool]:
    """Wait until a condition holds that the endpoint has promised until `deadline`; whether it came to hold.

    `state` is the actor whose connection is asked by a ping frame, in the end, whether the peer stands still. Raises
    `NotWaitedForError` where it did not come several times before, and does not come soon, and `DisturbedError` where
    this tester was held up for too long to tell.
    """
    start, breaker, wait = context.now, context.setting.breaker, context.step_wait
    patience = breaker.patience(wait, context.setting.time_scale)
    if patience is not None and deadline - start > patience:
        came = yield from context.until(condition, start + patience, waiting_for)
        if not came:
            raise NotWaitedForError(not_waited_for())
    else:
        came = yield from _to_the_end(context, condition, deadline, waiting_for, state)
    if came:
        breaker.came(wait, context.now - start)
    elif deadline > start:
        breaker.missed(wait)
    return came


def _to_the_end(
    context: Context, condition: Callable[[], bool], deadline: float, waiting_for: str, state: ActorState | None
) -> Script[bool]:
    start = context.now
    limit = start + MOST * (deadline - start)
    due = deadline
    while not (yield from context.until(condition, due, waiting_for)):
        due = min(deadline + STALLS_COUNT * context.record.held_up(start), limit)
        if due <= context.now:
            break
    if not condition() and state is not None and (yield from _stood_still(context, state, condition)):
        yield from context.until(condition, context.now + (deadline - start), waiting_for)
    if not condition() and deadline > start:
        excuse_if_held_up(context, start, deadline - start)
    return condition()


def excuse_if_held_up(context: Context, since: float, wait: float) -> None:
    """Raise `DisturbedError` where this tester was held up after `since` for as long as it was to wait (seconds)."""
    held_up = context.record.held_up(since)
    if held_up >= wait:
        raise DisturbedError(phrase("held-up", seconds=held_up))


def _stood_still(context: Context, state: ActorState, condition: Callable[[], bool]) -> Script[bool]:
    conversation = state.conversation
    if conversation is None or conversation.opened is None or not conversation.is_open or conversation.closing:
        return False
    sent, answered = context.now, len(state.echoes)
    frame = OutFrame(Opcode.PING, b"lag-probe")
    yield from context.act(Send(state.actor.name, (frame,)))
    yield from context.until(
        lambda: condition() or len(state.echoes) > answered or not conversation.is_open,
        sent + PROBE_LIMIT * context.setting.time_scale,
        "a sign of life",
    )
    return len(state.echoes) > answered and state.echoes[-1].t - sent > SLUGGISH * context.setting.time_scale
