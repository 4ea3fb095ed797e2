"""What each kind of step does on the context: sending, leaving, reading. `handshakes` connects, `expecting` expects."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from conformance.language.awaited import ExpectOne, SendRequest
from conformance.language.deeds import (
    CloseConnection,
    Connect,
    DropConnection,
    Fragments,
    RawFrame,
    ReadOn,
    SendMessage,
    SendPing,
    SendRaw,
    StopReading,
)
from conformance.language.scenario import Scenario, Step, decided
from conformance.language.values import Enough
from conformance.play.attribution import ended_as
from conformance.play.context import Absence, Context, Script
from conformance.play.deadlines import owed
from conformance.play.expecting import EXPECTATIONS
from conformance.play.handshakes import connect
from conformance.play.observing import OBSERVING
from conformance.play.record import close_frame
from conformance.play.requests import request
from conformance.transport.exchange import Close, Drop, OutFrame, Reading, Send
from contract.findings import phrase
from contract.json_text import JsonTextError, dump_json
from wire.deflate import compressed
from wire.frames import RSV1, Opcode


def perform(context: Context, step: Step) -> Script[None]:
    """Play one step. Raises `StepFailedError`, `InconclusiveError` or `ScenarioError`."""
    context.step_wait = awaited(step, context.scenario)
    try:
        yield from _DEEDS[type(step.deed)](context, step.deed)
    except Enough:
        if isinstance(step.deed, ExpectOne):
            context.reached.update(decided(step, context.scenario))
        raise
    context.reached.update(decided(step, context.scenario))


def awaited(step: Step, scenario: Scenario) -> tuple[Any, ...]:
    """What a step waits for, as the circuit breaker counts it: requirements, kind of step, and events."""
    events = tuple(sorted({str(one.event or one.match) for one in getattr(step.deed, "of", ())}))
    return (step.charge.requirements or scenario.verifies, type(step.deed).__name__, events)


# Sending


def _send(context: Context, deed: SendMessage) -> Script[None]:
    state = context.actors[deed.actor]
    plain = deed.fragments is None
    action = context.message_action(state, context.own(state, deed.message), escape=deed.escape, plain=plain)
    payload = action.frames[0].payload
    frames = fragmented(payload, Opcode.TEXT, deed.fragments, interleave=deed.interleave)
    yield from context.act(Send(deed.actor, frames))


def _send_raw(context: Context, deed: SendRaw) -> Script[None]:
    state = context.actors[deed.actor]
    context.values.sender = state.actor.user
    if deed.frames:
        frames = tuple(
            OutFrame(
                frame.opcode,
                _part(context, frame),
                frame.final,
                frame.reserved_bits,
                frame.masked,
                raw=True,
            )
            for frame in deed.frames
        )
        shown = " ".join(f"[{frame.opcode:x} {'fin ' if frame.fin else ''}{len(frame.payload)}]" for frame in frames)
        context.sent(state, None, shown, None, "frame")
    elif deed.binary is not None or deed.hex is not None:
        value = context.values.render(deed.binary)
        payload = _payload(value, deed.hex)
        frames = _message(deed, value, payload, Opcode.TEXT if deed.opcode == "text" else Opcode.BINARY)
        context.sent(state, None, base64.b64encode(payload[:512]).decode(), None, "binary")
    else:
        text = context.values.render(deed.text)
        frames = _message(deed, text, str(text).encode("utf-8", "surrogatepass"), Opcode.TEXT)
        value = _as_value(context, str(text))
        # A post that was written by hand is known as one.
        event = None if value is None else context.contract.name_of(value, "client")
        context.sent(state, value, str(text), event, raw=True)
    yield from context.act(Send(deed.actor, frames, deed.pieces))
    for frame in frames:
        yield from context.part_sent(state, frame.opcode, final=frame.fin)


def _message(deed: SendRaw, value: Any, payload: bytes, opcode: int) -> tuple[OutFrame, ...]:
    sizes = deed.fragments
    if deed.from_text and isinstance(sizes, tuple):
        sizes = (getattr(value, "start", 0) + sizes[0], *sizes[1:])
    if deed.deflate is None:
        return fragmented(payload, opcode, sizes, interleave=deed.interleave)
    first, *others = fragmented(compressed(payload, deed.deflate), opcode, sizes, interleave=deed.interleave)
    # RSV1 stands on the first frame only (RFC 7692 §6.1).
    rsv = 0 if deed.deflate == "none" else RSV1
    return (replace(first, rsv=rsv, raw=True), *(replace(one, raw=True) for one in others))


def _part(context: Context, frame: RawFrame) -> bytes:
    """What a frame holds."""
    whole = _payload(context.values.render(frame.text), frame.hex)
    if frame.deflate is not None:
        whole = compressed(whole, frame.deflate)
    number, count = frame.part
    return whole[len(whole) * (number - 1) // count : len(whole) * number // count]


def _payload(value: Any, hexadecimal: str | None) -> bytes:
    if hexadecimal is not None:
        return bytes.fromhex(hexadecimal)
    if isinstance(value, bytes):
        return value
    text = "" if value is None else value
    return (text if isinstance(text, str) else dump_json(text)).encode("utf-8", "surrogatepass")


def _as_value(context: Context, text: str) -> Any:
    """The raw text's value; None where it is no message."""
    try:
        return context.contract.codec.decode(text)
    except JsonTextError:
        return None


