"""Expecting the end of a connection, a refusal, or that it stays open."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from conformance.language.awaited import ExpectClose, ExpectOpen, ExpectRefusal
from conformance.language.deed import Charge
from conformance.language.values import DisturbedError, InconclusiveError
from conformance.play.admission import retry_after
from conformance.play.attribution import Search, closed_for_heartbeat, ended_as, excuse_if_stalled, what_came
from conformance.play.context import ALLOWANCE, ActorState, Script, Stage
from conformance.play.deadlines import owed
from conformance.play.handshakes import confirm_refusal
from conformance.play.record import Conversation
from conformance.transport.exchange import LOST
from contract.findings import Phrase, Text, phrase

CLOSE_CODE = Charge(("CLOSE-04",), "SHOULD")
"""Charged where a connection is closed for the right cause with another code than the profile's."""


def close_with(codes: Iterable[int]) -> Phrase:
    """A close frame with one of these codes."""
    return phrase("close-with", codes=once(codes))


def once(values: Iterable[int]) -> list[str]:
    """Each value once, as text."""
    return list(dict.fromkeys(map(str, values)))


def _expect_close(stage: Stage, deed: ExpectClose) -> Script[None]:
    state = stage.actors[deed.actor]
    conversation = stage.conversation(state)
    codes = stage.close_codes(deed.codes)
    start = stage.now
    if deed.after == "first_ping":
        start = yield from _first_ping(stage, state, conversation)
    deadline = start + stage.seconds(deed.within)

    def over() -> bool:
        return conversation.close_received is not None or conversation.ended is not None

    what = "the server's close frame"
    # What the server may leave out is no promise.
    closed = yield from stage.until(over, deadline, what) if deed.optional else owed(stage, over, deadline, what)
    if not closed:
        if deed.optional:
            return
        stage.note(deed.actor, "none", "timeout", phrase("still-open"))
        raise stage.fail(
            phrase("not-closed"),
            deed.actor,
            expected=close_with(codes),
            received=what_came(stage, state),
            absent="timeout",
        )
    received = conversation.close_received
    if received is not None:
        stage.decide(CLOSE_CODE)
        if received.code in codes:
            return
    heartbeat = closed_for_heartbeat(stage, state)
    if heartbeat is not None:
        raise stage.fail(
            phrase("closed-for-heartbeat"),
            deed.actor,
            charge=heartbeat,
            received=ended_as(conversation),
            absent="ended",
        )
    failure = stage.failure(
        phrase("ended-otherwise"),
        deed.actor,
        expected=close_with(codes),
        received=ended_as(conversation),
        absent="ended" if received is None else None,
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
        text = phrase("no-ping-to-leave", end=ended_as(conversation))
        raise DisturbedError(text) if stage.stalled(0.0) > beat.interval / 10 else InconclusiveError(text)
    return state.heartbeats[0]


def _charge_close_code(stage: Stage, actor: str, codes: tuple[int, ...], conversation: Conversation) -> None:
    stage.failures.append(
        stage.failure(
            phrase("other-close-code"),
            actor,
            charge=CLOSE_CODE,
            expected=close_with(codes),
            received=ended_as(conversation),
        )
    )


def _expect_refusal(stage: Stage, deed: ExpectRefusal) -> Script[None]:
    state = stage.actors[deed.actor]
    conversation = stage.conversation(state)
    deadline = stage.now + stage.seconds("response_timeout")

    acknowledged = Search(state, lambda message: message.event == stage.contract.ack_event)

    def over() -> bool:
        return bool(conversation.refused or conversation.close_received or conversation.ended)

    yield from owed(stage, lambda: over() or acknowledged() is not None, deadline, "a refusal")
    if acknowledged() is not None or (deed.plain and conversation.opened is not None):
        came = what_came(stage, state)
        raise stage.fail(phrase("accepted"), deed.actor, expected=phrase("a-refusal"), received=came)
    if not over():
        stage.note(deed.actor, "none", "timeout", phrase("note-neither"))
        raise stage.fail(
            phrase("not-refused"),
            deed.actor,
            expected=phrase("refused-or-closed"),
            received=what_came(stage, state),
            absent="timeout",
        )
    refused = conversation.refused
    if refused is not None and refused.problem in LOST:
        raise DisturbedError(phrase("lost-handshake", detail=refused.detail))
    wrong = bool(deed.graded) and not _graded_well(stage, deed, conversation)
    # What answers a plain GET wrongly is wrong, whatever others get; a refusal shows something beside the controls.
    if not (wrong and deed.plain and retry_after(refused) is None):
        yield from confirm_refusal(stage)
    stage.decide(Charge(deed.graded))
    if wrong:
        codes = stage.close_codes(deed.codes)
        forms: list[Text] = [phrase("status", statuses=once(deed.statuses))]
        forms += [close_with(codes)] if codes else []
        stage.failures.append(
            stage.failure(
                phrase("other-refusal"),
                deed.actor,
                charge=Charge(deed.graded),
                expected=phrase("any-of", items=forms),
                received=ended_as(conversation),
            )
        )


def _graded_well(stage: Stage, deed: ExpectRefusal, conversation: Conversation) -> bool:
    if conversation.refused is not None:
        status = conversation.refused.status
        return status in deed.statuses or (400 in deed.statuses and status is not None and 400 <= status < 500)
    close = conversation.close_received
    return close is not None and close.code in stage.close_codes(deed.codes)


def _expect_open(stage: Stage, deed: ExpectOpen) -> Script[None]:
    conversation = stage.conversation(stage.actors[deed.actor])
    deadline = stage.now + stage.seconds(deed.duration)
    yield from stage.until(lambda: not conversation.is_open, deadline, "the end of the watch")
    if not conversation.is_open:
        excuse_if_stalled(stage)
        raise stage.fail(
            phrase("not-kept-open"),
            deed.actor,
            expected=phrase("an-open-connection"),
            received=ended_as(conversation),
            absent="ended",
        )


ENDINGS: Mapping[type, Callable[[Stage, Any], Script[None]]] = {
    ExpectClose: _expect_close,
    ExpectRefusal: _expect_refusal,
    ExpectOpen: _expect_open,
}
