"""The steps that expect something. `within` is a deadline and never a sleep."""

from collections.abc import Callable, Mapping
from typing import Any

from conformance.actions import Close, Opcode, OutFrame, Send
from conformance.matching import describe, matches
from conformance.record import UNPARSED, Conversation, Message
from conformance.scenario import (
    Alternative,
    Charge,
    Check,
    Expect,
    Expectation,
    ExpectClose,
    ExpectDeclined,
    ExpectHandshake,
    ExpectHeartbeat,
    ExpectNothing,
    ExpectOne,
    ExpectOpen,
    ExpectPong,
    ExpectRefusal,
    NeedCompression,
)
from conformance.stage import ALLOWANCE, ActorState, Failure, Script, Stage, show
from conformance.values import Enough, InconclusiveError

CLOSE_CODE_REQUIREMENT = "CLOSE-04"
"""Charged where a connection is closed for the right cause with another code than the profile's."""


def ended_as(conversation: Conversation) -> str:
    """How a connection stands, for people."""
    if conversation.refused is not None:
        return f"handshake refused: {conversation.refused.status or conversation.refused.detail}"
    if conversation.close_received is not None:
        code = conversation.close_received.code
        reason = f" ({conversation.close_received.reason})" if conversation.close_received.reason else ""
        return f"closed with {'no code' if code is None else code}{reason}"
    if conversation.ended is not None:
        detail = f": {conversation.ended.detail}" if conversation.ended.detail else ""
        return f"TCP connection ended without a close frame ({conversation.ended.how}{detail})"
    return "the connection is open"


def _over(state: ActorState) -> bool:
    return state.conversation is not None and not state.conversation.is_open


def _found(stage: Stage, state: ActorState, event: str | None, match: Mapping[str, Any] | None) -> Message | None:
    """The first message of the inbox that matches; it stays there."""
    for message in state.inbox:
        if event is not None and message.event != event:
            continue
        if message.value is not UNPARSED and matches(match or {}, message.value, stage.profile.error_codes):
            return message
    return None


def _unexpected(state: ActorState) -> str:
    """What is there instead of what was expected: the inbox's newest messages, or the end."""
    parts = [show(message.text, 300) for message in state.inbox[-3:]]
    if state.conversation is not None and not state.conversation.is_open:
        parts.append(ended_as(state.conversation))
    return "; ".join(parts) or "nothing"


# Messages


def _expect(stage: Stage, deed: Expect) -> Script[None]:
    state = stage.actors[deed.actor]
    stage.conversation(state)
    deadline = stage.now + stage.seconds(deed.within)
    wanted = list(deed.of)
    taken: list[Message] = []
    rendered = {id(one): stage.values.render(one.match) for one in wanted}
    while wanted:
        candidates = wanted[:1] if deed.listed else list(wanted)

        def arrived(candidates: list[Expectation] = candidates) -> bool:
            return _over(state) or any(_found(stage, state, one.event, rendered[id(one)]) for one in candidates)

        yield from stage.until(arrived, deadline, f"{deed.actor}: {candidates[0].event}")
        hit = next((one for one in candidates if _found(stage, state, one.event, rendered[id(one)])), None)
        if hit is None:
            raise _missing(stage, deed.actor, state, [(one.event, rendered[id(one)]) for one in wanted])
        message = _found(stage, state, hit.event, rendered[id(hit)])
        assert message is not None
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
    over = _over(state)
    if not over:
        stage.note(actor, "none", "timeout", f"no {wanted[0][0]} in time")
    expected = [{"event": event, **describe(match, stage.profile.error_codes)} for event, match in wanted]
    what = " and ".join(sorted({f"`{event}`" for event, _ in wanted}))
    message = f"the connection ended before {what}" if over else f"{what} did not arrive in time"
    return stage.fail(
        message,
        actor,
        charge=_cause_of_end(stage, state) or _broken_instead(stage, state),
        expected=expected[0] if len(expected) == 1 else expected,
        received=_unexpected(state),
    )


def _cause_of_end(stage: Stage, state: ActorState) -> Charge | None:
    """What an unexpected end is charged to, where the connection itself tells; None: to the step.

    An answering client was closed for its heartbeat (HB-03), or an error came before the end (ERR-07).
    """
    conversation = state.conversation
    if conversation is None or conversation.is_open:
        return None
    close = conversation.close_received
    heartbeat_timeout = stage.profile.close_codes["heartbeat_timeout"]
    if close is not None and close.code == heartbeat_timeout and state.actor.heartbeat != "ignore":
        return Charge(("HB-03",), "MUST")
    delivery = stage.contract.delivery
    consumed = [one for one in conversation.received if one not in state.inbox]
    if delivery is not None and any(one.event == delivery.error["event"] for one in consumed):
        return Charge(("ERR-07",), "SHOULD")
    return None


