"""Transcript checks: they run over every message of every scenario, whatever the scenario is there for."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import chain, islice, pairwise
from typing import Any

from conformance.judge.declared import DECLARED_CHECKS
from conformance.judge.deliveries import DELIVERY_CHECKS
from conformance.judge.findings import MAX_FINDINGS, Finding, charged
from conformance.judge.replies import REPLY_CHECKS
from conformance.play.context import Failure
from conformance.play.history import History
from conformance.play.posts import collect
from conformance.play.record import UNPARSED, Conversation, Message, is_cut, outer
from contract.findings import phrase
from contract.json_text import dump_json, type_name
from contract.model import Contract
from contract.paths import has, value_at
from contract.requirements import Requirement
from contract.roles import Number
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
    """`text`: text, UTF-8, and what the codec reads, such as JSON; `unfragmented`: in one frame."""
    history.chance("text", times=len(history.record.messages))
    history.chance("unfragmented", times=len(history.record.messages))
    yield from islice(_untexted(history), MAX_FINDINGS)


def _untexted(history: History) -> Iterator[Finding]:
    for message in history.record.messages:
        check = "text"
        if message.opcode != Opcode.TEXT:
            text, expected = phrase("binary-message"), phrase("text-message")
        elif message.problem is not None:
            text, expected = message.problem, phrase("json-in-utf-8")
        elif not _compressed(message) and is_cut(message.fragments):
            text, expected = phrase("fragmented", number=len(message.fragments)), phrase("one-text-frame")
            check = "unfragmented"
        else:
            continue
        yield Finding(check, message.conversation, text, expected, message.text)


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
    numbers = {f"/{one.at.replace('.', '/')}" for one in history.contract.roles.numbers}
    for message in _parsed(history) if history.contract.envelope is not None else ():
        history.chance("envelope", message.event if message.event in history.contract.events else None)
        for violation in history.contract.check_envelope(message.value):
            if violation.pointer in numbers:
                continue
            text, problem = phrase("no-envelope"), violation.phrase
            yield Finding("envelope", message.conversation, text, problem, message.text, message.event)


def check_payload(history: History) -> Iterator[Finding]:
    """The schema of the event's payload."""
    contract = history.contract
    for message in _parsed(history):
        event, value = message.event, message.value
        if event is None or event not in contract.events or not has_payload(contract, value):
            continue
        history.chance("payload", event)
        text = phrase("invalid-payload", event=event)
        for one in contract.check_payload(event, value):
            problem = contract.placed(one, value)
            yield Finding("payload", message.conversation, text, problem, message.text, event, one.places)


def has_payload(contract: Contract, value: Any) -> bool:
    """Whether a message has what its event's schema is about."""
    path = contract.payload_path(value)
    return not path or has(value, path)


def check_number(history: History) -> Iterator[Finding]:
    """`number`: integers that strictly increase; `number-step`: by their step."""
    for conversation in history.record.conversations:
        for number in history.contract.roles.counted:
            yield from _counted(history, conversation, number)


def _counted(history: History, conversation: Conversation, number: Number) -> Iterator[Finding]:
    """Every count of a number that a connection carries."""
    counts: dict[Any, list[int | None]] = {}
    concerned = [one for one in conversation.received if not number.of or one.event is None or one.event in number.of]
    # A message without a number is as it may be; it might have had a wrong one.
    history.chance("number", times=len(concerned))
    for message in concerned:
        if message.value is UNPARSED:
            for count in counts.values():
                count.append(None)  # it may have had the number that seems to be missing
            continue
        if not has(message.value, number.at):
            continue
        found = value_at(message.value, number.at)
        if type_name(found) == "integer":
            key = None if number.per is None else dump_json(value_at(message.value, number.per))
            counts.setdefault(key, []).append(found)
        else:
            text, expected = phrase("number-kind", name=number.at), phrase("an-integer")
            yield Finding("number", conversation, text, expected, message.text)
    for count in counts.values():
        yield from _rising(history, conversation, number, count)


def _rising(history: History, conversation: Conversation, number: Number, count: list[int | None]) -> Iterator[Finding]:
    known = [one for one in count if one is not None]
    for lower, higher in pairwise(known):
        if higher <= lower:
            text, expected = phrase("number-falls", name=number.at), phrase("more-than", least=lower)
            yield Finding("number", conversation, text, expected, f"{higher}")
    if conversation.unread_since is not None or number.step is None:
        return  # a gap is what shows that a server did not keep everything for one that did not read
    for before, after in pairwise(count):
        if before is None or after is None:
            continue
        history.chance("number-step")
        if after != before + number.step:
            text = phrase("number-leaps", name=number.at)
            yield Finding("number-step", conversation, text, f"{before + number.step}", f"{after}")


# Connections


def check_acknowledgement(history: History) -> Iterator[Finding]:
    """The acknowledgement comes first, once, and with a session of its own."""
    acknowledgement = history.contract.acknowledgement
    if acknowledgement is None:
        return
    ack, path = acknowledgement.expect.name, acknowledgement.expect.id
    sessions: dict[str | None, Conversation] = {}
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
        for session in {_session(one, path) for one in acks} - {None}:
            history.chance("session-unique", times=bool(sessions))
            if session in sessions and sessions[session] is not conversation:
                text, expected = phrase("session-shared"), phrase("own-session")
                yield Finding("session-unique", conversation, text, expected, session)
            sessions[session] = conversation


def _session(ack: Message, path: str | None) -> str | None:
    """The id of a connection that its acknowledgement names."""
    found = value_at(ack.value, path) if path is not None else None
    return found if isinstance(found, str) else None


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
    contract = history.contract
    known = set(history.profile.error_codes.values())
    for message in _parsed(history) if known else ():
        code = contract.error_code(message.value) if contract.reports_error(message.event) else None
        if not code:
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
    *DECLARED_CHECKS,
    check_acknowledgement,
    check_tokens,
    check_error_codes,
    check_close_codes,
    *REPLY_CHECKS,
)
