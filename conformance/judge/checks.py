"""Transcript checks: they run over every message of every scenario, whatever the scenario is there for."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import chain, islice, pairwise

from conformance.judge.deliveries import DELIVERY_CHECKS
from conformance.judge.findings import MAX_FINDINGS, Finding, charged
from conformance.play.context import Failure
from conformance.play.history import History
from conformance.play.posts import collect
from conformance.play.record import UNPARSED, Conversation, Message, is_cut, outer
from contract.findings import phrase
from contract.json_text import type_name
from contract.model import value_at
from contract.requirements import Requirement
from wire.frames import Opcode


def judge(history: History, requirements: Mapping[str, Requirement]) -> tuple[tuple[Failure, ...], Counter[str]]:
    """Run every check: what is charged to the clauses that they decide, and the chances that each had to fail."""
    deliveries = collect(history)
    found = chain(
        *(check(history) for check in TRANSCRIPT_CHECKS), *(check(history, deliveries) for check in DELIVERY_CHECKS)
    )
    return charged(found, requirements, history.record), history.chances


# ENV: the format of every message


def check_text(history: History) -> Iterator[Finding]:
    """Text, UTF-8, JSON, in one frame."""
    history.chance("text", times=len(history.record.messages))
    yield from islice(_untexted(history), MAX_FINDINGS)


def _untexted(history: History) -> Iterator[Finding]:
    for message in history.record.messages:
        if message.opcode != Opcode.TEXT:
            text, expected = phrase("binary-message"), phrase("text-message")
        elif message.problem is not None:
            text, expected = message.problem, phrase("json-in-utf-8")
        elif not _compressed(message) and is_cut(message.fragments):
            text, expected = phrase("fragmented", number=len(message.fragments)), phrase("one-text-frame")
        else:
            continue
        yield Finding("text", message.conversation, text, expected, message.text)


def _compressed(message: Message) -> bool:
    """What compresses cuts as its compressor flushes."""
    opened = message.conversation.opened
    return opened is not None and opened.compressed


def check_frames(history: History) -> Iterator[Finding]:
    """Legal frames, and compression that can be undone."""
    for conversation in history.record.conversations:
        if conversation.opened is None:
            continue
        history.chance("frames")
        if conversation.opened.compressed and conversation.received:
            history.chance("compression")
        # What is wrong in a close frame is no message: its code is another check's, and its reason may be our own.
        in_close = conversation.close_received is not None
        if conversation.ended is None or conversation.ended.how != "violation" or in_close:
            continue
        # What cannot be inflated is a matter of the compression that was negotiated.
        broken = conversation.ended.detail or phrase("frame-other")
        inflating = broken.code == "frame-inflate"
        text = phrase("framing-deflate" if inflating else "framing")
        expected = phrase("legal-compression" if inflating else "legal-frames")
        yield Finding("compression" if inflating else "frames", conversation, text, expected, broken)


def check_envelope(history: History) -> Iterator[Finding]:
    """The envelope's schema; a wrong number in it is the check `number`'s."""
    for message in _parsed(history):
        history.chance("envelope", message.event if message.event in history.contract.events else None)
        for violation in history.contract.check_envelope(message.value):
            if violation.pointer == "/sequence":
                continue
            text, problem = phrase("no-envelope"), violation.phrase
            yield Finding("envelope", message.conversation, text, problem, message.text, message.event)


def check_payload(history: History) -> Iterator[Finding]:
    """The schema of the event's payload."""
    for message in _parsed(history):
        event, value = message.event, message.value
        if event is None or event not in history.contract.events or "payload" not in value:
            continue
        history.chance("payload", event)
        text = phrase("invalid-payload", event=event)
        for one in history.contract.check_payload(event, value["payload"]):
            problem = one.in_payload
            yield Finding("payload", message.conversation, text, problem, message.text, event, one.places)


def check_number(history: History) -> Iterator[Finding]:
    """`number`: integers that strictly increase; `number-step`: by one."""
    for conversation in history.record.conversations:
        numbers: list[int | None] = []
        # A message without a number is as it may be; it might have had a wrong one.
        history.chance("number", times=len(conversation.received))
        for message in conversation.received:
            if message.value is UNPARSED:
                numbers.append(None)  # it may have had the number that seems to be missing
            if not isinstance(message.value, dict) or "sequence" not in message.value:
                continue
            number = message.value["sequence"]
            if type_name(number) == "integer":
                numbers.append(number)
            else:
                text, expected = phrase("number-kind", name="sequence"), phrase("an-integer")
                yield Finding("number", conversation, text, expected, message.text)
        known = [number for number in numbers if number is not None]
        for lower, higher in pairwise(known):
            if higher <= lower:
                text, expected = phrase("number-falls", name="sequence"), phrase("more-than", least=lower)
                yield Finding("number", conversation, text, expected, f"{higher}")
        if conversation.unread_since is not None:
            continue  # a gap is what shows that a server did not keep everything for it
        for before, after in pairwise(numbers):
            if before is None or after is None:
                continue
            history.chance("number-step")
            if after != before + 1:
                text = phrase("number-leaps", name="sequence")
                yield Finding("number-step", conversation, text, f"{before + 1}", f"{after}")