def _broken_instead(stage: Stage, state: ActorState) -> Charge | None:
    """What was waited for may have come, but broken beyond recognition: that is charged then (ENV-01 to ENV-03)."""
    for message in state.inbox:
        if message.value is UNPARSED or message.opcode != Opcode.TEXT:
            return Charge(("ENV-01",), "MUST")
        if stage.contract.check_envelope(message.value):
            return Charge(("ENV-02",), "MUST")
        if message.event in stage.contract.events and stage.contract.check_payload(
            message.event, message.value["payload"]
        ):
            return Charge(("ENV-03",), "MUST")
    return None


def _take(stage: Stage, actor: str, expectation: Expectation, message: Message) -> None:
    for name, path in expectation.capture.items():
        value: Any = message.value
        for part in path.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        stage.values.captured[name] = value
    for check in expectation.checks:
        _check(stage, actor, check, message)


def _check(stage: Stage, actor: str, check: Check, message: Message) -> None:
    wanted = stage.values.render(check.match)
    if matches(wanted, message.value, stage.profile.error_codes):
        return
    shown = describe(wanted, stage.profile.error_codes)
    text = check.message or "the message is not as it must be"
    stage.failures.append(
        stage.failure(text, actor, charge=check.charge, expected=shown, received=message.text)
    )


def _expect_one(stage: Stage, deed: ExpectOne) -> Script[None]:
    state = stage.actors[deed.actor]
    conversation = stage.conversation(state)
    deadline = stage.now + stage.seconds(deed.within)
    rendered = [stage.values.render(one.match or {}) for one in deed.of]
    events = {one.event for one in deed.of}

    def message_for(one: Alternative, match: Any) -> Message | None:
        if not deed.next:
            return _found(stage, state, one.event, match)
        first = next((message for message in state.inbox if message.event in events), None)
        fits = first is not None and first.event == one.event
        return first if fits and matches(match, first.value, stage.profile.error_codes) else None  # type: ignore[union-attr]

    def outcome() -> tuple[Alternative, Message | None] | None:
        for one, match in zip(deed.of, rendered, strict=True):
            if one.event is not None:
                message = message_for(one, match)
                if message is not None:
                    return one, message
            elif one.closed and conversation.close_received is not None:
                return one, None
            elif one.end and conversation.ended is not None and conversation.close_received is None:
                return one, None
            elif one.close and conversation.close_received is not None:
                if conversation.close_received.code in stage.close_codes(one.close):
                    return one, None
        return None

    def settled() -> bool:
        wrong_one = deed.next and any(message.event in events for message in state.inbox)
        return wrong_one or outcome() is not None or conversation.ended is not None

    yield from stage.until(settled, deadline, f"{deed.actor}: one of {len(deed.of)} outcomes")
    found = outcome()
    if found is None:
        expected = [_alternative_in_words(stage, one) for one in deed.of]
        raise stage.fail(
            "none of the permitted outcomes came",
            deed.actor,
            charge=_cause_of_end(stage, state),
            expected=expected,
            received=_unexpected(state),
        )
    alternative, message = found
    if message is not None:
        state.inbox.remove(message)
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

    def offender() -> tuple[ActorState, Message] | None:
        for state in states:
            message = _found(stage, state, deed.event, match)
            if message is not None:
                return state, message
        return None

    yield from stage.until(lambda: offender() is not None, deadline, f"nothing at {', '.join(deed.actors)}")
    found = offender()
    if found is not None:
        state, message = found
        raise stage.fail(
            "a message arrived that must not",
            state.actor.name,
            expected=f"no `{deed.event or 'message'}` such as {show(describe(match, stage.profile.error_codes), 300)}",
            received=message.text,
        )


# The end of the connection


