"""The steps that look at a connection: its handshake's answer, compression, and pong frames."""

from collections.abc import Callable, Mapping
from typing import Any

from conformance.language.awaited import ExpectDeclined, ExpectHandshake, ExpectPong, NeedCompression
from conformance.language.values import Enough
from conformance.play.attribution import absence, ended_as, is_over, what_came
from conformance.play.context import Context, Script
from conformance.play.deadlines import owed
from conformance.play.handshakes import confirm_refusal
from conformance.transport.exchange import LOST
from contract.findings import Phrase, phrase


def _expect_handshake(context: Context, deed: ExpectHandshake) -> Script[None]:
    """The answer was checked when the connection opened; a plain refusal is no wrong answer."""
    conversation = context.conversation(context.actors[deed.actor])
    refused, opened = conversation.refused, conversation.opened
    if refused is not None and refused.problem in ("accept", "negotiation"):
        raise context.fail(
            phrase("handshake-wrong"),
            deed.actor,
            expected=phrase("handshake-right"),
            received=refused.detail,
        )
    if deed.selected and (opened is None or opened.subprotocol not in deed.selected):
        raise context.fail(
            phrase("subprotocol-other"),
            deed.actor,
            expected=phrase("any-of", items=[_selected(one) for one in deed.selected]),
            received=ended_as(conversation) if opened is None else _selected(opened.subprotocol),
            absent="refused" if refused is not None and refused.problem in LOST else None,
        )
    yield from ()


def _selected(subprotocol: str | None) -> Phrase:
    if subprotocol is None:
        return phrase("no-subprotocol-selected")
    return phrase("subprotocol-selected", subprotocol=subprotocol)


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


CONNECTIONS: Mapping[type, Callable[[Context, Any], Script[None]]] = {
    ExpectHandshake: _expect_handshake,
    ExpectDeclined: _expect_declined,
    NeedCompression: _need_compression,
    ExpectPong: _expect_pong,
}