def fragmented(payload: bytes, opcode: int, fragments: Fragments, *, interleave: bool) -> tuple[OutFrame, ...]:
    """One message as frames (RFC 6455 §5.4), with pings between them where `interleave` says so."""
    if fragments is None:
        return (OutFrame(opcode, payload),)
    if isinstance(fragments, int):
        size = max(-(-len(payload) // fragments), 1)
        sizes = [size] * (fragments - 1)
    else:
        sizes = list(fragments)
    parts, start = [], 0
    for size in sizes:
        parts.append(payload[start : start + size])
        start += size
    parts.append(payload[start:])
    frames: list[OutFrame] = []
    for index, part in enumerate(parts):
        if interleave and index:
            frames.append(OutFrame(Opcode.PING, b"between"))
        frames.append(OutFrame(opcode if index == 0 else Opcode.CONT, part, fin=index == len(parts) - 1))
    return tuple(frames)


def _ping(context: Context, deed: SendPing) -> Script[None]:
    context.note(deed.actor, "out", "ping", deed.payload.decode("utf-8", "backslashreplace"))
    context.setting.watch.sent(context.scenario.id, context.now)
    yield from context.act(Send(deed.actor, (OutFrame(Opcode.PING, deed.payload),)))


# Leaving


def _close(context: Context, deed: CloseConnection) -> Script[None]:
    state = context.actors[deed.actor]
    conversation = context.conversation(state)
    context.leave(conversation)
    context.note(deed.actor, "out", "close", close_frame(deed.code, deed.reason))
    yield from context.act(Close(deed.actor, deed.code, deed.reason))
    if not deed.answered:
        return
    deadline = context.now + context.seconds("response_timeout")
    over = yield from owed(
        context, lambda: conversation.ended is not None, deadline, "the server's close frame and the end of TCP"
    )
    if conversation.close_received is None:
        received = ended_as(conversation) if over else phrase("nothing-came")
        absent: Absence = "ended" if over else "timeout"
        text, expected = phrase("close-unanswered"), phrase("a-close-frame")
        raise context.fail(text, deed.actor, expected=expected, received=received, absent=absent)
    if not over:
        context.note(deed.actor, "none", "timeout", phrase("tcp-still-open"))
        raise context.fail(
            phrase("tcp-not-ended"),
            deed.actor,
            expected=phrase("tcp-end"),
            received=phrase("tcp-still-open"),
            absent="timeout",
        )


def _drop(context: Context, deed: DropConnection) -> Script[None]:
    conversation = context.conversation(context.actors[deed.actor])
    context.leave(conversation)
    context.note(deed.actor, "out", "end", phrase(f"drop-{deed.how}"))
    yield from context.act(Drop(deed.actor, deed.how))


def _stop_reading(context: Context, deed: StopReading) -> Script[None]:
    context.stop_reading(context.conversation(context.actors[deed.actor]))
    context.note(deed.actor, "none", "note", phrase("stops-reading"))
    yield from context.act(Reading(deed.actor, on=False))


def _read_on(context: Context, deed: ReadOn) -> Script[None]:
    context.note(deed.actor, "none", "note", phrase("reads-on"))
    yield from context.act(Reading(deed.actor, on=True))


_DEEDS: Mapping[type, Callable[[Context, Any], Script[None]]] = {
    Connect: connect,
    SendMessage: _send,
    SendRaw: _send_raw,
    SendPing: _ping,
    CloseConnection: _close,
    DropConnection: _drop,
    StopReading: _stop_reading,
    ReadOn: _read_on,
    SendRequest: request,
    **EXPECTATIONS,
    **OBSERVING,
}