def _expect_close(stage: Stage, deed: ExpectClose) -> Script[None]:
    state = stage.actors[deed.actor]
    conversation = stage.conversation(state)
    codes = stage.close_codes(deed.codes)
    start = stage.now
    if deed.after == "first_ping":
        start = yield from _first_ping(stage, state, conversation)
    deadline = start + stage.seconds(deed.within)
    closed = yield from stage.until(
        lambda: conversation.close_received is not None or conversation.ended is not None,
        deadline,
        f"{deed.actor}: the server's close frame",
    )
    if not closed:
        if deed.optional:
            return
        stage.note(deed.actor, "none", "timeout", "the connection is still open")
        raise stage.fail(
            "the connection was not closed in time", deed.actor, expected=f"close code {codes}", received="it is open"
        )
    received = conversation.close_received
    if received is not None and received.code in codes:
        return
    failure = stage.failure(
        "the connection ended in another way",
        deed.actor,
        expected=f"a close frame with {' or '.join(map(str, codes))}",
        received=ended_as(conversation),
    )
    stage.failures.append(failure)
    if received is not None:
        _charge_close_code(stage, deed.actor, codes, conversation)


def _first_ping(stage: Stage, state: ActorState, conversation: Conversation) -> Script[float]:
    """When the first ping came. Without one there is nothing that could have been left unanswered."""
    beat = stage.profile.heartbeat
    deadline = stage.now + beat.interval * (1 + beat.tolerance) + ALLOWANCE * stage.setting.time_scale
    yield from stage.until(lambda: bool(state.heartbeats) or not conversation.is_open, deadline, "the first ping")
    if not state.heartbeats:
        raise InconclusiveError(f"no ping came that could have been left unanswered; {ended_as(conversation)}")
    return state.heartbeats[0]


def _charge_close_code(stage: Stage, actor: str, codes: tuple[int, ...], conversation: Conversation) -> None:
    stage.failures.append(
        stage.failure(
            "the close code is not the profile's for this cause",
            actor,
            charge=Charge((CLOSE_CODE_REQUIREMENT,), "SHOULD"),
            expected=" or ".join(map(str, codes)),
            received=ended_as(conversation),
        )
    )


def _expect_refusal(stage: Stage, deed: ExpectRefusal) -> Script[None]:
    state = stage.actors[deed.actor]
    conversation = stage.conversation(state)
    deadline = stage.now + stage.seconds("response_timeout")

    def acknowledged() -> bool:
        return any(message.event == stage.contract.ack_event for message in state.inbox)

    def over() -> bool:
        return bool(conversation.refused or conversation.close_received or conversation.ended)

    yield from stage.until(lambda: over() or acknowledged(), deadline, f"{deed.actor}: a refusal")
    if acknowledged() or (deed.plain and conversation.opened is not None):
        raise stage.fail(
            "the connection was accepted", deed.actor, expected="a refusal", received=_unexpected(state)
        )
    if not over():
        stage.note(deed.actor, "none", "timeout", "neither refused nor closed")
        raise stage.fail(
            "the connection was neither refused nor closed in time",
            deed.actor,
            expected="a refused handshake or a close frame",
            received="an open connection without an answer",
        )
    if deed.graded and not _graded_well(stage, deed, conversation):
        codes = stage.close_codes(deed.codes)
        stage.failures.append(
            stage.failure(
                "the refusal has another form",
                deed.actor,
                charge=Charge(deed.graded),
                expected=f"HTTP {' or '.join(map(str, deed.statuses))}"
                + (f", or a close frame with {' or '.join(map(str, codes))}" if codes else ""),
                received=ended_as(conversation),
            )
        )


def _graded_well(stage: Stage, deed: ExpectRefusal, conversation: Conversation) -> bool:
    if conversation.refused is not None:
        status = conversation.refused.status
        return status in deed.statuses or (400 in deed.statuses and status is not None and 400 <= status < 500)
    close = conversation.close_received
    return close is not None and close.code in stage.close_codes(deed.codes)