def check_declared(history: History) -> Iterator[Finding]:
    """No event and no member that the contract does not name."""
    for message in _parsed(history):
        if message.event is None:
            continue
        history.chance("undeclared")
        event = history.contract.events.get(message.event)
        if event is None or event.sender != "server":
            found = [phrase("undeclared-event", event=message.event[:80])]
        else:
            members = history.contract.undeclared_members(message.value)
            found = [phrase("undeclared-member", member=pointer[:200]) for pointer in members]
        for text in found:
            yield Finding("undeclared", message.conversation, text, None, message.text)


# Connections


def check_acknowledgement(history: History) -> Iterator[Finding]:
    """The acknowledgement comes first, once, and with a session of its own."""
    ack = history.contract.ack_event
    sessions: dict[str, Conversation] = {}
    for conversation in history.record.conversations:
        acks = [message for message in conversation.received if message.event == ack]
        if not acks:
            continue
        history.chance("acknowledged-once")
        if not _answered_early(conversation, acks[0]):
            history.chance("acknowledged-first")
            if acks[0] is not conversation.received[0]:
                text, expected = phrase("acknowledged-late"), phrase("event-first", event=ack)
                received = conversation.received[0].text
                yield Finding("acknowledged-first", conversation, text, expected, received)
        if len(acks) > 1:
            text, expected = phrase("acknowledged-twice", number=len(acks)), phrase("one-acknowledgement")
            yield Finding("acknowledged-once", conversation, text, expected, acks[1].text)
        for session in {value_at(one.value, "payload.sessionId") for one in acks if _has_session(one)}:
            history.chance("session-unique", times=bool(sessions))
            if session in sessions and sessions[session] is not conversation:
                text, expected = phrase("session-shared"), phrase("own-session")
                yield Finding("session-unique", conversation, text, expected, session)
            sessions[session] = conversation


def _has_session(ack: Message) -> bool:
    return isinstance(value_at(ack.value, "payload.sessionId"), str)


def _answered_early(conversation: Conversation, ack: Message) -> bool:
    """Whether we sent something before the acknowledgement: then what came first may be its answer."""
    return bool(conversation.sent) and conversation.sent[0].t < ack.t


CARRIED_BACK = {"subprotocol": "sec-websocket-protocol", "cookie": "set-cookie"}
"""The header of an answer that may hold the token where it travels so: a server renews its cookies in it."""


def check_tokens(history: History) -> Iterator[Finding]:
    """No answer repeats the token, apart from what the client itself sent in a message."""
    for conversation in history.record.conversations:
        token = conversation.token
        if token is None or len(token) < 4:
            continue
        own = any(token in sent.text for one in history.record.conversations for sent in one.sent)
        if own:
            continue
        answers = list(_answers(conversation, CARRIED_BACK.get(history.profile.auth.where)))
        history.chance("secret-echo", times=bool(answers))
        for text in answers:
            if token in text:
                yield Finding("secret-echo", conversation, phrase("token-repeated"), None, text[:300])


def _answers(conversation: Conversation, carried_back: str | None) -> Iterator[str]:
    refused, opened, closed = conversation.refused, conversation.opened, conversation.close_received
    headers = (opened.headers if opened else ()) + (refused.headers if refused else ())
    for name, value in headers:
        if name.lower() != carried_back:
            yield f"{name}: {value}"
    if refused is not None:
        yield refused.body.decode("utf-8", "replace")
    if closed is not None:
        yield closed.reason
    for message in conversation.received:
        yield message.text


def check_error_codes(history: History) -> Iterator[Finding]:
    """The codes of errors are the profile's."""
    if history.contract.delivery is None:
        return
    error = history.contract.delivery.error
    known = set(history.profile.error_codes.values())
    for message in _parsed(history):
        code = value_at(message.value, error["code"]) if message.event == error["event"] else None
        if not isinstance(code, str) or not code:
            continue
        history.chance("error-code")
        if code not in known:
            text, expected = phrase("unknown-error-code"), phrase("one-of", items=sorted(known))
            yield Finding("error-code", message.conversation, text, expected, code)


def check_close_codes(history: History) -> Iterator[Finding]:
    """What stands on the wire is legal there (RFC 6455 §7.4)."""
    for conversation in history.record.conversations:
        close = conversation.close_received
        if close is None:
            continue
        history.chance("close-code")
        if not close.legal:
            expected = phrase("legal-close-code")
            received = phrase("one-byte") if close.code is None else f"{close.code}"
            yield Finding("close-code", conversation, phrase("illegal-close"), expected, received)


def _parsed(history: History) -> Iterator[Message]:
    """The messages that are JSON, as far as they are held against the schemas."""
    return (message for message in outer(history.record.messages) if message.value is not UNPARSED)


TRANSCRIPT_CHECKS: tuple[Callable[[History], Iterator[Finding]], ...] = (
    check_text,
    check_frames,
    check_envelope,
    check_payload,
    check_number,
    check_declared,
    check_acknowledgement,
    check_tokens,
    check_error_codes,
    check_close_codes,
)
