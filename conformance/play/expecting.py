"""The steps that expect something. `within` is a deadline and never a sleep."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from conformance.language.awaited import (
    Alternative,
    Expect,
    ExpectHeartbeat,
    ExpectNothing,
    ExpectOne,
)
from conformance.language.matching import ANYTHING, matches
from conformance.language.titles import quoted
from conformance.language.values import Enough
from conformance.language.wording import described
from conformance.play.attribution import (
    Search,
    absence,
    cause_of_end,
    closed_for_heartbeat,
    ended_as,
    mute_codes,
    search,
    what_came,
)
from conformance.play.connections import CONNECTIONS
from conformance.play.context import ActorState, Context, Script
from conformance.play.deadlines import owed
from conformance.play.endings import ENDINGS, close_with
from conformance.play.heartbeat import expect_heartbeat
from conformance.play.receiving import Wanted, receive
from conformance.play.record import Conversation, Message
from contract.findings import Phrase, Text, phrase


def _expect(context: Context, deed: Expect) -> Script[None]:
    state = context.actors[deed.actor]
    context.conversation(state)
    wanted = [Wanted(one, context.values.render(one.match)) for one in deed.of]
    yield from receive(context, state, wanted, context.now + context.seconds(deed.within), listed=deed.listed)


def _expect_one(context: Context, deed: ExpectOne) -> Script[None]:
    state = context.actors[deed.actor]
    conversation = context.conversation(state)
    deadline = context.now + context.seconds(deed.within)
    rendered = [context.values.render(one.match) for one in deed.of]
    events = {one.event for one in deed.of if one.message}

    searches = [search(context, state, one.event, match) for one, match in zip(deed.of, rendered, strict=True)]
    first = Search(state, lambda message: message.event in events or None in events)

    def message_for(index: int) -> Message | None:
        if not deed.next:
            return searches[index]()
        message = first()
        if message is None or deed.of[index].event not in (None, message.event):
            return None
        return message if matches(rendered[index], message.value, context.meanings) else None

    def outcome() -> tuple[Alternative, Message | None] | None:
        for index, one in enumerate(deed.of):
            if one.message:
                message = message_for(index)
                if message is not None:
                    return one, message
            elif _has_ended(context, conversation, one):
                return one, None
        return None

    def settled() -> bool:
        wrong_one = deed.next and first() is not None
        return wrong_one or outcome() is not None or conversation.ended is not None

    yield from owed(context, settled, deadline, f"one of {len(deed.of)} outcomes", state)
    found = outcome()
    if found is None:
        raise context.fail(
            phrase("none-permitted"),
            deed.actor,
            # Where an end was owed, one for the heartbeat came instead of it, and proves nothing else.
            charge=None if any(one.closed for one in deed.of) else cause_of_end(context, state),
            expected=_any_of(_outcome(context, one) for one in deed.of if one.fails is None or one is deed.of[0]),
            received=what_came(context, state),
            absent=None if deed.next and first() is not None else absence(context, state, None),
        )
    alternative, message = found
    if message is not None:
        state.inbox.remove(message)
    elif alternative.fails is not None and closed_for_heartbeat(context, state) is not None:
        raise context.fail(
            phrase("closed-for-heartbeat"),
            deed.actor,
            charge=closed_for_heartbeat(context, state),
            received=ended_as(conversation),
            absent="ended",
        )
    for one in deed.of:
        # A mere end of TCP has no code that could be another.
        if one.fails is not None and (message is not None or conversation.close_received is not None):
            context.decide(one.fails.charge)
    if alternative.fails is not None:
        check = alternative.fails
        context.failures.append(
            context.failure(
                check.message or phrase("only-tolerated"),
                deed.actor,
                charge=check.charge,
                expected=_outcome(context, deed.of[0]),
                received=message.text if message is not None else ended_as(conversation),
            )
        )
    if alternative.enough:
        raise Enough


def _has_ended(context: Context, conversation: Conversation, one: Alternative) -> bool:
    """Whether the connection ended in the way of an alternative."""
    close = conversation.close_received
    if close is None:
        return one.end and conversation.ended is not None
    heartbeat = close.code in mute_codes(context)
    if heartbeat and conversation.unread_since is not None:
        return one.closed or one.end  # it left pings unread, and may have been cut off for it
    return (one.closed and not heartbeat) or (bool(one.close) and close.code in context.close_codes(one.close))


def _any_of(outcomes: Iterable[Text]) -> Phrase:
    """Several outcomes that look alike to people are one."""
    return phrase("any-of", items={str(one): one for one in outcomes}.values())


def _outcome(context: Context, one: Alternative) -> Text:
    if one.message:
        return quoted(context.contract, one.event, one.match)
    if one.closed:
        return phrase("a-close-frame")
    return phrase("tcp-end") if one.end else close_with(context.close_codes(one.close))


def _expect_nothing(context: Context, deed: ExpectNothing) -> Script[None]:
    states = [context.actors[name] for name in deed.actors]
    match = context.values.render(deed.match)
    deadline = context.now + context.seconds(deed.duration)

    searches = [(state, search(context, state, deed.event, match)) for state in states]

    def offender() -> tuple[ActorState, Message] | None:
        for state, found in searches:
            message = found()
            if message is not None:
                return state, message
        return None

    yield from context.until(lambda: offender() is not None, deadline, "the end of a quiet period")
    found = offender()
    if found is not None:
        state, message = found
        event = quoted(context.contract, deed.event, ANYTHING)
        shown = described(match, context.profile.error_codes)
        raise context.fail(
            phrase("must-not-arrive"),
            state.actor.name,
            expected=phrase("no-such-event", event=event, match=shown)
            if match not in ({}, ANYTHING)
            else phrase("no-event", event=event),
            received=message.text,
        )


EXPECTATIONS: Mapping[type, Callable[[Context, Any], Script[None]]] = {
    Expect: _expect,
    ExpectOne: _expect_one,
    ExpectNothing: _expect_nothing,
    ExpectHeartbeat: expect_heartbeat,
    **CONNECTIONS,
    **ENDINGS,
}