# Frames


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
    if not declined:
        received = refused.detail if refused is not None else "no answer"
        raise stage.fail(
            "the malformed offer was not declined",
            deed.actor,
            expected="an answer without the extension, or a 4xx status",
            received=received,
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
    payload = deed.payload.encode()

    def answered() -> bool:
        return any(pong.data == payload for pong in state.controls)

    yield from stage.until(lambda: answered() or _over(state), deadline, f"{deed.actor}: a pong frame")
    if answered():
        state.controls = [pong for pong in state.controls if pong.data != payload]
        return
    others = [pong.data.decode("utf-8", "backslashreplace") for pong in state.controls]
    raise stage.fail(
        "the ping frame was not answered with a pong frame of its payload",
        deed.actor,
        expected=f"a pong frame with {deed.payload!r}",
        received=f"pong frames with {others}" if others else _unexpected(state),
    )


# The heartbeat


def _expect_open(stage: Stage, deed: ExpectOpen) -> Script[None]:
    conversation = stage.conversation(stage.actors[deed.actor])
    deadline = stage.now + stage.seconds(deed.duration)
    yield from stage.until(lambda: not conversation.is_open, deadline, f"{deed.actor}: it stays open")
    if not conversation.is_open:
        raise stage.fail(
            "the connection did not stay open", deed.actor, expected="an open connection", received=ended_as(conversation)
        )


class _Lag:
    """How late things are at the moment, measured by pings of our own: a stalled peer or a busy tester.

    What the measured lag explains is not held against the heartbeat.
    """

    def __init__(self, stage: Stage, state: ActorState, period: float) -> None:
        self.stage, self.state, self.period = stage, state, period
        self.sent: list[float] = []
        self.overslept = 0.0

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
            self.overslept = max(self.overslept, self.stage.now - due)
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

    @property
    def allowance(self) -> float:
        """Seconds by which an arrival may be off for no fault of the heartbeat.

        Twice what was measured, since the ping's way and the probe's are late independently of each other. A
        server that answers no ping frame at all tells nothing.
        """
        answers = self._answers()
        worst = 0.0
        for number, sent in enumerate(self.sent, 1):
            answered = answers.get(f"lag-{number}".encode(), self.stage.now if answers else sent)
            worst = max(worst, answered - sent)
        return 2 * (worst + self.overslept) + self.period


def _expect_heartbeat(stage: Stage, deed: ExpectHeartbeat) -> Script[None]:
    state = stage.actors[deed.actor]
    conversation = stage.conversation(state)
    beat = stage.profile.heartbeat
    slack = beat.interval * beat.tolerance
    lag = _Lag(stage, state, max(beat.interval / 20, 0.05))
    last = _acknowledged_at(stage, conversation)
    for number in range(deed.intervals + 1):

        def arrived(count: int = number) -> bool:
            return len(state.heartbeats) > count or not conversation.is_open

        yield from _await_ping(stage, lag, arrived, last + beat.interval + slack)
        if len(state.heartbeats) <= number:
            over = ended_as(conversation) if not conversation.is_open else "no ping"
            raise stage.fail(
                f"ping {number + 1} did not come in time",
                deed.actor,
                expected=f"a ping within {beat.interval + slack:g} s",
                received=f"{over} (measured lag: {lag.allowance:.3f} s)",
            )
        at = state.heartbeats[number]
        period = at - last
        if abs(period - beat.interval) > slack:
            yield from lag.settle()
        early = number > 0 and period < beat.interval - slack - lag.allowance
        if early or period > beat.interval + slack + lag.allowance:
            raise stage.fail(
                f"ping {number + 1} is {'early' if early else 'late'}",
                deed.actor,
                expected=f"a period of {beat.interval:g} s ± {slack:g} s",
                received=f"{period:.3f} s (measured lag: {lag.allowance:.3f} s)",
            )
        last = at
    if lag.allowance > beat.interval / 2:
        raise InconclusiveError(f"a lag of {lag.allowance:.1f} s is too large to judge a period of {beat.interval:g} s")


def _await_ping(stage: Stage, lag: _Lag, arrived: Callable[[], bool], limit: float) -> Script[None]:
    """Wait for a ping until its limit, and as much longer as the measured lag explains."""
    yield from lag.until(arrived, limit, "the next ping")
    patience = limit + stage.seconds("response_timeout")
    while not arrived() and stage.now < min(limit + lag.allowance, patience):
        yield from lag.until(arrived, min(stage.now + lag.period, patience), "a late ping")


def _acknowledged_at(stage: Stage, conversation: Conversation) -> float:
    for message in conversation.received:
        if message.event == stage.contract.ack_event:
            return message.t
    assert conversation.opened is not None
    return conversation.opened.t


EXPECTATIONS: Mapping[type, Callable[[Stage, Any], Script[None]]] = {
    Expect: _expect,
    ExpectOne: _expect_one,
    ExpectNothing: _expect_nothing,
    ExpectClose: _expect_close,
    ExpectRefusal: _expect_refusal,
    ExpectHandshake: _expect_handshake,
    ExpectDeclined: _expect_declined,
    NeedCompression: _need_compression,
    ExpectPong: _expect_pong,
    ExpectHeartbeat: _expect_heartbeat,
    ExpectOpen: _expect_open,
}
