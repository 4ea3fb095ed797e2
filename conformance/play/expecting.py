"""The steps that expect something. `within` is a deadline and never a sleep."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.language.awaited import (
    Alternative,
    Check,
    Expect,
    Expectation,
    ExpectHeartbeat,
    ExpectNothing,
    ExpectOne,
)
from conformance.language.matching import ABSENT, ANYTHING, matches, mismatches
from conformance.language.titles import quoted, title, told, whole
from conformance.language.values import Enough
from conformance.language.wording import described
from conformance.play.attribution import (
    Search,
    absence,
    broken_instead,
    cause_of_end,
    closed_for_heartbeat,
    ended_as,
    is_over,
    mute_codes,
    search,
    undelivered,
    what_came,
)
from conformance.play.connections import CONNECTIONS
from conformance.play.context import ActorState, Context, Failure, Script
from conformance.play.deadlines import owed
from conformance.play.endings import ENDINGS, close_with
from conformance.play.heartbeat import expect_heartbeat
from conformance.play.posts import nonce_of
from conformance.play.record import UNPARSED, Conversation, Message, cut, outer
from contract.findings import Phrase, Text, phrase
from contract.json_text import dump_json
from contract.paths import value_at

MOST_DIFFERENCES = 3
"""Members that are shown of a message that is not as expected."""


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """A message that is awaited, its values rendered."""

    of: Expectation
    match: Any

    def fits(self, context: Context, message: Message) -> bool:
        """Whether a message is this one."""
        return self.of.event in (None, message.event) and matches(self.match, message.value, context.meanings)


def _expect(context: Context, deed: Expect) -> Script[None]:
    state = context.actors[deed.actor]
    context.conversation(state)
    wanted = [Wanted(one, context.values.render(one.match)) for one in deed.of]
    yield from receive(context, state, wanted, context.now + context.seconds(deed.within), listed=deed.listed)


def receive(
    context: Context,
    state: ActorState,
    wanted: Sequence[Wanted],
    deadline: float,
    *,
    listed: bool,
    otherwise: Search | None = None,
) -> Script[None]:
    """Take messages from an inbox, until a time: those that must come, and those that may.

    In a list, what may come is passed over once a later one has come. Behind the last one that must come, what may is
    awaited for a quiet period. `otherwise` finds what comes instead, behind which nothing more does.
    """
    taken: list[Message] = []
    while wanted:
        must = [one for one in wanted if not one.of.optional]
        if not must and taken:
            deadline = min(deadline, context.now + context.seconds("quiet_period"))
        found = yield from _first(context, state, _candidates(wanted, listed=listed), deadline, otherwise)
        if found is None and otherwise is not None and (instead := otherwise()) is not None:
            raise _otherwise(context, state, must or wanted, instead)
        if found is None and must:
            raise _missing(context, state, must)
        if found is None:
            return
        hit, message = found
        state.inbox.remove(message)
        wanted = wanted[wanted.index(hit) + 1 :] if listed else [one for one in wanted if one is not hit]
        if listed and taken and _position(message) < _position(taken[-1]):
            context.failures.append(_out_of_order(context, state.actor.name, taken[-1], message))
        taken.append(message)
        _take(context, state.actor.name, hit.of, message)


def _candidates(wanted: Sequence[Wanted], *, listed: bool) -> Sequence[Wanted]:
    """What may come next: in a list, the first that must come, and what may come before it."""
    must = next((number for number, one in enumerate(wanted, 1) if not one.of.optional), len(wanted))
    return wanted[:must] if listed else wanted


def _first(
    context: Context, state: ActorState, candidates: Sequence[Wanted], deadline: float, otherwise: Search | None
) -> Script[tuple[Wanted, Message] | None]:
    searches = [(one, search(context, state, one.of.event, one.match)) for one in candidates]

    def arrived() -> bool:
        instead = otherwise is not None and otherwise() is not None
        return is_over(state) or instead or any(found() for _, found in searches)

    must = next((one for one in candidates if not one.of.optional), None)
    if must is None:
        yield from context.until(arrived, deadline, "optional messages")
    else:
        name = title(context.contract, must.of.event, must.match)
        yield from owed(context, arrived, deadline, name, state)
    return next(((one, message) for one, found in searches if (message := found()) is not None), None)


def _position(message: Message) -> int:
    return message.conversation.received.index(message)


def _out_of_order(context: Context, actor: str, before: Message, after: Message) -> Failure:
    texts = [cut(before.text, 200), cut(after.text, 200)]
    return context.failure(
        phrase("messages-out-of-order"),
        actor,
        expected=phrase("in-order", items=texts),
        received=phrase("in-order", items=texts[::-1]),
    )


def _otherwise(context: Context, state: ActorState, wanted: Sequence[Wanted], message: Message) -> Exception:
    return context.fail(
        phrase("replied-otherwise", events=_names(context, wanted)),
        state.actor.name,
        expected=phrase("came", items=[_shown(context, one) for one in wanted]),
        received=cut(message.text, 300),
    )


def _names(context: Context, wanted: Sequence[Wanted]) -> list[Text]:
    called = {str(name): name for name in (quoted(context.contract, one.of.event, one.match) for one in wanted)}
    return [called[name] for name in sorted(called)]


def _missing(context: Context, state: ActorState, wanted: Sequence[Wanted]) -> Exception:
    contract, actor, over = context.contract, state.actor.name, is_over(state)
    event = told(contract, wanted[0].of.event, wanted[0].match)
    names = _names(context, wanted)
    came = what_came(context, state, event)
    nearest = _nearest(context, state, event, wanted[0].match)
    if not over:
        name = title(contract, wanted[0].of.event, wanted[0].match)
        context.note(actor, "none", "timeout", phrase("note-missing", event=name or phrase("any-message")))
    if nearest is not None:
        message, came = phrase("came-otherwise", events=names), phrase("differs", items=nearest, came=came)
    else:
        message = phrase("ended-before" if over else "missing", events=names)
    ended, broken = cause_of_end(context, state), broken_instead(context, state, event)
    return context.fail(
        message,
        actor,
        charge=ended or broken or undelivered(context, state, event),
        expected=phrase("came", items=[_shown(context, one) for one in wanted]),
        received=came,
        absent=None if broken is not None and ended is None else absence(context, state, event),
    )


def _shown(context: Context, one: Wanted) -> Text:
    """An awaited message, for people."""
    pattern = whole(context.contract, one.of.event, one.match)
    if pattern is ANYTHING:
        return quoted(context.contract, one.of.event, one.match)
    return described(pattern, context.profile.error_codes)


def _nearest(context: Context, state: ActorState, event: str | None, match: Any) -> list[Phrase] | None:
    """How the message that comes closest to an expectation differs from it; None where none can be meant.

    Where the expectation has a nonce, that is what tells which message is meant.
    """
    found = [
        [*mismatches(match, one.value, context.meanings)]
        for one in outer(state.inbox)
        if one.value is not UNPARSED and (one.event == event if event is not None else not _is_beat(context, one))
    ]
    meant = [one for one in found if one and not any(nonce_of(dump_json(wanted)) for _, wanted, _ in one)]
    if not meant:
        return None
    codes = context.profile.error_codes
    return [
        phrase("difference", place=place or phrase("the-message"), wanted=described(wanted, codes), value=_value(value))
        for place, wanted, value in min(meant, key=len)[:MOST_DIFFERENCES]
    ]


def _is_beat(context: Context, message: Message) -> bool:
    return context.contract.pings(message.event)


def _value(value: Any) -> Text:
    return phrase("match-absent") if value is ABSENT else cut(dump_json(value), 300)


def _take(context: Context, actor: str, expectation: Expectation, message: Message) -> None:
    for name, path in expectation.capture.items():
        context.values.captured[name] = value_at(message.value, path)
    for check in expectation.checks:
        _check(context, actor, check, message)


def _check(context: Context, actor: str, check: Check, message: Message) -> None:
    context.decide(check.charge)
    wanted = context.values.render(check.match)
    if matches(wanted, message.value, context.meanings):
        return
    shown = described(wanted, context.profile.error_codes)
    text = check.message or phrase("not-as-expected")
    context.failures.append(context.failure(text, actor, charge=check.charge, expected=shown, received=message.text))


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
