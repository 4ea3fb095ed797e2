"""What each kind of step does on the stage: connecting, sending, leaving. Expectations are in `expecting`."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from conformance.actions import Close, Deflate, Drop, Opcode, Open, OutFrame, Refused, Request, Send
from conformance.blame import ended_as
from conformance.deflate import compressed
from conformance.expecting import EXPECTATIONS
from conformance.patience import owed
from conformance.record import Conversation
from conformance.scenario import (
    Charge,
    CloseConnection,
    Connect,
    DropConnection,
    Fragments,
    SendMessage,
    SendPing,
    SendRaw,
    Step,
)
from conformance.stage import Script, Stage
from conformance.values import Enough, InconclusiveError
from contract.json_text import JsonTextError, dump_json, parse_json
from contract.profile import Profile

HANDSHAKE_REQUIREMENT = "CONN-07"
"""Charged where the handshake's answer is wrong in itself (RFC 6455 §4.2.2), not where it is a refusal."""


def perform(stage: Stage, step: Step) -> Script[None]:
    """Play one step. Raises `StepFailedError`, `InconclusiveError` or `ScenarioError`."""
    yield from _DEEDS[type(step.deed)](stage, step.deed)


# Connecting


def _connect(stage: Stage, deed: Connect) -> Script[None]:
    state = stage.actors[deed.actor]
    token_name = deed.token or state.actor.user
    token = None if token_name == "none" else stage.values.token(token_name)
    if deed.token_text is not None:
        token = stage.values.render(deed.token_text)
    if token == "" and stage.profile.auth.where == "subprotocol":
        raise InconclusiveError("an empty token cannot travel as a subprotocol")
    number = sum(one.actor == deed.actor for one in stage.record.conversations) + 1
    subprotocols = tuple(stage.values.render(list(deed.subprotocols)))
    request = handshake_request(stage, deed, token, subprotocols, auto_pong=state.actor.heartbeat == "answer")
    conversation = Conversation(deed.actor, state.actor.user, number, token)
    conversation.subprotocols = request.subprotocols
    stage.record.conversations.append(conversation)
    state.conversation = conversation
    state.inbox, state.controls, state.heartbeats, state.echoes = [], [], [], []
    stage.note(deed.actor, "out", "handshake", f"GET {request.target}")
    yield from stage.act(Open(deed.actor, request))
    deadline = stage.now + stage.seconds("response_timeout")
    settled = yield from owed(
        stage, lambda: bool(conversation.opened or conversation.refused), deadline, "the handshake's answer"
    )
    if not deed.accepted:
        return
    if not settled:
        stage.note(deed.actor, "none", "timeout", "no answer to the handshake")
        raise stage.fail("the handshake got no answer in time", deed.actor, expected="101 Switching Protocols")
    if conversation.refused is not None:
        raise _refused(stage, deed, conversation.refused)


def _refused(stage: Stage, deed: Connect, refused: Refused) -> Exception:
    actor = deed.actor
    if deed.deflate and refused.problem == "negotiation" and "permessage-deflate" in refused.detail:
        # What was offered is not what CONN-07 forbids; the step says what an answer to it is charged to.
        return stage.fail(
            f"the answer does not fit the offer of compression: {refused.detail}",
            actor,
            expected="the answer that RFC 7692 §7.1 prescribes",
            received=refused.detail,
        )
    if isinstance(deed.deflate, Mapping) and refused.problem == "status" and refused.status in range(400, 500):
        # `ws` and Autobahn refuse demands that they cannot meet. WIRE-09 begins where compression is negotiated.
        stage.note(actor, "none", "note", "the server refused what the offer of permessage-deflate demands, as it may")
        return Enough()
    if refused.problem in ("accept", "negotiation"):
        return stage.fail(
            f"the handshake's answer is wrong: {refused.detail}",
            actor,
            charge=Charge((HANDSHAKE_REQUIREMENT,), "MUST"),
            expected="the answer that RFC 6455 §4.2.2 prescribes",
            received=refused.detail,
        )
    return stage.fail(
        "the handshake was not accepted",
        actor,
        expected="101 Switching Protocols",
        received=str(refused.status) if refused.status else refused.detail,
    )


def handshake_request(
    stage: Stage, deed: Connect, token: str | None, subprotocols: tuple[str, ...], *, auto_pong: bool
) -> Request:
    """The request of a scenario's actor."""
    answer = auto_pong or stage.profile.heartbeat.form != "control"
    made = request_for(deed, stage.profile, stage.setting.target, token, stage.values.render)
    return replace(made, subprotocols=made.subprotocols + subprotocols, answer_control_pings=answer)


def request_for(
    deed: Connect, profile: Profile, target: str, token: str | None, render: Callable[[Any], Any]
) -> Request:
    """The request with the token where the profile says it travels (CLIENT-01)."""
    target, headers, protocols = authorised(profile, target, token)
    if deed.path is not None:
        parts = urlsplit(target)
        target = render(deed.path) + (f"?{parts.query}" if parts.query else "")
    headers.update({name: render(value) for name, value in (deed.headers or {}).items()})
    return Request(target, tuple(headers.items()), protocols, deflate=_deflate(deed.deflate), upgrade=deed.upgrade)


