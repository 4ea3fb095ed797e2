"""The steps that expect something. `within` is a deadline and never a sleep."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from conformance.language.awaited import (
    Alternative,
    Check,
    Expect,
    Expectation,
    ExpectDeclined,
    ExpectHandshake,
    ExpectHeartbeat,
    ExpectNothing,
    ExpectOne,
    ExpectPong,
    NeedCompression,
)
from conformance.language.matching import ABSENT, described, matches, mismatches
from conformance.language.values import Enough
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
from conformance.play.context import ActorState, Context, Failure, Script
from conformance.play.deadlines import owed
from conformance.play.endings import ENDINGS, close_with
from conformance.play.handshakes import confirm_refusal
from conformance.play.heartbeat import expect_heartbeat
from conformance.play.posts import nonce_of
from conformance.play.record import UNPARSED, Conversation, Message, cut, outer
from conformance.transport.exchange import LOST
from contract.findings import Phrase, Text, phrase
from contract.json_text import dump_json
from contract.paths import value_at

MOST_DIFFERENCES = 3
"""Members that are shown of a message that is not as expected."""


def _expect(context: Context, deed: Expect) -> Script[None]:
    state = context.actors[deed.actor]
    context.conversation(state)
    deadline = context.now + context.seconds(deed.within)
    wanted = list(deed.of)
    taken: list[Message] = []
    rendered = {id(one): context.values.render(one.match) for one in wanted}
    while wanted:
        candidates = wanted[:1] if deed.listed else list(wanted)

        searches = [(one, search(context, state, one.event, rendered[id(one)])) for one in candidates]

        def arrived(searches: list[tuple[Expectation, Search]] = searches) -> bool:
            return is_over(state) or any(found() for _, found in searches)

        yield from owed(context, arrived, deadline, candidates[0].event or "a message", state)
        hit, message = next(((one, found()) for one, found in searches if found()), (None, None))
        if hit is None or message is None:
            raise _missing(context, deed.actor, state, [(one.event, rendered[id(one)]) for one in wanted])
        state.inbox.remove(message)
        wanted.remove(hit)
        if deed.listed and taken and _position(message) < _position(taken[-1]):
            context.failures.append(_out_of_order(context, deed.actor, taken[-1], message))
        taken.append(message)
        _take(context, deed.actor, hit, message)


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


def _missing(context: Context, actor: str, state: ActorState, wanted: list[tuple[str | None, Any]]) -> Exception:
    over, event = is_over(state), wanted[0][0]
    names = list({str(name): _name(name) for name, _ in wanted}.values())
    came = what_came(context, state, event)
    nearest = _nearest(context, state, *wanted[0])
    if not over:
        context.note(actor, "none", "timeout", phrase("note-missing", event=event or phrase("any-message")))
    if nearest is not None:
        message, came = phrase("came-otherwise", events=names), phrase("differs", items=nearest, came=came)
    else:
        message = phrase("ended-before" if over else "missing", events=names)
    expected = [_described(context, name, match) for name, match in wanted]
    ended, broken = cause_of_end(context, state), broken_instead(context, state, event)
    return context.fail(
        message,
        actor,
        charge=ended or broken or undelivered(context, state, event),
        expected=phrase("came", items=expected),
        received=came,
        absent=None if broken is not None and ended is None else absence(context, state, event),
    )


def _name(event: str | None) -> Text:
    return phrase("any-message") if event is None else f"`{event}`"


def _described(context: Context, event: str | None, match: Any) -> Text:
    whole = match if event is None or not isinstance(match, dict) else {"event": event, **match}
    return described(whole, context.profile.error_codes)


def _nearest(context: Context, state: ActorState, event: str | None, match: Any) -> list[Phrase] | None:
    """How the message that comes closest to an expectation differs from it; None where none can be meant.

    Where the expectation has a nonce, that is what tells which message is meant.
    """
    codes = context.profile.error_codes
    found = [
        [*mismatches(match, one.value, codes)]
        for one in outer(state.inbox)
        if one.event == event and one.value is not UNPARSED
    ]
    meant = [one for one in found if one and not any(nonce_of(dump_json(wanted)) for _, wanted, _ in one)]
    if not meant:
        return None
    return [
        phrase("difference", place=place, wanted=described(wanted, codes), value=_value(value))
        for place, wanted, value in min(meant, key=len)[:MOST_DIFFERENCES]
    ]


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
    if matches(wanted, message.value, context.profile.error_codes):
        return
    shown = described(wanted, context.profile.error_codes)
    text = check.message or phrase("not-as-expected")
    context.failures.append(context.failure(text, actor, charge=check.charge, expected=shown, received=message.text))


def _expect_one(context: Context, deed: ExpectOne) -> Script[None]:
    state = context.actors[deed.actor]
    conversation = context.conversation(state)
    deadline = context.now + context.seconds(deed.within)
    rendered = [context.values.render(one.match or {}) for one in deed.of]
    events = {one.event for one in deed.of}

    searches = [search(context, state, one.event, match) for one, match in zip(deed.of, rendered, strict=True)]
    first = Search(state, lambda message: message.event in events)

    def message_for(index: int) -> Message | None:
        if not deed.next:
            return searches[index]()
        message = first()
        if message is None or message.event != deed.of[index].event:
            return None
        return message if matches(rendered[index], message.value, context.profile.error_codes) else None

    def outcome() -> tuple[Alternative, Message | None] | None:
        for index, one in enumerate(deed.of):
            if one.event is not None:
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
    if one.event is not None:
        return f"`{one.event}`"
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
        event: Text = f"`{deed.event}`" if deed.event else phrase("any-message")
        shown = described(match, context.profile.error_codes)
        raise context.fail(
            phrase("must-not-arrive"),
            state.actor.name,
            expected=phrase("no-such-event", event=event, match=shown) if match else phrase("no-event", event=event),
            received=message.text,
        )


def _expect_handshake(context: Context, deed: ExpectHandshake) -> Script[None]:
    """The answer was checked when the connection opened; a plain refusal is no wrong answer."""
    refused = context.conversation(context.actors[deed.actor]).refused
    if refused is not None and refused.problem in ("accept", "negotiation"):
        raise context.fail(
            phrase("handshake-wrong"),
            deed.actor,
            expected=phrase("handshake-right"),
            received=refused.detail,
        )
    yield from ()


def _expect_declined(context: Context, deed: ExpectDeclined) -> Script[None]:
    """Declined: accepted without the extension. Our library refuses the extension that it did not offer itself."""
    conversation = context.conversation(context.actors[deed.actor])
    refused = conversation.refused
    declined = conversation.opened is not None or (
        refused is not None and refused.status is not None and 400 <= refused.status < 500
    )
    if refused is not None and refused.status is not None:
        yield from confirm_refusal(context)
    if not declined:
        received = refused.detail if refused is not None else phrase("nothing-came")
        raise context.fail(
            phrase("offer-not-declined"),
            deed.actor,
            expected=phrase("a-declined-offer"),
            received=received,
            absent="timeout" if refused is None else "refused" if refused.problem in LOST else None,
        )
    yield from ()


def _need_compression(context: Context, deed: NeedCompression) -> Script[None]:
    opened = context.conversation(context.actors[deed.actor]).opened
    if opened is None or not opened.compressed:
        context.note(deed.actor, "none", "note", phrase("note-declined"))
        raise Enough
    yield from ()


def _expect_pong(context: Context, deed: ExpectPong) -> Script[None]:
    state = context.actors[deed.actor]
    context.conversation(state)
    deadline = context.now + context.seconds(deed.within)
    payload = deed.payload

    looked = 0

    def answered() -> bool:
        nonlocal looked
        looked, start = len(state.controls), looked
        return any(pong.data == payload for pong in state.controls[start:])

    yield from owed(context, lambda: answered() or is_over(state), deadline, "a pong frame")
    if any(pong.data == payload for pong in state.controls):
        state.controls = [pong for pong in state.controls if pong.data != payload]
        return
    if deed.or_end and is_over(state):
        return
    others = [_printed(pong.data) for pong in state.controls[-3:]]
    raise context.fail(
        phrase("ping-unanswered"),
        deed.actor,
        expected=phrase("pongs", payloads=[_printed(payload)]),
        received=phrase("pongs", payloads=others) if others else what_came(context, state),
        absent=absence(context, state, None),
    )


def _printed(payload: bytes) -> str:
    return repr(payload.decode("utf-8", "backslashreplace"))


EXPECTATIONS: Mapping[type, Callable[[Context, Any], Script[None]]] = {
    Expect: _expect,
    ExpectOne: _expect_one,
    ExpectNothing: _expect_nothing,
    ExpectHandshake: _expect_handshake,
    ExpectDeclined: _expect_declined,
    NeedCompression: _need_compression,
    ExpectPong: _expect_pong,
    ExpectHeartbeat: expect_heartbeat,
    **ENDINGS,
}
