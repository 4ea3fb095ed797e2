"""Expecting the end of a connection, a refusal, or that it stays open."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from conformance.language.awaited import ExpectClose, ExpectOpen, ExpectRefusal
from conformance.language.deed import Charge
from conformance.language.values import DisturbedError, InconclusiveError
from conformance.play.admission import retry_after
from conformance.play.attribution import Search, closed_for_heartbeat, ended_as, excuse_if_stalled, what_came
from conformance.play.context import ALLOWANCE, ActorState, Context, Script
from conformance.play.deadlines import owed
from conformance.play.handshakes import confirm_refusal
from conformance.play.record import Conversation
from conformance.transport.exchange import LOST
from contract.findings import Phrase, Text, phrase

CLOSE_CAUSE = "close-cause"
"""Charged where a connection is closed for the right cause with another code than the profile's."""


def close_with(codes: Iterable[int]) -> Phrase:
    """A close frame with one of these codes."""
    return phrase("close-with", codes=once(codes))


def once(values: Iterable[int]) -> list[str]:
    """Each value once, as text."""
    return list(dict.fromkeys(map(str, values)))


def _expect_close(context: Context, deed: ExpectClose) -> Script[None]:
    state = context.actors[deed.actor]
    conversation = context.conversation(state)
    codes = context.close_codes(deed.codes)
    start = context.now
    if deed.after == "first_ping":
        start = yield from _first_ping(context, state, conversation)
    deadline = start + context.seconds(deed.within)

    def over() -> bool:
        return conversation.close_received is not None or conversation.ended is not None

    what = "the server's close frame"
    # What the server may leave out is no promise.
    closed = yield from context.until(over, deadline, what) if deed.optional else owed(context, over, deadline, what)
    if not closed:
        if deed.optional:
            return
        context.note(deed.actor, "none", "timeout", phrase("still-open"))
        raise context.fail(
            phrase("not-closed"),
            deed.actor,
            expected=close_with(codes),
            received=what_came(context, state),
            absent="timeout",
        )
    received = conversation.close_received
    if received is not None:
        charge = context.charge(CLOSE_CAUSE)
        if charge is not None:
            context.decide(charge)
        if received.code in codes:
            return
    heartbeat = closed_for_heartbeat(context, state)
    if heartbeat is not None:
        raise context.fail(
            phrase("closed-for-heartbeat"),
            deed.actor,
            charge=heartbeat,
            received=ended_as(conversation),
            absent="ended",
        )
    failure = context.failure(
        phrase("ended-otherwise"),
        deed.actor,
        expected=close_with(codes),
        received=ended_as(conversation),
        absent="ended" if received is None else None,
    )
    context.failures.append(failure)
    if received is not None:
        _charge_close_code(context, deed.actor, codes, conversation)


def _first_ping(context: Context, state: ActorState, conversation: Conversation) -> Script[float]:
    """When the first ping came. Without one there is nothing that could have been left unanswered."""
    beat = context.profile.heartbeat
    deadline = context.now + beat.interval * (1 + beat.tolerance) + ALLOWANCE * context.setting.time_scale
    yield from context.until(lambda: bool(state.heartbeats) or not conversation.is_open, deadline, "the first ping")
    if not state.heartbeats:
        text = phrase("no-ping-to-leave", end=ended_as(conversation))
        raise DisturbedError(text) if context.stalled(0.0) > beat.interval / 10 else InconclusiveError(text)
    return state.heartbeats[0]


def _charge_close_code(context: Context, actor: str, codes: tuple[int, ...], conversation: Conversation) -> None:
    charge = context.charge(CLOSE_CAUSE)
    if charge is None:
        return
    context.failures.append(
        context.failure(
            phrase("other-close-code"),
            actor,
            charge=charge,
            expected=close_with(codes),
            received=ended_as(conversation),
        )
    )


def _expect_refusal(context: Context, deed: ExpectRefusal) -> Script[None]:
    state = context.actors[deed.actor]
    conversation = context.conversation(state)
    deadline = context.now + context.seconds("response_timeout")

    acknowledged = Search(state, lambda message: context.contract.acknowledges(message.event))

    def over() -> bool:
        return bool(conversation.refused or conversation.close_received or conversation.ended)

    yield from owed(context, lambda: over() or acknowledged() is not None, deadline, "a refusal")
    if acknowledged() is not None or (deed.plain and conversation.opened is not None):
        came = what_came(context, state)
        raise context.fail(phrase("accepted"), deed.actor, expected=phrase("a-refusal"), received=came)
    if not over():
        context.note(deed.actor, "none", "timeout", phrase("note-neither"))
        raise context.fail(
            phrase("not-refused"),
            deed.actor,
            expected=phrase("refused-or-closed"),
            received=what_came(context, state),
            absent="timeout",
        )
    refused = conversation.refused
    if refused is not None and refused.problem in LOST:
        raise DisturbedError(phrase("lost-handshake", detail=refused.detail))
    wrong = bool(deed.graded) and not _graded_well(context, deed, conversation)
    # What answers a plain GET wrongly is wrong, whatever others get; a refusal shows something beside the controls.
    if not (wrong and deed.plain and retry_after(refused) is None):
        yield from confirm_refusal(context)
    context.decide(Charge(deed.graded))
    if wrong:
        codes = context.close_codes(deed.codes)
        forms: list[Text] = [phrase("status", statuses=once(deed.statuses))]
        forms += [close_with(codes)] if codes else []
        context.failures.append(
            context.failure(
                phrase("other-refusal"),
                deed.actor,
                charge=Charge(deed.graded),
                expected=phrase("any-of", items=forms),
                received=ended_as(conversation),
            )
        )


def _graded_well(context: Context, deed: ExpectRefusal, conversation: Conversation) -> bool:
    if conversation.refused is not None:
        status = conversation.refused.status
        return status in deed.statuses or (400 in deed.statuses and status is not None and 400 <= status < 500)
    close = conversation.close_received
    return close is not None and close.code in context.close_codes(deed.codes)


def _expect_open(context: Context, deed: ExpectOpen) -> Script[None]:
    conversation = context.conversation(context.actors[deed.actor])
    deadline = context.now + context.seconds(deed.duration)
    yield from context.until(lambda: not conversation.is_open, deadline, "the end of the observation")
    if not conversation.is_open:
        excuse_if_stalled(context)
        raise context.fail(
            phrase("not-kept-open"),
            deed.actor,
            expected=phrase("an-open-connection"),
            received=ended_as(conversation),
            absent="ended",
        )


ENDINGS: Mapping[type, Callable[[Context, Any], Script[None]]] = {
    ExpectClose: _expect_close,
    ExpectRefusal: _expect_refusal,
    ExpectOpen: _expect_open,
}