def _deflate(offer: bool | Mapping[str, Any]) -> Deflate | None:
    if isinstance(offer, bool):
        return Deflate() if offer else None
    return Deflate(**offer)


def authorised(profile: Profile, target: str, token: str | None) -> tuple[str, dict[str, str], tuple[str, ...]]:
    """Request target, headers and subprotocols that carry the token."""
    if token is None:
        return target, {}, ()
    name = profile.auth.name
    match profile.auth.where:
        case "query":
            parts = urlsplit(target)
            query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), (name, token)], quote_via=quote)
            return f"{parts.path}?{query}", {}, ()
        case "header":
            return target, {name: f"Bearer {token}" if name.lower() == "authorization" else token}, ()
        case _:
            return target, {}, (name, token)


# Sending


def _send(stage: Stage, deed: SendMessage) -> Script[None]:
    state = stage.actors[deed.actor]
    action = stage.message_action(state, stage.values.render(deed.message), escape=deed.escape)
    payload = action.frames[0].payload
    frames = fragmented(payload, Opcode.TEXT, deed.fragments, interleave=deed.interleave)
    yield from stage.act(Send(deed.actor, frames))


def _send_raw(stage: Stage, deed: SendRaw) -> Script[None]:
    state = stage.actors[deed.actor]
    if deed.frames:
        frames = tuple(
            OutFrame(
                frame.opcode,
                _payload(stage, frame.text, frame.hex),
                frame.final,
                frame.reserved_bits,
                frame.masked,
                raw=True,
            )
            for frame in deed.frames
        )
        shown = " ".join(f"[{frame.opcode:x} {'fin ' if frame.fin else ''}{len(frame.payload)}]" for frame in frames)
        stage.sent(state, None, shown, None, "frame")
    elif deed.binary is not None or deed.hex is not None:
        payload = _payload(stage, deed.binary, deed.hex)
        frames = _message(deed, payload, Opcode.TEXT if deed.opcode == "text" else Opcode.BINARY)
        stage.sent(state, None, base64.b64encode(payload[:512]).decode(), None, "binary")
    else:
        text = stage.values.render(deed.text)
        frames = _message(deed, str(text).encode("utf-8", "surrogatepass"), Opcode.TEXT)
        stage.sent(state, _as_json(str(text)), str(text), None)
    yield from stage.act(Send(deed.actor, frames, deed.pieces))


def _message(deed: SendRaw, payload: bytes, opcode: int) -> tuple[OutFrame, ...]:
    if deed.deflate is None:
        return fragmented(payload, opcode, deed.fragments, interleave=deed.interleave)
    first, *others = fragmented(compressed(payload, deed.deflate), opcode, deed.fragments, interleave=deed.interleave)
    # RSV1 stands on the first frame only (RFC 7692 §6.1).
    return (replace(first, rsv=4, raw=True), *(replace(one, raw=True) for one in others))


def _payload(stage: Stage, text: Any, hexadecimal: str | None) -> bytes:
    if hexadecimal is not None:
        return bytes.fromhex(hexadecimal)
    value = stage.values.render(text) if text is not None else ""
    return (value if isinstance(value, str) else dump_json(value)).encode("utf-8", "surrogatepass")


def _as_json(text: str) -> Any:
    """The raw text's value, so that a post that was written by hand is known as one; None where it is none."""
    try:
        return parse_json(text)
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


def _ping(stage: Stage, deed: SendPing) -> Script[None]:
    stage.note(deed.actor, "out", "ping", deed.payload.decode("utf-8", "backslashreplace"))
    yield from stage.act(Send(deed.actor, (OutFrame(Opcode.PING, deed.payload),)))


# Leaving


def _close(stage: Stage, deed: CloseConnection) -> Script[None]:
    state = stage.actors[deed.actor]
    conversation = stage.conversation(state)
    conversation.closing = True
    stage.note(deed.actor, "out", "close", "no code" if deed.code is None else f"{deed.code} {deed.reason}".rstrip())
    yield from stage.act(Close(deed.actor, deed.code, deed.reason))
    if not deed.answered:
        return
    deadline = stage.now + stage.seconds("response_timeout")
    over = yield from owed(
        stage, lambda: conversation.ended is not None, deadline, "the server's close frame and the end of TCP"
    )
    if conversation.close_received is None:
        received = ended_as(conversation) if over else "no close frame"
        message = "the close frame was not answered"
        raise stage.fail(message, deed.actor, expected="a close frame", received=received, hasty=over)
    if not over:
        stage.note(deed.actor, "none", "timeout", "the TCP connection is still open")
        raise stage.fail(
            "the TCP connection was not ended after the closing handshake",
            deed.actor,
            expected="the end of the TCP connection",
            received="a TCP connection that stays open",
        )


def _drop(stage: Stage, deed: DropConnection) -> Script[None]:
    conversation = stage.conversation(stage.actors[deed.actor])
    conversation.closing = True
    stage.note(deed.actor, "out", "end", deed.how)
    yield from stage.act(Drop(deed.actor, deed.how))


_DEEDS: Mapping[type, Callable[[Stage, Any], Script[None]]] = {
    Connect: _connect,
    SendMessage: _send,
    SendRaw: _send_raw,
    SendPing: _ping,
    CloseConnection: _close,
    DropConnection: _drop,
    **EXPECTATIONS,
}
