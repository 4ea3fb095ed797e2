"""The steps that expect something. `within` is a deadline and never a sleep."""

from collections.abc import Callable, Mapping
from typing import Any

from conformance.actions import LOST
from conformance.blame import (
    Search,
    absence,
    broken_instead,
    cause_of_end,
    closed_for_heartbeat,
    ended_as,
    is_over,
    search,
    undelivered,
    what_came,
)
from conformance.endings import ENDINGS
from conformance.handshakes import confirm_refusal
from conformance.heartbeat import expect_heartbeat
from conformance.matching import describe, matches
from conformance.patience import owed
from conformance.record import Conversation, Message
from conformance.scenario import (
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
from conformance.stage import ActorState, Failure, Script, Stage, show
from conformance.values import Enough


def _expect(stage: Stage, deed: Expect) -> Script[None]:
    state = stage.actors[deed.actor]
    stage.conversation(state)
    deadline = stage.now + stage.seconds(deed.within)
    wanted = list(deed.of)
    taken: list[Message] = []
    rendered = {id(one): stage.values.render(one.match) for one in wanted}
    while wanted:
        candidates = wanted[:1] if deed.listed else list(wanted)

        searches = [(one, search(stage, state, one.event, rendered[id(one)])) for one in candidates]

        def arrived(searches: list[tuple[Expectation, Search]] = searches) -> bool:
            return is_over(state) or any(found() for _, found in searches)

        yield from owed(stage, arrived, deadline, f"{deed.actor}: {candidates[0].event}", state)
        hit, message = next(((one, found()) for one, found in searches if found()), (None, None))
        if hit is None or message is None:
            raise _missing(stage, deed.actor, state, [(one.event, rendered[id(one)]) for one in wanted])
        state.inbox.remove(message)
        wanted.remove(hit)
        if deed.listed and taken and _position(message) < _position(taken[-1]):
            stage.failures.append(_out_of_order(stage, deed.actor, taken[-1], message))
        taken.append(message)
        _take(stage, deed.actor, hit, message)


def _position(message: Message) -> int:
    return message.conversation.received.index(message)


def _out_of_order(stage: Stage, actor: str, before: Message, after: Message) -> Failure:
    return stage.failure(
        "the messages arrived in another order",
        actor,
        expected=f"{show(before.text, 200)} before {show(after.text, 200)}",
        received="the reverse",
    )


def _missing(stage: Stage, actor: str, state: ActorState, wanted: list[tuple[str | None, Any]]) -> Exception:
    over = is_over(state)
    if not over:
        stage.note(actor, "none", "timeout", f"no {wanted[0][0]} in time")
    expected = [{"event": event, **describe(match, stage.profile.error_codes)} for event, match in wanted]
    what = " and ".join(sorted({f"`{event}`" for event, _ in wanted}))
    message = f"the connection ended before {what}" if over else f"{what} did not arrive in time"
    ended, broken = cause_of_end(stage, state), broken_instead(stage, state, wanted[0][0])
    return stage.fail(
        message,
        actor,
        charge=ended or broken or undelivered(stage, state, wanted[0][0]),
        expected=expected[0] if len(expected) == 1 else expected,
        received=what_came(state),
        absent=None if broken is not None and ended is None else absence(stage, state, wanted[0][0]),
    )


def _take(stage: Stage, actor: str, expectation: Expectation, message: Message) -> None:
    for name, path in expectation.capture.items():
        value: Any = message.value
        for part in path.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        stage.values.captured[name] = value
    for check in expectation.checks:
        _check(stage, actor, check, message)


def _check(stage: Stage, actor: str, check: Check, message: Message) -> None:
    stage.decide(check.charge)
    wanted = stage.values.render(check.match)
    if matches(wanted, message.value, stage.profile.error_codes):
        return
    shown = describe(wanted, stage.profile.error_codes)
    text = check.message or "the message is not as it must be"
    stage.failures.append(stage.failure(text, actor, charge=check.charge, expected=shown, received=message.text))


def _expect_one(stage: Stage, deed: ExpectOne) -> Script[None]:
    state = stage.actors[deed.actor]
    conversation = stage.conversation(state)
    deadline = stage.now + stage.seconds(deed.within)
    rendered = [stage.values.render(one.match or {}) for one in deed.of]
    events = {one.event for one in deed.of}

    searches = [search(stage, state, one.event, match) for one, match in zip(deed.of, rendered, strict=True)]
    first = Search(state, lambda message: message.event in events)

    def message_for(index: int) -> Message | None:
        if not deed.next:
            return searches[index]()
        message = first()
        if message is None or message.event != deed.of[index].event:
            return None
        return message if matches(rendered[index], message.value, stage.profile.error_codes) else None

    def outcome() -> tuple[Alternative, Message | None] | None:
        for index, one in enumerate(deed.of):
            if one.event is not None:
                message = message_for(index)
                if message is not None:
                    return one, message
            elif _has_ended(stage, conversation, one):
                return one, None
        return None

    def settled() -> bool:
        wrong_one = deed.next and first() is not None
        return wrong_one or outcome() is not None or conversation.ended is not None

    yield from owed(stage, settled, deadline, f"{deed.actor}: one of {len(deed.of)} outcomes", state)
    found = outcome()
    if found is None:
        expected = [_alternative_in_words(stage, one) for one in deed.of]
        raise stage.fail(
            "none of the permitted outcomes came",
            deed.actor,
            # Where an end was owed, one for the heartbeat came instead of it, and proves nothing else.
            charge=None if any(one.closed for one in deed.of) else cause_of_end(stage, state),
            expected=expected,
            received=what_came(state),
            absent=None if deed.next and first() is not None else absence(stage, state, None),
        )
    alternative, message = found
    if message is not None:
        state.inbox.remove(message)
    elif alternative.fails is not None and closed_for_heartbeat(stage, state) is not None:
        raise stage.fail(
            "the connection was closed for its heartbeat",
            deed.actor,
            charge=closed_for_heartbeat(stage, state),
            received=ended_as(conversation),
            absent="ended",
        )
    for one in deed.of:
        # A mere end of TCP has no code that could be another.
        if one.fails is not None and (message is not None or conversation.close_received is not None):
            stage.decide(one.fails.charge)
    if alternative.fails is not None:
        check = alternative.fails
        stage.failures.append(
            stage.failure(
                check.message or "only a tolerated outcome came",
                deed.actor,
                charge=check.charge,
                expected=_alternative_in_words(stage, deed.of[0]),
                received=message.text if message is not None else ended_as(conversation),
            )
        )
    if alternative.enough:
        raise Enough


def _has_ended(stage: Stage, conversation: Conversation, one: Alternative) -> bool:
    """Whether the connection ended in the way of an alternative."""
    close = conversation.close_received
    if close is None:
        return one.end and conversation.ended is not None
    heartbeat = close.code == stage.profile.close_codes["heartbeat_timeout"]
    return (one.closed and not heartbeat) or (bool(one.close) and close.code in stage.close_codes(one.close))


def _alternative_in_words(stage: Stage, one: Alternative) -> str:
    if one.event is not None:
        return f"`{one.event}`"
    if one.closed:
        return "a close frame"
    if one.end:
        return "the end of the TCP connection"
    return "a close frame with " + " or ".join(str(code) for code in stage.close_codes(one.close))


def _expect_nothing(stage: Stage, deed: ExpectNothing) -> Script[None]:
    states = [stage.actors[name] for name in deed.actors]
    match = stage.values.render(deed.match)
    deadline = stage.now + stage.seconds(deed.duration)

    searches = [(state, search(stage, state, deed.event, match)) for state in states]

    def offender() -> tuple[ActorState, Message] | None:
        for state, found in searches:
            message = found()
            if message is not None:
                return state, message
        return None

    yield from stage.until(lambda: offender() is not None, deadline, f"{', '.join(deed.actors)}: the end of a silence")
    found = offender()
    if found is not None:
        state, message = found
        raise stage.fail(
            "a message arrived that must not",
            state.actor.name,
            expected=f"no `{deed.event or 'message'}` such as {show(describe(match, stage.profile.error_codes), 300)}",
            received=message.text,
        )


def _expect_handshake(stage: Stage, deed: ExpectHandshake) -> Script[None]:
    """The answer was checked when the connection opened; a plain refusal is no wrong answer."""
    refused = stage.conversation(stage.actors[deed.actor]).refused
    if refused is not None and refused.problem in ("accept", "negotiation"):
        raise stage.fail(
            "the handshake's answer is wrong",
            deed.actor,
            expected="the right accept key, and nothing that was not offered",
            received=refused.detail,
        )
    yield from ()


def _expect_declined(stage: Stage, deed: ExpectDeclined) -> Script[None]:
    """Declined: accepted without the extension. Our library refuses the extension that it did not offer itself."""
    conversation = stage.conversation(stage.actors[deed.actor])
    refused = conversation.refused
    declined = conversation.opened is not None or (
        refused is not None and refused.status is not None and 400 <= refused.status < 500
    )
    if refused is not None and refused.status is not None:
        yield from confirm_refusal(stage)
    if not declined:
        received = refused.detail if refused is not None else "no answer"
        raise stage.fail(
            "the malformed offer was not declined",
            deed.actor,
            expected="an answer without the extension, or a 4xx status",
            received=received,
            absent="timeout" if refused is None else "refused" if refused.problem in LOST else None,
        )
    yield from ()


def _need_compression(stage: Stage, deed: NeedCompression) -> Script[None]:
    opened = stage.conversation(stage.actors[deed.actor]).opened
    if opened is None or not opened.compressed:
        stage.note(deed.actor, "none", "note", "the server declined permessage-deflate, as it may")
        raise Enough
    yield from ()


def _expect_pong(stage: Stage, deed: ExpectPong) -> Script[None]:
    state = stage.actors[deed.actor]
    stage.conversation(state)
    deadline = stage.now + stage.seconds(deed.within)
    payload = deed.payload

    looked = 0

    def answered() -> bool:
        nonlocal looked
        looked, start = len(state.controls), looked
        return any(pong.data == payload for pong in state.controls[start:])

    yield from owed(stage, lambda: answered() or is_over(state), deadline, f"{deed.actor}: a pong frame")
    if any(pong.data == payload for pong in state.controls):
        state.controls = [pong for pong in state.controls if pong.data != payload]
        return
    others = [pong.data.decode("utf-8", "backslashreplace") for pong in state.controls[-3:]]
    raise stage.fail(
        "the ping frame was not answered with a pong frame of its payload",
        deed.actor,
        expected=f"a pong frame with {payload.decode('utf-8', 'backslashreplace')!r}",
        received=f"pong frames with {others}" if others else what_came(state),
        absent=absence(stage, state, None),
    )


EXPECTATIONS: Mapping[type, Callable[[Stage, Any], Script[None]]] = {
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
